"""Mail through an SMTP server (RFC 5321), for submission with STARTTLS (RFC 3207) or TLS from the start (RFC 8314)."""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import unquote, urlsplit

import aiosmtplib

from app.domain.errors import NotBegun, ProviderFailure
from app.ports.mail import Mail
from integrations.mail.message import Sender, build_message, recipient_of

STEP_SECONDS = 20.0
"""How long one answer of the server may take; a whole delivery gets three times that."""
WAIT_SECONDS = 25.0
"""How long a mail waits for a connection. Then a whole delivery still fits into the time a job may take: one that is
cut off amid its data may have been accepted, and would be sent twice."""
LEAVE_SECONDS = 2.0
CONNECTIONS = 4
MAILS = 100
"""So many go over one connection, which is what most servers allow."""
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


@dataclass(slots=True)
class _Line:
    """A connection, and how many mails it has taken."""

    client: aiosmtplib.SMTP
    mails: int = 0

    async def is_good(self) -> bool:
        """Whether another mail may go over it. RSET tells before a mail is at stake; else it is closed."""
        if self.mails < MAILS:
            try:
                await self.client.rset()
                return True
            except (aiosmtplib.SMTPException, OSError):
                pass
        else:
            await _take_leave(self.client)
        self.client.close()
        return False


class SmtpMailer:
    """`Mailer` over SMTP. A connection that has sent a mail is handed on to whoever waits for one, and closed when
    nobody does: none is kept idle.

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
        self._places = CONNECTIONS
        self._waiting: deque[asyncio.Future[_Line | None]] = deque()

    async def send(self, mail: Mail) -> None:
        """Accepted by the server when it returns; see `Mailer` for the failures."""
        message = build_message(mail, self._sender, self._clock())
        recipient = recipient_of(mail)
        options = [] if recipient.isascii() else ["SMTPUTF8"]
        line = await self._place()
        try:
            with _told():
                async with asyncio.timeout(3 * STEP_SECONDS):
                    line = await self._deliver(line, recipient, message.as_bytes(), options)
        except BaseException:
            if line is not None:
                line.client.close()
            self._hand_on(None)
            raise
        if not self._hand_on(line):
            await _take_leave(line.client)
            line.client.close()

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

    async def _place(self) -> _Line | None:
        """One of the connections there may be at once: somebody's who is done with it, or None to open one."""
        if self._places > 0:
            self._places -= 1
            return None
        waiting: asyncio.Future[_Line | None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiting)
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                return await waiting
        except (asyncio.CancelledError, TimeoutError) as error:
            if waiting.done() and not waiting.cancelled() and not self._hand_on(line := waiting.result()) and line:
                line.client.close()
            if isinstance(error, TimeoutError):
                raise NotBegun("The mail server is slow: other mails are still being sent.") from error
            raise

    def _hand_on(self, line: _Line | None) -> bool:
        """Whether somebody took the connection, or (None) the place for one."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(line)
                return True
        self._places += 1
        return False

    async def _deliver(self, line: _Line | None, recipient: str, message: bytes, options: list[str]) -> _Line:
        """The connection the mail went over: the given one while the server still listens there, or a new one."""
        if line is None or not await line.is_good():
            line = _Line(self._client())
            try:
                await line.client.connect()
            except BaseException:
                line.client.close()
                raise
        line.mails += 1
        try:
            await line.client.sendmail(self._sender.address, [recipient], message, mail_options=options)
        except BaseException:
            line.client.close()
            raise
        return line

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
        async with asyncio.timeout(LEAVE_SECONDS):
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
