"""Keep what clients note on a person's home (macOS keeps the usual reminders there)."""

from __future__ import annotations

from collections.abc import Mapping

from app.use_cases.calendar_objects import StoragePorts


async def change_home(ports: StoragePorts, user_id: str, properties: Mapping[str, str | None]) -> None:
    """Keep these properties as they came; those that are None are forgotten."""
    async with ports.unit_of_work() as work:
        await work.calendars.keep_home_properties(user_id, properties)
        await work.commit()
