"""`CalendarEdits` in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.ports.calendar_edits import CalendarEdit

_EDITS, _BOOKINGS = m.calendar_edits.c, m.bookings.c
_NAMES = {"start": "start_at", "end": "end_at"}
_COLUMNS = tuple(_EDITS[_NAMES.get(name, name)] for name in CalendarEdit.__dataclass_fields__)


class SqlCalendarEdits:
    """`CalendarEdits` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def put(self, edit: CalendarEdit) -> None:
        dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
        row = {_NAMES.get(name, name): getattr(edit, name) for name in CalendarEdit.__dataclass_fields__}
        statement = dialect.insert(m.calendar_edits).values(row)
        keys = [_EDITS.booking_id, _EDITS.calendar_id]
        await self._db.execute(statement.on_conflict_do_update(index_elements=keys, set_=row))

    async def of_user(self, user_id: str) -> list[CalendarEdit]:
        is_open = or_(~_EDITS.is_asked, and_(_BOOKINGS.status == "confirmed", _BOOKINGS.updated_at <= _EDITS.seen_at))
        query = select(*_COLUMNS).join(m.bookings, _BOOKINGS.id == _EDITS.booking_id)
        query = query.where(_EDITS.user_id == user_id, is_open).order_by(_EDITS.seen_at, _EDITS.booking_id)
        return [CalendarEdit(*row) for row in await self._db.execute(query)]

    async def remove(self, booking_id: str, calendar_id: str) -> bool:
        result = await self._db.execute(
            delete(m.calendar_edits).where(_EDITS.booking_id == booking_id, _EDITS.calendar_id == calendar_id)
        )
        return result.rowcount == 1
