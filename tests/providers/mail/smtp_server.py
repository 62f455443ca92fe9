"""A real SMTP server on a free port, with the moods a mail server may be in."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Inbox:
    """The server's handler: keeps what it accepts. The answers are what it says to RCPT and to the data."""

    rcpt_answer: str = "250 OK"
    data_answer: str = "250 OK"
    die_after_acceptance: bool = False
    die_before_answer: bool = False
    envelopes: list[Envelope] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    logins: list[str] = field(default_factory=list)
    options: list[str] = field(default_factory=list)
    port: int = 0

    async def handle_RCPT(  # noqa: N802 - the name is aiosmtpd's
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if self.rcpt_answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return self.rcpt_answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.die_before_answer:
            assert isinstance(server.transport, asyncio.Transport)
            server.transport.abort()
        if self.data_answer.startswith("250"):
            self.envelopes.append(envelope)
            self.encrypted.append(session.ssl is not None)
            self.options += envelope.mail_options
        if self.die_after_acceptance:
            asyncio.get_running_loop().call_soon(_die, server)
        return self.data_answer

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        """For the server's `authenticator`: one account."""
        assert isinstance(data, LoginPassword)
        self.logins.append(mechanism)
        right = (data.login, data.password) == (b"me@example.com", b"p@ss/word")
        return AuthResult(success=right, handled=right)  # not handled: the server answers 535

    @property
    def messages(self) -> list[EmailMessage]:
        """What was accepted, parsed."""
        return [parse_message(envelope.original_content or b"") for envelope in self.envelopes]


def _die(server: SMTP) -> None:
    """The answer is out; the good-bye finds nobody."""
    if server.transport is not None:
        server.transport.close()


def parse_message(raw: bytes) -> EmailMessage:
    """A message read with the modern policy; a defect is a failure."""
    message = message_from_bytes(raw, policy=policy.default)
    assert isinstance(message, EmailMessage)
    for part in message.walk():
        assert part.defects == []
    return message


@asynccontextmanager
async def smtp_server(inbox: Inbox | None = None, **options: Any) -> AsyncIterator[Inbox]:
    """Listen on 127.0.0.1; `options` are aiosmtpd's, and `smtps` a context for TLS from the start."""
    inbox = inbox or Inbox()
    smtps: ssl.SSLContext | None = options.pop("smtps", None)
    loop, sessions = asyncio.get_running_loop(), []

    def session() -> SMTP:
        sessions.append(SMTP(inbox, hostname="mx.example.com", loop=loop, **options))
        return sessions[-1]

    server = await loop.create_server(session, "127.0.0.1", 0, ssl=smtps)
    inbox.port = server.sockets[0].getsockname()[1]
    try:
        yield inbox
    finally:
        server.close()
        await server.wait_closed()
        await _hang_up(sessions)


async def _hang_up(sessions: Sequence[SMTP]) -> None:
    """A server that is closed keeps its connections, and the loop may end before they do."""
    while open_ones := [each.transport for each in sessions if each.transport is not None]:
        for transport in open_ones:
            assert isinstance(transport, asyncio.Transport)
            transport.abort()
        await asyncio.sleep(0)


def make_certificate(folder: Path) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A self-made certificate for 127.0.0.1: the server's context, and a client's that trusts it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.example.com")])
    now = datetime.now(UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1")), x509.DNSName("mail.example.com")])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate_file, key_file = folder / "certificate.pem", folder / "key.pem"
    certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(certificate_file, key_file)
    client = ssl.create_default_context(cafile=str(certificate_file))
    return server, client
