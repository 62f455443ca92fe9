"""The push channels that providers were asked to open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class CalendarChannel:
    """A channel for one calendar's changes. `token` is the secret that its messages must carry; `expires_at` is epoch
    seconds; `resource_id` is the provider's name for it."""

    id: str
    org_id: str
    calendar_id: str
    provider: str
    resource_id: str
    token: str
    expires_at: int


class Channels(Protocol):
    """Rows of `calendar_channels`. Inside a unit of work; nothing here commits."""

    async def add(self, channel: CalendarChannel, now: int) -> None: ...

    async def get(self, channel_id: str) -> CalendarChannel | None: ...

    async def by_resource(self, provider: str, resource_id: str) -> CalendarChannel | None: ...

    async def of_calendar(self, calendar_id: str) -> list[CalendarChannel]: ...

    async def ends(self, calendar_ids: Sequence[str], now: int) -> Mapping[str, int]:
        """Until when calendars tell of their changes, epoch seconds; those without an open channel are left out."""
        ...

    async def prolong(self, channel_id: str, expires_at: int) -> None: ...

    async def remove(self, channel_id: str) -> None: ...
