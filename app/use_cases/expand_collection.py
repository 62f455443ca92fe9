"""As time goes on, work out further instances of recurring events in a built-in collection.

Busy instances are stored up to `AHEAD` when an event changes; an event that nobody touches must not become free then.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from app.domain.calendars import Calendar, CalendarObject
from app.ports.calendar_store import ObjectWrite
from app.ports.outbox import NewJob
from app.use_cases.calendar_objects import StoragePorts
from app.use_cases.mirror import AHEAD, RENEW, StoredObject, addresses_of, read_all


def expansion_job(calendar: Calendar, now: int) -> NewJob:
    """The work to enqueue with an event that recurs beyond what is stored."""
    return NewJob(calendar.org_id, f"collection:{calendar.id}:expand", "expand_collection", calendar.id, _next_run(now))


def _next_run(now: int) -> int:
    """A fixed grid of instants, so that writing events again and again does not put the work off for ever."""
    return (now // RENEW + 1) * RENEW


async def expand_collection(ports: StoragePorts, calendar_id: str) -> int | None:
    """Store the busy time of what would run out within `RENEW`. When to do it again, None when nothing recurs."""
    now = ports.clock()
    async with ports.read() as work:
        expiring = await work.calendars.expiring_expansions(calendar_id, now + AHEAD)
    if not expiring:
        return None
    await _read_again(ports, calendar_id, expiring, now)
    return _next_run(now)


def reread_job(calendar: Calendar, now: int) -> NewJob:
    """The work to enqueue when a calendar's objects are to be read in another way."""
    return NewJob(calendar.org_id, f"calendar:{calendar.id}:reread", "reread_calendar", calendar.id, now)


async def reread_calendar(ports: StoragePorts, calendar_id: str) -> None:
    """Work out anew what all stored objects of a calendar block: its owner wants them read in another way."""
    async with ports.read() as work:
        objects = await work.calendars.objects_between(calendar_id, None, None, None)
    await _read_again(ports, calendar_id, objects, ports.clock())


async def _read_again(ports: StoragePorts, calendar_id: str, objects: Sequence[CalendarObject], now: int) -> None:
    """Store what the objects block, as far as nobody has changed them meanwhile."""
    async with ports.read() as work:
        calendar = await work.calendars.calendar(calendar_id)
        account = await work.calendars.account(calendar.account_id) if calendar else None
        user = await work.people.user(calendar.user_id) if calendar else None
    if calendar is None or account is None or user is None:
        return
    addresses = addresses_of(user, account)
    texts = [StoredObject(item.name, item.etag, item.data) for item in objects]
    readings = await asyncio.to_thread(read_all, texts, calendar, addresses, now)
    stored = {item.name: item for item in objects}
    async with ports.unit_of_work() as work:
        locked = await work.calendars.lock_calendar(calendar_id)
        if locked is None:
            return
        etags = await work.calendars.etags(calendar_id)
        unchanged = [
            _as_stored(each.write, stored[each.write.name])
            for each in readings
            if each.is_readable and etags.get(each.write.name) == each.write.etag
        ]
        await work.calendars.put_objects(locked, unchanged, now)
        await work.commit()


def _as_stored(write: ObjectWrite, item: CalendarObject) -> ObjectWrite:
    """What was read anew is the same object as before."""
    return replace(write, uid=item.uid, booking_id=item.booking_id, schedule_tag=item.schedule_tag)
