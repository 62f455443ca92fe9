"""Hosts: who they are, when they work, and what occupies them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.bookings import Booking
from app.domain.explain import Blocker
from app.domain.reminders import Reminder


@dataclass(frozen=True, slots=True)
class ScheduleRecord:
    """A stored schedule: the shape of the API, from which `rules()` makes what the engine reads."""

    id: str
    org_id: str
    user_id: str
    name: str
    timezone: str
    is_default: bool
    weekly: Mapping[str, Sequence[tuple[str, str]]]
    overrides: Sequence[Mapping[str, Any]]
    exclusions: Sequence[Mapping[str, Any]]
    holiday_country: str | None
    version: int
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class TimeOff:
    """A period a host is away, epoch seconds."""

    id: str
    org_id: str
    host_id: str
    start: int
    end: int
    reason: str


@dataclass(frozen=True, slots=True)
class HostTimes:
    """What occupies a host in a window. `busy` is sorted and may overlap; `next_expiry` is when the first pending hold
    counted in it runs out."""

    busy: Sequence[tuple[int, int]] = ()
    next_expiry: int | None = None


@dataclass(frozen=True, slots=True)
class HostPerson:
    """The person behind a host. `timezone` is the one their times are told in; `write_calendar_id` is the connected
    calendar that bookings are written to (None: just the built-in `schedule`), `write_provider` whose it is, and
    `provider_invites` the setting of its account. `adds_contacts`: an address book of theirs, or of the link's owner,
    takes new recipients. `notes` are the person's own on the event of the booking asked for, and `event_name` what it
    is called in their schedule, when a device named it. `is_active`: they are not switched off. `owner_id` is who
    owns the link, `reminders` are the link's, or else those of the service asked for."""

    host_id: str
    name: str
    email: str
    timezone: str
    schedule_calendar_id: str | None
    write_calendar_id: str | None
    write_provider: str | None = None
    provider_invites: bool = False
    adds_contacts: bool = False
    notes: str | None = None
    event_name: str | None = None
    is_active: bool = True
    owner_id: str | None = None
    reminders: tuple[Reminder, ...] = ()


class HostStore(Protocol):
    """Hosts, their schedules, time off, and what occupies them."""

    async def people(
        self,
        host_ids: Sequence[str],
        link_id: str | None = None,
        booking_id: str | None = None,
        service_id: str | None = None,
    ) -> list[HostPerson]:
        """The people behind these hosts of a link or a service, with their notes on a booking, in id order; resources
        have none. One SELECT."""
        ...

    async def told_of(self, link_id: str | None, service_id: str | None) -> tuple[str | None, tuple[Reminder, ...]]:
        """Who owns the link, and what reminders there are: the same as in `people`, where there are none."""
        ...

    async def times(
        self, host_ids: Sequence[str], start: int, end: int, now: int, without: str | None = None
    ) -> Mapping[str, HostTimes]:
        """Claims, time off and busy intervals of conflict calendars that overlap [start, end), by host; holds that ran
        out and the occurrence `without` are left out. One statement; hosts without any are missing."""
        ...

    async def link_starts(self, link_id: str, start: int, end: int, now: int, without: str | None = None) -> list[int]:
        """Starts in [start, end) of the link's bookings but cancelled ones, those whose hold ran out, sessions, and
        `without`: a booking, or a session with its attendees."""
        ...

    async def host_starts(
        self, host_ids: Sequence[str], start: int, end: int, now: int, without: str | None = None
    ) -> Mapping[str, list[int]]:
        """The same for hosts, by host."""
        ...

    async def last_booked(self, host_ids: Sequence[str]) -> Mapping[str, int]:
        """When each host was last booked; hosts never booked are missing."""
        ...

    async def bump(self, host_ids: Sequence[str]) -> None:
        """Raise the revisions: something that free times depend on changed."""
        ...

    async def booked(self, host_ids: Sequence[str], now: int) -> None:
        """The same when a booking of theirs changed, which shared feeds go by."""
        ...

    async def lock(self, host_ids: Sequence[str]) -> None:
        """Lock the rows in id order."""
        ...

    async def blockers(self, host_ids: Sequence[str], start: int, end: int, now: int) -> list[Blocker]:
        """What overlaps [start, end) of what `times` counts, by name and in order; three SELECTs."""
        ...

    async def claimed(self, host_ids: Sequence[str], start: int, end: int) -> frozenset[str]:
        """Those of the hosts that have a booking, buffers included, within [start, end)."""
        ...

    async def claim(self, booking: Booking) -> None:
        """Insert the booking's claims, one a host. `ClaimOverlap` when the database forbids it."""
        ...

    async def move_claim(self, booking: Booking) -> None:
        """Exchange the old time and hosts of the booking's claims for the new ones."""
        ...

    async def release(self, occurrence_id: str) -> None: ...

    async def expired_holds(self, host_ids: Sequence[str], start: int, end: int, now: int) -> list[str]:
        """Ids of pending bookings in the way whose hold ran out."""
        ...

    async def add_schedule(self, schedule: ScheduleRecord) -> None: ...
    async def schedule(self, org_id: str, schedule_id: str) -> ScheduleRecord | None: ...
    async def schedules(self, user_id: str) -> list[ScheduleRecord]: ...
    async def schedules_of(self, user_ids: Sequence[str]) -> list[ScheduleRecord]:
        """Those of several people, the usual ones first; one SELECT."""
        ...

    async def update_schedule(self, schedule: ScheduleRecord) -> None: ...
    async def delete_schedule(self, org_id: str, schedule_id: str) -> None: ...
    async def schedule_in_use(self, schedule_id: str) -> bool: ...

    async def add_time_off(self, time_off: TimeOff, now: int) -> None: ...
    async def time_off(
        self, host_id: str, after: int, limit: int | None = None, behind: tuple[int, str] | None = None
    ) -> list[TimeOff]:
        """What ends later than `after`, by start and id; from `behind` such a pair on."""
        ...

    async def delete_time_off(self, host_id: str, time_off_id: str) -> bool: ...
