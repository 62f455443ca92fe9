"""What CalDAV reads, each by one narrow SELECT."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import msgspec
from sqlalchemy import Select, Text, and_, cast, delete, func, insert, join, literal, or_, select, true, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.calendar_rows import CALENDAR, LIVE, calendar_of
from app.db.quick import QuickStatement, given
from app.domain.calendars import BUILTIN, SCHEDULE, Calendar
from app.domain.errors import NotFound
from app.ports.published import (
    FIELD,
    RECORD,
    Access,
    DavPerson,
    DavUser,
    Delegation,
    StoredText,
)
from app.ports.security import Vault

_users, _passwords = m.users.c, m.app_passwords.c
_calendars, _objects = m.calendars.c, m.calendar_objects.c

_BEGINNING_OF_TIME, _END_OF_TIME = -(2**62), 2**62

_DAV_USER = (
    _users.id,
    _users.org_id,
    _users.handle,
    _users.email,
    _users.name,
    _users.timezone,
    _users.roles,
    _passwords.id,
    _passwords.label,
    _passwords.last_used_at,
)
_PERSON = _DAV_USER[:6]


def _access(known_by: Any) -> QuickStatement:
    theirs = and_(
        _calendars.user_id == _users.id, _calendars.provider == BUILTIN, _calendars.name == given("collection")
    )
    return QuickStatement(
        select(*_DAV_USER, *CALENDAR)
        .select_from(m.users.join(m.app_passwords, _passwords.user_id == _users.id).outerjoin(m.calendars, theirs))
        .where(known_by == given("login"), _users.is_active, _passwords.lookup == given("lookup")),
        is_short=True,
    )


_ACCESS_BY_EMAIL, _ACCESS_BY_HANDLE = _access(_users.email), _access(_users.handle)

_delegates, _accounts = m.calendar_delegates.c, m.calendar_accounts.c
_OWNER = QuickStatement(
    select(*_PERSON, _delegates.access, *CALENDAR)
    .select_from(
        m.users.outerjoin(
            m.calendar_delegates, and_(_delegates.owner_id == _users.id, _delegates.delegate_id == given("user_id"))
        ).outerjoin(
            m.calendars,
            and_(
                _calendars.user_id == _users.id,
                _calendars.provider == BUILTIN,
                _calendars.name == given("collection"),
            ),
        )
    )
    .where(_users.handle == given("handle"), _users.org_id == given("org_id"), _users.is_active),
    is_short=True,
)

_LISTED = select(func.aggregate_strings(_objects.name + literal(FIELD) + _objects.etag, RECORD)).where(
    _objects.calendar_id == given("calendar_id"), LIVE
)
# All names are greater: said so that SQLite takes the index of listings, and not one with which it reads all the texts.
_LISTING = QuickStatement(_LISTED.where(_objects.name > literal("")), postgresql=_LISTED)

_TEXT = select(*(_objects[name] for name in StoredText._fields)).where(
    _objects.calendar_id == given("calendar_id"), LIVE
)
_notes = m.event_notes.c
_PLAIN_TEXT = (
    select(
        *(
            func.coalesce(func.nullif(_notes.plain, ""), _objects.data) if name == "data" else _objects[name]
            for name in StoredText._fields
        )
    )
    .join_from(m.calendar_objects, m.calendars, _calendars.id == _objects.calendar_id)
    .outerjoin(
        m.event_notes,
        and_(
            _notes.booking_id == _objects.booking_id, _notes.user_id == _calendars.user_id, _calendars.name == SCHEDULE
        ),
    )
    .where(_objects.calendar_id == given("calendar_id"), LIVE)
)
"""For everybody but the calendar's person: bookings' events without that person's notes."""


def _texts(text: Select[Any]) -> QuickStatement:
    """Those with the given names, each named once. PostgreSQL looks them up one by one: without statistics, as in a
    database just filled, it would rather read the whole calendar."""
    wanted = func.unnest(cast(given("names"), ARRAY(Text))).table_valued("name", name="wanted").render_derived()
    found = text.where(_objects.name == wanted.c.name).limit(1).lateral("found")
    return QuickStatement(
        text.where(_objects.name.in_(select(func.json_each(given("names")).table_valued("value").c.value))),
        postgresql=select(found).select_from(join(wanted, found, true())),
    )


