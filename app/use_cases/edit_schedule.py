"""A device put an event into its person's `schedule`: the booking that the event stands for follows by its rules.

A moved event reschedules, or its person is asked first; a declined one is handed back to the pool, words and alarms are
kept for the person alone, a new event is somebody who walked in. What cannot be is refused as a whole, and the event is
written anew.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import NoReturn

from app.domain.booking_event import host_event
from app.domain.bookings import Booking
from app.domain.calendars import Calendar, CalendarObject, ObjectFacts
from app.domain.errors import Conflict, Invalid, NotFound, NotModifiable, StaleVersion
from app.domain.event_edits import EventEdit, read_edit
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.ask_before_moving import ask_before_moving
from app.use_cases.booking_changes import record_change
from app.use_cases.booking_in_schedule import ScheduleEvent, device_actor, put_note, schedule_event, write_anew
from app.use_cases.calendar_objects import Conditions, Device, EditRefused, ObjectRefused
from app.use_cases.change_booking import locked_booking
from app.use_cases.publish_booking import PUBLISHED, booking_address, note_of, with_note
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.stay_edits import says_nothing_new
from app.use_cases.walk_in import book_walk_in, rename_walk_in

_REFUSALS = (Conflict, Invalid, NotModifiable)


@dataclass(frozen=True, slots=True)
class PutEvent:
    """What was put, by whom: `facts` were read from `text`, `addresses` are the calendar's person's own."""

    calendar: Calendar
    name: str
    text: str
    facts: ObjectFacts
    conditions: Conditions
    addresses: frozenset[str]
    device: Device


async def put_in_schedule(ports: Ports, put: PutEvent) -> tuple[bool, CalendarObject | None]:
    """Let the booking follow. Whether the event was there before, and what it is afterwards (None: somebody else's).

    `EditRefused` for what cannot be, `StaleVersion` for conditions that do not hold and when the booking was changed at
    the same moment, `ObjectRefused` for a changed UID, `Forbidden` where nobody may walk in, `CalendarUnavailable`
    while a host's calendar cannot be read.
    """
    async with ports.read() as work:
        booking = await _booking(work, put)
        found = await _checked(work, put, booking)
    if booking is None:
        await book_walk_in(ports, put.calendar, put.name, put.text, put.facts, put.addresses, put.device)
    elif found is None:
        await _follow(ports, put, await _revive(ports, put, booking), is_back=True)
    else:
        await _follow(ports, put, booking)
    async with ports.read() as work:
        return found is not None, await work.calendars.object(put.calendar.id, put.name)


async def _booking(work: UnitOfWork, put: PutEvent) -> Booking | None:
    """The booking that is meant: of the event at that address, else of the UID."""
    there = await work.calendars.object(put.calendar.id, put.name)
    booking_id = there.booking_id if there else None
    if booking_id is None:
        known = await work.calendars.booking_ids_by_uid(put.calendar.org_id, [put.facts.uid])
        booking_id = known.get(put.facts.uid)
    return await work.bookings.get(booking_id) if booking_id else None


async def _checked(work: UnitOfWork, put: PutEvent, booking: Booking | None) -> CalendarObject | None:
    """The event at that address, if the put may go on. It is read after the booking, so that what changed in between is
    either known by the event's tag or by the booking's version."""
    there = await work.calendars.object(put.calendar.id, put.name)
    put.conditions.check(there.etag if there else None, there.schedule_tag if there else None)
    same = await work.calendars.object_by_uid(put.calendar.id, put.facts.uid)
    if (same is not None and same.name != put.name) or (there is not None and there.uid != put.facts.uid):
        existing = same.name if same is not None and same.name != put.name else put.name
        raise ObjectRefused("no-uid-conflict", "The UID of an object is its own, and never changes.", existing)
    if there is None and booking is not None:
        _check_revivable(booking, put)
    return there


def _check_revivable(booking: Booking, put: PutEvent) -> None:
    if put.calendar.user_id not in {host.id for host in booking.hosts}:
        raise EditRefused("This booking is somebody else's now.")
    if booking.status not in PUBLISHED:
        raise EditRefused(f"This booking is {booking.status}.")


async def _revive(ports: Ports, put: PutEvent, booking: Booking) -> Booking:
    """The event is back: it was not meant to be deleted. The booking gets another version by that, so that what is just
    about to follow the deletion does not."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking.id)
        _check_revivable(booking, put)
        found = await schedule_event(work, booking, put.calendar)
        if found.event is not None:
            raise StaleVersion("The event was put back meanwhile.")
        await work.calendar_edits.remove(booking.id, put.calendar.id)
        if put.name != (found.person.event_name or f"{booking.id}.ics"):
            person = with_note(found.person, put.name, found.person.notes or "")
            await work.event_notes.put(note_of(ports, booking, person, found.organization), now)
        after = booking.changed(now)
        await record_change(ports, work, booking, after, device_actor(put.device), "booking.event_restored", now)
        await work.commit()
    return after


async def _follow(ports: Ports, put: PutEvent, booking: Booking, *, is_back: bool = False) -> None:
    async with ports.read() as work:
        found = await schedule_event(work, booking, put.calendar)
        account = await work.calendars.account(put.calendar.account_id)
    policy = account.edits if account else "rules"
    try:
        edit = edit_of(ports, put, found)
        move = _wanted(put, booking, edit, anywhere=policy == "outside")
        is_same_stay = move is not None and not edit.is_declined and await _is_same_stay(ports, booking, edit, policy)
        move = None if is_same_stay else move
        asks = policy == "ask" and move is not None and not edit.is_declined
        follows = move is not None and not asks
        if move is not None and not asks:
            await reschedule_booking(ports, booking.id, move, device_actor(put.device), version=booking.version)
    except _REFUSALS as refusal:
        await _refuse(ports, put, booking, refusal.detail)
    name = edit.notes.summary if booking.is_walk_in else None
    if name is not None:
        await rename_walk_in(ports, booking.id, name, device_actor(put.device))
        follows, edit = True, replace(edit, notes=replace(edit.notes, summary=None))
    if asks:
        conditions = Conditions() if follows or is_back else put.conditions
        await ask_before_moving(ports, booking, put.calendar, edit, conditions, put.device)
        follows = True
    if is_same_stay:
        await _write_anew(ports, put, booking)
        follows = True
    data = _notes(edit)
    if _is_own(put) and not edit.is_declined and data != (found.person.notes or ""):
        await _keep_notes(ports, put, booking, data, checks=not follows and not is_back)


async def changes_nothing(ports: Ports, put: PutEvent) -> bool:
    """Whether what was put says no more than the event there does: the answer to it got lost, and it comes again."""
    async with ports.read() as work:
        booking = await _booking(work, put)
        if booking is None or put.calendar.user_id not in {host.id for host in booking.hosts}:
            return False
        found = await schedule_event(work, booking, put.calendar)
        waiting = await work.calendar_edits.of_user(put.calendar.user_id)
    try:
        edit = edit_of(ports, put, found)
    except Invalid:
        return False
    asked = [(each.start, each.end) for each in waiting if each.booking_id == booking.id and each.is_asked]
    is_same = not edit.is_declined and (edit.start, edit.end) in [(booking.start, booking.end), *asked]
    return found.event is not None and is_same and not (_is_own(put) and _notes(edit) != (found.person.notes or ""))


def _is_own(put: PutEvent) -> bool:
    """Whoever helps a person sees no notes of theirs, and so says none."""
    return put.device.user_id == put.calendar.user_id


def _notes(edit: EventEdit) -> str:
    return edit.notes.to_text() if edit.notes else ""


def edit_of(ports: Ports, put: PutEvent, found: ScheduleEvent) -> EventEdit:
    """What was done to the event."""
    plain = host_event(found.booking, found.person, found.organization.name, booking_address(ports, found.booking))
    return read_edit(put.text, put.facts, plain, put.addresses)


def _wanted(put: PutEvent, booking: Booking, edit: EventEdit, *, anywhere: bool) -> Move | None:
    """Where the booking is to go, None where it is; `Invalid` for what is no booking's time."""
    if edit.is_declined:
        return Move(booking.start, leaving=put.calendar.user_id)
    if (edit.start, edit.end) == (booking.start, booking.end):
        return None
    if (edit.end - edit.start) % 60:
        raise Invalid.field("duration", "A booking takes whole minutes.")
    return Move(edit.start, (edit.end - edit.start) // 60, elapsed=True, anywhere=anywhere)


async def _keep_notes(ports: Ports, put: PutEvent, booking: Booking, data: str, *, checks: bool) -> None:
    """Keep what the person added; nobody is told, since nobody else sees it."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        locked = await locked_booking(work, booking.id)
        found = await schedule_event(work, locked, put.calendar)
        if checks:
            tags = (found.event.etag, found.event.schedule_tag) if found.event else (None, None)
            put.conditions.check(*tags)
        if found.event is None:
            raise NotFound("There is no such object.")
        await put_note(ports, work, found, found.person.event_name, data, now)
        actor = device_actor(put.device)
        entry = AuditEntry(
            booking.org_id, actor.kind, actor.id, "booking.annotated", "booking", booking.id, actor.noted({})
        )
        await work.audit.write(entry, now)
        await work.commit()


async def _is_same_stay(ports: Ports, booking: Booking, edit: EventEdit, policy: str) -> bool:
    async with ports.read() as work:
        return await says_nothing_new(work, booking, edit.start, edit.end, anywhere=policy != "rules")


async def _refuse(ports: Ports, put: PutEvent, booking: Booking, reason: str) -> NoReturn:
    await _write_anew(ports, put, booking)
    raise EditRefused(reason)


async def _write_anew(ports: Ports, put: PutEvent, booking: Booking) -> None:
    """So that the device, which shows something else, reads it again."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        locked = await locked_booking(work, booking.id)
        found = await schedule_event(work, locked, put.calendar)
        if found.event is not None:
            await write_anew(ports, work, found, now)
            await work.commit()
