"""Calendar objects and their busy time: reads, and writes that keep revisions, tombstones and host revisions right."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, LargeBinary, and_, cast, delete, func, insert, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.calendar_rows import (
    LIVE,
    OBJECT,
    busy_pieces,
    chunks,
    entry_columns,
    entry_of,
    object_of,
    object_values,
)
from app.db.quick import QuickStatement, given
from app.db.rows import pairs_text, parse_pairs
from app.domain.bookings import ACTIVE
from app.domain.calendars import BusyInterval, Calendar, CalendarObject
from app.domain.errors import AlreadyExists, NotFound
from app.ports.calendar_store import ObjectEntry, ObjectWrite
from app.use_cases.ids import new_id

_objects = m.calendar_objects.c
_CANCELLED = "\r\nSTATUS:CANCELLED\r\n"
_CHANGED = tuple(column.name for column in _objects if column.name not in {"id", "calendar_id", "name"})
_BURIED = ("data", "deleted", "expanded_until", "modified_at", "revision")
_BY_ID = update(m.calendar_objects).where(_objects.id == given("row_id"))
_CHANGE, _BURY = (QuickStatement(_BY_ID, columns=columns) for columns in (_CHANGED, _BURIED))
_ADD = QuickStatement(insert(m.calendar_objects), columns=[column.name for column in _objects])
_ADD_BUSY = QuickStatement(insert(m.busy_intervals), columns=[column.name for column in m.busy_intervals.c])
_FORGET_BUSY = QuickStatement(delete(m.busy_intervals).where(m.busy_intervals.c.object_id == given("object_id")))
_TAKE_REVISIONS = QuickStatement(
    update(m.calendars)
    .where(m.calendars.c.id == given("row_id"))
    .values(revision=m.calendars.c.revision + given("count"), modified_at=given("now"))
    .returning(m.calendars.c.revision, m.calendars.c.is_conflict)
)
_LOCK_HOST = QuickStatement(select(m.hosts.c.id).where(m.hosts.c.id == given("user_id")).with_for_update(), locks=True)
_LOCK_CALENDAR = QuickStatement(
    select(m.calendars.c.id).where(m.calendars.c.id == given("calendar_id")).with_for_update(), locks=True
)
_BUMP_HOST = QuickStatement(
    update(m.hosts).where(m.hosts.c.id == given("user_id")).values(revision=m.hosts.c.revision + 1)
)
_NEXT_REVISION = QuickStatement(
    update(m.calendars)
    .where(m.calendars.c.id == given("row_id"))
    .values(revision=m.calendars.c.revision + 1, modified_at=given("now"))
    .returning(m.calendars.c.revision)
)


_STORED_BUSY = (
    select(pairs_text(m.busy_intervals.c.start_at, m.busy_intervals.c.end_at))
    .where(m.busy_intervals.c.object_id == _objects.id)
    .scalar_subquery()
)
_ROW = select(_objects.id, _objects.name, _objects.uid, _objects.deleted, _STORED_BUSY)
_IN_THE_WAY = and_(
    _objects.calendar_id == given("calendar_id"),
    or_(_objects.name == given("name"), and_(_objects.uid == given("uid"), LIVE)),
)
_ROWS_FOR_ONE = QuickStatement(_ROW.where(_IN_THE_WAY), is_short=True)
_RIVALS = QuickStatement(select(*OBJECT).where(_IN_THE_WAY), is_short=True)


_HOSTED = QuickStatement(
    select(m.bookings.c.id)
    .join(m.booking_hosts, m.booking_hosts.c.booking_id == m.bookings.c.id)
    .where(
        m.bookings.c.uid == given("uid"),
        m.bookings.c.start_at == given("start"),
        m.bookings.c.end_at == given("end"),
        or_(*(m.bookings.c.status == each for each in sorted(ACTIVE))),
        m.booking_hosts.c.host_id == given("host_id"),
    )
)


def _publish(dialect: Any) -> Any:
    statement = dialect.insert(m.calendar_objects)
    changed = {name: statement.excluded[name] for name in _CHANGED}
    return statement.on_conflict_do_update(index_elements=[_objects.calendar_id, _objects.name], set_=changed)


_PUBLISH = QuickStatement(_publish(sqlite), _publish(postgresql), columns=[column.name for column in _objects])


class SqlCalendarObjects:
    """The part of `CalendarStore` that is about objects, over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection
        self._locked: set[str] = set()

    async def put_object(self, calendar: Calendar, write: ObjectWrite, now: int) -> int:
        return await self.put_objects(calendar, [write], now)

    async def put_objects(self, calendar: Calendar, writes: Sequence[ObjectWrite], now: int) -> int:
        revision = calendar.revision
        for chunk in chunks(writes):
            revision = await self._put_chunk(calendar, chunk, now)
        return revision

    async def remove_objects(self, calendar: Calendar, names: Sequence[str], now: int) -> int:
        revision = calendar.revision
        for chunk in chunks(names):
            revision = await self._bury(calendar, chunk, now)
        return revision

    async def publish(self, calendar_id: str, write: ObjectWrite, now: int, *, deleted: bool) -> None:
        found = await _NEXT_REVISION.first(self._db, row_id=calendar_id, now=now)
        values = {**object_values(write, found[0] if found else 0, now), "deleted": deleted}
        if deleted and _CANCELLED not in write.data:  # not cancelled, only no longer this person's
            values["data"] = ""
        row = {"id": new_id(), "calendar_id": calendar_id, "name": write.name, **values}
        await _PUBLISH.run(self._db, row)

    async def object(self, calendar_id: str, name: str) -> CalendarObject | None:
        return await self._one_object(_objects.calendar_id == calendar_id, _objects.name == name)

    async def object_by_uid(self, calendar_id: str, uid: str) -> CalendarObject | None:
        return await self._one_object(_objects.calendar_id == calendar_id, _objects.uid == uid)

    async def rivals(self, calendar_id: str, name: str, uid: str) -> list[CalendarObject]:
        found = [
            CalendarObject(*row) for row in await _RIVALS.rows(self._db, calendar_id=calendar_id, name=name, uid=uid)
        ]
        return [each for each in found if not each.deleted]

    async def objects(self, calendar_id: str, names: Sequence[str]) -> list[CalendarObject]:
        found: list[CalendarObject] = []
        for chunk in chunks(names):
            query = select(*OBJECT).where(_objects.calendar_id == calendar_id, _objects.name.in_(chunk), LIVE)
            found.extend(object_of(row) for row in await self._db.execute(query))
        return found

    async def objects_of_booking(self, booking_id: str) -> list[CalendarObject]:
        query = select(*OBJECT).where(_objects.booking_id == booking_id, LIVE).order_by(_objects.id)
        return [object_of(row) for row in await self._db.execute(query)]

    async def etags(self, calendar_id: str) -> dict[str, str]:
        query = select(_objects.name, _objects.etag).where(_objects.calendar_id == calendar_id, LIVE)
        return {row.name: row.etag for row in await self._db.execute(query)}

    async def entries_since(
        self, calendar_id: str, revision: int, limit: int | None = None, *, live_only: bool = False
    ) -> list[ObjectEntry]:
        query = (
            select(*entry_columns(self._size()))
            .where(_objects.calendar_id == calendar_id, _objects.revision > revision)
            .order_by(_objects.revision)
            .limit(limit)
        )
        if live_only:
            query = query.where(LIVE)
        return [entry_of(row) for row in await self._db.execute(query)]

    async def objects_between(
        self, calendar_id: str, start: int | None, end: int | None, component: str | None
    ) -> list[CalendarObject]:
        query = select(*OBJECT).where(_objects.calendar_id == calendar_id, LIVE)
        if start is not None:
            # What begins at `start` counts even when it has no length (RFC 4791 §9.9).
            query = query.where(or_(_objects.end_at > start, _objects.end_at.is_(None), _objects.start_at >= start))
        if end is not None:
            query = query.where(_objects.start_at < end)
        if component is not None:
            query = query.where(_objects.component == component)
        return [object_of(row) for row in await self._db.execute(query)]

    async def expiring_expansions(self, calendar_id: str, before: int) -> list[CalendarObject]:
        query = select(*OBJECT).where(_objects.calendar_id == calendar_id, LIVE, _objects.expanded_until < before)
        return [object_of(row) for row in await self._db.execute(query)]

    async def hosted_booking(self, host_id: str, uid: str, start: int, end: int | None) -> str | None:
        row = await _HOSTED.first(self._db, host_id=host_id, uid=uid, start=start, end=end)
        return str(row[0]) if row else None

    async def booking_ids_by_uid(
        self, org_id: str, uids: Sequence[str], host_id: str | None = None
    ) -> Mapping[str, str]:
        bookings, hosted = m.bookings.c, m.booking_hosts.c
        found: dict[str, str] = {}
        for chunk in chunks(uids):
            query = select(bookings.uid, bookings.id).where(bookings.uid.in_(chunk), bookings.org_id == org_id)
            if host_id is not None:
                query = query.join(m.booking_hosts, hosted.booking_id == bookings.id).where(hosted.host_id == host_id)
            found.update({row.uid: row.id for row in await self._db.execute(query)})
        return found

    async def _one_object(self, *where: Any) -> CalendarObject | None:
        row = (await self._db.execute(select(*OBJECT).where(*where, LIVE))).one_or_none()
        return object_of(row) if row else None

    def _size(self) -> ColumnElement[int]:
        """Octets of an object's text (SQLite has `octet_length` only since 3.43)."""
        if self._db.dialect.name == "sqlite":
            return func.length(cast(_objects.data, LargeBinary))
        return func.octet_length(_objects.data)

    # writing

    async def _put_chunk(self, calendar: Calendar, writes: Sequence[ObjectWrite], now: int) -> int:
        revision, is_conflict = await self._next_revisions(calendar, len(writes), now)
        there, busy_before = await self._rows_for(calendar, writes)
        added, changed, busy = [], [], []
        busy_changed = False
        for number, write in enumerate(writes, revision - len(writes) + 1):
            values, pieces = object_values(write, number, now), busy_pieces(write)
            object_id = there.get(write.name)
            if object_id is None:
                object_id = new_id()
                added.append({"id": object_id, "calendar_id": calendar.id, "name": write.name, **values})
            else:
                changed.append({"row_id": object_id, **values})
            busy_changed |= pieces != busy_before.get(object_id, [])
            busy += [(object_id, start, end) for start, end in pieces]
        if changed:
            await _CHANGE.run(self._db, *changed)
        if added:
            await _ADD.run(self._db, *added)
        if busy_changed:
            await self._replace_busy(calendar, list(busy_before), busy)
            if is_conflict:
                await self._bump_host(calendar.user_id)
        return revision

    async def _bury(self, calendar: Calendar, names: Sequence[str], now: int) -> int:
        """Turn live rows into tombstones."""
        await self._lock(calendar.user_id, calendar.id)
        query = select(_objects.id).where(_objects.calendar_id == calendar.id, _objects.name.in_(names), LIVE)
        ids = list(await self._db.scalars(query))
        if not ids:
            return calendar.revision
        revision, is_conflict = await self._next_revisions(calendar, len(ids), now)
        dead = {"data": "", "deleted": True, "expanded_until": None, "modified_at": now}
        changes = [
            {"row_id": object_id, **dead, "revision": number}
            for number, object_id in enumerate(ids, revision - len(ids) + 1)
        ]
        await _BURY.run(self._db, *changes)
        gone = await self._db.execute(delete(m.busy_intervals).where(m.busy_intervals.c.object_id.in_(ids)))
        if gone.rowcount and is_conflict:
            await self._bump_host(calendar.user_id)
        return revision

    async def _next_revisions(self, calendar: Calendar, count: int, now: int) -> tuple[int, bool]:
        """Take `count` numbers, which also locks the calendar: the last of them, and whether free times hang on it."""
        if calendar.is_conflict:
            await self._lock(calendar.user_id, calendar.id)
        row = await _TAKE_REVISIONS.first(self._db, row_id=calendar.id, count=count, now=now)
        if row is None:
            raise NotFound("There is no such calendar.")
        return row[0], row[1]

    async def _rows_for(
        self, calendar: Calendar, writes: Sequence[ObjectWrite]
    ) -> tuple[dict[str, str], dict[str, list[BusyInterval]]]:
        """Ids by name of the rows to write over, tombstones included, and the busy time of each by id."""
        names = {write.name: write.uid for write in writes}
        uids = set(names.values())
        if len(uids) < len(names):
            raise AlreadyExists("Two resources with the same UID.")
        there, busy_before = {}, {}
        for object_id, name, uid, deleted, text in await self._in_the_way(calendar.id, names):
            if name not in names or (not deleted and uid != names[name] and uid in uids):
                raise AlreadyExists(f"The resource {name} has the UID {uid} already.")
            there[name] = object_id
            busy_before[object_id] = parse_pairs(text)
        return there, busy_before

    async def _in_the_way(self, calendar_id: str, names: Mapping[str, str]) -> Sequence[Sequence[Any]]:
        """Rows with one of the names, and live ones with one of the UIDs; inside the transaction that writes."""
        if len(names) == 1:
            [(name, uid)] = names.items()
            return await _ROWS_FOR_ONE.rows(self._db, calendar_id=calendar_id, name=name, uid=uid)
        query = _ROW.where(
            _objects.calendar_id == calendar_id,
            or_(_objects.name.in_(list(names)), and_(_objects.uid.in_(list(names.values())), LIVE)),
        )
        return (await self._db.execute(query)).all()

    async def _replace_busy(
        self, calendar: Calendar, object_ids: Sequence[str], pieces: Sequence[tuple[str, int, int]]
    ) -> None:
        if object_ids:
            await _FORGET_BUSY.run(self._db, *({"object_id": each} for each in object_ids))
        if pieces:
            rows = [
                {"object_id": object_id, "start_at": start, "end_at": end, "calendar_id": calendar.id}
                for object_id, start, end in pieces
            ]
            await _ADD_BUSY.run(self._db, *rows)

    async def _lock(self, user_id: str, calendar_id: str) -> None:
        """Lock the host, then the calendar; on SQLite the transaction holds the write lock since it began."""
        if calendar_id in self._locked or self._db.dialect.name == "sqlite":
            return
        await _LOCK_HOST.rows(self._db, user_id=user_id)
        await _LOCK_CALENDAR.rows(self._db, calendar_id=calendar_id)
        self._locked.add(calendar_id)

    async def _bump_host(self, user_id: str) -> None:
        """Free times of the host may have changed."""
        await _BUMP_HOST.run(self._db, {"user_id": user_id})