_TEXTS = {False: _texts(_TEXT), True: _texts(_PLAIN_TEXT)}
_TEXTS_BETWEEN = {
    is_plain: QuickStatement(
        text.where(
            _objects.start_at < given("end"),
            or_(_objects.end_at.is_(None), _objects.end_at > given("start"), _objects.start_at >= given("start")),
            or_(given("component") == literal(""), _objects.component == given("component")),
        )
    )
    for is_plain, text in ((False, _TEXT), (True, _PLAIN_TEXT))
}


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

    async def dav_owner(
        self, user: DavUser, handle: str, collection: str | None
    ) -> tuple[DavPerson, Access, Calendar | None] | None:
        row = await _OWNER.first(
            self._db, user_id=user.id, org_id=user.org_id, handle=handle, collection=collection or ""
        )
        if row is None:
            return None
        width = len(_PERSON)
        calendar = None if row[width + 1] is None else calendar_of(row[width + 1 :])
        access: Access = row[width] or ("schedule" if "admin" in user.roles else "none")
        return DavPerson(*row[:width]), access, calendar

    async def members(self, org_id: str, limit: int) -> list[DavPerson]:
        query = select(*_PERSON).where(_users.org_id == org_id, _users.is_active).order_by(_users.handle).limit(limit)
        return [DavPerson(*row) for row in await self._db.execute(query)]

    async def delegations(self, user_id: str) -> list[Delegation]:
        owners, delegates = m.users.alias("owners"), m.users.alias("delegates")
        query = (
            select(owners.c.handle, delegates.c.handle, _delegates.access)
            .select_from(m.calendar_delegates)
            .join(owners, and_(owners.c.id == _delegates.owner_id, owners.c.is_active))
            .join(delegates, and_(delegates.c.id == _delegates.delegate_id, delegates.c.is_active))
            .where(or_(_delegates.owner_id == user_id, _delegates.delegate_id == user_id))
            .order_by(owners.c.handle, delegates.c.handle)
        )
        return [Delegation(*row) for row in await self._db.execute(query)]

    async def delegate(self, owner: DavPerson, access: Literal["read", "write"], handles: Sequence[str]) -> None:
        people = select(_users.id).where(_users.org_id == owner.org_id, _users.handle.in_(list(handles)))
        ids = set(await self._db.scalars(people.where(_users.is_active)))
        if len(ids) < len(set(handles)) or owner.id in ids:
            raise NotFound("There is nobody else of that name here.")
        given_before = and_(_delegates.owner_id == owner.id, _delegates.access == access)
        moved = and_(_delegates.owner_id == owner.id, _delegates.delegate_id.in_(ids))
        await self._db.execute(delete(m.calendar_delegates).where(or_(given_before, moved)))
        rows = [
            {"owner_id": owner.id, "delegate_id": each, "org_id": owner.org_id, "access": access}
            for each in sorted(ids)
        ]
        if rows:
            await self._db.execute(insert(m.calendar_delegates), rows)

    async def let_in(self, owner: DavPerson, delegate_id: str, access: Literal["read", "write"] | None) -> None:
        pair = and_(_delegates.owner_id == owner.id, _delegates.delegate_id == delegate_id)
        await self._db.execute(delete(m.calendar_delegates).where(pair))
        if access is not None:
            row = {"owner_id": owner.id, "delegate_id": delegate_id, "org_id": owner.org_id, "access": access}
            await self._db.execute(insert(m.calendar_delegates).values(**row))

    async def home_properties(self, user_id: str) -> Mapping[str, str]:
        home = and_(_accounts.user_id == user_id, _accounts.provider == BUILTIN)
        return await self._db.scalar(select(_accounts.properties).where(home)) or {}

    async def keep_home_properties(self, user_id: str, changes: Mapping[str, str | None]) -> None:
        home = and_(_accounts.user_id == user_id, _accounts.provider == BUILTIN)
        kept = await self._db.scalar(select(_accounts.properties).where(home).with_for_update()) or {}
        values = {each: value for each, value in {**kept, **changes}.items() if value is not None}
        await self._db.execute(update(m.calendar_accounts).where(home).values(properties=values))

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

    async def texts(self, calendar_id: str, names: Sequence[str], *, plain: bool = False) -> list[StoredText]:
        wanted: Any = list(dict.fromkeys(names))
        if self._db.dialect.name == "sqlite":
            wanted = msgspec.json.encode(wanted).decode()
        rows = await _TEXTS[plain].rows(self._db, calendar_id=calendar_id, names=wanted)
        return [StoredText._make(row) for row in rows]

    async def texts_between(
        self, calendar_id: str, start: int | None, end: int | None, component: str | None, *, plain: bool = False
    ) -> list[StoredText]:
        rows = await _TEXTS_BETWEEN[plain].rows(
            self._db,
            calendar_id=calendar_id,
            start=_BEGINNING_OF_TIME if start is None else start,
            end=_END_OF_TIME if end is None else end,
            component=component or "",
        )
        return [StoredText._make(row) for row in rows]
