"""Parsing iCalendar text of strangers: bounded, and with each object's zones kept apart."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from icalendar import Calendar, Component
from icalendar.prop import vBroken

from app.domain.errors import Invalid
from app.domain.ical_zones import known_zone, zone_of_definition

MAX_BYTES = 1_000_000
MAX_LINES = 20_000
MAX_COMPONENTS = 2_000
MAX_DEPTH = 5
MAX_DATES = 10_000

_FOLD = re.compile(r"(?:\r\n|\n|\r)[ \t]")
_LINE_END = re.compile(r"\r\n|\n|\r")
_TZID = re.compile(r';TZID=("[^"]*"|[^";:]*)', re.IGNORECASE)
_DATE_LINE = re.compile(r"(?:DTSTART|DTEND|DUE|RECURRENCE-ID|EXDATE|RDATE)[;:]", re.IGNORECASE)
_UNKNOWN = "X-ZONE-"


@dataclass(slots=True)
class ParsedCalendar:
    """A VCALENDAR without its VTIMEZONEs. Times whose TZID is no name known here are left without a zone; `zone_of`
    finds it in the object's own definitions. `unknown` collects TZIDs that neither way explained."""

    calendar: Calendar
    tzids: tuple[str, ...]
    definitions: Mapping[str, list[str]]
    unknown: set[str] = field(default_factory=set)
    _zones: dict[str, tzinfo | None] = field(default_factory=dict)

    def zone_of(self, value: Any) -> tzinfo | None:
        """The zone a date-time property's TZID names, when its time carries none; None for floating times."""
        placeholder = str(value.params.get("TZID", ""))
        if not placeholder.startswith(_UNKNOWN):
            return None
        tzid = self.tzids[int(placeholder.removeprefix(_UNKNOWN))]
        if tzid not in self._zones:
            lines = self.definitions.get(tzid)
            self._zones[tzid] = zone_of_definition(lines) if lines else None
        zone = self._zones[tzid]
        if zone is None:
            self.unknown.add(tzid)
        return zone


def parse_calendar(data: str, *, max_bytes: int = MAX_BYTES) -> ParsedCalendar:
    """Read one VCALENDAR. `Invalid`, with a sentence, for what is too large, too deep or not iCalendar."""
    if len(data) > max_bytes or len(data.encode(errors="replace")) > max_bytes:
        raise Invalid(f"The calendar data is larger than {max_bytes} bytes.")
    lines = [line for line in _LINE_END.split(_FOLD.sub("", data.lstrip("\ufeff"))) if line.strip()]
    if len(lines) > MAX_LINES:
        raise Invalid(f"The calendar data has more than {MAX_LINES} lines.")
    if not lines or lines[0].strip().upper() != "BEGIN:VCALENDAR":
        raise Invalid("This is not iCalendar data: it does not begin with BEGIN:VCALENDAR.")
    _check_structure(lines)
    body, definitions = _without_definitions(lines)
    numbers: dict[str, int] = {}
    text = "\r\n".join([*_with_plain_zones(body, numbers), ""])
    return ParsedCalendar(_read(text), tuple(numbers), definitions)


def _read(text: str) -> Calendar:
    try:
        calendar = Calendar.from_ical(text)
    except Exception as error:  # a stranger's text: the parser's own errors are of many kinds
        raise Invalid(f"The calendar data cannot be read: {str(error)[:200]}") from error
    if not isinstance(calendar, Calendar):
        raise Invalid("This is not iCalendar data: it holds no VCALENDAR.")
    return calendar


def _check_structure(lines: list[str]) -> None:
    """Bound nesting and number of components before the parser builds anything."""
    stack: list[str] = []
    count = 0
    for line in lines:
        head = line[:6].upper()
        if head == "BEGIN:":
            stack.append(line[6:].strip().upper())
            count += 1
            if len(stack) > MAX_DEPTH or count > MAX_COMPONENTS:
                raise Invalid(f"The calendar data has more than {MAX_COMPONENTS} components, or nests too deep.")
        elif line[:4].upper() == "END:" and (not stack or stack.pop() != line[4:].strip().upper()):
            raise Invalid("The calendar data cannot be read: BEGIN and END do not match.")
    if stack:
        raise Invalid(f"The calendar data ends inside {stack[-1]}.")


def _without_definitions(lines: list[str]) -> tuple[list[str], dict[str, list[str]]]:
    """The lines but the VTIMEZONEs, and those by TZID."""
    body: list[str] = []
    definitions: dict[str, list[str]] = {}
    block: list[str] | None = None
    for line in lines:
        upper = line.strip().upper()
        if block is None and upper == "BEGIN:VTIMEZONE":
            block = []
        if block is None:
            body.append(line)
            continue
        block.append(line.strip())
        if upper == "END:VTIMEZONE":
            tzid = next((each.partition(":")[2] for each in block if each.upper().startswith("TZID")), "")
            definitions.setdefault(tzid.strip(), block)
            block = None
    return body, definitions


def _with_plain_zones(lines: list[str], numbers: dict[str, int]) -> Iterator[str]:
    """The lines with every TZID replaced by the IANA name it means, or by a placeholder with a number of its own."""

    def plain(match: re.Match[str]) -> str:
        tzid = match[1].strip('"').strip()
        zone = known_zone(tzid)
        if zone is not None:
            return f";TZID={zone.key}"
        return f";TZID={_UNKNOWN}{numbers.setdefault(tzid, len(numbers))}"

    for line in lines:
        yield _TZID.sub(plain, line, count=1) if _DATE_LINE.match(line) else line


def first_value(component: Component, name: str) -> tuple[Any, str | None]:
    """A property that may stand only once, and a problem when it stands there broken or twice; broken counts as
    absent."""
    value = component.get(name)
    several = isinstance(value, list)
    if several:
        value = next((each for each in value if not isinstance(each, vBroken)), None)
    if isinstance(value, vBroken):
        return None, f"{name} cannot be read: {str(value)[:80]}"
    return value, f"{name} stands more than once" if several else None


def all_values(component: Component, name: str) -> tuple[list[Any], list[str]]:
    """A property that may stand several times, and a problem for each that cannot be read."""
    value = component.get(name, [])
    values = value if isinstance(value, list) else [value]
    broken = [each for each in values if isinstance(each, vBroken)]
    return (
        [each for each in values if not isinstance(each, vBroken)],
        [f"{name} cannot be read: {str(each)[:80]}" for each in broken],
    )


def with_zone(moment: Any, zone: tzinfo | None) -> Any:
    """A date-time in `zone` when it has none; dates and zoned times as they are."""
    if isinstance(moment, datetime) and moment.tzinfo is None and zone is not None:
        return moment.replace(tzinfo=zone)
    return moment
