"""The people of an organization as hosts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.rows import page_by_id
from app.domain.cursors import encode_cursor
from app.domain.text_rules import ERASED_HOST
from app.ports.employees import Employee
from app.ports.page import Page

_users, _hosts, _offered, _services = m.users.c, m.hosts.c, m.offer_hosts.c, m.services.c
_OF_USER = ("id", "name", "email", "handle", "roles", "timezone", "is_active")


class SqlEmployeeStore:
    """`EmployeeStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def page(self, org_id: str, limit: int, cursor: str | None) -> Page[Employee]:
        found = await self._read(page_by_id(_of(org_id), _users.id, limit, cursor))
        items = tuple(found[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(found) > limit else None)

    async def get(self, org_id: str, employee_id: str) -> Employee | None:
        found = await self._read(_of(org_id).where(_users.id == employee_id))
        return found[0] if found else None

    async def limit(self, employee_id: str, max_per_day: int | None, max_per_week: int | None) -> None:
        values = {"max_per_day": max_per_day, "max_per_week": max_per_week}
        await self._db.execute(
            update(m.hosts).where(_hosts.user_id == employee_id).values(**values, revision=_hosts.revision + 1)
        )

    async def _read(self, query: Select[Any]) -> list[Employee]:
        rows = (await self._db.execute(query)).mappings().all()
        services = await self._services([row["id"] for row in rows])
        return [replace(_employee(row), service_ids=tuple(services.get(row["id"], ()))) for row in rows]

    async def _services(self, ids: Sequence[str]) -> Mapping[str, list[str]]:
        query = (
            select(_offered.host_id, _services.id)
            .join(m.services, _services.id == _offered.offer_id)
            .where(_offered.host_id.in_(list(ids)), _services.deleted_at.is_(None))
            .order_by(_services.id)
        )
        found: dict[str, list[str]] = {}
        for host_id, service_id in await self._db.execute(query):
            found.setdefault(host_id, []).append(service_id)
        return found


def _of(org_id: str) -> Select[Any]:
    columns = [_users[name] for name in _OF_USER]
    return (
        select(*columns, _hosts.max_per_day, _hosts.max_per_week)
        .join_from(m.users, m.hosts, _hosts.user_id == _users.id)
        .where(_users.org_id == org_id, ~_users.email.endswith(ERASED_HOST))
    )


def _employee(row: Mapping[Any, Any]) -> Employee:
    return Employee(**{**dict(row), "roles": tuple(row["roles"])})
