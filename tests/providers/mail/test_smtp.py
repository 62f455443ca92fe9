"""Mail through real SMTP servers: plain, encrypted, with a login, and in bad moods."""

from __future__ import annotations

import asyncio
import ssl
from pathlib import Path

import pytest

from app.domain.errors import ProviderFailure
from integrations.mail.smtp import SmtpMailer, SmtpServer
from tests.providers.mail.smtp_server import Inbox, make_certificate, smtp_server
from tests.providers.mail.test_message import INVITATION, NOW, SENDER, make_mail

pytestmark = pytest.mark.anyio


def mailer(url: str, tls_context: ssl.SSLContext | None = None) -> SmtpMailer:
    return SmtpMailer(SmtpServer.parse(url), SENDER, lambda: NOW, tls_context)


async def test_a_mail_arrives_whole() -> None:
    async with smtp_server() as inbox:
        await mailer(f"smtp://127.0.0.1:{inbox.port}").send(make_mail(invitation=INVITATION, text="a\n.\nb\n"))
    (envelope,) = inbox.envelopes
    assert envelope.mail_from == "bookings@halfpast.example.com"
    assert envelope.rcpt_tos == ["rita@example.org"]
    (message,) = inbox.messages
    assert message["Message-ID"] == make_mail().message_id
    parts = list(message.walk())
    assert parts[2].get_payload(decode=True) == b"a\r\n.\r\nb\r\n"
    assert parts[4].get_payload(decode=True) == INVITATION.text.encode()


async def test_starttls_is_used_when_offered(tmp_path: Path) -> None:
    server, client = make_certificate(tmp_path)
    async with smtp_server(tls_context=server, require_starttls=True) as inbox:
        await mailer(f"smtp://127.0.0.1:{inbox.port}", client).send(make_mail())
    assert inbox.encrypted == [True]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_smtps_logs_in_over_tls(tmp_path: Path) -> None:
    server, client = make_certificate(tmp_path)
    inbox = Inbox()
    async with smtp_server(
        inbox, smtps=server, authenticator=inbox.authenticate, auth_require_tls=False, auth_required=True
    ):
        await mailer(f"smtps://me%40example.com:p%40ss%2Fword@127.0.0.1:{inbox.port}", client).send(make_mail())
    assert len(inbox.messages) == 1
    assert inbox.logins


async def test_login_after_starttls(tmp_path: Path) -> None:
    server, client = make_certificate(tmp_path)
    inbox = Inbox()
    async with smtp_server(inbox, tls_context=server, authenticator=inbox.authenticate, auth_required=True):
        await mailer(f"smtp://me%40example.com:p%40ss%2Fword@127.0.0.1:{inbox.port}", client).send(make_mail())
    assert inbox.encrypted == [True]


async def test_a_wrong_password_is_told_as_such(tmp_path: Path) -> None:
    server, client = make_certificate(tmp_path)
    inbox = Inbox()
    async with smtp_server(inbox, tls_context=server, authenticator=inbox.authenticate, auth_required=True):
        with pytest.raises(ProviderFailure) as caught:
            await mailer(f"smtp://me%40example.com:wrong@127.0.0.1:{inbox.port}", client).send(make_mail())
        assert caught.value.kind == "auth"
        assert "wrong" not in caught.value.detail
        with pytest.raises(ProviderFailure) as caught:
            await mailer(f"smtp://127.0.0.1:{inbox.port}", client).send(make_mail())
        assert caught.value.kind == "auth"
    assert inbox.messages == []


async def test_an_untrusted_certificate_stops_delivery(tmp_path: Path) -> None:
    """Only on this machine itself are certificates let pass, and not when a context says what to trust."""
    server, _ = make_certificate(tmp_path)
    async with smtp_server(tls_context=server) as inbox:
        with pytest.raises(ProviderFailure) as caught:
            await mailer(f"smtp://127.0.0.1:{inbox.port}", ssl.create_default_context()).send(make_mail())
        assert caught.value.kind == "unreachable"
        assert inbox.messages == []
        await mailer(f"smtp://127.0.0.1:{inbox.port}").send(make_mail())
    assert inbox.encrypted == [True]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
