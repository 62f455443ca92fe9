"""What devices sent and the server could not take: kept for the person, who decides what becomes of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class KeptEdit:
    """One refused request: the object `name` of a collection, the iCalendar text that was sent (empty: it was to be
    deleted), why it was refused, the device's label, and when (epoch seconds)."""

    id: str
    org_id: str
    user_id: str
    calendar_id: str
    name: str
    data: str
    reason: str
    device: str
    kept_at: int


class KeptEdits(Protocol):
    """Rows of `kept_edits`. Inside a unit of work; nothing here commits."""

    async def keep(self, edit: KeptEdit, most: int) -> None:
        """Insert. Of more than `most` of a person, the oldest go."""
        ...

    async def texts_for(self, user_id: str, calendar_id: str, name: str) -> list[str]:
        """What was kept for this person of one object last: a handful of texts."""
        ...

    async def of_user(self, user_id: str, limit: int) -> list[KeptEdit]:
        """The newest first, but those whose very text was stored there after all; of long texts the first 8,000
        characters."""
        ...

    async def get(self, user_id: str, edit_id: str) -> KeptEdit | None: ...
    async def remove(self, user_id: str, edit_id: str) -> bool: ...
