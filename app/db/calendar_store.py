"""Calendar accounts and calendars; with `calendar_objects` and `published` the whole of `CalendarStore`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, exists, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.calendar_objects import SqlCalendarObjects
from app.db.calendar_rows import CALENDAR, calendar_of, calendar_values
from app.db.published import SqlPublishedCalendars
from app.db.quick import QuickStatement, given
from app.domain.calendars import BUILTIN, INBOX, SCHEDULE, Calendar, CalendarAccount
from app.domain.errors import AlreadyExists
from app.ports.calendar_store import AccountTrouble
from app.ports.security import Vault

_accounts, _calendars = m.calendar_accounts.c, m.calendars.c

_ACCOUNT = tuple(
    _accounts["secret_sealed" if name == "secret" else name] for name in CalendarAccount.__dataclass_fields__
)
_SECRET = tuple(CalendarAccount.__dataclass_fields__).index("secret")

_IS_CALENDAR = or_(_calendars.provider != BUILTIN, _calendars.name != INBOX)

_CALENDAR = select(*CALENDAR).where(_calendars.id == given("calendar_id"))
_BY_ID = QuickStatement(_CALENDAR, is_short=True)
_LOCKED = QuickStatement(_CALENDAR.with_for_update(), locks=True)
_LOCK_HOST_OF = QuickStatement(
    select(m.hosts.c.id)
    .where(m.hosts.c.id == select(_calendars.user_id).where(_calendars.id == given("calendar_id")).scalar_subquery())
    .with_for_update(),
    locks=True,
)

SHOWN = frozenset(
    {"display_name", "color", "position", "description", "timezone", "components", "read_only", "properties"}
)
"""What clients and subscribers see of a calendar: changing it changes the ctag and the feeds."""

FREE_TIME = frozenset({"is_conflict", "timezone"})
"""What free times hang on beside the objects."""


class SqlCalendarStore(SqlCalendarObjects, SqlPublishedCalendars):
    """`CalendarStore` over one connection; secrets of accounts are sealed with the vault."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        SqlCalendarObjects.__init__(self, connection)
        SqlPublishedCalendars.__init__(self, connection, vault)

    # accounts

    async def add_account(self, account: CalendarAccount) -> None:
        values = {name: getattr(account, name) for name in CalendarAccount.__dataclass_fields__}
        values["secret_sealed"] = self._vault.seal(values.pop("secret"))
        await self._db.execute(insert(m.calendar_accounts).values(**values))

    async def account(self, account_id: str) -> CalendarAccount | None:
        row = (await self._db.execute(select(*_ACCOUNT).where(_accounts.id == account_id))).one_or_none()
        return self._account_of(row) if row else None

    async def accounts_of(self, user_id: str) -> list[CalendarAccount]:
        query = select(*_ACCOUNT).where(_accounts.user_id == user_id).order_by(_accounts.id)
        return [self._account_of(row) for row in await self._db.execute(query)]

    async def accounts_at(self, org_id: str, provider: str) -> list[CalendarAccount]:
        where = (_accounts.org_id == org_id, _accounts.provider == provider)
        query = select(*_ACCOUNT).where(*where).order_by(_accounts.id)
        return [self._account_of(row) for row in await self._db.execute(query)]

    async def connected_accounts(self) -> list[CalendarAccount]:
        query = select(*_ACCOUNT).where(_accounts.provider != BUILTIN).order_by(_accounts.id)
        return [self._account_of(row) for row in await self._db.execute(query)]

    async def troubled_accounts(self, user_id: str, late: int, limit: int) -> list[AccountTrouble]:
        last = func.coalesce(_calendars.synced_at, _calendars.modified_at)
        unread = exists().where(_calendars.account_id == _accounts.id, _calendars.is_conflict, last <= late)
        query = (
            select(_accounts.id, _accounts.provider, _accounts.label)
            .where(_accounts.user_id == user_id, _accounts.provider != BUILTIN, or_(_accounts.status != "ok", unread))
            .order_by(_accounts.id)
            .limit(limit)
        )
        return [AccountTrouble(*row) for row in await self._db.execute(query)]

    async def update_account(self, account_id: str, **values: Any) -> None:
        if "secret" in values:
            values["secret_sealed"] = self._vault.seal(values.pop("secret"))
        await self._db.execute(update(m.calendar_accounts).where(_accounts.id == account_id).values(**values))

    async def delete_account(self, account_id: str) -> None:
        user_id = await self._db.scalar(select(_accounts.user_id).where(_accounts.id == account_id))
        if user_id is not None:
            await self._bump_host(user_id)
            await self._db.execute(delete(m.calendar_accounts).where(_accounts.id == account_id))

    # calendars

    async def add_calendar(self, calendar: Calendar) -> None:
        try:
            await self._db.execute(insert(m.calendars).values(**calendar_values(calendar)))
        except IntegrityError as error:
            raise AlreadyExists(f"There is a calendar {calendar.name} already.") from error
        if calendar.is_conflict:
            await self._bump_host(calendar.user_id)

    async def calendar(self, calendar_id: str) -> Calendar | None:
        row = await _BY_ID.first(self._db, calendar_id=calendar_id)
        return calendar_of(row) if row else None

    async def lock_calendar(self, calendar_id: str) -> Calendar | None:
        if self._db.dialect.name == "sqlite":
            return await self.calendar(calendar_id)
        if calendar_id not in self._locked:
            await _LOCK_HOST_OF.rows(self._db, calendar_id=calendar_id)
        row = await _LOCKED.first(self._db, calendar_id=calendar_id)
        if row is None:
            return None
        self._locked.add(calendar_id)
        return calendar_of(row)

    async def calendars_of(self, user_id: str) -> list[Calendar]:
        return await self._calendars(_calendars.user_id == user_id, _IS_CALENDAR)

    async def calendars_in(self, account_id: str) -> list[Calendar]:
        return await self._calendars(_calendars.account_id == account_id, _IS_CALENDAR)

    async def conflict_calendars(self, user_ids: Sequence[str]) -> list[Calendar]:
        return await self._calendars(
            _calendars.user_id.in_(list(user_ids)), _calendars.is_conflict, _calendars.provider != BUILTIN
        )

    async def builtin_calendar(self, user_id: str, name: str) -> Calendar | None:
        found = await self._calendars(
            _calendars.user_id == user_id, _calendars.provider == BUILTIN, _calendars.name == name
        )
        return found[0] if found else None

    async def update_calendar(self, calendar_id: str, **values: Any) -> None:
        if values.keys() & FREE_TIME:
            await self._bump_host_of(calendar_id)
        if values.keys() & SHOWN:
            values["revision"] = _calendars.revision + 1
        await self._db.execute(update(m.calendars).where(_calendars.id == calendar_id).values(**values))

    async def delete_calendar(self, calendar_id: str) -> None:
        await self._bump_host_of(calendar_id)
        await self._db.execute(delete(m.calendars).where(_calendars.id == calendar_id))

    async def let_schedules_take_new(self, org_id: str, *, takes_new: bool) -> None:
        schedules = (_calendars.org_id == org_id, _calendars.provider == BUILTIN, _calendars.name == SCHEDULE)
        await self._db.execute(update(m.calendars).where(*schedules).values(takes_new=takes_new))

    async def _calendars(self, *where: Any) -> list[Calendar]:
        query = select(*CALENDAR).where(*where).order_by(_calendars.position, _calendars.id)
        return [calendar_of(row) for row in await self._db.execute(query)]

    async def _bump_host_of(self, calendar_id: str) -> None:
        user_id = await self._db.scalar(select(_calendars.user_id).where(_calendars.id == calendar_id))
        if user_id is not None:
            await self._bump_host(user_id)

    def _account_of(self, row: Sequence[Any]) -> CalendarAccount:
        values = list(row)
        values[_SECRET] = self._vault.open(values[_SECRET])
        return CalendarAccount(*values)
