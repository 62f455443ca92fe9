"""Mail into a folder, and what its viewer reads there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from app.domain.errors import ProviderFailure
from integrations.mail.folder import FolderMailer
from tests.providers.mail.smtp_server import parse_message
from tests.providers.mail.test_message import INVITATION, NOW, SENDER, make_mail

pytestmark = pytest.mark.anyio


@pytest.fixture
def folder(tmp_path: Path) -> FolderMailer:
    return FolderMailer(tmp_path / "var" / "mail", SENDER, lambda: NOW)


async def test_a_sent_mail_can_be_read_again(folder: FolderMailer) -> None:
    await folder.send(make_mail(invitation=INVITATION, subject="Bestätigt"))
    (listed,) = await folder.list_mails()
    assert (listed.subject, listed.to, listed.text) == ("Bestätigt", "Rita <rita@example.org>", "")
    mail = await folder.read_mail(listed.name)
    assert mail is not None
    assert mail.text.strip() == "Hello"
    assert mail.html.strip() == "<p>Hello</p>"
    assert mail.invitation == INVITATION.text
    assert mail.message_id == make_mail().message_id


async def test_the_file_is_the_message_as_it_would_go_out(folder: FolderMailer) -> None:
    await folder.send(make_mail(invitation=INVITATION))
    (listed,) = await folder.list_mails()
    raw = await folder.raw_mail(listed.name)
    assert raw is not None
    assert parse_message(raw)["To"].addresses[0].addr_spec == "rita@example.org"
    assert b"\n" not in raw.replace(b"\r\n", b"")


async def test_a_repeated_mail_replaces_itself(folder: FolderMailer) -> None:
    await folder.send(make_mail())
    await folder.send(make_mail())
    await folder.send(make_mail(message_id="<other@example.com>"))
    assert len(await folder.list_mails()) == 2


async def test_the_newest_comes_first(folder: FolderMailer, tmp_path: Path) -> None:
    for number in range(3):
        await folder.send(make_mail(message_id=f"<{number}@example.com>", subject=f"Mail {number}"))
    names = {mail.subject: mail.name for mail in await folder.list_mails()}
    for number in range(3):
        os.utime(tmp_path / "var" / "mail" / names[f"Mail {number}"], (NOW - number, NOW - number))
    assert [mail.subject for mail in await folder.list_mails(2)] == ["Mail 0", "Mail 1"]


async def test_an_empty_or_missing_folder_holds_nothing(folder: FolderMailer) -> None:
    assert await folder.list_mails() == []
    assert await folder.read_mail("0" * 32 + ".eml") is None


async def test_mails_that_another_program_erases_meanwhile_are_gone(folder: FolderMailer, tmp_path: Path) -> None:
    await folder.send(make_mail())
    gone = tmp_path / "var" / "mail" / ("0" * 32 + ".eml")
    gone.symlink_to(tmp_path / "erased")  # still in the directory as it is read, and nothing behind it
    assert len(await folder.list_mails()) == 1
    assert await folder.read_mail(gone.name) is None
    assert await folder.erase([make_mail().to]) == 1
    assert await folder.list_mails() == []


@pytest.mark.parametrize("name", ["../secret", "..", "", "/etc/passwd", "x.eml", "0" * 31 + "/.eml"])
async def test_names_cannot_leave_the_folder(folder: FolderMailer, name: str) -> None:
    await folder.send(make_mail())
    assert await folder.read_mail(name) is None
    assert await folder.raw_mail(name) is None


async def test_half_written_files_are_never_seen(folder: FolderMailer, tmp_path: Path) -> None:
    await folder.send(make_mail())
    (tmp_path / "var" / "mail" / ".0123.part").write_bytes(b"Subject: half")
    assert len(await folder.list_mails()) == 1


async def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "mail").write_text("a file is in the way")
    with pytest.raises(ProviderFailure) as caught:
        await FolderMailer(tmp_path / "mail", SENDER, lambda: NOW).send(make_mail())
    assert caught.value.kind == "unreachable"


async def test_only_the_owner_can_read_mail(folder: FolderMailer, tmp_path: Path) -> None:
    await folder.send(make_mail())
    directory = tmp_path / "var" / "mail"
    assert directory.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o777 == 0o600 for path in directory.iterdir())
