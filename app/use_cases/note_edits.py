"""While a mirror is brought up to date: notice that a booking's event is not as it was written.

What it means is found out by `follow_edit`, after the sync was stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.calendars import Calendar
from app.ports.calendar_edits import CalendarEdit
from app.ports.calendar_store import ObjectWrite
from app.ports.outbox import NewJob
from app.ports.unit_of_work import UnitOfWork

GRACE_SECONDS = 120
"""How long a deletion waits: iPhones move an event between calendars by deleting it here and putting it there."""


def edit_lane(booking_id: str, calendar_id: str) -> str:
    """The outbox lane of following one booking's event in one calendar."""
    return f"booking:{booking_id}:edit:{calendar_id}"


def edit_job(org_id: str, booking_id: str, calendar_id: str, run_at: int) -> NewJob:
    """Look from `run_at` on at what became of the event."""
    lane = edit_lane(booking_id, calendar_id)
    return NewJob(org_id, lane, "follow_edit", booking_id, run_at, {"calendar_id": calendar_id})


async def note_edits(work: UnitOfWork, calendar: Calendar, written: Sequence[ObjectWrite], now: int) -> None:
    """`written` is what changed there; what has the etag of our own last write is an echo of it. `now` is when the
    calendar was asked: an event that was written before, and is not in the mirror, is gone."""
    changed: Mapping[str, str] = {each.booking_id: each.etag for each in written if each.booking_id}
    known = await work.event_states.in_calendar(calendar.id, list(changed)) if changed else []
    edited = [state for state in known if state.etag != changed[state.booking_id]]
    jobs = [edit_job(calendar.org_id, state.booking_id, calendar.id, now) for state in edited]
    for state in await work.event_states.missing(calendar.id, now):
        jobs.append(edit_job(calendar.org_id, state.booking_id, calendar.id, now + GRACE_SECONDS))
        edit = CalendarEdit(
            state.booking_id, calendar.id, calendar.org_id, calendar.user_id, "deleted", None, None, False, now
        )
        await work.calendar_edits.put(edit)
    await work.outbox.enqueue(jobs, now)
