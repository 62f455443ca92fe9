"""Move or copy an object within one person's collections (RFC 4918 §9.8, §9.9; RFC 4791 §5.3.2)."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.calendars import Calendar, CalendarObject, ObjectFacts
from app.domain.errors import Forbidden, NotFound, StaleVersion
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import Conditions, ObjectRefused, StoragePorts, read_facts
from app.use_cases.deliver_invitations import write_of
from app.use_cases.expand_collection import expansion_job
from app.use_cases.note_conflicts import note_conflicts
from app.use_cases.schedule_event import in_locked_order, settle_removal, takes_part


@dataclass(frozen=True, slots=True)
class Passage:
    """From where to where. `copies`: the source stays; `overwrites`: what is at the destination may be replaced;
    `is_plain`: without what the person noted for themselves, since somebody else asks."""

    source: Calendar
    name: str
    target: Calendar
    new_name: str
    copies: bool = False
    overwrites: bool = True
    is_plain: bool = False


async def move_calendar_object(
    ports: StoragePorts, passage: Passage, conditions: Conditions, addresses: frozenset[str]
) -> bool:
    """Whether there was nothing at the destination before. Both happen at once or not at all, so no device ever sees
    the object twice, or nowhere.

    `conditions` are about the source; `addresses` the person's own. `NotFound`, `Forbidden` for what is read-only,
    `StaleVersion` for conditions that do not hold, `ObjectRefused` where the destination cannot take the object.
    """
    now = ports.clock()
    async with ports.read() as work:
        seen = await work.calendars.object(passage.source.id, passage.name)
        shown = await work.calendars.texts(passage.source.id, [passage.name], plain=passage.is_plain)
    if seen is None or not shown:
        raise NotFound("There is no such object.")
    text = shown[0].data
    facts = await read_facts(text, passage.target, addresses, now)

    async def move(work: UnitOfWork, hosts: frozenset[str]) -> bool:
        source, target = await _locked(work, passage)
        found = await work.calendars.object(source.id, passage.name)
        conditions.check(found.etag if found else None, found.schedule_tag if found else None)
        if found is None or found.data != seen.data:
            raise StaleVersion("The object was changed meanwhile.")
        replaced = await _replaced(work, passage, facts)
        _check_people(passage, found)
        if replaced is not None:
            await settle_removal(work, target, replaced, hosts, now, answers=True)
            target = await _without(work, target, replaced.name, now)
        if not passage.copies:
            source = await _without(work, source, passage.name, now)
            target = source if target.id == source.id else target
        write = write_of(passage.new_name, text, facts, now, None if passage.copies else found.schedule_tag)
        hosted = await work.calendars.hosted_booking(target.user_id, facts.uid, facts.start, facts.end)
        write = replace(write, booking_id=hosted)
        await work.calendars.put_object(target, write, now)
        await note_conflicts(work, target, [write], now)
        if facts.recurs_beyond:
            await work.outbox.enqueue([expansion_job(target, now)], now)
        await work.commit()
        return replaced is None

    return await in_locked_order(ports, move)


def _check_people(passage: Passage, found: CalendarObject) -> None:
    """An event of several people is in one of a person's calendars only (RFC 6638 §3.2.4.1)."""
    if passage.copies and takes_part(passage.source, found.data):
        detail = "An event with people invited cannot be in two calendars."
        raise ObjectRefused("unique-scheduling-object-resource", detail, found.name, passage.source.name)


async def _locked(work: UnitOfWork, passage: Passage) -> tuple[Calendar, Calendar]:
    """Both calendars with their rows locked in the order of their ids: the order every transaction keeps."""
    locked: dict[str, Calendar] = {}
    for calendar_id in sorted({passage.source.id, passage.target.id}):
        calendar = await work.calendars.lock_calendar(calendar_id)
        if calendar is None:
            raise NotFound("There is no such calendar.")
        locked[calendar_id] = calendar
    source, target = locked[passage.source.id], locked[passage.target.id]
    if target.read_only or (source.read_only and not passage.copies):
        raise Forbidden("This calendar is read-only.")
    return source, target


async def _replaced(work: UnitOfWork, passage: Passage, facts: ObjectFacts) -> CalendarObject | None:
    """What is at the destination now, if the passage may go on."""
    rivals = await work.calendars.rivals(passage.target.id, passage.new_name, facts.uid)
    there = next((each for each in rivals if each.name == passage.new_name), None)
    if there is not None and not passage.overwrites:
        raise StaleVersion("There is an object at the destination already.")
    if there is not None and there.uid != facts.uid:
        raise ObjectRefused("no-uid-conflict", "What is there has another UID, and keeps it.", there.name)
    for each in rivals:
        is_source = passage.target.id == passage.source.id and each.name == passage.name
        if each.name != passage.new_name and (passage.copies or not is_source):
            raise ObjectRefused("no-uid-conflict", "The calendar has an object with this UID already.", each.name)
    return there


async def _without(work: UnitOfWork, calendar: Calendar, name: str, now: int) -> Calendar:
    await work.calendars.remove_objects(calendar, [name], now)
    current = await work.calendars.calendar(calendar.id)
    return current or calendar
