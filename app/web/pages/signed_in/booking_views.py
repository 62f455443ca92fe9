"""Bookings as the signed-in pages show them: rows of a day, the details, what was done and what has still to follow."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from typing import Any

from app.domain.booking_state import allows, is_held_out
from app.domain.bookings import Booking
from app.domain.calendars import BUILTIN
from app.domain.hours import local_date
from app.ports.outbox import OpenJob
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.offered_hosts import is_by_night
from app.web.pages.faces import Answer, Place, When, answers_of, join_names, place_of_location, when_of
from app.web.pages.manage_views import LAPSED
from app.web.pages.picker import length_words
from app.web.pages.signed_in.frame import LINK_ROLES
from app.web.pages.terms import noted_fee
from app.web.pages.wording import Wording, language_name


@dataclass(frozen=True, slots=True)
class Mark:
    """A badge: its words, and which of the styles."""

    text: str
    kind: str = ""


@dataclass(frozen=True, slots=True)
class BookingRow:
    """One line of the list. `hosts` is empty where they go without saying."""

    id: str
    address: str
    title: str
    recipient: str
    span: str
    hosts: str
    mark: Mark | None


@dataclass(frozen=True, slots=True)
class DayRows:
    """The bookings of one local date."""

    label: str
    rows: tuple[BookingRow, ...]


def mark_of(booking: Booking, now: int) -> Mark:
    """The state of a booking as a badge."""
    if is_held_out(booking, now) or booking.cancel_reason == LAPSED:
        return Mark("Lapsed")
    match booking.status:
        case "pending":
            return Mark("Waits for approval", "warn")
        case "confirmed":
            return Mark("Confirmed", "ok")
        case "in_progress":
            return Mark("Happening now", "accent")
        case "cancelled":
            return Mark("Cancelled", "bad")
        case "no_show":
            return Mark("Missed", "bad")
    return Mark("Completed")


def day_rows(
    bookings: Iterable[Booking],
    user: User,
    wording: Wording,
    now: int,
    *,
    quiet: frozenset[str],
    conflicting: frozenset[str],
) -> tuple[DayRows, ...]:
    """The bookings by local date of the user's zone, in the order they come. States in `quiet` get no badge, bookings
    in `conflicting` one of their own."""
    zone, today = user.timezone, local_date(user.timezone, now)
    days = groupby(bookings, key=lambda booking: local_date(zone, booking.start))
    return tuple(
        DayRows(
            day_label(day, today, wording),
            tuple(
                _row(booking, user, wording, _row_mark(booking, now, quiet, booking.id in conflicting))
                for booking in found
            ),
        )
        for day, found in days
    )


def day_label(day: date, today: date, wording: Wording) -> str:
    """`Today, Tuesday, 24 November`: with its year unless that is the present one."""
    words = wording.day(day) if day.year == today.year else wording.full_day(day)
    near = {today: "Today, ", today + timedelta(days=1): "Tomorrow, ", today - timedelta(days=1): "Yesterday, "}
    return near.get(day, "") + words


def _row_mark(booking: Booking, now: int, quiet: frozenset[str], has_conflict: bool) -> Mark | None:
    if has_conflict:
        return Mark("Overlaps an event", "bad")
    if booking.recipient_reply == "declined" and booking.is_active:
        return Mark("Recipient declined", "warn")
    return None if booking.status in quiet else mark_of(booking, now)


def _row(booking: Booking, user: User, wording: Wording, mark: Mark | None) -> BookingRow:
    is_own = {host.id for host in booking.people} == {user.id}
    return BookingRow(
        id=booking.id,
        address=f"/app/bookings/{booking.id}",
        title=booking.title,
        recipient=booking.recipient.name,
        span=wording.span(booking.start, booking.end, user.timezone),
        hosts="" if is_own else join_names(host.name for host in booking.people),
        mark=mark,
    )


@dataclass(frozen=True, slots=True)
class StepChoice:
    """A step that can be taken by one click: the last part of its address, and the button."""

    name: str
    label: str
    style: str = ""


@dataclass(frozen=True, slots=True)
class EventLine:
    """Where the booking stands in one calendar."""

    calendar: str
    mark: Mark
    error: str
    address: str


@dataclass(frozen=True, slots=True)
class WorkLine:
    """Something that has still to follow. `job` asks for another try, None while it goes on by itself."""

    what: str
    mark: Mark
    text: str
    job: str | None


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One thing that was done."""

    at: str
    text: str


@dataclass(frozen=True, slots=True)
class BookingDetail:
    """All that the page of a booking shows; `recipient_when` is None where both share the wall clock."""

    path: str
    title: str
    mark: Mark
    when: When
    recipient_when: When | None
    duration: str
    place: Place | None
    name: str
    email: str
    phone: str
    hosts: str
    guests: tuple[str, ...]
    answers: tuple[Answer, ...]
    notes: str
    internal_notes: str
    client: str
    can_edit_guests: bool
    reason: str
    reply: str
    language: str
    has_conflict: bool
    hold_until: str
    came_from: str
    steps: tuple[StepChoice, ...]
    can_move: bool
    can_cancel: bool
    is_off: bool
    is_pending: bool
    version: int
    events: tuple[EventLine, ...] = ()
    work: tuple[WorkLine, ...] = ()
    history: tuple[HistoryLine, ...] = ()


