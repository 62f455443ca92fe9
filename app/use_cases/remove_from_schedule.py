"""A device deleted a booking's event in its person's `schedule`: noticed here, followed after a grace time by
`follow_removal`."""

from __future__ import annotations

from app.domain.bookings import Booking
from app.domain.calendars import Calendar
from app.domain.errors import NotFound, StaleVersion
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.calendar_edits import CalendarEdit
from app.ports.outbox import NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_in_schedule import device_actor, schedule_event, write_anew
from app.use_cases.calendar_objects import Conditions, Device, EditRefused
from app.use_cases.change_booking import locked_booking
from app.use_cases.note_edits import GRACE_SECONDS, edit_job


async def remove_from_schedule(
    ports: Ports, calendar: Calendar, name: str, conditions: Conditions, device: Device
) -> None:
    """Take the event out of the schedule; its booking waits for the grace time to pass. What is over is tidied up, and
    nothing follows. `NotFound`, `StaleVersion`, and `EditRefused` for a booking that is under way."""
    now = ports.clock()
    async with ports.read() as work:
        seen = await work.calendars.object(calendar.id, name)
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, seen.booking_id) if seen and seen.booking_id else None
        current = await work.calendars.object(calendar.id, name)
        conditions.check(current.etag if current else None, current.schedule_tag if current else None)
        if current is None:
            raise NotFound("There is no such object.")
        if current.booking_id != (booking.id if booking else None):
            raise StaleVersion("The event was changed meanwhile.")
        if booking is not None and booking.status == "in_progress":
            await write_anew(ports, work, await schedule_event(work, booking, calendar), now)
            await work.commit()
            raise EditRefused("This booking is under way: it is completed, not cancelled.")
        locked = await work.calendars.lock_calendar(calendar.id)
        await work.calendars.remove_objects(locked or calendar, [name], now)
        if booking is not None and booking.status == "confirmed" and booking.end > now:
            await _note(work, booking, calendar, device, now)
        await work.commit()


async def _note(work: UnitOfWork, booking: Booking, calendar: Calendar, device: Device, now: int) -> None:
    edit = CalendarEdit(booking.id, calendar.id, booking.org_id, calendar.user_id, "deleted", None, None, False, now)
    await work.calendar_edits.put(edit)
    actor = device_actor(device)
    entry = AuditEntry(
        booking.org_id, actor.kind, actor.id, "booking.event_deleted", "booking", booking.id, actor.noted({})
    )
    await work.audit.write(entry, now)
    job = edit_job(booking.org_id, booking.id, calendar.id, now + GRACE_SECONDS)
    told = {"device": device.id, "label": device.label, "by": device.user_id}
    payload = {**job.payload, **told}
    await work.outbox.enqueue([NewJob(job.org_id, job.lane, job.kind, job.subject_id, job.run_at, payload)], now)
