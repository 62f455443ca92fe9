"""What scheduling needs to know: who is of the organization, where an event of theirs is, whom mail went to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.calendars import Calendar, CalendarObject
from app.ports.hosts import ScheduleRecord


@dataclass(frozen=True, slots=True)
class CalendarUser:
    """A member of the organization who can be invited."""

    id: str
    org_id: str
    email: str
    handle: str
    name: str
    timezone: str


class SchedulingStore(Protocol):
    """Each method is one statement, however many people or addresses it is about."""

    async def members(
        self, org_id: str, emails: Sequence[str], handles: Sequence[str], ids: Sequence[str]
    ) -> list[CalendarUser]:
        """The organization's people with one of these e-mail addresses, handles or ids who are not switched off; in
        the order of their ids."""
        ...

    async def calendars_of(self, user_ids: Sequence[str], names: Sequence[str]) -> list[Calendar]:
        """Their built-in collections of these names."""
        ...

    async def events_with(self, user_ids: Sequence[str], uid: str) -> list[tuple[Calendar, CalendarObject]]:
        """Live objects of this UID in their built-in collections, where events of their own are kept: neither bookings
        nor messages."""
        ...

    async def events_with_people(self, calendar_id: str) -> list[CalendarObject]:
        """Live objects of a collection that have a schedule tag."""
        ...

    async def messages_before(self, calendar_id: str, before: int) -> list[str]:
        """Names of live objects of an inbox that came before that instant; some, when they are many."""
        ...

    async def default_schedules(self, user_ids: Sequence[str]) -> Mapping[str, ScheduleRecord]:
        """The default schedule of each, by user."""
        ...

    async def mailed_since(self, user_id: str, since: int) -> int:
        """How many mails about this user's events went to people outside, since that instant."""
        ...

    async def note_mail(self, org_id: str, user_id: str, uid: str, addresses: Sequence[str], now: int) -> None:
        """Mail about an event of this user's goes to these addresses; what is older than a day counts no more."""
        ...

    async def mailed_at(self, user_id: str, uid: str, address: str) -> int | None:
        """When mail about this user's event of this UID was last asked for to this address."""
        ...

    async def mailed_by(self, uid: str, address: str) -> list[str]:
        """Ids of the users whose event of this UID was mailed to this address."""
        ...
