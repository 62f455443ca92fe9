"""What the feeds read.

A person's own feed rests on their `schedule` collection and its revision. A feed of a link, a service, a resource or
the organization rests on the bookings themselves: how it stands is told by the organization's hosts, each of which
counts the changes of its bookings. The sum of the counts only ever rises, so it names the state, however many bookings
there are and however many hosts one has.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    and_,
    cast,
    exists,
    false,
    func,
    literal,
    or_,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.bookings import READ, booking_of
from app.db.calendar_rows import LIVE
from app.db.quick import QuickStatement, given
from app.db.sessions import attendees_of
from app.domain.calendars import BUILTIN, SCHEDULE
from app.domain.feeds import OWN_KINDS, SUBJECT_KINDS, FeedOptions
from app.ports.feeds import BusyEntry, FeedBooking, FeedSubject, FeedWindow, PublishedFeed
from app.ports.security import Vault
from app.use_cases.publish_booking import PUBLISHED

_users, _hosts, _links, _linked = m.users.c, m.hosts.c, m.links.c, m.offer_hosts.c
_calendars, _objects, _feeds = m.calendars.c, m.calendar_objects.c, m.feeds.c
_bookings, _hosted = m.bookings.c, m.booking_hosts.c

_END_OF_TIME = 2**62
MOST_CHOICES = 200
_BETWEEN = "\x1f"
"""Between the names of hosts, which hold no control characters."""

_FEED = QuickStatement(
    select(
        _feeds.id,
        _feeds.kind,
        _feeds.label,
        _feeds.org_id,
        _feeds.user_id,
        _feeds.subject_id,
        _calendars.id,
        _calendars.display_name,
        _calendars.description,
        _calendars.color,
        _calendars.timezone,
        _calendars.modified_at,
        _feeds.options,
        _feeds.changed_at,
        _calendars.revision,
        _users.roles,
    )
    .join_from(m.feeds, m.users, _users.id == _feeds.user_id)
    .join(
        m.calendars,
        and_(_calendars.user_id == _feeds.user_id, _calendars.provider == BUILTIN, _calendars.name == SCHEDULE),
    )
    .where(_feeds.token_lookup == given("lookup"), _users.is_active)
)

_offer = func.coalesce(_links.service_id, _links.id)


def _visible(kind: str, *columns: Any, for_admin: bool) -> Select[Any]:
    """Links, or resources, all of whose bookings somebody may see: admins do, and those whose link it is or who host
    one of its links."""
    through = m.offer_hosts.alias("through")
    own = or_(
        _links.owner_id == given("user_id"),
        exists().where(_linked.offer_id == _offer, _linked.host_id == given("user_id")),
    )
    if kind == "resource":
        used = exists().where(through.c.host_id == _hosts.id, through.c.offer_id == _offer, own)
        resources = select(*columns).where(_hosts.org_id == given("org_id"), _hosts.kind == "resource")
        return resources.where(*(() if for_admin else (used,)))
    return select(*columns).where(_links.org_id == given("org_id"), *(() if for_admin else (own,)))


def _subject(kind: str, *, for_admin: bool) -> Select[Any]:
    """The name of what a feed is of, if the person may see it."""
    if kind == "link":
        return _visible(kind, _links.title, for_admin=for_admin).where(_links.id == given("subject_id"))
    if kind == "service":
        query = _visible(kind, _links.title, for_admin=for_admin).where(_links.service_id == given("subject_id"))
        return query.order_by(_links.id).limit(1)
    if kind == "resource":
        return _visible(kind, _hosts.name, for_admin=for_admin).where(_hosts.id == given("subject_id"))
    organizations = m.organizations.c
    return select(organizations.name).where(organizations.id == given("org_id"), true() if for_admin else false())


def _choices(kind: str, *, for_admin: bool) -> Select[Any]:
    """What there is to choose from: id and name."""
    if kind == "link":
        links = _visible(kind, _links.id, _links.title, for_admin=for_admin).where(_links.deleted_at.is_(None))
        return links.order_by(_links.title, _links.id).limit(MOST_CHOICES)
    if kind == "service":
        services = _visible(kind, _links.service_id, func.min(_links.title), for_admin=for_admin)
        return services.where(_links.service_id.is_not(None)).group_by(_links.service_id).limit(MOST_CHOICES)
    resources = _visible(kind, _hosts.id, _hosts.name, for_admin=for_admin)
    return resources.order_by(_hosts.name, _hosts.id).limit(MOST_CHOICES)


_SHARED = (*SUBJECT_KINDS, "organization")
_SUBJECTS = {
    (kind, for_admin): QuickStatement(_subject(kind, for_admin=for_admin))
    for kind in _SHARED
    for for_admin in (False, True)
}
_CHOICES = {
    (kind, for_admin): QuickStatement(_choices(kind, for_admin=for_admin))
    for kind in SUBJECT_KINDS
    for for_admin in (False, True)
}
_COUNTED = m.hosts.alias("counted")


_THEIR_LINKS = _visible("link", _links.id, for_admin=False)


def _state(kind: str, *, for_admin: bool) -> QuickStatement:
    """How a shared feed stands, with the name of its subject: none when it may not be seen. The highest id tells a host
    that was added from one that was removed; the last column counts the links whose bookings the person may see."""
    counted = _COUNTED.c
    subject = _subject(kind, for_admin=for_admin).scalar_subquery()
    return QuickStatement(
        select(
            subject,
            func.count(),
            cast(func.sum(counted.bookings_revision), BigInteger),
            func.max(cast(counted.id, Text)),
            func.max(counted.bookings_changed_at),
            literal(-1) if for_admin else _THEIR_LINKS.with_only_columns(func.count()).scalar_subquery(),
        ).where(counted.org_id == given("org_id"))
    )


_STATES = {(kind, for_admin): _state(kind, for_admin=for_admin) for kind in _SHARED for for_admin in (False, True)}


def _objects_of(*columns: Any) -> QuickStatement:
    """Objects of the window. Bookings are no longer than `MAX_SPAN`, so the index on the start bounds them."""
    kept = and_(_objects.deleted, _objects.modified_at >= given("cancelled_since"), _objects.data != "")
    query: Select[Any] = select(*columns).where(
        _objects.calendar_id == given("calendar_id"),
        _objects.start_at > given("since") - m.MAX_SPAN,
        _objects.start_at < given("until"),
        _objects.end_at > given("since"),
        or_(LIVE, kept),
    )
    return QuickStatement(query.order_by(_objects.start_at, _objects.id))


_TEXTS = _objects_of(_objects.data)
_BUSY = _objects_of(
    _objects.id, _objects.start_at, _objects.end_at, _objects.deleted, _objects.modified_at, _objects.revision
)

_HOST_NAMES = (
    select(func.aggregate_strings(_hosts.name, _BETWEEN))
    .join_from(m.booking_hosts, m.hosts, _hosts.id == _hosted.host_id)
    .where(_hosted.booking_id == _bookings.id)
    .scalar_subquery()
)


_SEATS = m.bookings.alias("seats")
"""Bookings of seats: in a feed their session stands for them."""
_IN_SESSION = and_(
    _SEATS.c.occurrence_id == _bookings.id,
    _SEATS.c.id != _bookings.id,
    or_(_SEATS.c.status != "cancelled", _bookings.status == "cancelled"),
)
"""Whoever left has no part in it; a cancelled session is still shown where its attendees were."""


def _of_subject(feed: PublishedFeed) -> ColumnElement[bool]:
    if feed.kind == "link":
        through = select(_SEATS.c.occurrence_id).where(
            _SEATS.c.link_id == feed.subject_id, _SEATS.c.occurrence_id != _SEATS.c.id
        )
        attended = exists().where(_IN_SESSION, _SEATS.c.link_id == feed.subject_id)
        return or_(_bookings.link_id == feed.subject_id, and_(_bookings.id.in_(through), attended))
    if feed.kind == "service":
        return _bookings.service_id == feed.subject_id
    if feed.kind == "resource":
        return exists().where(_hosted.booking_id == _bookings.id, _hosted.host_id == feed.subject_id)
    return true()


def _for_person(feed: PublishedFeed) -> ColumnElement[bool]:
    """What of a service or a resource the person may see: nothing that came through links of others alone."""
    if feed.for_admin or feed.kind == "link":
        return true()
    hosts_it = exists().where(_hosted.booking_id == _bookings.id, _hosted.host_id == feed.user_id)
    joined = exists().where(_IN_SESSION, _SEATS.c.link_id.in_(_THEIR_LINKS))
    return or_(_bookings.link_id.in_(_THEIR_LINKS), hosts_it, and_(_bookings.capacity.is_not(None), joined))


def _named(feed: PublishedFeed) -> ColumnElement[bool] | None:
    """Which attendees of a session are told by name: all to its hosts and to admins, to others those who came through
    links they may see."""
    if feed.for_admin:
        return None
    hosts_it = exists().where(_hosted.booking_id == _bookings.occurrence_id, _hosted.host_id == feed.user_id)
    theirs = or_(_bookings.link_id.in_(_THEIR_LINKS), hosts_it)
    return or_(theirs, _bookings.link_id == feed.subject_id) if feed.kind == "link" else theirs


def _shown(window: FeedWindow) -> ColumnElement[bool]:
    """Confirmed ones and what became of them. Of the cancelled ones those that were shown before: a pending booking
    was never published. (A resource has no collection, so what is published of it alone leaves no trace.)"""
    was_published = exists().where(_objects.booking_id == _bookings.id)
    people = m.hosts.alias("people")
    has_people = exists().where(
        _hosted.booking_id == _bookings.id, _hosted.host_id == people.c.id, people.c.kind != "resource"
    )
    cancelled = and_(
        _bookings.status == "cancelled",
        _bookings.updated_at >= window.cancelled_since,
        or_(was_published, ~has_people),
    )
    return or_(_bookings.status.in_(PUBLISHED), cancelled)


class SqlPublishedFeeds:
    """`PublishedFeeds` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def find(self, token: str) -> PublishedFeed | None:
        for lookup in self._vault.lookups(token):
            row = await _FEED.first(self._db, lookup=lookup)
            if row is not None:
                return await self._standing(row)
        return None

    async def _standing(self, row: Sequence[Any]) -> PublishedFeed | None:
        *values, modified_at, options, changed_at, revision, roles = row
        chosen = FeedOptions.stored(options)
        feed = PublishedFeed(*[*values, max(modified_at, changed_at), chosen, ""])
        if feed.kind in OWN_KINDS:
            return replace(feed, stamp=_digest(revision, feed.label, chosen))
        for_admin = "admin" in roles
        state = await _STATES[feed.kind, for_admin].first(
            self._db, org_id=feed.org_id, user_id=feed.user_id, subject_id=feed.subject_id
        )
        if state is None or state[0] is None:
            return None
        stamp = _digest(*state[1:4], state[5], feed.color, feed.timezone, feed.label, chosen)
        return replace(feed, stamp=stamp, modified_at=max(state[4], feed.modified_at), for_admin=for_admin)

    async def subject_name(
        self, org_id: str, user_id: str, kind: str, subject_id: str | None, *, for_admin: bool
    ) -> str | None:
        statement = _SUBJECTS[kind, for_admin]
        row = await statement.first(self._db, org_id=org_id, user_id=user_id, subject_id=subject_id)
        return row[0] if row else None

    async def subjects(self, org_id: str, user_id: str, *, for_admin: bool) -> list[FeedSubject]:
        found = []
        for kind in SUBJECT_KINDS:
            rows = await _CHOICES[kind, for_admin].rows(self._db, org_id=org_id, user_id=user_id)
            found += [FeedSubject(kind, *row) for row in rows]
        return found

    async def texts(self, feed: PublishedFeed, window: FeedWindow) -> list[str]:
        return [row[0] for row in await _TEXTS.rows(self._db, **_given(feed, window))]

    async def busy(self, feed: PublishedFeed, window: FeedWindow) -> list[BusyEntry]:
        return [BusyEntry._make(row) for row in await _BUSY.rows(self._db, **_given(feed, window))]

    async def bookings(self, feed: PublishedFeed, window: FeedWindow) -> list[FeedBooking]:
        query = (
            select(*READ, _HOST_NAMES.label("host_names"))
            .where(
                _bookings.org_id == feed.org_id,
                _bookings.occurrence_id == _bookings.id,
                _of_subject(feed),
                _for_person(feed),
                _bookings.start_at > window.since - m.MAX_SPAN,
                _bookings.end_at > window.since,
                _shown(window),
            )
            .order_by(_bookings.start_at, _bookings.id)
        )
        if window.until is not None:
            query = query.where(_bookings.start_at < window.until)
        asked = {"org_id": feed.org_id, "user_id": feed.user_id}
        rows = (await self._db.execute(query, asked)).mappings().all()
        sessions = [row["id"] for row in rows if row["capacity"] is not None]
        attendees = await attendees_of(self._db, sessions, _named(feed), asked)
        return [
            FeedBooking(booking_of(row, "", (), attendees.get(row["id"], ())), _names(row["host_names"]))
            for row in rows
        ]


def _given(feed: PublishedFeed, window: FeedWindow) -> dict[str, Any]:
    return {
        "calendar_id": feed.calendar_id,
        "since": window.since,
        "until": _END_OF_TIME if window.until is None else window.until,
        "cancelled_since": window.cancelled_since,
    }


def _digest(*state: Any) -> str:
    return hashlib.blake2b(repr(state).encode(), digest_size=9).hexdigest()


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(sorted(text.split(_BETWEEN))) if text else ()
