"""Links by which a phone sets itself up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.ports.phone_profiles import PhoneProfile
from app.ports.security import Vault

_profiles = m.phone_profiles.c


class SqlPhoneProfiles:
    """`PhoneProfiles` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def add(self, profile: PhoneProfile, token: str) -> None:
        await self.forget(profile.created_at)
        values = {name: getattr(profile, name) for name in ("id", "org_id", "user_id", "label", "created_at")}
        await self._db.execute(insert(m.phone_profiles).values(**values, **self._secrets(profile, token)))

    async def forget(self, now: int) -> None:
        await self._db.execute(delete(m.phone_profiles).where(_profiles.expires_at <= now))

    async def find(self, token: str, now: int, *, lock: bool = False) -> PhoneProfile | None:
        query = (
            select(m.phone_profiles)
            .join(m.users, m.users.c.id == _profiles.user_id)
            .where(_profiles.lookup.in_(self._vault.lookups(token)), _profiles.expires_at > now, m.users.c.is_active)
        )
        if lock and self._db.dialect.name != "sqlite":
            query = query.with_for_update(of=m.phone_profiles)
        row = (await self._db.execute(query)).one_or_none()
        if row is None:
            return None
        password = self._vault.open(row.password_sealed)
        return PhoneProfile(row.id, row.org_id, row.user_id, row.label, password, row.expires_at, row.created_at)

    async def take(self, profile: PhoneProfile, token: str) -> None:
        await self._db.execute(
            update(m.phone_profiles).where(_profiles.id == profile.id).values(**self._secrets(profile, token))
        )

    def _secrets(self, profile: PhoneProfile, token: str) -> dict[str, Any]:
        return {
            "lookup": self._vault.lookup(token),
            "password_sealed": self._vault.seal(profile.password),
            "expires_at": profile.expires_at,
        }
