"""A person's work by day: bookings and sessions, what is needed for them, what else is in the calendar, and gaps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.bookings import Booking
from app.domain.explain import Blocker
from app.domain.free_ranges import without
from app.domain.hours import day_start, local_date
from app.domain.intervals import Interval
from app.ports.people import User
from app.web.pages.faces import Answer, Place, answers_of, join_names, place_of_location
from app.web.pages.picker import minutes_words
from app.web.pages.signed_in.booking_views import Mark, StepChoice, day_label, mark_of, steps_of
from app.web.pages.wording import Wording

SHORTEST_GAP = 15 * 60


@dataclass(frozen=True, slots=True)
class AttendeeLine:
    """Somebody in a session; `missed` is where to mark that they did not come, empty when that cannot be."""

    address: str
    name: str
    seats: int
    mark: Mark | None
    missed: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One booking or session, an event of one's own, or a gap; `kind` is booking, busy or gap, and `on` for what began
    on an earlier day that is shown too."""

    kind: str
    start: int
    end: int
    span: str
    title: str
    id: str = ""
    address: str = ""
    name: str = ""
    phone: str = ""
    place: Place | None = None
    hosts: str = ""
    answers: tuple[Answer, ...] = ()
    notes: str = ""
    internal: str = ""
    mark: Mark | None = None
    steps: tuple[StepChoice, ...] = ()
    version: int = 0
    attendees: tuple[AttendeeLine, ...] = ()
    seats: str = ""


@dataclass(frozen=True, slots=True)
class WorkDay:
    """One local date; `label` says how near it is, `plain` does not."""

    day: date
    label: str
    plain: str
    entries: tuple[Entry, ...]
    is_today: bool


def work_days(
    first: date,
    number: int,
    bookings: Sequence[Booking],
    blockers: Sequence[Blocker],
    user: User,
    wording: Wording,
    now: int,
) -> tuple[WorkDay, ...]:
    """So many days of the user's zone from `first` on. What runs over midnight, as a stay does, stands on the day it
    begins, or the first one when it began before, and in a line on each further day that it reaches into."""
    days = [first + timedelta(days=index) for index in range(number)]
    found = [*(_booking(each, user, wording, now) for each in bookings)]
    found += [_busy(each, user, wording) for each in blockers if each.kind != "booking"]
    opens, closes = (day_start(user.timezone, day) for day in (first, first + timedelta(days=number)))
    today = local_date(user.timezone, now)
    of_day: dict[date, list[Entry]] = {day: [] for day in days}
    for entry in sorted(found, key=lambda each: (each.start, each.id)):
        shown = max(entry.start, opens), min(entry.end, closes) - 1
        begins, ends = (local_date(user.timezone, at) for at in shown)
        if begins in of_day:
            of_day[begins].append(entry)
        for day in days:
            if begins < day <= ends:
                of_day[day].append(_further(entry, day, user, wording))
    of_day = {day: sorted(entries, key=lambda each: each.kind != "on") for day, entries in of_day.items()}
    if number == 1:
        of_day[first] = _with_gaps(of_day[first], bookings, blockers, user, wording)
    return tuple(
        WorkDay(day, day_label(day, today, wording), wording.day(day), tuple(of_day[day]), day == today) for day in days
    )


def _further(entry: Entry, day: date, user: User, wording: Wording) -> Entry:
    """It goes on, or ends on that day."""
    is_over = entry.end < day_start(user.timezone, day + timedelta(days=1))
    span = f"Until {wording.time(entry.end, user.timezone)}" if is_over else "All day"
    title = f"{entry.name}, {entry.title}" if entry.name else entry.title
    return Entry("on", entry.start, entry.end, span, title, address=entry.address)


def _booking(booking: Booking, user: User, wording: Wording, now: int) -> Entry:
    others = [host.name for host in booking.hosts if host.id != user.id]
    is_session = booking.capacity is not None
    steps = () if is_session else steps_of(booking, now)
    return Entry(
        kind="booking",
        start=booking.start,
        end=booking.end,
        span=wording.span(booking.start, booking.end, user.timezone),
        title=booking.title,
        id=booking.id,
        address=f"/app/bookings/{booking.id}",
        name="" if is_session else booking.recipient.name,
        phone=booking.recipient.phone or "",
        place=place_of_location(booking.location, revealed=True),
        hosts=join_names(others),
        answers=answers_of(booking),
        notes=booking.notes or "",
        internal=booking.internal_notes or "",
        mark=None if booking.status == "confirmed" else mark_of(booking, now),
        steps=steps,
        version=booking.version,
        attendees=_attendees(booking, now),
        seats=_seats(booking),
    )


def _seats(booking: Booking) -> str:
    if booking.capacity is None:
        return ""
    taken = sum(attendee.seats for attendee in booking.attendees if attendee.status != "cancelled")
    return f"{taken} of {booking.capacity} seats"


def _attendees(booking: Booking, now: int) -> tuple[AttendeeLine, ...]:
    marks = {
        "pending": Mark("Waits for approval", "warn"),
        "no_show": Mark("Missed", "bad"),
        "completed": Mark("Completed"),
    }
    return tuple(
        AttendeeLine(
            address=f"/app/bookings/{each.booking_id}",
            name=each.name,
            seats=each.seats,
            mark=marks.get(each.status),
            missed=f"/app/bookings/{each.booking_id}/no-show"
            if each.status == "confirmed" and now >= booking.start
            else "",
        )
        for each in booking.attendees
        if each.status != "cancelled"
    )


def _busy(blocker: Blocker, user: User, wording: Wording) -> Entry:
    title = blocker.title or ("Time off" if blocker.kind == "time_off" else "An event")
    source = f" · {blocker.source}" if blocker.source else ""
    span = wording.span(blocker.start, blocker.end, user.timezone)
    return Entry("busy", blocker.start, blocker.end, span, title + source)


def _with_gaps(
    entries: list[Entry], bookings: Iterable[Booking], blockers: Iterable[Blocker], user: User, wording: Wording
) -> list[Entry]:
    """Gaps lie between the first and the last entry of the day."""
    spans: list[Interval] = [(each.start, each.end) for each in bookings]
    spans += [(each.start, each.end) for each in blockers]
    if len(entries) < 2:
        return entries
    around = [(min(begin for begin, _ in spans), max(end for _, end in spans))]
    gaps = [
        Entry("gap", begin, end, wording.span(begin, end, user.timezone), f"{minutes_words((end - begin) // 60)} free")
        for begin, end in without(around, spans)
        if end - begin >= SHORTEST_GAP
    ]
    return sorted([*entries, *gaps], key=lambda each: each.start)
