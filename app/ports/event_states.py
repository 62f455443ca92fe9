"""How far each booking's event has come in each connected write calendar: what the write-back remembers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol


@dataclass(frozen=True, slots=True)
class EventState:
    """One booking's event in one calendar. `event_key` is its id there (CalDAV: the href path), None before the first
    write; `written_version` is the booking's version that the calendar has."""

    booking_id: str
    calendar_id: str
    org_id: str
    account_id: str
    event_key: str | None
    etag: str | None
    html_link: str | None
    state: Literal["written", "pending", "failed"]
    written_version: int | None
    error: str | None


class EventStates(Protocol):
    """Rows of `calendar_events`. Inside a unit of work; nothing here commits."""

    async def of_host(self, booking_id: str, user_id: str) -> list[EventState]:
        """The booking's events in this user's calendars."""
        ...

    async def in_calendar(self, calendar_id: str, booking_ids: Sequence[str]) -> list[EventState]:
        """Of these bookings in one calendar."""
        ...

    async def missing(self, calendar_id: str, before: int) -> list[EventState]:
        """Written before an instant, for confirmed bookings that end after it, but not in the calendar's mirror; those
        that were noticed already are left out."""
        ...

    async def failed(self, account_id: str) -> list[EventState]:
        """Those in the account's calendars that could not be written or removed."""
        ...

    async def put(self, state: EventState, now: int) -> None:
        """Insert or replace."""
        ...

    async def remove(self, booking_id: str, calendar_id: str) -> None: ...
