"""What was told besides the state of bookings, whom, and who wants to be told what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, func, insert, literal, or_, select, true, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db import models as m
from app.db.quick import QuickStatement, given
from app.db.rows import page_by_id
from app.db.together import Together
from app.domain.cursors import encode_cursor
from app.domain.notification_settings import NotificationSettings
from app.ports.page import Page
from app.ports.telling import Notification, Reminded

_sent, _chosen, _notes = m.reminders_sent.c, m.notification_settings.c, m.notifications.c
_SETTINGS = [name for name in NotificationSettings.__dataclass_fields__ if name != "ways"]
_WAS_REMINDED = QuickStatement(
    select(literal(1)).where(
        _sent.booking_id == given("booking_id"),
        _sent.reminder == given("reminder"),
        _sent.target == given("target"),
        _sent.start_at == given("start_at"),
    ),
    is_short=True,
)


def _record(dialect: Any) -> Any:
    return dialect.insert(m.reminders_sent).on_conflict_do_nothing()


_RECORD = QuickStatement(
    _record(sqlite), _record(postgresql), columns=[column.name for column in m.reminders_sent.columns]
)


class SqlTelling:
    """`TellingStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def was_reminded(self, reminded: Reminded) -> bool:
        return await _WAS_REMINDED.first(self._db, **_key(reminded)) is not None

    async def record_reminder(self, reminded: Reminded, now: int) -> None:
        await _RECORD.run(self._db, _sent_row(reminded, now))

    async def settings(self, user_id: str, org_id: str) -> NotificationSettings:
        row = (await self._db.execute(select(m.notification_settings).where(_chosen.user_id == user_id))).one_or_none()
        if row is None:
            return NotificationSettings(user_id, org_id)
        ways = {kind: tuple(found) for kind, found in row.channels.items()}
        plain = {name: getattr(row, name) for name in _SETTINGS}
        return NotificationSettings(**plain, ways=ways)

    async def put_settings(self, settings: NotificationSettings, was_version: int, now: int) -> bool:
        values: dict[str, Any] = {name: getattr(settings, name) for name in _SETTINGS}
        values |= {"channels": {kind: list(ways) for kind, ways in settings.ways.items()}, "updated_at": now}
        if was_version == 0:
            dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
            made = dialect.insert(m.notification_settings).values(**values).on_conflict_do_nothing()
            return (await self._db.execute(made)).rowcount == 1
        changed = update(m.notification_settings).where(
            _chosen.user_id == settings.user_id, _chosen.version == was_version
        )
        return (await self._db.execute(changed.values(**values))).rowcount == 1

    async def unsubscribe(self, org_id: str, address_lookup: str, now: int) -> None:
        dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
        values = {"org_id": org_id, "address_lookup": address_lookup, "created_at": now}
        await self._db.execute(dialect.insert(m.unsubscribed).values(**values).on_conflict_do_nothing())

    async def is_unsubscribed(self, org_id: str, address_lookups: Sequence[str]) -> bool:
        gone = m.unsubscribed.c
        found = select(gone.org_id).where(gone.org_id == org_id, gone.address_lookup.in_(list(address_lookups)))
        return await self._db.scalar(found.limit(1)) is not None

    async def move_unsubscribed(self, org_id: str, address_lookups: Sequence[str], now: int) -> None:
        first, *older = address_lookups
        gone = m.unsubscribed.c
        known = (gone.org_id == org_id, gone.address_lookup.in_([each for each in older if each != first]))
        if (await self._db.execute(delete(m.unsubscribed).where(*known))).rowcount:
            await self.unsubscribe(org_id, first, now)

    async def notify(self, notification: Notification) -> None:
        values = {column.name: getattr(notification, column.name) for column in m.notifications.columns}
        await self._db.execute(insert(m.notifications).values(**values))

    async def notifications(
        self, user_id: str, limit: int, cursor: str | None, *, unread: bool = False, sees_all: bool = False
    ) -> Page[Notification]:
        sees = true() if sees_all else _may_see(user_id)
        booked = m.bookings.c
        query = (
            select(m.notifications, booked.title, booked.start_at, booked.recipient_name, sees.label("sees"))
            .join(m.bookings, booked.id == _notes.booking_id)
            .where(_notes.user_id == user_id)
        )
        if unread:
            query = query.where(_notes.read_at.is_(None))
        rows = (await self._db.execute(page_by_id(query, _notes.id, limit, cursor, newest_first=True))).all()
        items = tuple(_notification(row) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def unread_count(self, user_id: str, most: int) -> int:
        some = select(_notes.id).where(_notes.user_id == user_id, _notes.read_at.is_(None)).limit(most).subquery()
        return await self._db.scalar(select(func.count()).select_from(some)) or 0

    async def mark_read(self, user_id: str, ids: Sequence[str] | None, now: int) -> None:
        read = update(m.notifications).where(_notes.user_id == user_id, _notes.read_at.is_(None))
        if ids is not None:
            read = read.where(_notes.id.in_(list(ids)))
        await self._db.execute(read.values(read_at=now))

    async def forget_notifications(self, org_id: str, read_before: int, made_before: int, limit: int) -> int:
        users = select(m.users.c.id).where(m.users.c.org_id == org_id)
        is_old = or_(_notes.read_at < read_before, _notes.created_at < made_before)
        # Nothing is read before it is made.
        old = select(_notes.id).where(_notes.user_id.in_(users), _notes.created_at < read_before, is_old).limit(limit)
        return int((await self._db.execute(delete(m.notifications).where(_notes.id.in_(old)))).rowcount)

    async def forget_reminders(self, org_id: str, before: int, limit: int) -> int:
        booked = m.bookings.c
        over = select(booked.id).where(booked.org_id == org_id, booked.start_at < before, booked.end_at < before)
        old = select(_sent.booking_id).where(_sent.booking_id.in_(over), _sent.sent_at < before).limit(limit)
        gone = delete(m.reminders_sent).where(_sent.booking_id.in_(old), _sent.sent_at < before)
        return int((await self._db.execute(gone)).rowcount)


class SqlReminderLog:
    """`ReminderLog` over an engine."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._sent = Together[tuple[Reminded, int]](engine, self._record)

    async def record(self, reminded: Reminded, now: int) -> None:
        await self._sent.add((reminded, now))

    async def _record(self, connection: AsyncConnection, sent: Sequence[tuple[Reminded, int]]) -> None:
        await _RECORD.run(connection, *(_sent_row(reminded, now) for reminded, now in sent))


def _notification(row: Any) -> Notification:
    stored = {column.name: getattr(row, column.name) for column in m.notifications.columns}
    if not row.sees:
        return Notification(**stored, title=row.title)
    return Notification(**stored, title=row.title, start=row.start_at, recipient=row.recipient_name)


def _may_see(user_id: str) -> ColumnElement[bool]:
    """Whoever hosts the booking now, or owns its link."""
    hosted, links, booked = m.booking_hosts.c, m.links.c, m.bookings.c
    hosts_it = exists().where(hosted.booking_id == booked.id, hosted.host_id == user_id)
    owns_it = exists().where(links.id == booked.link_id, links.owner_id == user_id)
    return or_(hosts_it, owns_it)


def _sent_row(reminded: Reminded, now: int) -> dict[str, Any]:
    return {**_key(reminded), "org_id": reminded.org_id, "sent_at": now}


def _key(reminded: Reminded) -> dict[str, Any]:
    return {
        "booking_id": reminded.booking_id,
        "reminder": reminded.reminder,
        "target": reminded.target,
        "start_at": reminded.start,
    }
