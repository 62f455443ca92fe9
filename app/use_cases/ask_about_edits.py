"""Ask a person what they meant by what was done to bookings' events in their calendars, before anything follows."""

from __future__ import annotations

from app.domain.bookings import Booking
from app.domain.calendars import Calendar
from app.ports import Ports
from app.ports.calendar_edits import CalendarEdit, EditKind
from app.ports.outbox import NewJob
from app.ports.unit_of_work import UnitOfWork

TOGETHER_SECONDS = 60
"""Deletions noticed within this time of each other are asked about: it may be the whole calendar that went."""
SOON_SECONDS = 5


async def is_one_of_several(ports: Ports, user_id: str, booking_id: str) -> bool:
    """Whether other events of theirs were deleted about when this booking's was."""
    async with ports.read() as work:
        edits = await work.calendar_edits.of_user(user_id)
    mine = next((each for each in edits if each.booking_id == booking_id), None)
    if mine is None:
        return False
    near = [each for each in edits if each.kind == "deleted" and abs(each.seen_at - mine.seen_at) <= TOGETHER_SECONDS]
    return len(near) > 1


async def ask(
    ports: Ports, booking: Booking, calendar: Calendar, kind: EditKind, start: int | None = None, end: int | None = None
) -> None:
    """Keep what was done until the person says what they meant, and tell them once."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        edits = await work.calendar_edits.of_user(calendar.user_id)
        noticed = next((each.seen_at for each in edits if each.booking_id == booking.id), now)
        await put_question(work, booking, calendar, kind, start, end, noticed, now)
        await work.commit()


async def put_question(
    work: UnitOfWork,
    booking: Booking,
    calendar: Calendar,
    kind: EditKind,
    start: int | None,
    end: int | None,
    noticed: int,
    now: int,
) -> None:
    """The same as part of a larger transaction; `noticed` is when it was done."""
    user_id = calendar.user_id
    edits = await work.calendar_edits.of_user(user_id)
    edit = CalendarEdit(booking.id, calendar.id, booking.org_id, user_id, kind, start, end, True, noticed)
    await work.calendar_edits.put(edit)
    if not any(each.is_asked for each in edits):
        job = NewJob(booking.org_id, f"user:{user_id}:edits", "edits_asked", user_id, now + SOON_SECONDS)
        await work.outbox.enqueue([job], now)
