"""The mailbox of answers, over IMAP (RFC 9051), by the standard library in a thread.

What was read is marked with a keyword of ours, so that it is read once and yet stays new to the people who read the
same mailbox.
"""

from __future__ import annotations

import asyncio
import imaplib
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.errors import MessageError
from email.message import EmailMessage
from ipaddress import ip_address
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from app.domain.errors import ProviderFailure
from app.ports.reply_box import Letter

SECONDS = 20.0
"""How long one answer of the server may take."""
AT_ONCE = 100
LARGEST = 1_000_000
AGE_SECONDS = 14 * 86400
KEYWORD = "$HalfpastRead"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class ImapServer:
    """A mailbox, and how to log in there."""

    host: str
    port: int
    tls: bool
    username: str
    password: str
    mailbox: str = "INBOX"

    @classmethod
    def parse(cls, url: str) -> ImapServer:
        """From `imaps://user:password@host[:993][/mailbox]`, or `imap://` (143) for STARTTLS; what is special in it is
        percent-encoded. ValueError says what is wrong, without the password."""
        parts = urlsplit(url)
        if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username:
            raise ValueError("a mailbox is written imaps://user:password@host or imaps://user:password@host/mailbox")
        tls = parts.scheme == "imaps"
        return cls(
            parts.hostname,
            parts.port or (993 if tls else 143),
            tls,
            unquote(parts.username),
            unquote(parts.password or ""),
            unquote(parts.path.strip("/")) or "INBOX",
        )

    @property
    def is_loopback(self) -> bool:
        """Whether it runs on this machine, where nobody listens in between."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class ImapReplyBox:
    """`ReplyBox` over IMAP, one connection a question. Passwords travel encrypted, but on this machine."""

    def __init__(self, server: ImapServer, clock: Callable[[], int], tls_context: ssl.SSLContext | None = None) -> None:
        self._server = server
        self._clock = clock
        self._tls = tls_context or ssl.create_default_context()

    async def unseen(self) -> list[Letter]:
        """Mails with a calendar part that carries METHOD:REPLY."""
        return await self._ask(self._unseen)

    async def mark(self, ids: Sequence[str]) -> None:
        """By the keyword."""
        await self._ask(lambda client: _store(client, ids))

    async def check(self) -> None:
        """Log in and select the mailbox."""
        await self._ask(lambda _: None)

    async def _ask(self, question: Callable[[imaplib.IMAP4], Result]) -> Result:
        with _told():
            return await asyncio.to_thread(self._session, question)

    def _session(self, question: Callable[[imaplib.IMAP4], Result]) -> Result:
        client = self._connected()
        try:
            self._log_in(client)
            status, said = client.select(_quoted(self._server.mailbox))
            if status != "OK":
                raise ProviderFailure(
                    "gone", f"The mailbox {self._server.mailbox} cannot be opened: {said[-1]!r}"[:300]
                )
            return question(client)
        finally:
            client.shutdown()

    def _log_in(self, client: imaplib.IMAP4) -> None:
        """PLAIN where it is offered, since LOGIN has no letters beyond ASCII (RFC 9051 §6.2.3)."""
        name, password = self._server.username, self._server.password
        try:
            if "AUTH=PLAIN" in client.capabilities:
                client.authenticate("PLAIN", lambda _: f"\0{name}\0{password}".encode())
            else:
                client.login(_quoted(name), password)
        except (imaplib.IMAP4.error, UnicodeError) as error:
            raise ProviderFailure("auth", f"The mailbox refused the login: {error}"[:500]) from error

    def _connected(self) -> imaplib.IMAP4:
        server = self._server
        if server.tls:
            return imaplib.IMAP4_SSL(server.host, server.port, ssl_context=self._tls, timeout=SECONDS)
        client = imaplib.IMAP4(server.host, server.port, timeout=SECONDS)
        if "STARTTLS" in client.capabilities:
            client.starttls(self._tls)
        elif not server.is_loopback:
            client.shutdown()
            raise ProviderFailure("refused", "The mail server offers no encryption, so no password is sent to it.")
        return client

    def _unseen(self, client: imaplib.IMAP4) -> list[Letter]:
        day = datetime.fromtimestamp(self._clock() - AGE_SECONDS, UTC)
        since = f"{day.day}-{_MONTHS[day.month - 1]}-{day.year}"
        _, found = client.uid("SEARCH", f"UNKEYWORD {KEYWORD} SINCE {since} SMALLER {LARGEST}")
        letters = []
        for uid in (found[0] or b"").split()[:AT_ONCE]:
            _, parts = client.uid("FETCH", uid.decode(), "(BODY.PEEK[])")
            text = next((part[1] for part in parts if isinstance(part, tuple)), b"")
            letters.append(_letter(uid.decode(), text))
        return letters


def _store(client: imaplib.IMAP4, ids: Sequence[str]) -> None:
    client.uid("STORE", ",".join(ids), "+FLAGS.SILENT", f"({KEYWORD})")


def _letter(uid: str, text: bytes) -> Letter:
    """A mail without an answer in it is a letter without a calendar: it is dealt with all the same."""
    try:
        mail = message_from_bytes(text, policy=policy.default)
        senders = mail["From"].addresses if mail["From"] else ()
        calendar = next((_content(part) for part in mail.walk() if _is_reply(part)), "")
    except (MessageError, LookupError, ValueError, AttributeError):  # strangers' mails are broken in many ways
        return Letter(uid, "", "")
    return Letter(uid, senders[0].addr_spec.lower() if senders else "", calendar)


def _is_reply(part: EmailMessage) -> bool:
    return part.get_content_type() == "text/calendar" and str(part.get_param("method", "")).upper() == "REPLY"


def _content(part: EmailMessage) -> str:
    content = part.get_content()
    return content if isinstance(content, str) else ""


def _quoted(mailbox: str) -> str:
    escaped = mailbox.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong on the way, as the port's failure."""
    try:
        yield
    except imaplib.IMAP4.error as error:
        raise ProviderFailure("protocol", f"The mailbox cannot be read: {error}"[:500]) from error
    except OSError as error:  # timeouts and TLS errors are OSErrors too
        raise ProviderFailure("unreachable", f"The mailbox cannot be reached: {str(error) or 'too slow'}") from error
