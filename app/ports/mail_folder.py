"""The local mail folder as its viewer page sees it: where mail goes when no server is configured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredMail:
    """One stored mail. `name` asks for it again; `stored_at` is epoch seconds. `html`, `text` and `invitation` are
    empty in listings."""

    name: str
    stored_at: int
    to: str
    sender: str
    subject: str
    message_id: str
    text: str = ""
    html: str = ""
    invitation: str = ""


class MailFolder(Protocol):
    """Mails on disk, newest first."""

    async def list_mails(self, limit: int = 100) -> list[StoredMail]: ...

    async def read_mail(self, name: str) -> StoredMail | None:
        """None for a name that is not there."""
        ...

    async def erase(self, words: Sequence[str]) -> int:
        """Delete all mails that hold any of these texts, in whatever part; how many they were."""
        ...

    async def raw_mail(self, name: str) -> bytes | None:
        """The message as it would have been sent (RFC 5322)."""
        ...
