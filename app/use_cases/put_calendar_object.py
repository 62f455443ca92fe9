"""Store an object that a device puts into one of its person's collections."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.calendars import Calendar, CalendarObject, ObjectFacts
from app.domain.errors import Forbidden, NotFound
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import Conditions, Device, ObjectRefused, StoragePorts, read_facts, storable
from app.use_cases.deliver_invitations import write_of
from app.use_cases.edit_schedule import PutEvent, changes_nothing, put_in_schedule
from app.use_cases.expand_collection import expansion_job
from app.use_cases.keep_edits import LOSING, keep_edit
from app.use_cases.note_conflicts import note_conflicts
from app.use_cases.schedule_event import in_locked_order, settle_put


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a put led to. `etag` is the strong tag of the stored text; `as_sent` says that this is the text that came,
    and `created` that there was none before. `schedule_tag` is that of an event with people invited (RFC 6638 §8.2)."""

    etag: str
    as_sent: bool
    created: bool
    schedule_tag: str | None = None


async def put_calendar_object(
    ports: Ports,
    calendar: Calendar,
    name: str,
    data: str,
    conditions: Conditions,
    addresses: frozenset[str] = frozenset(),
    device: Device | None = None,
) -> StoredObject:
    """Create or replace the object `name`; its opaque time blocks the host at once, and who is invited hears of it.
    In a `schedule` the booking follows by its rules (`put_in_schedule`).

    `addresses` are the person's own e-mail addresses, to know declined invitations by. Raises `ObjectRefused` for data
    that cannot be taken, `StaleVersion` for conditions that do not hold, `Forbidden` for a read-only collection. What a
    `device` loses by that is kept for its person.
    """
    text = storable(data)
    facts = await read_facts(text, calendar, addresses, ports.clock())
    put = None
    if calendar.is_schedule and not calendar.read_only:
        if device is None:
            raise Forbidden("Only devices write into a schedule.")
        put = PutEvent(calendar, name, text, facts, conditions, addresses, device)
    try:
        if put is not None:
            return await _follow(ports, put)
        return await _store(ports, calendar, name, text, facts, conditions, as_sent=text == data)
    except LOSING as refusal:
        if device is not None and not (put and await changes_nothing(ports, put)):
            await keep_edit(ports, calendar, name, text, refusal, device)
        raise


async def _follow(ports: Ports, put: PutEvent) -> StoredObject:
    was_there, event = await put_in_schedule(ports, put)
    if event is None:
        return StoredObject("", as_sent=False, created=False)
    return StoredObject(event.etag, event.data == put.text, not was_there, event.schedule_tag)


async def _store(
    ports: StoragePorts,
    calendar: Calendar,
    name: str,
    text: str,
    facts: ObjectFacts,
    conditions: Conditions,
    *,
    as_sent: bool,
) -> StoredObject:
    now = ports.clock()

    async def put(work: UnitOfWork, hosts: frozenset[str]) -> StoredObject:
        locked = await work.calendars.lock_calendar(calendar.id)
        if locked is None:
            raise NotFound("There is no such calendar.")
        if locked.read_only:
            raise Forbidden("This calendar is read-only.")
        current = _current(await work.calendars.rivals(calendar.id, name, facts.uid), name, facts, conditions)
        if current is not None and current.data == text:
            return StoredObject(current.etag, as_sent, created=False, schedule_tag=current.schedule_tag)
        is_blind = conditions.if_schedule_tag is not None
        settled = await settle_put(work, locked, current, text, facts, hosts, now, keeps_answers=is_blind)
        write = write_of(name, settled.text, facts, now, settled.tag)
        # A booking's own event that was moved here: the booking blocks by itself.
        hosted = await work.calendars.hosted_booking(locked.user_id, facts.uid, facts.start, facts.end)
        write = replace(write, booking_id=hosted)
        await work.calendars.put_object(locked, write, now)
        await note_conflicts(work, locked, [write], now)
        if facts.recurs_beyond:
            await work.outbox.enqueue([expansion_job(locked, now)], now)
        await work.commit()
        return StoredObject(write.etag, as_sent and settled.text == text, current is None, settled.tag)

    return await in_locked_order(ports, put)


def _current(
    rivals: list[CalendarObject], name: str, facts: ObjectFacts, conditions: Conditions
) -> CalendarObject | None:
    """The object at that name, if the put may go on: its conditions hold and the UID is not another object's."""
    current = next((each for each in rivals if each.name == name), None)
    conditions.check(current.etag if current else None, current.schedule_tag if current else None)
    for each in rivals:
        if each.name != name or each.uid != facts.uid:
            raise ObjectRefused("no-uid-conflict", "The UID of an object is its own, and never changes.", each.name)
    return current
