"""After a link's or a service's reminders changed: those of the bookings that are still to come. Outbox handler."""

from __future__ import annotations

from dataclasses import replace

from app.domain.bookings import Booking
from app.ports import Ports
from app.ports.bookings import BookingFilter, View
from app.ports.outbox import Job, NewJob
from app.use_cases.reminder_jobs import reminder_jobs

AT_ONCE = 200
VIEWS: tuple[View, ...] = ("bookings", "sessions")
"""Recipients are reminded of what they booked, hosts of their sessions."""


def reapply_job(org_id: str, offer: str, offer_id: str, now: int) -> NewJob:
    """Ask for it; `offer` is link or service. What was taken away needs no asking: it finds out when it is due."""
    return NewJob(org_id, f"{offer}:{offer_id}:reminders", "reapply_reminders", offer_id, now, {"offer": offer})


async def reapply_reminders(ports: Ports, job: Job) -> int | None:
    """Some bookings a transaction. What was told already is not told again."""
    of_link = job.payload["offer"] == "link"
    now = ports.clock()
    wanted = BookingFilter(
        job.org_id,
        status=("confirmed",),
        link_id=job.subject_id if of_link else None,
        service_id=None if of_link else job.subject_id,
        start=now,
    )
    for view in VIEWS:
        await _reapply(ports, replace(wanted, view=view), now)
    return None


async def _reapply(ports: Ports, wanted: BookingFilter, now: int) -> None:
    cursor: str | None = None
    while True:
        async with ports.unit_of_work() as work:
            page = await work.bookings.page(wanted, AT_ONCE, cursor)
            offers = {_offer(each) for each in page.items}
            found = {offer: (await work.hosts.told_of(*offer))[1] for offer in offers}
            asked = [row for each in page.items for row in reminder_jobs(each, None, found[_offer(each)], now)[0]]
            await work.outbox.enqueue(asked, now)
            await work.commit()
        cursor = page.cursor
        if cursor is None:
            return


def _offer(booking: Booking) -> tuple[str | None, str | None]:
    """Whose reminders a booking has: the link's, or where that has none of its own, the service's."""
    return booking.link_id, booking.service_id