async def test_a_password_is_never_sent_in_the_clear_to_another_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server counts as another machine and offers no STARTTLS: the login is not even tried."""
    monkeypatch.setattr(SmtpServer, "is_loopback", False)
    inbox = Inbox()
    async with smtp_server(inbox, authenticator=inbox.authenticate, auth_require_tls=False):
        with pytest.raises(ProviderFailure) as caught:
            await mailer(f"smtp://me%40example.com:p%40ss%2Fword@127.0.0.1:{inbox.port}").send(make_mail())
    assert caught.value.kind == "protocol"
    assert inbox.logins == []


@pytest.mark.parametrize(
    ("answers", "kind"),
    [
        ({"rcpt_answer": "451 4.7.1 greylisted"}, "busy"),
        ({"rcpt_answer": "550 5.1.1 no such user"}, "rejected"),
        ({"data_answer": "452 4.3.1 disk full"}, "busy"),
        ({"data_answer": "554 5.6.0 looks like spam"}, "rejected"),
        ({"data_answer": "421 4.3.2 going down"}, "busy"),
    ],
)
async def test_refusals_say_whether_to_try_again(answers: dict[str, str], kind: str) -> None:
    async with smtp_server(Inbox(**answers)) as inbox:  # type: ignore[arg-type]  # the texts alone
        with pytest.raises(ProviderFailure) as caught:
            await mailer(f"smtp://127.0.0.1:{inbox.port}").send(make_mail())
    assert caught.value.kind == kind
    assert next(iter(answers.values()))[:3] in caught.value.detail
    assert inbox.messages == []


async def test_a_server_that_dies_after_accepting_has_the_mail() -> None:
    """The good-bye fails, the mail does not: a second copy would be sent otherwise."""
    async with smtp_server(Inbox(die_after_acceptance=True)) as inbox:
        await mailer(f"smtp://127.0.0.1:{inbox.port}").send(make_mail())
    assert len(inbox.messages) == 1


async def test_a_server_that_dies_before_its_answer_is_tried_again_with_the_same_message_id() -> None:
    inbox = Inbox(die_before_answer=True)
    async with smtp_server(inbox):
        url = f"smtp://127.0.0.1:{inbox.port}"
        with pytest.raises(ProviderFailure) as caught:
            await mailer(url).send(make_mail())
        assert caught.value.kind == "unreachable"
        inbox.die_before_answer = False
        await mailer(url).send(make_mail())
    assert {message["Message-ID"] for message in inbox.messages} == {make_mail().message_id}


async def test_nobody_listening_is_unreachable() -> None:
    async with smtp_server() as inbox:
        port = inbox.port
    with pytest.raises(ProviderFailure) as caught:
        await mailer(f"smtp://127.0.0.1:{port}").send(make_mail())
    assert caught.value.kind == "unreachable"


async def test_a_silent_server_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("integrations.mail.smtp.STEP_SECONDS", 0.2)
    over = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        await writer.wait_closed()
        over.set()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    with pytest.raises(ProviderFailure) as caught:
        await mailer(f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}").send(make_mail())
    await over.wait()
    server.close()
    assert caught.value.kind == "unreachable"


async def test_an_address_beyond_ascii_needs_a_server_that_takes_it() -> None:
    mail = make_mail(to="jörg@example.org")
    async with smtp_server() as inbox:
        with pytest.raises(ProviderFailure) as caught:
            await mailer(f"smtp://127.0.0.1:{inbox.port}").send(mail)
    assert caught.value.kind == "protocol"
    async with smtp_server(enable_SMTPUTF8=True) as inbox:
        await mailer(f"smtp://127.0.0.1:{inbox.port}").send(mail)
    assert inbox.envelopes[0].rcpt_tos == ["jörg@example.org"]
    assert "To: Rita <jörg@example.org>\r\n".encode() in (inbox.envelopes[0].original_content or b"")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example.com", SmtpServer("mail.example.com", 25, False)),
        ("smtp://u:p@mail.example.com", SmtpServer("mail.example.com", 587, False, "u", "p")),
        ("smtps://u:p%40@mail.example.com", SmtpServer("mail.example.com", 465, True, "u", "p@")),
        ("smtps://[::1]:2465", SmtpServer("::1", 2465, True)),
    ],
)
async def test_servers_are_read_from_their_address(url: str, server: SmtpServer) -> None:
    assert SmtpServer.parse(url) == server


@pytest.mark.parametrize("url", ["mail.example.com", "http://mail.example.com", "smtp://", "smtp://u:s3cret@:25"])
async def test_a_wrong_server_address_is_told_without_its_password(url: str) -> None:
    with pytest.raises(ValueError, match="mail server") as caught:
        SmtpServer.parse(url)
    assert "s3cret" not in str(caught.value)
