"""Whether a calendar object passes a filter (RFC 4791 §9.7)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property
from itertools import chain

from app.domain.ical_matching import overlaps
from app.domain.ical_series import Vcomponent
from app.domain.ical_times import ObjectTimes, pairs
from app.domain.ical_tree import Branch, Line, parse_tree
from app.domain.ical_zones import known_zone
from app.domain.rrules import Effort
from app.domain.wall_times import read_date_time, wall_of
from calendar_feeds.caldav.filters import CompFilter, ParamFilter, PropFilter, Test
from calendar_feeds.caldav.time_range import TimeRange


class Candidate:
    """An object that may pass. Its times are worked out only when a filter asks for them; `zone` reads floating and
    all-day ones."""

    def __init__(self, data: str, zone: tzinfo, effort: Effort | None = None) -> None:
        self._data, self._zone, self._effort = data, zone, effort
        self.calendar = parse_tree(data)

    @cached_property
    def times(self) -> ObjectTimes:
        """The object, parsed. `Invalid` for data that cannot be read."""
        return ObjectTimes(self._data, self._zone, self._effort)

    def passes(self, wanted: CompFilter) -> bool:
        """Whether the object passes the filter for VCALENDAR."""
        return not wanted.absent and self._contents_pass(self.calendar, wanted)

    def _contents_pass(self, branch: Branch, wanted: CompFilter) -> bool:
        if wanted.time is not None and not self._in_time(branch, wanted.time):
            return False
        properties = (self._property_passes(branch, each) for each in wanted.props)
        components = (self._component_passes(branch, each) for each in wanted.comps)
        return _joined(chain(properties, components), wanted.test, none=not (wanted.props or wanted.comps))

    def _component_passes(self, parent: Branch, wanted: CompFilter) -> bool:
        named = [each for each in parent.branches if each.name == wanted.name]
        if wanted.absent:
            return not named
        return any(self._contents_pass(each, wanted) for each in named)

    def _in_time(self, branch: Branch, time: TimeRange) -> bool:
        component = self._parsed.get(id(branch))
        return component is not None and overlaps(self.times, component, time.start, time.end)

    @cached_property
    def _parsed(self) -> dict[int, Vcomponent]:
        """The parsed self of each component, by the identity of its branch."""
        found = {}
        for branch, component in pairs(self.calendar, self.times.calendar):
            if component is not None:
                found[id(branch)] = component
                found |= {id(inner): each for inner, each in pairs(branch, component) if each is not None}
        return found

    def _property_passes(self, branch: Branch, wanted: PropFilter) -> bool:
        lines = branch.named(wanted.name)
        if wanted.absent:
            return not lines
        return any(self._line_passes(each, wanted) for each in lines)

    def _line_passes(self, line: Line, wanted: PropFilter) -> bool:
        if wanted.time is not None and not _value_in(line, wanted.time, self._zone):
            return False
        results = [wanted.text.matches(line.text)] if wanted.text is not None else []
        parameters = line.parameters if wanted.params else {}
        results += [_parameter_passes(parameters, each) for each in wanted.params]
        return _joined(results, wanted.test, none=not results)


def _joined(results: Iterable[bool], test: Test, *, none: bool) -> bool:
    """All or any of the conditions; where there are none, that something is there is enough."""
    return none or (all(results) if test == "allof" else any(results))


def _parameter_passes(parameters: dict[str, list[str]], wanted: ParamFilter) -> bool:
    found = parameters.get(wanted.name)
    if wanted.absent or found is None:
        return wanted.absent == (found is None)
    return wanted.text is None or any(wanted.text.matches(each) for each in found)


def _value_in(line: Line, time: TimeRange, zone: tzinfo) -> bool:
    """Whether a property that is a time, or a list of them, lies in the range; a date does with any part of it."""
    named = line.parameters.get("TZID", [""])[0]
    read_in = known_zone(named) or zone
    return any(_meets(each.strip(), time, read_in) for each in line.value.split(","))


def _meets(value: str, time: TimeRange, zone: tzinfo) -> bool:
    moment = _moment(value)
    if moment is None:
        return False
    try:
        if isinstance(moment, datetime):
            at = (moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp()
            return (time.start is None or at >= time.start) and (time.end is None or at < time.end)
        midnight = datetime(moment.year, moment.month, moment.day, tzinfo=zone)
        first, last = midnight.timestamp(), (midnight + timedelta(days=1)).timestamp()
    except (OverflowError, ValueError):
        return False
    return (time.start is None or last > time.start) and (time.end is None or first < time.end)


def _moment(value: str) -> date | None:
    """A DATE or DATE-TIME value; None for anything else."""
    if len(value) == 8:
        found = wall_of(value) if value.isascii() and value.isdecimal() else None
        return None if found is None else found.date()
    wall = read_date_time(value)
    return wall.replace(tzinfo=UTC) if wall is not None and value.endswith("Z") else wall
