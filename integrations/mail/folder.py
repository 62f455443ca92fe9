"""Mail into a local folder, for when no server is configured: one .eml file a mail, and its viewer's reading."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
from collections.abc import Callable, Sequence
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.parser import BytesHeaderParser
from pathlib import Path

from app.domain.errors import ProviderFailure
from app.domain.mentions import mentions
from app.ports.mail import Mail
from app.ports.mail_folder import StoredMail
from integrations.mail.message import Sender, build_message

_NAME = re.compile(r"[0-9a-f]{32}\.eml")
NANOSECONDS = 1_000_000_000


class FolderMailer:
    """`Mailer` and `MailFolder` over a directory, made when the first mail comes, readable by its owner alone."""

    def __init__(self, directory: Path, sender: Sender, clock: Callable[[], int]) -> None:
        self._directory = directory
        self._sender = sender
        self._clock = clock

    async def send(self, mail: Mail) -> None:
        """On disk when it returns. The name comes from the Message-ID: a repeated mail replaces itself."""
        raw = build_message(mail, self._sender, self._clock()).as_bytes()
        name = hashlib.sha256(mail.message_id.encode()).hexdigest()[:32] + ".eml"
        try:
            await asyncio.to_thread(self._write, name, raw)
        except OSError as error:
            raise ProviderFailure("unreachable", f"The mail folder cannot be written: {error.strerror}") from error

    async def check(self) -> None:
        """Nothing to reach: the folder is made when the first mail comes."""

    async def list_mails(self, limit: int = 100) -> list[StoredMail]:
        """Newest first, without their bodies."""
        return await asyncio.to_thread(self._list, limit)

    async def read_mail(self, name: str) -> StoredMail | None:
        raw = await self.raw_mail(name)
        stored_at = await asyncio.to_thread(_stored_at, self._directory / name) if raw is not None else None
        if raw is None or stored_at is None:
            return None
        return _stored(name, stored_at // NANOSECONDS, message_from_bytes(raw, policy=policy.default), whole=True)

    async def raw_mail(self, name: str) -> bytes | None:
        if not _NAME.fullmatch(name):
            return None
        try:
            return await asyncio.to_thread((self._directory / name).read_bytes)
        except FileNotFoundError:
            return None

    async def erase(self, words: Sequence[str]) -> int:
        return await asyncio.to_thread(self._erase, mentions(words))

    def _erase(self, found: re.Pattern[str]) -> int:
        """Each mail is read whole: parts are encoded, so that a search of the files would not do. Another program may
        be erasing, too."""
        count = 0
        for path in self._directory.iterdir() if self._directory.is_dir() else ():
            if not _NAME.fullmatch(path.name):
                continue
            with contextlib.suppress(FileNotFoundError):
                if found.search(_whole_text(path.read_bytes())):
                    path.unlink()
                    count += 1
        return count

    def _write(self, name: str, raw: bytes) -> None:
        """Whole or not at all: written aside, flushed, renamed."""
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = self._directory / f".{secrets.token_hex(8)}.part"
        try:
            descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(raw)
                file.flush()
                os.fsync(file.fileno())
            aside.replace(self._directory / name)
        except OSError:
            aside.unlink(missing_ok=True)
            raise

    def _list(self, limit: int) -> list[StoredMail]:
        try:
            mails = [path for path in self._directory.iterdir() if _NAME.fullmatch(path.name)]
        except FileNotFoundError:
            return []
        dated = [(stored_at, path) for path in mails if (stored_at := _stored_at(path)) is not None]
        newest = sorted(dated, reverse=True)[:limit]
        listed = (_listed(path, stored_at // NANOSECONDS) for stored_at, path in newest)
        return [mail for mail in listed if mail is not None]


def _stored_at(path: Path) -> int | None:
    """Nanoseconds; None when it was erased meanwhile."""
    try:
        return path.stat().st_mtime_ns
    except FileNotFoundError:
        return None


def _listed(path: Path, stored_at: int) -> StoredMail | None:
    try:
        with path.open("rb") as file:
            headers = BytesHeaderParser(policy=policy.default).parse(file)
    except FileNotFoundError:
        return None
    return _stored(path.name, stored_at, headers, whole=False)


def _stored(name: str, stored_at: int, message: EmailMessage, *, whole: bool) -> StoredMail:
    return StoredMail(
        name=name,
        stored_at=stored_at,
        to=str(message["To"] or ""),
        sender=str(message["From"] or ""),
        subject=str(message["Subject"] or ""),
        message_id=str(message["Message-ID"] or ""),
        text=_part(message, "text/plain") if whole else "",
        html=_part(message, "text/html") if whole else "",
        invitation=_part(message, "text/calendar") if whole else "",
    )


def _whole_text(raw: bytes) -> str:
    """Headers and parts as they are read, in lower case."""
    message = message_from_bytes(raw, policy=policy.default)
    headers = [str(value) for part in message.walk() for value in part.values()]
    bodies = [part.get_payload(decode=True) for part in message.walk() if not part.is_multipart()]
    texts = [body.decode(errors="replace") for body in bodies if isinstance(body, bytes)]
    # Lines of iCalendar are folded anywhere (RFC 5545 §3.1).
    return "\n".join([*headers, *texts, *(re.sub(r"\r?\n[ \t]", "", text) for text in texts)]).lower()


def _part(message: EmailMessage, content_type: str) -> str:
    for part in message.walk():
        if part.get_content_type() == content_type:
            content = part.get_payload(decode=True)
            return content.decode(errors="replace") if isinstance(content, bytes) else ""
    return ""
