"""The address of an online meeting, which the calendar of a host makes with the booking's event.

Nobody is told of a booking before its meeting has an address. A calendar that makes none within a minute, for whatever
reason, is not waited for any longer: the booking gets a room on the Jitsi server instead.
"""

from __future__ import annotations

from app.domain.bookings import Booking
from app.domain.locations import VIDEO, Location
from app.ports import Ports
from app.ports.outbox import Job
from app.use_cases.booking_changes import SYSTEM, record_change
from app.use_cases.booking_jobs import MEETING_SECONDS
from app.use_cases.change_booking import locked_booking
from app.use_cases.provider_roles import awaits_meeting, new_room

LOOK_SECONDS = 5
"""How long until a meeting that is on its way is looked for again."""


def is_waited_for(booking: Booking, now: int) -> bool:
    """Whether telling of the booking waits for the meeting's address; not for ever, should the fallback fail."""
    waits = awaits_meeting(booking) and booking.status in {"confirmed", "in_progress"}
    return waits and now < booking.updated_at + 2 * MEETING_SECONDS


async def set_meeting(ports: Ports, booking_id: str, url: str) -> None:
    """The address that a calendar made. All concerned are told by what follows any change of a booking."""
    await _place(ports, booking_id, Location(VIDEO, url), unless_there=False)


async def give_room(ports: Ports, job: Job) -> int | None:
    """Outbox handler: a meeting that still has no address gets a room."""
    await _place(ports, job.subject_id, new_room(ports), unless_there=True)
    return None


async def _place(ports: Ports, booking_id: str, location: Location, *, unless_there: bool) -> None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking_id)
        if booking.location.kind != VIDEO or not booking.is_active or booking.location == location:
            return
        if unless_there and not awaits_meeting(booking):
            return
        after = booking.changed(now, location=location, sequence=booking.sequence + 1)
        await record_change(ports, work, booking, after, SYSTEM, "booking.meeting_made", now)
        await work.commit()
