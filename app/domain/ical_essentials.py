"""The few lines of a broken or monstrous object that say when its events are, so that they are not free meanwhile."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.domain.ical_parse import MAX_DATES

MAX_EVENTS = 500
MAX_LINE = 2_000
MAX_ZONE = 50_000
_KEPT = frozenset(
    {"DTSTART", "DTEND", "DURATION", "RECURRENCE-ID", "RRULE", "RDATE", "EXDATE", "STATUS", "TRANSP", "SEQUENCE",
     "SUMMARY", "X-MICROSOFT-CDO-BUSYSTATUS"}
)  # fmt: skip
_CONTENT_LINE = re.compile(r"[^\r\n]++(?:(?:\r\n|\n|\r)[ \t][^\r\n]*+)*+")
_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_NAME = re.compile(r"[A-Za-z-]+(?=[;:])")
_DAY = re.compile(r"(?<![0-9])([12][0-9]{3})([01][0-9])([0-3][0-9])(?![0-9])")


@dataclass(slots=True)
class _Event:
    """What is kept of one VEVENT. `extra` and `left_out` are its RDATE and EXDATE lines."""

    uid: str = ""
    lines: list[str] = field(default_factory=list)
    extra: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, name: str, line: str) -> None:
        if name == "UID":
            self.uid = self.uid or line.partition(":")[2].strip()
        elif name == "RDATE":
            self.extra.append(line)
        elif name == "EXDATE":
            self.left_out.append(line)
        elif len(line) <= MAX_LINE:
            self.lines.append(line)

    def text(self, uid: str) -> Iterator[str]:
        """Under the UID of the whole; an exception to another event's series stands by itself."""
        is_own = self.uid in ("", uid)
        yield "BEGIN:VEVENT"
        yield f"UID:{uid}"
        yield from (line for line in self.lines if is_own or not line.upper().startswith("RECURRENCE-ID"))
        yield from self.left_out if _dates(self.left_out) <= MAX_DATES else ()  # without them more is busy
        yield from self.extra if _dates(self.extra) <= MAX_DATES else _cover(self.extra)
        yield "END:VEVENT"


def essentials(data: str, uid: str, own: frozenset[str]) -> str:
    """The events' times and what makes them busy, as one object; `uid` is for events without any, `own` are the
    person's addresses, whose answers count. Work and memory stay in proportion to `data`."""
    events: list[_Event] = []
    zones: list[str] = []
    current: _Event | None = None
    zone: list[str] | None = None
    depth = 0
    for line in _lines(data):
        upper = line[:40].strip().upper()
        if upper == "BEGIN:VEVENT" and len(events) < MAX_EVENTS:
            current, depth = _Event(), 0
            events.append(current)
        elif upper == "END:VEVENT":
            current = None
        elif current is not None and upper.startswith(("BEGIN:", "END:")):
            depth = max(depth + (1 if upper[0] == "B" else -1), 0)
        elif current is not None and depth == 0:
            name = _NAME.match(line)
            if name is not None and _counts(name[0].upper(), line, own):
                current.add(name[0].upper(), line)
        elif current is None:
            zone = _zone(zone, line, upper, zones)
    main = next((each.uid for each in events if each.uid), "")[:1000] or uid
    inside = [line for event in events for line in event.text(main)]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *zones, *inside, "END:VCALENDAR", ""])


def _lines(data: str) -> Iterator[str]:
    for match in _CONTENT_LINE.finditer(data):
        line = match[0]
        yield _FOLD.sub("", line) if "\n" in line or "\r" in line else line


def _counts(name: str, line: str, own: frozenset[str]) -> bool:
    if name == "ATTENDEE":
        return len(line) <= MAX_LINE and any(address in line.lower() for address in own)
    return name == "UID" or name in _KEPT


def _zone(zone: list[str] | None, line: str, upper: str, zones: list[str]) -> list[str] | None:
    """Collect definitions of zones, of a sensible size and in a sensible number."""
    if upper == "BEGIN:VTIMEZONE":
        return [line]
    if zone is None:
        return None
    zone.append(line)
    if upper != "END:VTIMEZONE":
        return zone if len(zone) <= MAX_LINE else None
    if sum(map(len, zone)) <= MAX_ZONE and sum(map(len, zones)) <= MAX_ZONE:
        zones += zone
    return None


def _dates(lines: list[str]) -> int:
    return sum(line.count(",") + 1 for line in lines)


def _cover(lines: list[str]) -> Iterator[str]:
    """More dates than can be listed, as one period from the first to the last; a day wider, whatever their zone."""
    first, last = "9", ""
    for line in lines:
        for day in _DAY.finditer(line):
            first, last = min(first, day[0]), max(last, day[0])
    try:
        start = date.fromisoformat(first) - timedelta(days=1)
        end = date.fromisoformat(last) + timedelta(days=2)
    except (ValueError, OverflowError):
        return
    yield f"RDATE;VALUE=PERIOD:{start:%Y%m%d}T000000Z/{end:%Y%m%d}T000000Z"
