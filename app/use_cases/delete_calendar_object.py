"""Delete an object from one of a person's collections."""

from __future__ import annotations

from app.domain.calendars import Calendar
from app.domain.errors import Forbidden, NotFound
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import Conditions, Device, StoragePorts
from app.use_cases.keep_edits import LOSING, keep_edit
from app.use_cases.remove_from_schedule import remove_from_schedule
from app.use_cases.schedule_event import in_locked_order, settle_removal


async def delete_calendar_object(
    ports: Ports,
    calendar: Calendar,
    name: str,
    conditions: Conditions,
    device: Device | None = None,
    *,
    answers: bool = True,
) -> None:
    """Leave a tombstone that sync reports; the time is free again at once, and who takes part is told (with `answers`
    false not the organizer). In a `schedule` the booking follows after a grace time (`remove_from_schedule`).

    `NotFound`, `Forbidden` for a read-only collection, `StaleVersion` for conditions that do not hold; the last two are
    told to the `device`'s person.
    """
    try:
        if not calendar.is_schedule or calendar.read_only:
            await _remove(ports, calendar, name, conditions, answers=answers)
        elif device is None:
            raise Forbidden("Only devices write into a schedule.")
        else:
            await remove_from_schedule(ports, calendar, name, conditions, device)
    except LOSING as refusal:
        if device is not None:
            await keep_edit(ports, calendar, name, "", refusal, device)
        raise


async def _remove(ports: StoragePorts, calendar: Calendar, name: str, conditions: Conditions, *, answers: bool) -> None:
    now = ports.clock()

    async def delete(work: UnitOfWork, hosts: frozenset[str]) -> None:
        locked = await work.calendars.lock_calendar(calendar.id)
        if locked is None:
            raise NotFound("There is no such calendar.")
        if locked.read_only:
            raise Forbidden("This calendar is read-only.")
        current = await work.calendars.object(calendar.id, name)
        conditions.check(current.etag if current else None, current.schedule_tag if current else None)
        if current is None:
            raise NotFound("There is no such object.")
        await settle_removal(work, locked, current, hosts, now, answers=answers)
        await work.calendars.remove_objects(locked, [name], now)
        await work.commit()

    await in_locked_order(ports, delete)
