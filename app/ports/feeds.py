"""What publishing a feed reads: which feed an address names and how it stands, by narrow SELECTs; and what is in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from app.domain.bookings import Booking
from app.domain.feeds import FeedOptions


@dataclass(frozen=True, slots=True)
class PublishedFeed:
    """A feed and how it stands. `stamp` changes with whatever changes the feed's text, but for the passing of time;
    `modified_at` says when that was, epoch seconds. `calendar_id` is the person's `schedule` collection, from which
    feeds of every kind have colour and zone. `for_admin`: the person may see all bookings of the organization."""

    id: str
    kind: str
    label: str
    org_id: str
    user_id: str
    subject_id: str | None
    calendar_id: str
    name: str
    description: str
    color: str | None
    timezone: str
    modified_at: int
    options: FeedOptions
    stamp: str
    for_admin: bool = False


@dataclass(frozen=True, slots=True)
class FeedWindow:
    """What a feed holds: bookings that end after `since` and start before `until` (None: all that follow), cancelled
    ones only if that was at or after `cancelled_since`; epoch seconds."""

    since: int
    until: int | None
    cancelled_since: int


class BusyEntry(NamedTuple):
    """What a busy-only feed may know of an object: nothing personal, and not the UID that its recipients have."""

    id: str
    start: int
    end: int
    cancelled: bool
    modified_at: int
    revision: int


class FeedBooking(NamedTuple):
    """A booking of a feed that is of more than one person, without its token, and the names of its hosts."""

    booking: Booking
    hosts: Sequence[str]


class FeedSubject(NamedTuple):
    """A link, service or resource that a feed can be of."""

    kind: str
    id: str
    name: str


class PublishedFeeds(Protocol):
    """Narrow reads for the feeds."""

    async def find(self, token: str) -> PublishedFeed | None:
        """The feed of a secret address; None when there is none, or when its person may not see any more what it
        shows."""
        ...

    async def subject_name(
        self, org_id: str, user_id: str, kind: str, subject_id: str | None, *, for_admin: bool
    ) -> str | None:
        """What a shared feed that this person may have is of; None when they may not, or it is not there."""
        ...

    async def subjects(self, org_id: str, user_id: str, *, for_admin: bool) -> list[FeedSubject]:
        """What this person may have shared feeds of, besides the organization."""
        ...

    async def texts(self, feed: PublishedFeed, window: FeedWindow) -> list[str]:
        """The iCalendar texts of a person's own bookings as they are stored, ordered by start."""
        ...

    async def busy(self, feed: PublishedFeed, window: FeedWindow) -> list[BusyEntry]:
        """The same without the texts."""
        ...

    async def bookings(self, feed: PublishedFeed, window: FeedWindow) -> list[FeedBooking]:
        """The bookings of a link, service, resource or organization, each once, ordered by start. Of a service or a
        resource those alone that the person hosts, or that came through a link they own or host."""
        ...
