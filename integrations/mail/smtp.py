"""Mail through an SMTP server (RFC 5321), for submission with STARTTLS (RFC 3207) or TLS from the start (RFC 8314)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.domain.errors import ProviderFailure
from app.ports.mail import Mail
from integrations.mail.message import Sender, build_message

STEP_SECONDS = 20.0
"""How long one answer of the server may take; a whole delivery gets three times that."""
_LOGIN_CODES = frozenset({530, 534, 535, 538})


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """A server and how to log in there."""

    host: str
    port: int
    tls: bool
    username: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, url: str) -> SmtpServer:
        """From `smtp://[user:password@]host[:port]` (port 587 with a login, else 25) or `smtps://` (465); what is
        special in an address is percent-encoded. ValueError says what is wrong, without the password."""
        parts = urlsplit(url)
        if parts.scheme not in {"smtp", "smtps"} or not parts.hostname:
            raise ValueError("a mail server is written smtp://user:password@host:587 or smtps://user:password@host")
        username = unquote(parts.username) if parts.username else None
        password = unquote(parts.password or "") if username else None
        tls = parts.scheme == "smtps"
        return cls(parts.hostname, parts.port or (465 if tls else 587 if username else 25), tls, username, password)

    @property
    def is_loopback(self) -> bool:
        """Whether it runs on this machine, where nobody listens in between."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


class SmtpMailer:
    """`Mailer` over SMTP, one connection a mail.

    STARTTLS is used when offered, and insisted on before a password is sent to another machine; certificates of other
    machines are verified.
    """

    def __init__(
        self, server: SmtpServer, sender: Sender, clock: Callable[[], int], tls_context: ssl.SSLContext | None = None
    ) -> None:
        self._server = server
        self._sender = sender
        self._clock = clock
        self._tls_context = tls_context

    async def send(self, mail: Mail) -> None:
        """Accepted by the server when it returns; see `Mailer` for the failures."""
        message = build_message(mail, self._sender, self._clock())
        recipient: str = message["To"].addresses[0].addr_spec
        options = [] if recipient.isascii() else ["SMTPUTF8"]
        with _told():
            async with asyncio.timeout(3 * STEP_SECONDS):
                await self._deliver(recipient, message.as_bytes(), options)

    async def check(self) -> None:
        """Connect, encrypt and log in as for a mail, and say NOOP."""
        client = self._client()
        with _told():
            try:
                await client.connect()
                await client.noop()
                await _take_leave(client)
            finally:
                client.close()

    async def _deliver(self, recipient: str, message: bytes, options: list[str]) -> None:
        client = self._client()
        try:
            await client.connect()
            await client.sendmail(self._sender.address, [recipient], message, mail_options=options)
            await _take_leave(client)
        finally:
            client.close()

    def _client(self) -> aiosmtplib.SMTP:
        server = self._server
        must_encrypt = server.username is not None and not server.is_loopback
        return aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            use_tls=server.tls,
            start_tls=False if server.tls else True if must_encrypt else None,  # None: when offered
            validate_certs=not server.is_loopback or self._tls_context is not None,
            tls_context=self._tls_context,
            local_hostname=self._sender.domain,
            timeout=STEP_SECONDS,
        )


@contextmanager
def _told() -> Iterator[None]:
    """What goes wrong on the way, as the port's failure."""
    try:
        yield
    except aiosmtplib.SMTPException as error:
        raise _failure(error) from error
    except OSError as error:  # TimeoutError and TLS errors are OSErrors too
        raise ProviderFailure(
            "unreachable", f"The mail server cannot be reached: {str(error) or 'too slow'}"
        ) from error


async def _take_leave(client: aiosmtplib.SMTP) -> None:
    """The mail is accepted: a server that dies at the good-bye does not make it unsent."""
    try:
        await client.quit()
    except (aiosmtplib.SMTPException, OSError):
        return


def _failure(error: aiosmtplib.SMTPException) -> ProviderFailure:
    """4xx and what concerns the connection may pass; 5xx about this mail is for good (RFC 5321 §4.2.1)."""
    if isinstance(error, aiosmtplib.SMTPRecipientsRefused):
        error = error.recipients[0]
    if isinstance(error, aiosmtplib.SMTPResponseException):
        answer = f"{error.code} {error.message}"[:500]
        if error.code in _LOGIN_CODES or isinstance(error, aiosmtplib.SMTPAuthenticationError):
            return ProviderFailure("auth", f"The mail server refused the login: {answer}")
        about_connection = isinstance(error, aiosmtplib.SMTPConnectResponseError | aiosmtplib.SMTPHeloError)
        if error.code >= 500 and not about_connection:
            return ProviderFailure("rejected", f"The mail server refused the mail for good: {answer}")
        return ProviderFailure("busy", f"The mail server refused the mail for now: {answer}")
    if isinstance(error, ConnectionError | TimeoutError):
        return ProviderFailure("unreachable", f"The mail server cannot be reached: {error}"[:500])
    return ProviderFailure("protocol", f"The mail server cannot do what is needed: {error}"[:500])