_REPLIES: Mapping[str, str] = {"accepted": "Accepted", "declined": "Declined", "tentative": "Maybe"}


def steps_of(booking: Booking, now: int) -> tuple[StepChoice, ...]:
    """What makes sense to do at this time."""
    match booking.status:
        case "pending":
            return (StepChoice("confirm", "Confirm", "btn-primary"),)
        case "confirmed" if allows(booking, "complete", now):
            return (
                StepChoice("complete", "Complete", "btn-primary"),
                StepChoice("start", "Start"),
                StepChoice("no-show", "Did not come"),
            )
        case "confirmed" if allows(booking, "start", now):
            return (StepChoice("start", "Start", "btn-primary"),)
        case "in_progress" if allows(booking, "complete", now):
            return (StepChoice("complete", "Complete", "btn-primary"),)
        case "completed" | "no_show" if allows(booking, "correct", now):
            return (StepChoice("correct", "Set back to confirmed"),)
    return ()


async def booking_detail(
    work: UnitOfWork, booking: Booking, user: User, wording: Wording, now: int, *, with_work: bool
) -> BookingDetail:
    """The view of a booking; `with_work`: whether this user may see what could not be delivered."""
    link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
    own = when_of(booking.start, booking.end, user.timezone, wording)
    theirs = when_of(booking.start, booking.end, booking.timezone, wording)
    is_open = booking.status in {"pending", "confirmed"}
    jobs = await work.outbox.open_jobs(booking.org_id, booking.id)
    return BookingDetail(
        path=f"/app/bookings/{booking.id}",
        title=booking.title,
        mark=mark_of(booking, now),
        when=own,
        recipient_when=theirs if theirs.offset != own.offset else None,
        duration=length_words(booking.duration, by_night=await is_by_night(work, booking)),
        place=place_of_location(booking.location, revealed=True),
        name=booking.recipient.name,
        email=booking.recipient.email,
        phone=booking.recipient.phone or "",
        hosts=join_names(host.name for host in booking.people),
        guests=booking.guests,
        answers=answers_of(booking),
        notes=booking.notes or "",
        internal_notes=booking.internal_notes or "",
        client=f"/app/clients/{booking.client_id}" if booking.client_id and LINK_ROLES & set(user.roles) else "",
        can_edit_guests=is_open and booking.end > now and booking.capacity is None,
        reason="" if booking.cancel_reason in (None, LAPSED) else str(booking.cancel_reason),
        reply=_REPLIES.get(booking.recipient_reply or "", ""),
        language=language_name(booking.language) if booking.language else "",
        has_conflict=booking.id in await work.bookings.conflicting([booking.id]),
        hold_until=_moment(booking.hold_expires_at, user.timezone, wording),
        came_from=_origin(booking, link.title if link else None),
        steps=steps_of(booking, now),
        can_move=is_open and (link is not None or booking.is_walk_in or booking.service_id is not None),
        can_cancel=is_open,
        is_off=booking.status == "cancelled",
        is_pending=booking.status == "pending",
        version=booking.version,
        events=await _events(work, booking),
        work=_work_lines(jobs, booking, user, wording, with_work=with_work),
        history=await _history(work, booking, user, wording),
    )


def _origin(booking: Booking, title: str | None) -> str:
    if booking.is_walk_in:
        return "No link: entered in a host’s schedule"
    if booking.link_id is None and booking.service_id is not None:
        return "No link: booked by staff"
    if title is None:
        return "A link that is gone by now"
    return f"A one-time link of “{title}”" if booking.one_time_link_id else f"The link “{title}”"


def _moment(at: int | None, zone: str, wording: Wording) -> str:
    if at is None:
        return ""
    return f"{wording.short_day(local_date(zone, at))}, {wording.time(at, zone)}"


async def _events(work: UnitOfWork, booking: Booking) -> tuple[EventLine, ...]:
    if booking.status == "pending":
        return ()
    lines = []
    for state in (await work.bookings.event_states([booking.id])).get(booking.id, []):
        calendar = await work.calendars.calendar(state.calendar_id)
        if calendar is None or (booking.status == "cancelled" and state.state == "pending"):
            continue
        label = "Halfpast" if calendar.provider == BUILTIN else calendar.display_name
        mark = {"written": Mark("Up to date", "ok"), "pending": Mark("On its way", "warn")}
        lines.append(
            EventLine(
                label, mark.get(state.state, Mark("Not written", "bad")), state.error or "", state.html_link or ""
            )
        )
    return tuple(lines)


_SHOWN_WORK = {
    "booking_mail": "Mail",
    "series_mail": "Mail",
    "session_mail": "Mail",
    "calendar_event": "Calendar event",
    "followup": "Follow-up mail",
}


