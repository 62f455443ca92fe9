"""Where calendars, their objects and their busy time are kept (mirrors and built-in collections alike)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from app.domain.calendars import BusyInterval, Calendar, CalendarAccount, CalendarObject
from app.ports.published import PublishedCalendars


@dataclass(frozen=True, slots=True)
class ObjectWrite:
    """An object to store: `busy` are its opaque instances up to `expanded_until` (None: there are no later ones)."""

    name: str
    uid: str
    component: str
    etag: str
    data: str
    start: int
    end: int | None
    busy: Sequence[BusyInterval]
    expanded_until: int | None
    booking_id: str | None = None
    schedule_tag: str | None = None


@dataclass(frozen=True, slots=True)
class AccountTrouble:
    """An account that needs its owner."""

    id: str
    provider: str
    label: str


@dataclass(frozen=True, slots=True)
class ObjectEntry:
    """What a listing of a collection needs of an object (no text)."""

    name: str
    etag: str
    component: str
    size: int
    revision: int
    deleted: bool
    modified_at: int


class CalendarStore(PublishedCalendars, Protocol):
    """Rows of accounts, calendars, objects and busy intervals. Inside a unit of work; nothing here commits.

    Every write of an object raises the calendar's `revision` (and gives the object a number of its own, so that a list
    of changes can be cut anywhere), and raises the host's revision when busy time of a conflict calendar changed.
    Objects of bookings (`booking_id`) never have busy time. Writers of a conflict calendar lock its host first.
    """

    # accounts
    async def add_account(self, account: CalendarAccount) -> None: ...
    async def account(self, account_id: str) -> CalendarAccount | None: ...
    async def accounts_of(self, user_id: str) -> list[CalendarAccount]: ...
    async def accounts_at(self, org_id: str, provider: str) -> list[CalendarAccount]:
        """Everybody's of an organization at one provider."""
        ...

    async def connected_accounts(self) -> list[CalendarAccount]:
        """Of the whole server, for the doctor."""
        ...

    async def troubled_accounts(self, user_id: str, late: int, limit: int) -> list[AccountTrouble]:
        """The user's accounts that failed, or that hold a conflict calendar unread since `late` (epoch seconds). One
        statement that opens no secret: every signed-in page asks it."""
        ...

    async def update_account(self, account_id: str, **values: Any) -> None: ...
    async def delete_account(self, account_id: str) -> None: ...

    # calendars
    async def add_calendar(self, calendar: Calendar) -> None: ...
    async def calendar(self, calendar_id: str) -> Calendar | None: ...
    async def lock_calendar(self, calendar_id: str) -> Calendar | None:
        """The calendar with its row and its host's row locked until the end of the transaction (host first)."""
        ...

    async def calendars_of(self, user_id: str) -> list[Calendar]:
        """Calendars a person sees: an inbox is none, here and in `calendars_in`."""
        ...

    async def calendars_in(self, account_id: str) -> list[Calendar]: ...
    async def conflict_calendars(self, user_ids: Sequence[str]) -> list[Calendar]:
        """The connected (not built-in) conflict calendars of these users."""
        ...

    async def builtin_calendar(self, user_id: str, name: str) -> Calendar | None: ...
    async def update_calendar(self, calendar_id: str, **values: Any) -> None: ...
    async def delete_calendar(self, calendar_id: str) -> None: ...
    async def let_schedules_take_new(self, org_id: str, *, takes_new: bool) -> None:
        """Whether devices may add events to the schedules of an organization's people."""
        ...

    # objects
    async def put_object(self, calendar: Calendar, write: ObjectWrite, now: int) -> int:
        """Insert or replace by name; the collection's new revision. A second live resource with the same UID is
        `AlreadyExists`."""
        ...

    async def put_objects(self, calendar: Calendar, writes: Sequence[ObjectWrite], now: int) -> int: ...
    async def remove_objects(self, calendar: Calendar, names: Sequence[str], now: int) -> int:
        """Leave tombstones; the collection's new revision. Names that are not there are passed over."""
        ...

    async def publish(self, calendar_id: str, write: ObjectWrite, now: int, *, deleted: bool) -> None:
        """Write a booking's object in a `schedule` collection, live or as a tombstone; a cancelled one (STATUS in the
        text) keeps its text for the feeds. Two statements, since every booking does it."""
        ...

    async def object(self, calendar_id: str, name: str) -> CalendarObject | None:
        """A live object."""
        ...

    async def object_by_uid(self, calendar_id: str, uid: str) -> CalendarObject | None: ...
    async def rivals(self, calendar_id: str, name: str, uid: str) -> list[CalendarObject]:
        """Live objects at this name or with this UID: at most two. In a unit of work, after `lock_calendar`."""
        ...

    async def objects(self, calendar_id: str, names: Sequence[str]) -> list[CalendarObject]: ...
    async def objects_of_booking(self, booking_id: str) -> list[CalendarObject]:
        """A booking's live objects, in mirrors and built-in collections."""
        ...

    async def etags(self, calendar_id: str) -> dict[str, str]:
        """Name → etag of every live object."""
        ...

    async def entries_since(
        self, calendar_id: str, revision: int, limit: int | None = None, *, live_only: bool = False
    ) -> list[ObjectEntry]:
        """Changed and deleted since, in order of revision; at most `limit` of them, deleted ones left out on demand."""
        ...

    async def objects_between(
        self, calendar_id: str, start: int | None, end: int | None, component: str | None
    ) -> list[CalendarObject]:
        """Live objects whose covering range overlaps [start, end); either side may be open."""
        ...

    async def expiring_expansions(self, calendar_id: str, before: int) -> list[CalendarObject]:
        """Live objects whose busy intervals are stored only up to an instant earlier than `before`."""
        ...

    async def hosted_booking(self, host_id: str, uid: str, start: int, end: int | None) -> str | None:
        """The active booking of this host that has this UID and is at this time: it blocks by itself."""
        ...

    async def booking_ids_by_uid(
        self, org_id: str, uids: Sequence[str], host_id: str | None = None
    ) -> Mapping[str, str]:
        """Which of these UIDs are bookings of the organization, and with `host_id` of this host: our own events. (A
        guest's copy of an invitation has the same UID, and is busy.)"""
        ...
