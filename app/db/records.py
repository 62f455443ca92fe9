"""The audit log and the answers kept for idempotent requests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.quick import QuickStatement
from app.ports.security import Vault
from app.ports.storage import AuditEntry, StoredAnswer
from app.use_cases.ids import new_id

_ENTRY = [*AuditEntry.__dataclass_fields__, "id", "at"]
_INSERT_ENTRY = QuickStatement(insert(m.audit_entries), columns=_ENTRY)


class SqlAuditLog:
    """`AuditLog` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def write(self, entry: AuditEntry, now: int) -> None:
        values = {name: getattr(entry, name) for name in AuditEntry.__dataclass_fields__}
        await _INSERT_ENTRY.run(self._db, {**values, "id": new_id(), "at": now})

    async def of_entity(self, org_id: str, entity_id: str) -> list[Mapping[str, Any]]:
        audit = m.audit_entries.c
        rows = await self._db.execute(
            select(audit.at, audit.actor_kind, audit.actor_id, audit.action, audit.changes)
            .where(audit.entity_id == entity_id, audit.org_id == org_id)
            .order_by(audit.id)
        )
        return [dict(row) for row in rows.mappings()]


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

    async def purge(self, before: int, limit: int) -> None:
        keys = m.idempotency_keys.c
        old = select(keys.scope).where(keys.created_at < before).order_by(keys.created_at).limit(limit)
        scopes = list(await self._db.scalars(old.with_for_update(skip_locked=True)))
        if scopes:
            await self._db.execute(delete(m.idempotency_keys).where(keys.scope.in_(scopes)))
