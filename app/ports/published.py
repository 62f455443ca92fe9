"""What publishing reads: who asks, by which device, for which collection; each by one narrow SELECT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from app.domain.calendars import Calendar

FIELD, RECORD = "\x1f", "\x1e"
"""What separates the fields and the entries of a `listing`; names of objects hold no control characters."""


Access = Literal["owner", "write", "read", "schedule", "none"]
"""What somebody may do in a person's home: everything, change or read it as their assistant, read their schedule (who
runs the organization), or nothing but know that they are there."""


@dataclass(frozen=True, slots=True)
class DavPerson:
    """Somebody with calendars."""

    id: str
    org_id: str
    handle: str
    email: str
    name: str
    timezone: str


@dataclass(frozen=True, slots=True)
class DavUser(DavPerson):
    """A person who signed in with an app password, that of the device `label`; `last_used_at` is the password's, epoch
    seconds. `new_lookup` is the hash to keep instead of the one that found it, which is an older key's."""

    roles: Sequence[str]
    password_id: str
    label: str
    last_used_at: int | None
    new_lookup: str | None = None


@dataclass(frozen=True, slots=True)
class Delegation:
    """`delegate` may read, or write, the calendars of `owner`; both are handles."""

    owner: str
    delegate: str
    access: Literal["read", "write"]


class StoredText(NamedTuple):
    """A live object as CalDAV answers with it."""

    name: str
    etag: str
    component: str
    data: str
    modified_at: int
    schedule_tag: str | None = None


class PublishedCalendars(Protocol):
    """Narrow reads for CalDAV."""

    async def dav_access(
        self, login: str, secret: str, collection: str | None
    ) -> tuple[DavUser, Calendar | None] | None:
        """Who `login` (e-mail or handle) with this app password is, and the person's own built-in collection of that
        name; None when nobody has this password."""
        ...

    async def dav_owner(
        self, user: DavUser, handle: str, collection: str | None
    ) -> tuple[DavPerson, Access, Calendar | None] | None:
        """Another person of the user's organization, what the user may do there, and that person's built-in collection
        of that name; None when the organization has nobody with this handle."""
        ...

    async def members(self, org_id: str, limit: int) -> list[DavPerson]:
        """People of an organization who are not switched off, in the order of their handles."""
        ...

    async def delegations(self, user_id: str) -> list[Delegation]:
        """Those a person gave, and those given to them."""
        ...

    async def delegate(self, owner: DavPerson, access: Literal["read", "write"], handles: Sequence[str]) -> None:
        """Let just these people of the owner's organization, and no others, have this access. `NotFound` for a handle
        nobody there has."""
        ...

    async def let_in(self, owner: DavPerson, delegate_id: str, access: Literal["read", "write"] | None) -> None:
        """Give one person this access beside the others, or none any more."""
        ...

    async def home_properties(self, user_id: str) -> Mapping[str, str]:
        """Properties that clients keep on a person's home: name in lxml's notation → the element as XML."""
        ...

    async def keep_home_properties(self, user_id: str, changes: Mapping[str, str | None]) -> None:
        """Set some of them, and forget those that are None."""
        ...

    async def app_password_used(self, user: DavUser, now: int) -> None:
        """Note that a device signed in, and keep its password under the first key."""
        ...

    async def builtin_calendars(self, user_id: str) -> list[Calendar]:
        """The built-in collections, the inbox too, in the order of their positions."""
        ...

    async def listing(self, calendar_id: str) -> str:
        """Name and etag of every live object as one text, name FIELD etag, joined by RECORD: ten thousand members
        cost one row. Empty when there are none."""
        ...

    async def texts(self, calendar_id: str, names: Sequence[str], *, plain: bool = False) -> list[StoredText]:
        """Those of the named objects that are there, in no order; `plain`: for somebody else than the calendar's
        person, whose own notes on bookings' events are left out."""
        ...

    async def texts_between(
        self, calendar_id: str, start: int | None, end: int | None, component: str | None, *, plain: bool = False
    ) -> list[StoredText]:
        """Objects whose covering range overlaps [start, end) or that begin, without length, at `start`; either side
        may be open."""
        ...
