"""Change what a built-in collection is called, looks like and means for its person's free times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.calendars import Calendar
from app.domain.errors import Forbidden, NotFound
from app.use_cases.calendar_objects import StoragePorts
from app.use_cases.expand_collection import reread_job


async def change_collection(
    ports: StoragePorts, calendar: Calendar, properties: Mapping[str, str | None] | None = None, **values: Any
) -> None:
    """Set `display_name`, `description`, `color`, `position`, `timezone` or `is_conflict`, and keep or forget (None)
    properties of clients. `NotFound`, or `Forbidden` for a read-only one.

    A `schedule` never blocks: its bookings do so by themselves.
    """
    now = ports.clock()
    async with ports.unit_of_work() as work:
        locked = await work.calendars.lock_calendar(calendar.id)
        if locked is None:
            raise NotFound("There is no such calendar.")
        if locked.read_only:
            raise Forbidden("This calendar is read-only.")
        if locked.is_write:
            values.pop("is_conflict", None)
        if properties:
            kept = {**locked.properties, **properties}
            values["properties"] = {each: value for each, value in kept.items() if value is not None}
        await work.calendars.update_calendar(calendar.id, **values, modified_at=now)
        if "timezone" in values and values["timezone"] != locked.timezone:
            await work.outbox.enqueue([reread_job(locked, now)], now)  # floating and all-day times are read in it
        await work.commit()
