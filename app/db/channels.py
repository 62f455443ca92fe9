"""`Channels` in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.ports.channels import CalendarChannel
from app.ports.security import Vault

_CHANNELS = m.calendar_channels.c
_COLUMNS = (
    _CHANNELS.id,
    _CHANNELS.org_id,
    _CHANNELS.calendar_id,
    _CHANNELS.provider,
    _CHANNELS.resource_id,
    _CHANNELS.token_sealed,
    _CHANNELS.expires_at,
)


class SqlChannels:
    """`Channels` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def add(self, channel: CalendarChannel, now: int) -> None:
        await self._db.execute(
            insert(m.calendar_channels).values(
                id=channel.id,
                org_id=channel.org_id,
                calendar_id=channel.calendar_id,
                provider=channel.provider,
                resource_id=channel.resource_id,
                token_sealed=self._vault.seal(channel.token),
                expires_at=channel.expires_at,
                created_at=now,
            )
        )

    async def get(self, channel_id: str) -> CalendarChannel | None:
        found = await self._find(_CHANNELS.id == channel_id)
        return found[0] if found else None

    async def by_resource(self, provider: str, resource_id: str) -> CalendarChannel | None:
        found = await self._find(_CHANNELS.resource_id == resource_id, _CHANNELS.provider == provider)
        return found[0] if found else None

    async def of_calendar(self, calendar_id: str) -> list[CalendarChannel]:
        return await self._find(_CHANNELS.calendar_id == calendar_id)

    async def ends(self, calendar_ids: Sequence[str], now: int) -> dict[str, int]:
        query = (
            select(_CHANNELS.calendar_id, func.max(_CHANNELS.expires_at))
            .where(_CHANNELS.calendar_id.in_(list(calendar_ids)), _CHANNELS.expires_at > now)
            .group_by(_CHANNELS.calendar_id)
        )
        return {row[0]: row[1] for row in await self._db.execute(query)}

    async def prolong(self, channel_id: str, expires_at: int) -> None:
        await self._db.execute(
            update(m.calendar_channels).where(_CHANNELS.id == channel_id).values(expires_at=expires_at)
        )

    async def remove(self, channel_id: str) -> None:
        await self._db.execute(delete(m.calendar_channels).where(_CHANNELS.id == channel_id))

    async def _find(self, *where: Any) -> list[CalendarChannel]:
        rows = await self._db.execute(select(*_COLUMNS).where(*where).order_by(_CHANNELS.expires_at.desc()))
        return [CalendarChannel(*row[:5], self._vault.open(row.token_sealed), row.expires_at) for row in rows]
