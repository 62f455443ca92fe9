"""Which reminders wait for a booking: rows of the outbox, asked for and withdrawn with its changes."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.bookings import Booking
from app.domain.reminders import Reminder
from app.ports.hosts import HostPerson
from app.ports.outbox import NewJob
from app.ports.unit_of_work import UnitOfWork


async def reminders_for(work: UnitOfWork, booking: Booking, people: Sequence[HostPerson]) -> tuple[Reminder, ...]:
    """The reminders of what was booked. `people` are the booking's, read with its link and service: they know."""
    if people:
        return people[0].reminders
    return (await work.hosts.told_of(booking.link_id, booking.service_id))[1]


def reminder_jobs(
    booking: Booking, before: Booking | None, reminders: Sequence[Reminder], now: int
) -> tuple[list[NewJob], list[str]]:
    """(what to ask for, lanes to withdraw) after a change. One whose time had come when the booking was made or moved
    is none: whoever just heard of it needs no reminder."""
    jobs, over = [], []
    for reminder in reminders:
        was_due = None if before is None or not reminder.concerns(before) else reminder.due(before)
        due = reminder.due(booking) if reminder.concerns(booking) else None
        if due == was_due:
            continue
        if due is not None and (due > now or reminder.when == "after"):
            jobs.append(reminder_job(booking, reminder, due))
        elif was_due is not None:
            over.append(reminder_lane(booking, reminder))
    return jobs, over


def reminder_job(booking: Booking, reminder: Reminder, run_at: int) -> NewJob:
    """One reminder of one booking."""
    payload = {"reminder": reminder.key}
    return NewJob(booking.org_id, reminder_lane(booking, reminder), "reminder", booking.id, run_at, payload)


def reminder_lane(booking: Booking, reminder: Reminder) -> str:
    """The lane it has."""
    return f"booking:{booking.id}:reminder:{reminder.key}"
