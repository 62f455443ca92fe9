"""Reading what a provider sent into what the store keeps. Pure work on text, so that it can run in a thread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.calendars import Calendar, CalendarAccount
from app.domain.errors import Invalid
from app.domain.ical_essentials import essentials
from app.domain.recurrence import read_object
from app.domain.rrules import Effort
from app.ports.calendar_store import ObjectWrite
from app.ports.people import User

DAY = 86400
AHEAD = 2 * 365 * DAY
"""How far ahead busy instances are stored."""
RENEW = 30 * DAY
"""Instances are worked out anew when less than `AHEAD - RENEW` of them is left."""
PAST = 2 * DAY
TOGETHER = 4_000_000
"""What is spent on the rules of objects read together: some seconds, and at most 500,000 instances to store."""


def expansion_window(now: int) -> tuple[int, int]:
    """From when until when busy instances are stored of what changes at `now`."""
    return now - PAST, now + AHEAD


_UNREADABLE = "X-HALFPAST-UNREADABLE"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """A text and where it came from."""

    name: str
    etag: str
    data: str


@dataclass(frozen=True, slots=True)
class Reading:
    """One object, ready to be stored, and what could not be understood of it."""

    write: ObjectWrite
    problems: tuple[str, ...]
    is_readable: bool


def read_all(objects: Iterable[StoredObject], calendar: Calendar, addresses: frozenset[str], now: int) -> list[Reading]:
    """Read objects of one calendar; `addresses` are the person's own. However many they are, and whatever is in them,
    only so much is spent on their rules: past it, a series counts as busy all the time that it lasts, and that is
    told."""
    effort = Effort(TOGETHER)
    return [_read(item, calendar, addresses, now, effort) for item in objects]


def addresses_of(user: User, account: CalendarAccount) -> frozenset[str]:
    """The person's own e-mail addresses, whose answers to invitations count."""
    return frozenset(address.lower() for address in (user.email, account.username) if "@" in address)


def keep_last_good(reading: Reading, last: str, calendar: Calendar, addresses: frozenset[str], now: int) -> Reading:
    """For an object that cannot be read any more: its last readable text, marked, under the new etag."""
    marked = _marked(_unmarked(last), reading.problems[0])
    kept = _read(StoredObject(reading.write.name, reading.write.etag, marked), calendar, addresses, now)
    return kept if kept.is_readable else reading


def told(readings: Sequence[Reading]) -> str | None:
    """A sentence about the objects that were not, or not wholly, understood; None when there are none."""
    troubled = [reading for reading in readings if reading.problems]
    if not troubled:
        return None
    examples = "; ".join(f"{reading.problems[0]}" for reading in troubled[:3])
    events = "1 event" if len(troubled) == 1 else f"{len(troubled)} events"
    return f"{PARTLY}{events} could not be fully understood: {examples}"[:2000]


PARTLY = "Partly read: "


def _read(
    item: StoredObject, calendar: Calendar, addresses: frozenset[str], now: int, effort: Effort | None = None
) -> Reading:
    data = item.data.replace("\0", "")
    try:
        return _read_text(item, data, calendar, addresses, now, effort)
    except Invalid as broken:
        problem = broken.detail
    kept = _marked(essentials(data, _own_uid(item), addresses), f"{problem} Only its times were looked at.")
    try:
        return _read_text(item, kept, calendar, addresses, now, effort)
    except Invalid:
        return _unreadable(item, problem)


def _read_text(
    item: StoredObject, data: str, calendar: Calendar, addresses: frozenset[str], now: int, effort: Effort | None
) -> Reading:
    window = expansion_window(now)
    facts = read_object(
        data,
        timezone=calendar.timezone,
        window=window,
        tentative_busy=calendar.tentative_busy,
        self_addresses=addresses,
        effort=effort,
    )
    write = ObjectWrite(
        name=item.name,
        uid=facts.uid,
        component=facts.component,
        etag=item.etag,
        data=data,
        start=facts.start,
        end=facts.end,
        busy=facts.busy,
        expanded_until=window[1] if facts.recurs_beyond else None,
    )
    mark = _mark(data)
    return Reading(write, ((mark,) if mark else ()) + facts.problems, is_readable=True)


def _own_uid(item: StoredObject) -> str:
    """For an object that has none."""
    return f"unreadable:{hashlib.sha256(item.name.encode()).hexdigest()}"


def _unreadable(item: StoredObject, problem: str) -> Reading:
    """A place holder, so that the object is known, and told, until it changes."""
    write = ObjectWrite(
        name=item.name,
        uid=_own_uid(item),
        component="VEVENT",
        etag=item.etag,
        data=_marked("BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", problem),
        start=0,
        end=None,
        busy=(),
        expanded_until=None,
    )
    return Reading(write, (_mark(item.data) or problem,), is_readable=False)


def _marked(data: str, problem: str) -> str:
    head, _, rest = data.partition("\n")
    words = " ".join(problem.split())[:300]
    return f"{head}\n{_UNREADABLE}:{words}\r\n{rest}"


def _unmarked(data: str) -> str:
    return "".join(line for line in data.splitlines(keepends=True) if not line.startswith(_UNREADABLE))


def _mark(data: str) -> str | None:
    line = next((line for line in data[:2000].splitlines() if line.startswith(_UNREADABLE)), None)
    return line.partition(":")[2] if line else None
