"""`EventStates` in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.calendar_rows import LIVE
from app.ports.event_states import EventState

_NAMES = tuple(EventState.__dataclass_fields__)
_COLUMNS = tuple(m.calendar_events.c[name] for name in _NAMES)


class SqlEventStates:
    """`EventStates` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def of_host(self, booking_id: str, user_id: str) -> list[EventState]:
        events, calendars = m.calendar_events.c, m.calendars.c
        query = (
            select(*_COLUMNS)
            .join_from(m.calendar_events, m.calendars, calendars.id == events.calendar_id)
            .where(events.booking_id == booking_id, calendars.user_id == user_id)
            .order_by(events.calendar_id)
        )
        return [EventState(*row) for row in await self._db.execute(query)]

    async def in_calendar(self, calendar_id: str, booking_ids: Sequence[str]) -> list[EventState]:
        events = m.calendar_events.c
        query = select(*_COLUMNS).where(events.calendar_id == calendar_id, events.booking_id.in_(list(booking_ids)))
        return [EventState(*row) for row in await self._db.execute(query)]

    async def missing(self, calendar_id: str, before: int) -> list[EventState]:
        events, objects, edits, bookings = m.calendar_events.c, m.calendar_objects.c, m.calendar_edits.c, m.bookings.c
        mirrored = exists().where(
            objects.booking_id == events.booking_id, objects.calendar_id == events.calendar_id, LIVE
        )
        noticed = exists().where(edits.booking_id == events.booking_id, edits.calendar_id == events.calendar_id)
        query = (
            select(*_COLUMNS)
            .join_from(m.calendar_events, m.bookings, bookings.id == events.booking_id)
            .where(
                events.calendar_id == calendar_id,
                events.state == "written",
                events.updated_at < before,
                bookings.status == "confirmed",
                bookings.end_at > before,
                ~mirrored,
                ~noticed,
            )
        )
        return [EventState(*row) for row in await self._db.execute(query)]

    async def failed(self, account_id: str) -> list[EventState]:
        events, calendars = m.calendar_events.c, m.calendars.c
        query = (
            select(*_COLUMNS)
            .join_from(m.calendars, m.calendar_events, events.calendar_id == calendars.id)
            .where(calendars.account_id == account_id, events.state == "failed")
            .order_by(events.booking_id)
        )
        return [EventState(*row) for row in await self._db.execute(query)]

    async def put(self, state: EventState, now: int) -> None:
        dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
        row = {**{name: getattr(state, name) for name in _NAMES}, "updated_at": now}
        keys = [m.calendar_events.c.booking_id, m.calendar_events.c.calendar_id]
        changed = {name: value for name, value in row.items() if name not in {"booking_id", "calendar_id"}}
        statement = dialect.insert(m.calendar_events).values(row)
        await self._db.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed))

    async def remove(self, booking_id: str, calendar_id: str) -> None:
        events = m.calendar_events.c
        await self._db.execute(
            delete(m.calendar_events).where(events.booking_id == booking_id, events.calendar_id == calendar_id)
        )
