"""What people keep of their own in the events of bookings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class EventNote:
    """One person's notes on one booking's event: `data` as `app.domain.event_notes` writes it, empty for none; `name`
    is what the event is called in the person's schedule when a device named it (None: by the booking). `plain` is the
    event's text without the notes, as others may read it (empty without notes: then they are the same)."""

    booking_id: str
    user_id: str
    org_id: str
    name: str | None
    data: str
    plain: str


class EventNotesStore(Protocol):
    """Rows of `event_notes`, one a booking and person. Inside a unit of work; nothing here commits. Read together with
    the people of a booking (`HostStore.people`)."""

    async def put(self, note: EventNote, now: int) -> None:
        """Insert or replace."""
        ...
