"""What calendars tell of stays by the night: dates count there, times of day are the house's."""

from __future__ import annotations

from app.domain.bookings import Booking
from app.domain.hours import MINUTES_A_DAY
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.offered_hosts import offer_context


async def says_nothing_new(work: UnitOfWork, booking: Booking, start: int, end: int, *, anywhere: bool) -> bool:
    """Whether an event from `start` to `end` is on the very dates of a stay, and so no move of it. Unless it may go
    `anywhere`, a beginning at another time of day is one, which its offer then refuses."""
    if booking.duration % MINUTES_A_DAY or (end - start) % 60 or end <= start:
        return False
    if not anywhere and start != booking.start:
        return False
    context = await offer_context(work, booking)
    stay = context.link.stay if context else None
    if stay is None:
        return False
    nights = stay.duration_of(start, (end - start) // 60)
    return (stay.check_in_of(start), nights) == (booking.start, booking.duration)
