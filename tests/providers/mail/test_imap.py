"""The mailbox of answers, on a real Dovecot."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from app.domain.errors import ProviderFailure
from integrations.mail.imap import KEYWORD, ImapReplyBox, ImapServer
from tests.providers.mail.imap_server import ImapMailbox, imap_server

pytestmark = [pytest.mark.anyio, pytest.mark.requires("dovecot")]

REPLY = "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"


def mail(part: str = REPLY, method: str = "REPLY", sender: str = "Casey <Casey@Example.org>") -> bytes:
    """A mail with a calendar part."""
    head = f"From: {sender}\r\nSubject: Accepted\r\nMIME-Version: 1.0\r\n"
    kind = f'Content-Type: text/calendar; charset=utf-8; method="{method}"\r\n\r\n'
    return (head + kind + part).encode()


@pytest.fixture(scope="module")
def dovecot() -> Iterator[ImapMailbox]:
    with imap_server() as mailbox:
        yield mailbox


@pytest.fixture
def server(dovecot: ImapMailbox) -> Iterator[ImapServer]:
    """With an empty mailbox."""
    yield ImapServer.parse(dovecot.url)
    with dovecot.client() as client:
        _, (count, *_) = client.select("INBOX")
        if count != b"0":
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()


def box(server: ImapServer) -> ImapReplyBox:
    return ImapReplyBox(server, lambda: int(time.time()))


async def test_an_answer_is_read_once_and_stays_new_to_people(dovecot: ImapMailbox, server: ImapServer) -> None:
    dovecot.deliver(mail())
    (letter,) = await box(server).unseen()
    assert (letter.sender, letter.calendar) == ("casey@example.org", REPLY)
    assert await box(server).unseen() == [letter], "what was not dealt with comes again"
    await box(server).mark([letter.id])
    assert await box(server).unseen() == []
    (flags,) = dovecot.flags()
    assert KEYWORD in flags
    assert "\\Seen" not in flags


@pytest.mark.parametrize(
    "text",
    [
        b"Subject: no sender\r\n\r\nwords",
        b"From: \xff\xfe\r\nContent-Type: text/calendar; method=REPLY; charset=nonsense\r\n\r\n\xff",
        b"From: a@example.org\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: text/x\r\n",
        b"\r\n\r\n",
        mail(method="REQUEST"),
    ],
)
async def test_other_mails_are_dealt_with_and_mean_nothing(
    dovecot: ImapMailbox, server: ImapServer, text: bytes
) -> None:
    """Whatever strangers send, it is neither an answer nor in the way of the next one."""
    dovecot.deliver(text)
    dovecot.deliver(mail())
    first, second = await box(server).unseen()
    assert not (first.sender and first.calendar)
    assert second.calendar == REPLY
    await box(server).mark([first.id, second.id])
    assert await box(server).unseen() == []


async def test_an_answer_within_a_mail_of_several_parts_is_found(dovecot: ImapMailbox, server: ImapServer) -> None:
    """As mail programs send it."""
    parts = ["Content-Type: text/plain\r\n\r\nCasey has accepted.", mail().decode().split("MIME-Version: 1.0\r\n")[1]]
    body = "".join(f"--x\r\n{part}\r\n" for part in parts) + "--x--\r\n"
    head = "From: casey@example.org\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=x\r\n\r\n"
    dovecot.deliver((head + body).encode())
    (letter,) = await box(server).unseen()
    assert letter.calendar.replace("\r\n", "\n").strip() == REPLY.replace("\r\n", "\n").strip()


@pytest.mark.parametrize(
    ("wrong", "kind"),
    [({"password": "wrong"}, "auth"), ({"mailbox": "Nowhere"}, "gone"), ({"port": 1}, "unreachable")],
)
async def test_what_goes_wrong_is_told(server: ImapServer, wrong: dict[str, object], kind: str) -> None:
    await box(server).check()
    with pytest.raises(ProviderFailure) as refusal:
        await box(replace(server, **wrong)).check()  # type: ignore[arg-type]  # fields by name
    assert refusal.value.kind == kind
    assert server.password not in refusal.value.detail


async def test_no_password_goes_in_clear_to_another_machine(
    server: ImapServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This server offers no encryption."""
    monkeypatch.setattr(ImapServer, "is_loopback", False)
    with pytest.raises(ProviderFailure, match="no encryption"):
        await box(server).check()


def test_addresses() -> None:
    server = ImapServer.parse("imaps://ana%40example.com:p%2Fw@mail.example.com/Answers%20here")
    assert server == ImapServer("mail.example.com", 993, True, "ana@example.com", "p/w", "Answers here")
    assert ImapServer.parse("imap://a:b@mail.example.com").port == 143
    for wrong in ("smtp://a:b@mail.example.com", "imaps://mail.example.com", "imaps://", "nonsense"):
        with pytest.raises(ValueError, match="imaps://user:password@host"):
            ImapServer.parse(wrong)
