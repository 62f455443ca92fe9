"""What publishing reads: who asks, by which device, for which collection or feed; each by one narrow SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from app.domain.calendars import Calendar

FIELD, RECORD = "\x1f", "\x1e"
"""What separates the fields and the entries of a `listing`; names of objects hold no control characters."""


@dataclass(frozen=True, slots=True)
class DavUser:
    """A person who signed in with an app password; `last_used_at` is the password's, epoch seconds. `new_lookup` is
    the hash to keep instead of the one that found it, which is an older key's."""

    id: str
    org_id: str
    handle: str
    email: str
    name: str
    timezone: str
    password_id: str
    last_used_at: int | None
    new_lookup: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedFeed:
    """A feed and the state of the collection behind it. `revision` rises with whatever changes the feed's text, but
    for the passing of time; `modified_at` says when that was, epoch seconds."""

    id: str
    kind: str  # schedule | busy
    label: str
    calendar_id: str
    name: str
    description: str
    color: str | None
    timezone: str
    revision: int
    modified_at: int


class StoredText(NamedTuple):
    """A live object as CalDAV answers with it."""

    name: str
    etag: str
    component: str
    data: str
    modified_at: int


class BusyEntry(NamedTuple):
    """What a busy-only feed may know of an object: nothing personal, and not the UID that its recipients have."""

    id: str
    start: int
    end: int
    cancelled: bool
    modified_at: int
    revision: int


class PublishedCalendars(Protocol):
    """Narrow reads for CalDAV and the feeds."""

    async def dav_access(
        self, login: str, secret: str, collection: str | None
    ) -> tuple[DavUser, Calendar | None] | None:
        """Who `login` (e-mail or handle) with this app password is, and the person's own built-in collection of that
        name; None when nobody has this password."""
        ...

    async def app_password_used(self, user: DavUser, now: int) -> None:
        """Note that a device signed in, and keep its password under the first key."""
        ...

    async def builtin_calendars(self, user_id: str) -> list[Calendar]:
        """The built-in collections, in the order of their positions."""
        ...

    async def listing(self, calendar_id: str) -> str:
        """Name and etag of every live object as one text, name FIELD etag, joined by RECORD: ten thousand members
        cost one row. Empty when there are none."""
        ...

    async def texts(self, calendar_id: str, names: Sequence[str]) -> list[StoredText]:
        """Those of the named objects that are there, in no order."""
        ...

    async def texts_between(
        self, calendar_id: str, start: int | None, end: int | None, component: str | None
    ) -> list[StoredText]:
        """Objects whose covering range overlaps [start, end) or that begin, without length, at `start`; either side
        may be open."""
        ...

    async def published_feed(self, token: str) -> PublishedFeed | None: ...

    async def feed_texts(self, calendar_id: str, since: int, cancelled_since: int) -> list[str]:
        """iCalendar texts of objects that end after `since`, those cancelled only if that was at or after
        `cancelled_since`; ordered by start."""
        ...

    async def feed_busy(self, calendar_id: str, since: int, cancelled_since: int) -> list[BusyEntry]:
        """The same objects without their texts."""
        ...
