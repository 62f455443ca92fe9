"""The audit log and the answers kept for idempotent requests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import delete, insert, select, tuple_
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import append_only  # noqa: F401  # the log's DDL belongs to the metadata
from app.db import models as m
from app.db.quick import QuickStatement
from app.domain.cursors import decode_cursor, encode_cursor
from app.domain.mentions import mentions
from app.ports.audit import ORIGIN, AuditEntry, AuditFilter, AuditRow, Origin
from app.ports.idempotency import StoredAnswer
from app.ports.page import Page
from app.ports.security import Vault
from app.use_cases.ids import new_id

_ENTRY = [*AuditEntry.__dataclass_fields__, "id", "at", *Origin.__dataclass_fields__]
OPENED = 500
"""Sealed answers looked into at once."""
_INSERT_ENTRY = QuickStatement(insert(m.audit_entries), columns=_ENTRY)


class SqlAuditLog:
    """`AuditLog` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def write(self, entry: AuditEntry, now: int) -> None:
        values = {name: getattr(entry, name) for name in AuditEntry.__dataclass_fields__}
        origin = ORIGIN.get()()
        where = {"via": origin.via, "address": origin.address, "agent": origin.agent}
        await _INSERT_ENTRY.run(self._db, {**values, **where, "id": new_id(), "at": now})

    async def of_entity(self, org_id: str, entity_id: str) -> list[Mapping[str, Any]]:
        audit = m.audit_entries.c
        rows = await self._db.execute(
            select(audit.at, audit.actor_kind, audit.actor_id, audit.action, audit.changes)
            .where(audit.entity_id == entity_id, audit.org_id == org_id)
            .order_by(audit.id)
        )
        return [dict(row) for row in rows.mappings()]

    async def page(self, where: AuditFilter, limit: int, cursor: str | None) -> Page[AuditRow]:
        audit = m.audit_entries.c
        query = select(m.audit_entries).where(audit.org_id == where.org_id)
        for name in ("actor_id", "action", "entity", "entity_id"):
            if (value := getattr(where, name)) is not None:
                query = query.where(audit[name] == value)
        if where.start is not None:
            query = query.where(audit.at >= where.start)
        if where.end is not None:
            query = query.where(audit.at < where.end)
        if cursor is not None:
            at, last_id = decode_cursor(cursor, "number", "id")
            query = query.where(tuple_(audit.at, audit.id) < (at, last_id))
        query = query.order_by(audit.at.desc(), audit.id.desc()).limit(limit + 1)
        rows = (await self._db.execute(query)).mappings().all()
        names = await self._names(where.org_id, rows[:limit])
        items = tuple(_row(row, names) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].at, items[-1].id) if len(rows) > limit else None)

    async def _names(self, org_id: str, rows: Sequence[Mapping[Any, Any]]) -> Mapping[str, str]:
        """Of people and recipients, as they are called now."""
        guests = {row["actor_id"] for row in rows if row["actor_kind"] == "recipient"}
        people = {_person(row) for row in rows if row["actor_kind"] in {"user", "device"}}
        users, bookings = m.users.c, m.bookings.c
        found: dict[str, str] = {}
        if people:
            known = select(users.id, users.name).where(users.org_id == org_id, users.id.in_(sorted(people)))
            found.update((row[0], row[1]) for row in await self._db.execute(known))
        if guests:
            booked = select(bookings.id, bookings.recipient_name)
            query = booked.where(bookings.org_id == org_id, bookings.id.in_(sorted(guests)))
            found.update((row[0], row[1]) for row in await self._db.execute(query))
        return found

    async def purge(self, org_id: str, before: int, limit: int) -> int:
        audit = m.audit_entries.c
        old = select(audit.id).where(audit.org_id == org_id, audit.at < before).order_by(audit.at).limit(limit)
        result = await self._db.execute(delete(m.audit_entries).where(audit.id.in_(list(await self._db.scalars(old)))))
        return int(result.rowcount)


def _person(row: Mapping[Any, Any]) -> str:
    """Who did it, themselves or by a device."""
    person: str = row["changes"].get("by") or row["actor_id"]
    return person


def _row(row: Mapping[Any, Any], names: Mapping[str, str]) -> AuditRow:
    actor = row["actor_id"] if row["actor_kind"] in {"recipient", "system"} else _person(row)
    origin = None if row["via"] is None else Origin(row["via"], row["address"], row["agent"])
    values = {name: row[name] for name in ("id", "at", "actor_kind", "actor_id", "action", "entity", "entity_id")}
    return AuditRow(**values, actor_name=names.get(actor) if actor else None, changes=row["changes"], origin=origin)


class SqlIdempotencyStore:
    """`IdempotencyStore` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def get(self, scope: str, not_before: int) -> StoredAnswer | None:
        keys = m.idempotency_keys.c
        row = (
            await self._db.execute(
                select(keys.body_hash, keys.answer_sealed).where(
                    keys.scope.in_(self._vault.lookups(scope)), keys.created_at >= not_before
                )
            )
        ).one_or_none()
        return StoredAnswer(row.body_hash, self._vault.open(row.answer_sealed)) if row else None

    async def put(self, scope: str, body_hash: str, answer: str, now: int, not_before: int) -> bool:
        dialect: Any = sqlite if self._db.dialect.name == "sqlite" else postgresql
        keys = m.idempotency_keys.c
        values = {"body_hash": body_hash, "answer_sealed": self._vault.seal(answer), "created_at": now}
        statement = dialect.insert(m.idempotency_keys).values(scope=self._vault.lookup(scope), **values)
        result = await self._db.execute(
            statement.on_conflict_do_update(
                index_elements=[keys.scope], set_=values, where=keys.created_at < not_before
            )
        )
        return bool(result.rowcount == 1)

    async def holding(self, words: Sequence[str]) -> list[str]:
        keys, found, last = m.idempotency_keys.c, mentions(words), ""
        scopes: list[str] = []
        while True:
            query = select(keys.scope, keys.answer_sealed).where(keys.scope > last).order_by(keys.scope).limit(OPENED)
            rows = (await self._db.execute(query)).all()
            if not rows:
                return scopes
            scopes += [row.scope for row in rows if found.search(self._vault.open(row.answer_sealed))]
            last = rows[-1].scope

    async def forget(self, scopes: Sequence[str]) -> None:
        for first in range(0, len(scopes), OPENED):
            some = list(scopes[first : first + OPENED])
            await self._db.execute(delete(m.idempotency_keys).where(m.idempotency_keys.c.scope.in_(some)))

    async def purge(self, before: int, limit: int) -> None:
        keys = m.idempotency_keys.c
        old = select(keys.scope).where(keys.created_at < before).order_by(keys.created_at).limit(limit)
        scopes = list(await self._db.scalars(old.with_for_update(skip_locked=True)))
        if scopes:
            await self._db.execute(delete(m.idempotency_keys).where(keys.scope.in_(scopes)))