def _work_lines(
    jobs: Sequence[OpenJob], booking: Booking, user: User, wording: Wording, *, with_work: bool
) -> tuple[WorkLine, ...]:
    shown = [job for job in jobs if job.kind in _SHOWN_WORK and (job.kind != "followup" or job.error)]
    return tuple(_work_line(job, booking, user, wording, with_work=with_work) for job in shown)


def _work_line(job: OpenJob, booking: Booking, user: User, wording: Wording, *, with_work: bool) -> WorkLine:
    what = f"{_SHOWN_WORK[job.kind]} {_target(job, booking)}".strip()
    reason = reason_of(job.error)
    if job.state == "dead":
        text = f"Given up after {job.attempts} {'try' if job.attempts == 1 else 'tries'}: {reason}"
        return WorkLine(what, Mark("Not delivered", "bad"), text, job.id if with_work else None)
    if reason:
        text = f"Next try {_moment(job.run_at, user.timezone, wording)}. The last one met: {reason}"
        return WorkLine(what, Mark("Trying again", "warn"), text, None)
    return WorkLine(what, Mark("On its way", "warn"), "", None)


def _target(job: OpenJob, booking: Booking) -> str:
    """Whom a job is for, from its lane `booking:<id>:mail:recipient`, `...:mail:host:<id>`, `...:event:<id>`."""
    parts = job.lane.split(":", 3)[2:]
    names = {host.id: host.name for host in booking.hosts}
    match parts:
        case ["mail", "recipient"]:
            return f"to {booking.recipient.name}"
        case ["mail", rest] if rest.startswith("guest:"):
            return f"to {rest.removeprefix('guest:')}"
        case ["mail", rest]:
            return f"to {names.get(rest.removeprefix('host:'), 'a host')}"
        case ["event", host_id]:
            return f"of {names.get(host_id, 'a host')}"
    return f"to {booking.recipient.name}"


def reason_of(error: str) -> str:
    """What went wrong, without the name of the class that said so."""
    kind, colon, text = error.partition(": ")
    return text if colon and kind.isidentifier() else error


_DONE: Mapping[str, str] = {
    "booking.created": "booked",
    "booking.confirm": "confirmed",
    "booking.cancel": "cancelled",
    "booking.start": "started it",
    "booking.complete": "completed it",
    "booking.no_show": "marked it as missed",
    "booking.correct": "set it back to confirmed",
    "booking.edited": "changed the note",
    "booking.meeting_made": "made the online meeting",
    "booking.accepted": "accepted the invitation",
    "booking.declined": "declined the invitation",
    "booking.tentative": "answered “maybe” to the invitation",
    "booking.expired": "gave the time back, since nobody approved it in time",
    "booking.renamed": "called it otherwise",
    "booking.handed_back": "handed it to another host",
    "booking.annotated": "noted something in their own event",
    "booking.event_deleted": "deleted its event",
    "booking.event_restored": "put its event back",
    "booking.event_moved": "moved its event, and is asked first",
}


_FIELDS: Mapping[str, str] = {"notes": "the note", "internal_notes": "the note for staff", "guests": "the guests"}


async def _history(work: UnitOfWork, booking: Booking, user: User, wording: Wording) -> tuple[HistoryLine, ...]:
    entries = await work.audit.of_entity(booking.org_id, booking.id)
    names: dict[str, str] = {}
    for person_id in {_person_of(entry) for entry in entries if entry["actor_kind"] in {"user", "device"}}:
        person = await work.people.user(person_id)
        names[person_id] = person.name if person else "Somebody"
    return tuple(
        HistoryLine(_moment(entry["at"], user.timezone, wording), _sentence(entry, names, booking, user, wording))
        for entry in reversed(entries)
    )


def _person_of(entry: Mapping[str, Any]) -> str:
    """Who did it, themselves or by a device."""
    person: str = entry["changes"].get("by") or entry["actor_id"]
    return person


def _sentence(
    entry: Mapping[str, Any], names: Mapping[str, str], booking: Booking, user: User, wording: Wording
) -> str:
    recipient = booking.recipient.name
    who = {"recipient": recipient, "system": "Halfpast"}.get(entry["actor_kind"]) or names[_person_of(entry)]
    if entry["actor_kind"] == "device":
        who = f"{who} ({entry['changes'].get('device') or 'in a calendar'})"
    if fee := noted_fee(entry["changes"], wording):
        return f"{who} cancelled; the fee is {fee}"
    if entry["action"] == "booking.edited" and "fields" in entry["changes"]:
        return f"{who} changed {join_names(_FIELDS.get(name, name) for name in entry['changes']['fields'])}"
    if entry["action"] != "booking.rescheduled":
        return f"{who} {_DONE.get(entry['action'], entry['action'])}"
    start = entry["changes"].get("start")
    if not start:
        return f"{who} changed it"
    before, after = (_moment(at, user.timezone, wording) for at in start)
    return f"{who} moved it from {before} to {after}"
