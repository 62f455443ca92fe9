"""`KeptEdits` in SQL."""

from __future__ import annotations

from sqlalchemy import and_, delete, exists, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.ports.kept_edits import KeptEdit

_KEPT, _OBJECTS = m.kept_edits.c, m.calendar_objects.c
_HEAD = 8_000
_LATEST = 5
_COLUMNS = tuple(_KEPT[name] for name in KeptEdit.__dataclass_fields__)


class SqlKeptEdits:
    """`KeptEdits` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def keep(self, edit: KeptEdit, most: int) -> None:
        mine = _KEPT.user_id == edit.user_id
        values = {name: getattr(edit, name) for name in KeptEdit.__dataclass_fields__}
        await self._db.execute(insert(m.kept_edits).values(**values))
        beyond = select(_KEPT.id).where(mine).order_by(_KEPT.id.desc()).offset(most).limit(1)
        oldest = await self._db.scalar(beyond)
        if oldest is not None:
            await self._db.execute(delete(m.kept_edits).where(mine, _KEPT.id <= oldest))

    async def texts_for(self, user_id: str, calendar_id: str, name: str) -> list[str]:
        same = (_KEPT.user_id == user_id, _KEPT.calendar_id == calendar_id, _KEPT.name == name)
        return list(await self._db.scalars(select(_KEPT.data).where(*same).order_by(_KEPT.id.desc()).limit(_LATEST)))

    async def of_user(self, user_id: str, limit: int) -> list[KeptEdit]:
        stored = exists().where(
            _OBJECTS.calendar_id == _KEPT.calendar_id, _OBJECTS.name == _KEPT.name, _OBJECTS.data == _KEPT.data
        )
        columns = [func.substr(each, 1, _HEAD) if each is _KEPT.data else each for each in _COLUMNS]
        query = select(*columns).where(_KEPT.user_id == user_id, ~and_(stored, _KEPT.data != ""))
        return [KeptEdit(*row) for row in await self._db.execute(query.order_by(_KEPT.id.desc()).limit(limit))]

    async def get(self, user_id: str, edit_id: str) -> KeptEdit | None:
        query = select(*_COLUMNS).where(_KEPT.user_id == user_id, _KEPT.id == edit_id)
        row = (await self._db.execute(query)).one_or_none()
        return KeptEdit(*row) if row else None

    async def remove(self, user_id: str, edit_id: str) -> bool:
        result = await self._db.execute(delete(m.kept_edits).where(_KEPT.user_id == user_id, _KEPT.id == edit_id))
        return result.rowcount == 1
