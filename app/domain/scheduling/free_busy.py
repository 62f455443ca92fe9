"""Free/busy lookups (RFC 6638 §5, RFC 5546 §3.3.2): the question, and one person's answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.content_lines import Component, Line
from app.domain.errors import Invalid
from app.domain.event_text import PRODID, utc_stamp
from app.domain.ical_zones import known_zone
from app.domain.intervals import Interval
from app.domain.scheduling.addresses import address_key
from app.domain.scheduling.objects import SCHEDULE_PARAMS, wall_time

MAX_DAYS = 366
MAX_PEOPLE = 200
MAX_PERSON_DAYS = 20_000
"""People times days: the work of one lookup."""


@dataclass(frozen=True, slots=True)
class Question:
    """Who asks about whom, and when: epoch seconds. The people are ATTENDEE lines as they came."""

    uid: str
    organizer: Line
    people: tuple[Line, ...]
    start: int
    end: int


def read_question(calendar: Component, timezone: str) -> Question:
    """A VFREEBUSY REQUEST; `Invalid` for anything else. Times should be in UTC (RFC 5545 §3.6.4); what is in none is
    read in `timezone`, since python-caldav sends its machine's."""
    asked = [each for each in calendar.children if each.name != "VTIMEZONE"]
    if calendar.value("METHOD").upper() != "REQUEST" or len(asked) != 1 or asked[0].name != "VFREEBUSY":
        raise Invalid("A lookup is one VFREEBUSY with METHOD:REQUEST.")
    busy = asked[0]
    organizer, people = busy.first("ORGANIZER"), busy.every("ATTENDEE")
    start, end = (_instant(busy, name, timezone) for name in ("DTSTART", "DTEND"))
    if organizer is None or not people or not busy.value("UID"):
        raise Invalid("A lookup names an ORGANIZER, an ATTENDEE and a UID.")
    days = (end - start) / 86400
    if not 0 < days <= MAX_DAYS or len(people) > MAX_PEOPLE or days * len(people) > MAX_PERSON_DAYS:
        raise Invalid(f"A lookup is about at most {MAX_PEOPLE} people and {MAX_DAYS} days, or fewer of both.")
    unique = {address_key(line.value): line for line in people}
    return Question(busy.value("UID"), organizer, tuple(unique.values()), start, end)


def _instant(busy: Component, name: str, timezone: str) -> int:
    line = busy.first(name)
    text = busy.value(name)
    zone = known_zone("UTC" if text.endswith("Z") else (line.param("TZID") if line else None) or timezone)
    wall = wall_time(text)
    if wall is None or zone is None or not 1970 < wall.year < 9999:
        raise Invalid(f"The {name} of a lookup is a time in UTC.")
    return int(wall.replace(tzinfo=zone).timestamp())


def answer(question: Question, person: Line, busy: Sequence[Interval], away: Sequence[Interval], now: int) -> str:
    """A VFREEBUSY REPLY for one person: `busy` times and those outside working hours (`away`), each ascending, apart,
    and inside the asked range. What the time is taken by nobody learns."""
    lines = [
        Line("UID", (), question.uid),
        Line("DTSTAMP", (), utc_stamp(now)),
        Line("DTSTART", (), utc_stamp(question.start)),
        Line("DTEND", (), utc_stamp(question.end)),
        question.organizer.without(*SCHEDULE_PARAMS),
        person.without(*SCHEDULE_PARAMS),
        *(_periods(busy, "BUSY")),
        *(_periods(away, "BUSY-UNAVAILABLE")),
    ]
    head = [Line("VERSION", (), "2.0"), Line("PRODID", (), PRODID), Line("METHOD", (), "REPLY")]
    return Component("VCALENDAR", head, [Component("VFREEBUSY", lines)]).render()


def _periods(times: Sequence[Interval], kind: str) -> list[Line]:
    if not times:
        return []
    return [Line("FREEBUSY", (("FBTYPE", kind),), ",".join(f"{utc_stamp(a)}/{utc_stamp(b)}" for a, b in times))]


def within(times: Sequence[Interval], start: int, end: int) -> list[Interval]:
    """As much of the times as lies in [start, end)."""
    return [(max(a, start), min(b, end)) for a, b in times if max(a, start) < min(b, end)]


def outside(times: Sequence[Interval], start: int, end: int) -> list[Interval]:
    """What of [start, end) these times, ascending and apart, leave over."""
    left, at = [], start
    for begin, until in within(times, start, end):
        if begin > at:
            left.append((at, begin))
        at = until
    return [*left, (at, end)] if at < end else left
