"""Delete an object from one of a person's collections."""

from __future__ import annotations

from app.domain.calendars import Calendar
from app.domain.errors import Forbidden, NotFound
from app.use_cases.calendar_objects import Conditions, StoragePorts


async def delete_calendar_object(ports: StoragePorts, calendar: Calendar, name: str, conditions: Conditions) -> None:
    """Leave a tombstone that sync reports; the time is free again at once. `NotFound`, `Forbidden` for a read-only
    collection, `StaleVersion` for conditions that do not hold."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        locked = await work.calendars.lock_calendar(calendar.id)
        if locked is None:
            raise NotFound("There is no such calendar.")
        if locked.read_only:
            raise Forbidden("This calendar is read-only.")
        current = await work.calendars.object(calendar.id, name)
        conditions.check(current.etag if current else None)
        if current is None:
            raise NotFound("There is no such object.")
        await work.calendars.remove_objects(locked, [name], now)
        await work.commit()
