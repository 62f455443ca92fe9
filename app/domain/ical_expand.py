"""A series as one component an instance, times in UTC, without rules and zones (RFC 4791 §9.6.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from app.domain.errors import HalfpastError
from app.domain.ical_matching import meeting
from app.domain.ical_parse import first_value, with_zone
from app.domain.ical_series import Instance, Vcomponent
from app.domain.ical_times import ObjectTimes
from app.domain.ical_tree import Branch, Line
from app.domain.ical_zones import known_zone

_RULES = frozenset({"RRULE", "RDATE", "EXDATE", "EXRULE"})
_TIMES = frozenset({"DTSTART", "DTEND", "DUE", "RECURRENCE-ID"})


class TooManyInstances(HalfpastError):
    """More instances than are listed."""

    code = "VALIDATION_ERROR"


@dataclass(slots=True)
class Allowance:
    """How many instances may still be listed in all the objects of an answer, and how many characters they may take."""

    instances: int
    characters: int

    def take(self, instances: int, characters: int) -> None:
        """`TooManyInstances` when that is more than is left."""
        self.instances -= instances
        self.characters -= characters
        if self.instances < 0 or self.characters < 0:
            raise TooManyInstances("The range holds more instances than are listed at once; ask for a shorter one.")


def expanded(calendar: Branch, times: ObjectTimes, span: tuple[int, int], allowance: Allowance) -> Branch:
    """The calendar with those instances of its components that take place in [start, end)."""
    branches = []
    for branch, component in times.paired(calendar):
        if component is not None and _is_dated(component):
            branches += _instances(branch, times, component, span, allowance)
        elif branch.name != "VTIMEZONE":
            branches.append(branch)
    return Branch(calendar.name, calendar.lines, branches)


def _is_dated(component: Vcomponent) -> bool:
    return component.name in {"VEVENT", "VTODO", "VJOURNAL"} and ("DTSTART" in component or "DUE" in component)


def _instances(
    branch: Branch, times: ObjectTimes, component: Vcomponent, span: tuple[int, int], allowance: Allowance
) -> list[Branch]:
    found = list(meeting(times, component, span))
    allowance.take(len(found), len(found) * branch.size())
    listed = [each.instance for each in sorted(found, key=lambda each: each.begin) if each.instance is not None]
    if len(listed) < len(found):
        raise TooManyInstances("The event repeats too often to list it; ask for a shorter range.")
    writer = _Writer(branch, times, component)
    return [writer.instance(each) for each in listed]


class _Writer:
    """Writes the instances of one component: what they share is worked out once."""

    def __init__(self, branch: Branch, times: ObjectTimes, component: Vcomponent) -> None:
        self._name, self._branches = branch.name, branch.branches
        self._times, self._component = times, component
        self._lines = [_in_utc(line) for line in branch.lines if line.name not in _RULES]
        self._is_floating = {name: _floats(branch, name) for name in _TIMES}
        self._first = "DTSTART" if "DTSTART" in component else "DUE"
        self._recurs = times.recurs

    def instance(self, occurrence: Instance) -> Branch:
        values = {"DTSTART": occurrence.start, "DTEND": occurrence.end, "DUE": occurrence.end}
        values[self._first] = occurrence.start
        lines = [self._line(each, values) for each in self._lines if each.name != "RECURRENCE-ID"]
        if self._recurs:
            lines.append(self._recurrence_id(occurrence))
        return Branch(self._name, lines, self._branches)

    def _line(self, line: Line, values: dict[str, Any]) -> Line:
        return self._written(line.name, values[line.name]) if line.name in values else line

    def _recurrence_id(self, occurrence: Instance) -> Line:
        own, _ = first_value(self._component, "RECURRENCE-ID")
        if own is not None and occurrence.is_explicit:
            zone = self._times.parsed.zone_of(own)
            return self._written("RECURRENCE-ID", with_zone(own.dt, zone or self._times.zone))
        like = self._first if own is None else "RECURRENCE-ID"
        return self._written("RECURRENCE-ID", occurrence.start - occurrence.moved_by, like)

    def _written(self, name: str, moment: date, like: str | None = None) -> Line:
        if not isinstance(moment, datetime):
            return Line(name, f"{name};VALUE=DATE:{moment:%Y%m%d}")
        if self._is_floating[like or name] or moment.tzinfo is None:
            return Line(name, f"{name}:{_stamp(moment)}")
        return Line(name, f"{name}:{_stamp(moment.astimezone(UTC))}Z")


def _stamp(moment: datetime) -> str:
    return f"{moment.year:04d}{moment:%m%dT%H%M%S}"


def _floats(branch: Branch, name: str) -> bool:
    """Whether a property is a time of no zone at all, which it then stays."""
    line = branch.first(name)
    return line is not None and "TZID" not in line.parameters and not line.value.strip().upper().endswith("Z")


def _in_utc(line: Line) -> Line:
    """Any other property with a time of a known zone; those that say when the component is are written anew."""
    if line.name in _TIMES or ";TZID=" not in line.raw.upper():
        return line
    zone = known_zone(next(iter(line.parameters.get("TZID", ())), ""))
    try:
        moments: Sequence[datetime] = [
            datetime.strptime(each.strip(), "%Y%m%dT%H%M%S").replace(tzinfo=zone) for each in line.value.split(",")
        ]
        values = [f"{_stamp(each.astimezone(UTC))}Z" for each in moments]
    except (ValueError, OverflowError):
        return line
    return line if zone is None else Line(line.name, f"{line.name}:{','.join(values)}")
