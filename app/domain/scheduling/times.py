"""When an entry happens, so that the same times are equal however a program writes them: with an end or a duration, in
one zone's name or another's."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

from app.domain.content_lines import Component
from app.domain.scheduling.objects import Key, SchedulingObject, date_of, wall_time

_DURATION = re.compile(
    r"\+?P(?:([0-9]{1,4})W|(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,5})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,7})S)?)?)"
)
_DEFAULTS = frozenset({"INTERVAL=1", "WKST=MO"})
_ENDS = ("UNTIL=", "COUNT=")


def times_of(item: SchedulingObject, entry: Component, *, how_long: bool = True) -> frozenset[str]:
    """Begin, end and repetitions of an entry; without `how_long` not when a series ends."""
    start = _key(item, entry, "DTSTART")
    found = {f"from {start}", f"until {_end(item, entry, start)}"}
    for line in entry.every("RRULE"):
        parts = {part for part in line.value.upper().split(";") if part} - _DEFAULTS
        kept = sorted(part for part in parts if how_long or not part.startswith(_ENDS))
        found.add(f"rule {';'.join(kept)}")
    for line in entry.every("RDATE"):
        found |= {f"also {item.moment(line, value)}" for value in line.value.split(",")}
    return frozenset(found)


def _key(item: SchedulingObject, entry: Component, name: str) -> Key:
    line = entry.first(name)
    return "" if line is None else item.moment(line, line.value)


def _end(item: SchedulingObject, entry: Component, start: Key) -> Key:
    for name in ("DTEND", "DUE"):
        if entry.first(name) is not None:
            return _key(item, entry, name)
    lasts = entry.value("DURATION").upper()
    day = date_of(start)
    if not lasts:
        return f"{day + timedelta(days=1):%Y%m%d}" if day and entry.name == "VEVENT" else start
    found = _DURATION.fullmatch(lasts)
    wall = wall_time(start)
    if found is None or (wall is None and day is None):
        return f"{start} {lasts}"
    weeks, days, hours, minutes, seconds = (int(each or 0) for each in found.groups())
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    return _after(wall or day, length, is_utc=start.endswith("Z"))


def _after(begin: datetime | date | None, length: timedelta, *, is_utc: bool) -> Key:
    try:
        if isinstance(begin, datetime):
            end = begin.replace(tzinfo=UTC) + length
            return f"{end:%Y%m%dT%H%M%S}{'Z' if is_utc else ''}"
        return f"{begin + length:%Y%m%d}" if begin else ""
    except OverflowError:
        return "never"
