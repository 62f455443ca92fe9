"""What CalDAV and the feeds read, each by one narrow SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import msgspec
from sqlalchemy import Select, Text, and_, any_, cast, func, literal, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.calendar_rows import CALENDAR, LIVE, calendar_of
from app.db.quick import QuickStatement, given
from app.domain.calendars import BUILTIN, SCHEDULE, Calendar
from app.ports.published import FIELD, RECORD, BusyEntry, DavUser, PublishedFeed, StoredText
from app.ports.security import Vault

_users, _passwords = m.users.c, m.app_passwords.c
_calendars, _objects, _feeds = m.calendars.c, m.calendar_objects.c, m.feeds.c

_BEGINNING_OF_TIME, _END_OF_TIME = -(2**62), 2**62

_DAV_USER = (
    _users.id,
    _users.org_id,
    _users.handle,
    _users.email,
    _users.name,
    _users.timezone,
    _passwords.id,
    _passwords.last_used_at,
)


def _access(known_by: Any) -> QuickStatement:
    theirs = and_(
        _calendars.user_id == _users.id, _calendars.provider == BUILTIN, _calendars.name == given("collection")
    )
    return QuickStatement(
        select(*_DAV_USER, *CALENDAR)
        .select_from(m.users.join(m.app_passwords, _passwords.user_id == _users.id).outerjoin(m.calendars, theirs))
        .where(known_by == given("login"), _users.is_active, _passwords.lookup == given("lookup"))
    )


_ACCESS_BY_EMAIL, _ACCESS_BY_HANDLE = _access(_users.email), _access(_users.handle)

_FEED = QuickStatement(
    select(
        _feeds.id,
        _feeds.kind,
        _feeds.label,
        _calendars.id,
        _calendars.display_name,
        _calendars.description,
        _calendars.color,
        _calendars.timezone,
        _calendars.revision,
        _calendars.modified_at,
    )
    .join_from(m.feeds, m.users, _users.id == _feeds.user_id)
    .join(
        m.calendars,
        and_(_calendars.user_id == _feeds.user_id, _calendars.provider == BUILTIN, _calendars.name == SCHEDULE),
    )
    .where(_feeds.token_lookup == given("lookup"), _users.is_active)
)

_LISTING = QuickStatement(
    select(func.aggregate_strings(_objects.name + literal(FIELD) + _objects.etag, RECORD)).where(
        _objects.calendar_id == given("calendar_id"), LIVE
    )
)

_TEXT = select(_objects.name, _objects.etag, _objects.component, _objects.data, _objects.modified_at).where(
    _objects.calendar_id == given("calendar_id"), LIVE
)
_TEXTS = QuickStatement(
    _TEXT.where(_objects.name.in_(select(func.json_each(given("names")).table_valued("value").c.value))),
    postgresql=_TEXT.where(_objects.name == any_(cast(given("names"), ARRAY(Text)))),
)
_TEXTS_BETWEEN = QuickStatement(
    _TEXT.where(
        _objects.start_at < given("end"),
        or_(_objects.end_at.is_(None), _objects.end_at > given("start"), _objects.start_at >= given("start")),
        or_(given("component") == literal(""), _objects.component == given("component")),
    )
)


def _feed_objects(*columns: Any) -> QuickStatement:
    """Objects of the feed's window. Bookings are no longer than `MAX_SPAN`, so the index on the start bounds them."""
    kept = and_(_objects.deleted, _objects.modified_at >= given("cancelled_since"), _objects.data != "")
    query: Select[Any] = select(*columns).where(
        _objects.calendar_id == given("calendar_id"),
        _objects.start_at > given("since") - m.MAX_SPAN,
        _objects.end_at > given("since"),
        or_(LIVE, kept),
    )
    return QuickStatement(query.order_by(_objects.start_at, _objects.id))


_FEED_TEXTS = _feed_objects(_objects.data)
_FEED_BUSY = _feed_objects(
    _objects.id, _objects.start_at, _objects.end_at, _objects.deleted, _objects.modified_at, _objects.revision
)


class SqlPublishedCalendars:
    """`PublishedCalendars` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def dav_access(
        self, login: str, secret: str, collection: str | None
    ) -> tuple[DavUser, Calendar | None] | None:
        name = login.strip().lower()
        query = _ACCESS_BY_EMAIL if "@" in name else _ACCESS_BY_HANDLE
        width = len(_DAV_USER)
        first, *_ = lookups = self._vault.lookups(secret)  # one a key; nearly always the first finds it
        for lookup in lookups:
            row = await query.first(self._db, login=name, lookup=lookup, collection=collection or "")
            if row is not None:
                user = DavUser(*row[:width])
                if lookup != first:
                    user = replace(user, new_lookup=first)
                return user, None if row[width] is None else calendar_of(row[width:])
        return None

    async def app_password_used(self, user: DavUser, now: int) -> None:
        moved = {"lookup": user.new_lookup} if user.new_lookup else {}
        await self._db.execute(
            update(m.app_passwords).where(_passwords.id == user.password_id).values(last_used_at=now, **moved)
        )

    async def builtin_calendars(self, user_id: str) -> list[Calendar]:
        query = (
            select(*CALENDAR)
            .where(_calendars.user_id == user_id, _calendars.provider == BUILTIN)
            .order_by(_calendars.position, _calendars.id)
        )
        return [calendar_of(row) for row in await self._db.execute(query)]

    async def listing(self, calendar_id: str) -> str:
        row = await _LISTING.first(self._db, calendar_id=calendar_id)
        return (row[0] if row else None) or ""

    async def texts(self, calendar_id: str, names: Sequence[str]) -> list[StoredText]:
        wanted: Any = list(names)
        if self._db.dialect.name == "sqlite":
            wanted = msgspec.json.encode(wanted).decode()
        rows = await _TEXTS.rows(self._db, calendar_id=calendar_id, names=wanted)
        return [StoredText._make(row) for row in rows]

    async def texts_between(
        self, calendar_id: str, start: int | None, end: int | None, component: str | None
    ) -> list[StoredText]:
        rows = await _TEXTS_BETWEEN.rows(
            self._db,
            calendar_id=calendar_id,
            start=_BEGINNING_OF_TIME if start is None else start,
            end=_END_OF_TIME if end is None else end,
            component=component or "",
        )
        return [StoredText._make(row) for row in rows]

    async def published_feed(self, token: str) -> PublishedFeed | None:
        for lookup in self._vault.lookups(token):
            row = await _FEED.first(self._db, lookup=lookup)
            if row is not None:
                return PublishedFeed(*row)
        return None

    async def feed_texts(self, calendar_id: str, since: int, cancelled_since: int) -> list[str]:
        rows = await _FEED_TEXTS.rows(self._db, calendar_id=calendar_id, since=since, cancelled_since=cancelled_since)
        return [row[0] for row in rows]

    async def feed_busy(self, calendar_id: str, since: int, cancelled_since: int) -> list[BusyEntry]:
        rows = await _FEED_BUSY.rows(self._db, calendar_id=calendar_id, since=since, cancelled_since=cancelled_since)
        return [BusyEntry._make(row) for row in rows]
