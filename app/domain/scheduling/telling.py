"""What a message is about, for people: the event in a few facts."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.domain.content_lines import Component
from app.domain.ical_zones import known_zone
from app.domain.scheduling.objects import SchedulingObject, partstat, sequence_of, wall_time

_ESCAPED = re.compile(r"\\([\\;,nN])")


@dataclass(frozen=True, slots=True)
class Told:
    """`start` and `end` (epoch seconds) are those of the first occurrence; None where the text does not say. All-day
    events begin and end at midnight of `timezone`. `answer` is the PARTSTAT of a reply."""

    summary: str
    location: str
    start: int | None
    end: int | None
    timezone: str
    is_all_day: bool
    repeats: bool
    is_update: bool
    answer: str


def told(item: SchedulingObject, timezone: str) -> Told:
    """The facts of a message; floating and all-day times are read in `timezone`."""
    entry = item.series or item.entries[0]
    begin = entry.first("DTSTART")
    zone = known_zone((begin.param("TZID") if begin else None) or "") or ZoneInfo(timezone)
    attendees = entry.every("ATTENDEE")
    return Told(
        summary=text_of(entry, "SUMMARY") or "An event",
        location=text_of(entry, "LOCATION"),
        start=_instant(item, entry, "DTSTART", zone),
        end=_instant(item, entry, "DTEND", zone),
        timezone=zone.key,
        is_all_day=begin is not None and len(begin.value.strip()) == 8,
        repeats=bool(entry.every("RRULE") or entry.every("RDATE")),
        is_update=sequence_of(entry) > 0,
        answer=partstat(attendees[0]) if len(attendees) == 1 else "",
    )


def text_of(entry: Component, name: str) -> str:
    """A TEXT property, its escapes undone, on one line."""
    plain = _ESCAPED.sub(lambda found: " " if found[1] in "nN" else found[1], entry.value(name))
    return " ".join(plain.split())[:500]


def _instant(item: SchedulingObject, entry: Component, name: str, zone: ZoneInfo) -> int | None:
    line = entry.first(name)
    if line is None:
        return None
    key = item.moment(line, line.value)
    wall = wall_time(key if "T" in key else f"{key}T000000")
    if wall is None or not _is_sane(wall):
        return None
    return int(wall.replace(tzinfo=UTC if key.endswith("Z") else zone).timestamp())


def _is_sane(wall: datetime) -> bool:
    return 1970 < wall.year < 9999
