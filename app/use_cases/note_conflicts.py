"""A conflict that is found only afterwards: an event of a host's calendar lies over a booking that was made before the
event was known here. The booking stands, and its host is told once, to decide; the booking's page says so as long as it
is so."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.bookings import Booking
from app.domain.calendars import Calendar
from app.domain.intervals import join, overlaps
from app.ports import Ports
from app.ports.calendar_store import ObjectWrite
from app.ports.mail_log import Delivery
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.account_mail import mail_user
from app.use_cases.mirror import AHEAD

SOON_SECONDS = 5
MOST = 200
"""Bookings looked at, the next ones first."""


async def note_conflicts(work: UnitOfWork, calendar: Calendar, written: Sequence[ObjectWrite], now: int) -> None:
    """`written` is what was just stored of the calendar. Times kept free around a booking are no conflict: whoever puts
    an event into them knows."""
    if not calendar.is_conflict:
        return
    busy = join((start, end) for each in written if each.booking_id is None for start, end in each.busy if end > now)
    if not busy:
        return
    times = await work.bookings.times_of_host(calendar.user_id, max(busy[0][0], now), busy[-1][1])
    if any(overlaps(busy, start, end) for _, start, end in times):
        lane = f"user:{calendar.user_id}:conflicts"
        job = NewJob(calendar.org_id, lane, "conflicts_found", calendar.user_id, now + SOON_SECONDS)
        await work.outbox.enqueue([job], now)


async def tell_conflicts(ports: Ports, job: Job) -> int | None:
    """Outbox handler for one host: one mail about all that they were not told of yet. A booking that moves into another
    conflict is told of again."""
    now, host_id = ports.clock(), job.subject_id
    async with ports.read() as work:
        people = await work.hosts.people([host_id])
        found = await _untold(work, host_id, people[0].email.lower(), now) if people else []
    if not found:
        return None
    kind = "conflict_found" if len(found) == 1 else "conflicts_found"
    address = f"{ports.base_url}/app/bookings" + (f"/{found[0].id}" if len(found) == 1 else "")
    message_id = await mail_user(ports, kind, host_id, address)
    async with ports.unit_of_work() as work:
        for booking in found:
            await work.mail_log.record(_delivery(booking, people[0].email.lower(), message_id, now))
        await work.commit()
    return None


async def _untold(work: UnitOfWork, host_id: str, address: str, now: int) -> list[Booking]:
    times = sorted(await work.bookings.times_of_host(host_id, now, now + AHEAD), key=lambda each: each[1])
    coming = [booking_id for booking_id, start, _ in times if start > now][:MOST]
    found = []
    for booking_id in sorted(await work.bookings.conflicting(coming)):
        booking = await work.bookings.get(booking_id)
        told = {(each.address, each.sequence) for each in await work.mail_log.of_booking(booking_id, "conflict")}
        if booking is not None and (address, booking.sequence) not in told:
            found.append(booking)
    return found


def _delivery(booking: Booking, address: str, message_id: str, now: int) -> Delivery:
    return Delivery(booking.id, address, "conflict", booking.org_id, booking.status, booking.sequence, message_id, now)
