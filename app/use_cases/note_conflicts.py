"""A conflict that is found only afterwards: an event of a host's calendar lies over a booking that was made before the
event was known here. The booking stands, and its host is told once, to decide; the booking's page says so as long as it
is so."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.calendars import Calendar
from app.domain.intervals import join, overlaps
from app.ports import Ports
from app.ports.calendar_store import ObjectWrite
from app.ports.mail_log import Delivery
from app.ports.outbox import Job, NewJob
from app.ports.storage import UnitOfWork
from app.use_cases.account_mail import mail_user


async def note_conflicts(work: UnitOfWork, calendar: Calendar, written: Sequence[ObjectWrite], now: int) -> None:
    """`written` is what was just stored of the calendar. Times kept free around a booking are no conflict: whoever puts
    an event into them knows."""
    if not calendar.is_conflict:
        return
    busy = join((start, end) for each in written if each.booking_id is None for start, end in each.busy if end > now)
    if not busy:
        return
    times = await work.bookings.times_of_host(calendar.user_id, max(busy[0][0], now), busy[-1][1])
    jobs = [
        NewJob(
            calendar.org_id,
            f"booking:{booking_id}:conflict:{calendar.user_id}",
            "conflict_found",
            booking_id,
            now,
            {"host_id": calendar.user_id},
        )
        for booking_id, start, end in times
        if overlaps(busy, start, end)
    ]
    if jobs:
        await work.outbox.enqueue(jobs, now)


async def tell_conflict(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one mail for each time that a booking has, unless nothing lies over it any more."""
    now, host_id = ports.clock(), job.payload["host_id"]
    async with ports.read() as work:
        booking = await work.bookings.get(job.subject_id)
        people = await work.hosts.people([host_id])
        if (
            booking is None
            or not people
            or booking.start <= now
            or booking.id not in await work.bookings.conflicting([booking.id])
        ):
            return None
        told = await work.mail_log.of_booking(booking.id, "conflict")
    address = people[0].email.lower()
    if any((each.address, each.sequence) == (address, booking.sequence) for each in told):
        return None
    message_id = await mail_user(ports, "conflict_found", host_id, f"{ports.base_url}/app/bookings/{booking.id}")
    async with ports.unit_of_work() as work:
        await work.mail_log.record(
            Delivery(booking.id, address, "conflict", booking.org_id, booking.status, booking.sequence, message_id, now)
        )
        await work.commit()
    return None
