"""Organizations and users."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import Text, cast, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.quick import QuickStatement, given
from app.db.rows import page_by_id
from app.domain.cursors import encode_cursor
from app.domain.errors import AlreadyExists
from app.domain.text_rules import is_email
from app.ports.page import Page
from app.ports.people import Organization, PeopleFilter, User

_READ = tuple(m.organizations.c[name] for name in Organization.__dataclass_fields__)
_ORGANIZATION = QuickStatement(select(*_READ).where(m.organizations.c.id == given("org_id")), is_short=True)


class SqlPeopleStore:
    """`PeopleStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add_organization(self, organization: Organization, now: int) -> None:
        values = {name: getattr(organization, name) for name in Organization.__dataclass_fields__}
        try:
            await self._db.execute(insert(m.organizations).values(**values, created_at=now))
        except IntegrityError as error:
            raise AlreadyExists(f"There is already an organization named “{organization.slug}”.") from error

    async def organization(self, org_id: str) -> Organization | None:
        row = await _ORGANIZATION.first(self._db, org_id=org_id)
        return Organization(*row) if row else None

    async def organization_by_slug(self, slug: str) -> Organization | None:
        row = (await self._db.execute(select(*_READ).where(m.organizations.c.slug == slug))).one_or_none()
        return Organization(*row) if row else None

    async def update_organization(self, org_id: str, **values: Any) -> None:
        await self._db.execute(update(m.organizations).where(m.organizations.c.id == org_id).values(**values))

    async def any_organization(self) -> bool:
        return await self._db.scalar(select(m.organizations.c.id).limit(1)) is not None

    async def only_organization(self) -> Organization | None:
        rows = (await self._db.execute(select(*_READ).limit(2))).all()
        return Organization(*rows[0]) if len(rows) == 1 else None

    async def add_user(self, user: User, now: int) -> None:
        values = {name: getattr(user, name) for name in User.__dataclass_fields__}
        values |= {"roles": list(user.roles), "updated_at": now}
        try:
            await self._db.execute(insert(m.users).values(**values))
        except IntegrityError as error:
            raise AlreadyExists("There is already a user with this e-mail address or handle.") from error
        await self._db.execute(
            insert(m.hosts).values(id=user.id, org_id=user.org_id, kind="user", user_id=user.id, name=user.name)
        )

    async def user(self, user_id: str) -> User | None:
        return await self._user(m.users.c.id == user_id)

    async def user_by_email(self, email: str) -> User | None:
        address = email.strip().lower()
        return await self._user(m.users.c.email == address) if is_email(address) else None

    async def _user(self, where: Any) -> User | None:
        row = (await self._db.execute(select(m.users).where(where))).mappings().one_or_none()
        return user_record(row) if row else None

    async def users(self, org_id: str) -> list[User]:
        rows = await self._db.execute(select(m.users).where(m.users.c.org_id == org_id).order_by(m.users.c.id))
        return [user_record(row) for row in rows.mappings()]

    async def page(self, where: PeopleFilter, limit: int, cursor: str | None) -> Page[User]:
        users = m.users.c
        query = select(m.users).where(users.org_id == where.org_id)
        if where.only_active:
            query = query.where(users.is_active)
        if where.roles:
            query = query.where(or_(*(cast(users.roles, Text).contains(f'"{role}"') for role in where.roles)))
        if words := where.words.strip().lower():
            query = query.where(
                or_(
                    func.lower(users.name).contains(words, autoescape=True),
                    users.email.contains(words, autoescape=True),
                )
            )
        rows = (await self._db.execute(page_by_id(query, users.id, limit, cursor))).mappings().all()
        items = tuple(user_record(row) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def named(self, org_id: str, user_ids: Collection[str]) -> list[User]:
        if not user_ids:
            return []
        users = m.users.c
        query = select(m.users).where(users.org_id == org_id, users.id.in_(sorted(user_ids))).order_by(users.id)
        return [user_record(row) for row in (await self._db.execute(query)).mappings()]

    async def admins(self, org_id: str) -> list[str]:
        users = m.users.c
        is_admin = cast(users.roles, Text).contains('"admin"')
        query = select(users.id).where(users.org_id == org_id, users.is_active, is_admin).order_by(users.id)
        return list(await self._db.scalars(query))

    async def handles_like(self, handle: str) -> set[str]:
        return set(await self._db.scalars(select(m.users.c.handle).where(m.users.c.handle.startswith(handle))))

    async def update_user(self, user_id: str, now: int, **values: Any) -> None:
        await self._db.execute(update(m.users).where(m.users.c.id == user_id).values(**values, updated_at=now))
        if "name" in values:
            hosts = m.hosts.c
            shown = {"bookings_revision": hosts.bookings_revision + 1, "bookings_changed_at": now}  # feeds name hosts
            await self._db.execute(update(m.hosts).where(hosts.user_id == user_id).values(name=values["name"], **shown))


def user_record(row: Mapping[Any, Any], prefix: str = "") -> User:
    """A user from a row, or from the part of a joined row whose labels begin with `prefix`."""
    fields = {name: row[prefix + name] for name in User.__dataclass_fields__}
    return User(**{**fields, "roles": tuple(fields["roles"])})
