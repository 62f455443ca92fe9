"""`EventNotesStore` in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.ports.event_notes import EventNote

_NOTES = m.event_notes.c


class SqlEventNotes:
    """`EventNotesStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def put(self, note: EventNote, now: int) -> None:
        dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
        row = {name: getattr(note, name) for name in EventNote.__dataclass_fields__} | {"updated_at": now}
        statement = dialect.insert(m.event_notes).values(row)
        keys = [_NOTES.booking_id, _NOTES.user_id]
        await self._db.execute(statement.on_conflict_do_update(index_elements=keys, set_=row))
