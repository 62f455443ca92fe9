"""What a device sent and the server could not take is kept for its person, who decides what becomes of it: a phone that
comes back after weeks loses nothing.

Kept is what a refusal would lose: an object that was changed meanwhile (412), an edit of a booking that cannot be, a
new event or a change where nothing may be written, an object whose UID another one has. Not kept is what the collection
holds as it was sent (the answer to it got lost, and the device asks again), the same request again, and what cannot be
read as calendar data.
"""

from __future__ import annotations

import re

from app.domain.calendars import Calendar
from app.domain.content_lines import Component, read_calendar
from app.domain.errors import Forbidden, HalfpastError, NotFound, StaleVersion
from app.domain.event_notes import title_in
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.kept_edits import KeptEdit
from app.ports.outbox import Job, NewJob
from app.ports.people import User
from app.use_cases.account_mail import mail_user
from app.use_cases.calendar_objects import Device, EditRefused, ObjectRefused
from app.use_cases.ids import new_id

_FOLD = re.compile(r"\r?\n[ \t]")
_STATUS = re.compile(r';SCHEDULE-STATUS=(?:"[^"]*"|[^;:]*)', re.IGNORECASE)
_WRITTEN = re.compile(r"^(?:DTSTAMP|LAST-MODIFIED)[;:].*\r?\n", re.MULTILINE | re.IGNORECASE)
MOST = 100
"""Edits kept for one person; beyond them the oldest go."""
TOGETHER_SECONDS = 60
"""How long after the last one the person is told of all."""
LOSING = (StaleVersion, Forbidden, EditRefused, ObjectRefused)
_TITLES = ("VEVENT", "VTODO", "VJOURNAL")
_STALE = "It was changed elsewhere meanwhile."


async def keep_edit(
    ports: Ports, calendar: Calendar, name: str, text: str, refusal: HalfpastError, device: Device
) -> None:
    """Keep what was refused for the device's person, and tell them once of all that comes together. `text` is what was
    sent, empty for a deletion."""
    now = ports.clock()
    if isinstance(refusal, ObjectRefused) and refusal.precondition != "no-uid-conflict":
        return
    reason = _STALE if isinstance(refusal, StaleVersion) else refusal.detail
    edit = KeptEdit(new_id(), device.org_id, device.user_id, calendar.id, name, text, reason, device.label, now)
    existing = refusal.existing if isinstance(refusal, ObjectRefused) else None
    async with ports.unit_of_work() as work:
        there = await work.calendars.object(calendar.id, existing or name)
        if there is None and not text:
            return  # it is gone, as it was to be
        if there is not None and text and _essence(there.data) == _essence(text):
            return
        before = await work.kept_edits.texts_for(device.user_id, calendar.id, name)
        if _essence(text) in map(_essence, before):
            return
        await work.kept_edits.keep(edit, MOST)
        lane = f"user:{device.user_id}:kept"
        job = NewJob(device.org_id, lane, "edits_kept", device.user_id, now + TOGETHER_SECONDS)
        await work.outbox.enqueue([job], now)
        await work.commit()


def _essence(text: str) -> str:
    """The text without what the server notes in it (RFC 6638 §7.3), and without the instants at which it was written:
    some devices tell others each time they try again."""
    return _WRITTEN.sub("", _STATUS.sub("", _FOLD.sub("", text)))


async def mail_edits_kept(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one mail, however many were kept."""
    async with ports.read() as work:
        kept = await work.kept_edits.of_user(job.subject_id, 1)
    if kept:
        await mail_user(ports, "edits_kept", job.subject_id, f"{ports.base_url}/app/bookings")
    return None


def title_of(edit: KeptEdit) -> str:
    """What the event or task is called, by the beginning of its text; empty when that does not say so."""
    return title_in(edit.data)


async def dismiss_edit(ports: Ports, user: User, edit_id: str) -> None:
    """Forget it. `NotFound` when it is not kept (any more)."""
    async with ports.unit_of_work() as work:
        if not await work.kept_edits.remove(user.id, edit_id):
            raise NotFound("This was decided already.")
        entry = AuditEntry(user.org_id, "user", user.id, "kept_edit.dismissed", "kept_edit", edit_id, {})
        await work.audit.write(entry, ports.clock())
        await work.commit()


def as_copy(text: str, uid: str) -> str:
    """The object as one of its own: under another UID, and nobody is invited to it a second time."""
    calendar = read_calendar(text)
    for each in calendar.children:
        if each.name in _TITLES:
            each.set("UID", uid)
            each.drop("ORGANIZER", "ATTENDEE")
            _clean(each)
    return calendar.render()


def _clean(component: Component) -> None:
    """Without what was noted of the program's own."""
    component.lines = [line for line in component.lines if not line.name.startswith("X-HALFPAST-")]
