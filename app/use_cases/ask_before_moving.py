"""A booking's event was moved in its host's own `schedule`, and the host wants to be asked first: it stands where it
stood until they have answered."""

from __future__ import annotations

from app.domain.bookings import Booking
from app.domain.calendars import Calendar
from app.domain.errors import CalendarUnavailable, Conflict, Invalid, NotFound, NotModifiable
from app.domain.event_edits import EventEdit
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.calendar_edits import CalendarEdit
from app.ports.outbox import NewJob
from app.use_cases.ask_about_edits import put_question
from app.use_cases.booking_changes import Actor
from app.use_cases.booking_in_schedule import device_actor, schedule_event, write_anew
from app.use_cases.calendar_objects import Conditions, Device
from app.use_cases.change_booking import locked_booking
from app.use_cases.reschedule_booking import Move, reschedule_booking

_REFUSALS = (CalendarUnavailable, Conflict, Invalid, NotModifiable)


async def ask_before_moving(
    ports: Ports, booking: Booking, calendar: Calendar, edit: EventEdit, conditions: Conditions, device: Device
) -> None:
    """Keep the wish, tell the host, and write the event anew. `StaleVersion` when it was changed meanwhile."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        locked = await locked_booking(work, booking.id)
        found = await schedule_event(work, locked, calendar)
        if found.event is None:
            raise NotFound("There is no such object.")
        conditions.check(found.event.etag, found.event.schedule_tag)
        await put_question(work, locked, calendar, "moved", edit.start, edit.end, now, now)
        await write_anew(ports, work, found, now)
        actor = device_actor(device)
        entry = AuditEntry(
            booking.org_id, actor.kind, actor.id, "booking.event_moved", "booking", booking.id, actor.noted({})
        )
        await work.audit.write(entry, now)
        await work.commit()


async def answer_move(ports: Ports, calendar: Calendar, edit: CalendarEdit, *, accept: bool) -> None:
    """What the host says. What the booking cannot follow is told by mail; `NotFound` when there is nothing to decide
    any more."""
    async with ports.read() as work:
        booking = await work.bookings.get(edit.booking_id)
    if booking is None or not _is_open(booking, calendar, edit):
        await _settle(ports, edit)
        raise NotFound("The booking was changed meanwhile, so there is nothing to decide any more.")
    reason = None
    if accept and edit.start is not None and edit.end is not None:
        move = Move(edit.start, (edit.end - edit.start) // 60, elapsed=True, anywhere=True)
        try:
            await reschedule_booking(ports, booking.id, move, Actor("user", calendar.user_id), version=booking.version)
        except _REFUSALS as refusal:
            reason = refusal.detail
    await _settle(ports, edit, reason)


def _is_open(booking: Booking, calendar: Calendar, edit: CalendarEdit) -> bool:
    is_host = calendar.user_id in {host.id for host in booking.hosts}
    return booking.status == "confirmed" and is_host and booking.updated_at <= edit.seen_at


async def _settle(ports: Ports, edit: CalendarEdit, reason: str | None = None) -> None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        await work.calendar_edits.remove(edit.booking_id, edit.calendar_id)
        if reason is not None:
            lane = f"booking:{edit.booking_id}:edit-refused:{edit.user_id}"
            payload = {"host_id": edit.user_id, "reason": reason[:300]}
            await work.outbox.enqueue([NewJob(edit.org_id, lane, "edit_refused", edit.booking_id, now, payload)], now)
        await work.commit()
