"""Bookings and how they are listed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from app.domain.bookings import Booking, BookingStatus, CalendarEventState
from app.ports.page import Page

View = Literal["bookings", "sessions", "schedule"]
"""What people booked; sessions alone; or what hosts have to do, in which a session stands for its attendees."""


@dataclass(frozen=True, slots=True)
class BookingFilter:
    """What to list, by start; times are epoch seconds: `start` and `end` over the start of bookings, `ends_after`
    (later) and `ended_by` (then at the latest) over their end. `user_id` narrows to what this user owns or hosts;
    among sessions also to those of services that a link of theirs offers, and then only who came through their links
    has a name in those they do not host. `booking_id` is a single one; `named` is what the recipient's first or last
    name or their e-mail address begins with, in any case; `newest_first` turns the order round; `view` as in `View`."""

    org_id: str
    user_id: str | None = None
    status: Sequence[BookingStatus] = ()
    link_id: str | None = None
    service_id: str | None = None
    recipient: str | None = None
    client_id: str | None = None
    named: str | None = None
    host_id: str | None = None
    series_id: str | None = None
    booking_id: str | None = None
    start: int | None = None
    end: int | None = None
    ends_after: int | None = None
    ended_by: int | None = None
    newest_first: bool = False
    view: View = "bookings"


class BookingStore(Protocol):
    """Bookings and their previous times."""

    async def add(self, booking: Booking) -> None: ...
    async def get(self, booking_id: str, *, lock: bool = False) -> Booking | None: ...
    async def series(self, series_id: str, since: int = 0, *, lock: bool = False) -> list[Booking]:
        """The bookings of a recurring set that start at `since` or later, by start."""
        ...

    async def of_session(self, session_id: str, limit: int) -> list[Booking]:
        """The bookings that take seats in it, or took them until they were cancelled; the last changed first."""
        ...

    async def by_token(self, token: str) -> Booking | None: ...
    async def has_uid(self, uid: str) -> bool:
        """Whether a booking of any organization has this UID."""
        ...

    async def update(self, booking: Booking, was_version: int) -> bool:
        """Write the new state if the row still has `was_version`."""
        ...

    async def replace_hosts(self, booking: Booking) -> None: ...
    async def move_hosts(self, booking: Booking) -> None:
        """Write the booking's start to its host rows."""
        ...

    async def add_previous_time(self, booking: Booking, now: int) -> None: ...
    async def previous_times(self, booking_id: str) -> list[Mapping[str, Any]]: ...
    async def event_states(self, booking_ids: Sequence[str]) -> Mapping[str, list[CalendarEventState]]:
        """How far each booking's event has come in its hosts' write calendars, by booking id; one SELECT."""
        ...

    async def times_of_host(self, host_id: str, start: int, end: int) -> list[tuple[str, int, int]]:
        """(id, start, end) of the host's active bookings that overlap [start, end)."""
        ...

    async def conflicting(self, booking_ids: Sequence[str]) -> frozenset[str]:
        """Those of these bookings that are active and overlap busy time in a conflict calendar of one of their hosts;
        one SELECT. Buffers do not count."""
        ...

    async def page(self, where: BookingFilter, limit: int, cursor: str | None) -> Page[Booking]: ...
