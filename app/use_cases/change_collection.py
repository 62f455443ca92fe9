"""Rename or recolour one of a person's collections."""

from __future__ import annotations

from app.domain.calendars import Calendar
from app.domain.errors import Forbidden, NotFound
from app.use_cases.calendar_objects import StoragePorts


async def change_collection(ports: StoragePorts, calendar: Calendar, **values: str | int | None) -> None:
    """Set `display_name`, `description`, `color` or `position`. `NotFound`, or `Forbidden` for a read-only one."""
    async with ports.unit_of_work() as work:
        locked = await work.calendars.lock_calendar(calendar.id)
        if locked is None:
            raise NotFound("There is no such calendar.")
        if locked.read_only:
            raise Forbidden("This calendar is read-only.")
        await work.calendars.update_calendar(calendar.id, **values, modified_at=ports.clock())
        await work.commit()
