"""What scheduling reads and keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import case, delete, func, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.calendar_rows import CALENDAR, LIVE, OBJECT, calendar_of, object_of
from app.db.hosts import schedule_record
from app.db.quick import QuickStatement, given
from app.domain.calendars import BUILTIN, INBOX, SCHEDULE, Calendar, CalendarObject
from app.ports.hosts import ScheduleRecord
from app.ports.scheduling import CalendarUser

DAY = 86400
REMEMBERED = 400 * DAY
"""How long after the last mail an answer to it counts."""
_users, _calendars, _objects, _mails = m.users.c, m.calendars.c, m.calendar_objects.c, m.scheduling_mails.c

_MEMBER_COLUMNS = tuple(_users[name] for name in CalendarUser.__dataclass_fields__)
_MEMBER = QuickStatement(
    select(*_MEMBER_COLUMNS).where(_users.id == given("user_id"), _users.org_id == given("org_id"), _users.is_active),
    is_short=True,
)


class SqlSchedulingStore:
    """`SchedulingStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def members(
        self, org_id: str, emails: Sequence[str], handles: Sequence[str], ids: Sequence[str]
    ) -> list[CalendarUser]:
        if len(ids) == 1 and not emails and not handles:
            return [CalendarUser(*row) for row in await _MEMBER.rows(self._db, org_id=org_id, user_id=ids[0])]
        named = or_(_users.email.in_(list(emails)), _users.handle.in_(list(handles)), _users.id.in_(list(ids)))
        query = select(*_MEMBER_COLUMNS).where(_users.org_id == org_id, _users.is_active, named).order_by(_users.id)
        return [CalendarUser(*row) for row in await self._db.execute(query)]

    async def calendars_of(self, user_ids: Sequence[str], names: Sequence[str]) -> list[Calendar]:
        query = select(*CALENDAR).where(
            _calendars.user_id.in_(list(user_ids)), _calendars.provider == BUILTIN, _calendars.name.in_(list(names))
        )
        return [calendar_of(row) for row in await self._db.execute(query)]

    async def events_with(self, user_ids: Sequence[str], uid: str) -> list[tuple[Calendar, CalendarObject]]:
        query = (
            select(*CALENDAR, *OBJECT)
            .join_from(m.calendars, m.calendar_objects, _objects.calendar_id == _calendars.id)
            .where(
                _calendars.user_id.in_(list(user_ids)),
                _calendars.provider == BUILTIN,
                _calendars.name.not_in([SCHEDULE, INBOX]),
                _objects.uid == uid,
                LIVE,
            )
            .order_by(_calendars.user_id, _calendars.position, _calendars.id)
        )
        width = len(CALENDAR)
        return [(calendar_of(row[:width]), object_of(row[width:])) for row in await self._db.execute(query)]

    async def events_with_people(self, calendar_id: str) -> list[CalendarObject]:
        query = select(*OBJECT).where(_objects.calendar_id == calendar_id, _objects.schedule_tag.is_not(None), LIVE)
        return [object_of(row) for row in await self._db.execute(query.order_by(_objects.id))]

    async def messages_before(self, calendar_id: str, before: int) -> list[str]:
        query = select(_objects.name).where(_objects.calendar_id == calendar_id, _objects.modified_at < before, LIVE)
        return list(await self._db.scalars(query.order_by(_objects.revision).limit(50)))

    async def default_schedules(self, user_ids: Sequence[str]) -> Mapping[str, ScheduleRecord]:
        schedules = m.schedules.c
        query = select(m.schedules).where(schedules.user_id.in_(list(user_ids)), schedules.is_default)
        found = [schedule_record(row) for row in (await self._db.execute(query)).mappings()]
        return {each.user_id: each for each in found}

    async def mailed_since(self, user_id: str, since: int) -> int:
        query = select(func.coalesce(func.sum(_mails.mails), 0)).where(
            _mails.user_id == user_id, _mails.sent_at > since
        )
        return int(await self._db.scalar(query) or 0)

    async def note_mail(self, org_id: str, user_id: str, uid: str, addresses: Sequence[str], now: int) -> None:
        forgotten = (_mails.user_id == user_id, _mails.sent_at < now - REMEMBERED)
        await self._db.execute(delete(m.scheduling_mails).where(*forgotten))
        key = {"user_id": user_id, "uid": uid}
        rows = [
            {**key, "address": each, "org_id": org_id, "sent_at": now, "mails": 1} for each in sorted(set(addresses))
        ]
        dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
        statement = dialect.insert(m.scheduling_mails)
        again = case((_mails.sent_at > now - DAY, _mails.mails + 1), else_=1)
        changed = {"sent_at": statement.excluded.sent_at, "mails": again}
        where = [_mails.user_id, _mails.uid, _mails.address]
        await self._db.execute(statement.on_conflict_do_update(index_elements=where, set_=changed), rows)

    async def mailed_at(self, user_id: str, uid: str, address: str) -> int | None:
        query = select(_mails.sent_at).where(_mails.user_id == user_id, _mails.uid == uid, _mails.address == address)
        at: int | None = await self._db.scalar(query)
        return at

    async def mailed_by(self, uid: str, address: str) -> list[str]:
        query = select(_mails.user_id).where(_mails.uid == uid, _mails.address == address).order_by(_mails.user_id)
        return list(await self._db.scalars(query.limit(20)))
