"""What people did to a booking's event in their own calendar, while it waits for its grace time or their answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

EditKind = Literal["moved", "deleted"]


@dataclass(frozen=True, slots=True)
class CalendarEdit:
    """One booking's event in one calendar. `start` and `end` (epoch seconds) are where it was moved to; `seen_at` is
    when it was noticed; `is_asked` says that the person is asked what they meant."""

    booking_id: str
    calendar_id: str
    org_id: str
    user_id: str
    kind: EditKind
    start: int | None
    end: int | None
    is_asked: bool
    seen_at: int


class CalendarEdits(Protocol):
    """Rows of `calendar_edits`, one a booking and calendar. Inside a unit of work; nothing here commits."""

    async def put(self, edit: CalendarEdit) -> None:
        """Insert or replace."""
        ...

    async def of_user(self, user_id: str) -> list[CalendarEdit]:
        """In the order they were noticed in. A question is over once its booking was changed in another way."""
        ...

    async def remove(self, booking_id: str, calendar_id: str) -> bool: ...
