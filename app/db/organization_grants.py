"""`OrganizationGrants` in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.ports.organization_grants import OrganizationGrant
from app.ports.security import Vault

_GRANTS = m.organization_grants.c


class SqlOrganizationGrants:
    """`OrganizationGrants` over one connection; secrets are sealed with the vault."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def put(self, grant: OrganizationGrant) -> None:
        await self.remove(grant.org_id, grant.provider)
        await self._db.execute(
            insert(m.organization_grants).values(
                org_id=grant.org_id,
                provider=grant.provider,
                label=grant.label,
                secret_sealed=self._vault.seal(grant.secret),
                created_at=grant.created_at,
            )
        )

    async def get(self, org_id: str, provider: str) -> OrganizationGrant | None:
        found = await self._find(_GRANTS.org_id == org_id, _GRANTS.provider == provider)
        return found[0] if found else None

    async def holder(self, provider: str, label: str) -> str | None:
        query = select(_GRANTS.org_id).where(_GRANTS.provider == provider, _GRANTS.label == label).limit(1)
        found: str | None = await self._db.scalar(query)
        return found

    async def remove(self, org_id: str, provider: str) -> None:
        where = (_GRANTS.org_id == org_id, _GRANTS.provider == provider)
        await self._db.execute(delete(m.organization_grants).where(*where))

    async def _find(self, *where: Any) -> list[OrganizationGrant]:
        rows = await self._db.execute(select(m.organization_grants).where(*where).order_by(_GRANTS.provider))
        return [
            OrganizationGrant(row.org_id, row.provider, row.label, self._vault.open(row.secret_sealed), row.created_at)
            for row in rows
        ]
