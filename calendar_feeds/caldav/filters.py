"""The C:filter of a calendar-query (RFC 4791 §9.7): reading it, and telling whether an object passes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from calendar_feeds.caldav.xml import CALDAV, Element, children, name
from calendar_feeds.messages import Refusal

MAX_NODES = 200
_UTC = re.compile(r"\d{8}T\d{6}Z")
_COLLATIONS: Mapping[str, Callable[[str], str]] = {
    "i;ascii-casemap": lambda value: "".join(each.upper() if "a" <= each <= "z" else each for each in value),
    "default": lambda value: "".join(each.upper() if "a" <= each <= "z" else each for each in value),
    "i;octet": lambda value: value,
}
_NESTED: Mapping[str, frozenset[str]] = {
    "VCALENDAR": frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"}),
    "VEVENT": frozenset({"VALARM"}),
    "VTODO": frozenset({"VALARM"}),
}


@dataclass(frozen=True, slots=True)
class TimeRange:
    """[start, end) in epoch seconds; None is open."""

    start: int | None
    end: int | None


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Text that a value must (or must not) contain."""

    sought: str
    fold: Callable[[str], str]
    negate: bool

    def matches(self, value: str) -> bool:
        """Whether the value passes."""
        return (self.fold(self.sought) in self.fold(value)) != self.negate


@dataclass(frozen=True, slots=True)
class ParamFilter:
    """A condition on a parameter; without a text it must be there, `absent` turns that round."""

    name: str
    absent: bool
    text: TextMatch | None


@dataclass(frozen=True, slots=True)
class PropFilter:
    """A condition on a property."""

    name: str
    absent: bool
    time: TimeRange | None
    text: TextMatch | None
    params: tuple[ParamFilter, ...]


@dataclass(frozen=True, slots=True)
class CompFilter:
    """A condition on a component and what is in it."""

    name: str
    absent: bool
    time: TimeRange | None
    props: tuple[PropFilter, ...]
    comps: tuple[CompFilter, ...]

    @property
    def is_bare(self) -> bool:
        """Whether nothing but the name and perhaps a time range is asked."""
        return not self.absent and not self.props and not self.comps


def read_filter(root: Element) -> CompFilter:
    """The filter of a calendar-query. 403 with C:valid-filter for one that makes no sense, C:supported-filter or
    C:supported-collation for what is not known here."""
    holder = root.find(name("filter", CALDAV))
    if holder is None:
        raise Refusal(400, detail="A calendar-query has a C:filter.")
    if sum(1 for _ in holder.iter()) > MAX_NODES:
        raise Refusal(403, "<C:supported-filter/>", f"A filter has at most {MAX_NODES} elements.")
    tops = list(children(holder))
    if len(tops) != 1 or tops[0].tag != name("comp-filter", CALDAV) or _name_of(tops[0]) != "VCALENDAR":
        raise _invalid("A filter has one C:comp-filter, for VCALENDAR.")
    return _comp_filter(tops[0], None)


def _invalid(detail: str) -> Refusal:
    return Refusal(403, "<C:valid-filter/>", detail)


def _unsupported(detail: str) -> Refusal:
    return Refusal(403, "<C:supported-filter/>", detail)


def _name_of(element: Element) -> str:
    found = element.get("name", "").strip().upper()
    if not found:
        raise _invalid("Every part of a filter has a name.")
    return found


def _parts(element: Element, *allowed: str) -> dict[str, list[Element]]:
    parts: dict[str, list[Element]] = {each: [] for each in allowed}
    for child in children(element):
        local = str(child.tag).removeprefix(f"{{{CALDAV}}}")
        if local not in parts:
            raise _invalid(f"{local[:60]} has no place in this part of a filter.")
        parts[local].append(child)
    return parts


def _comp_filter(element: Element, parent: str | None) -> CompFilter:
    own = _name_of(element)
    if parent is not None and own not in _NESTED.get(parent, frozenset()) and not own.startswith("X-"):
        raise _unsupported(f"Components {own[:60]} in {parent} cannot be asked for.")
    parts = _parts(element, "is-not-defined", "time-range", "prop-filter", "comp-filter")
    absent = bool(parts.pop("is-not-defined"))
    if absent and any(parts.values()):
        raise _invalid("What is not defined can have no conditions.")
    if parts["time-range"] and own == "VCALENDAR":
        raise _invalid("VCALENDAR has no time.")
    return CompFilter(
        own,
        absent,
        _time_range(parts["time-range"]),
        tuple(_prop_filter(each) for each in parts["prop-filter"]),
        tuple(_comp_filter(each, own) for each in parts["comp-filter"]),
    )


def _prop_filter(element: Element) -> PropFilter:
    parts = _parts(element, "is-not-defined", "time-range", "text-match", "param-filter")
    return PropFilter(
        _name_of(element),
        bool(parts["is-not-defined"]),
        _time_range(parts["time-range"]),
        _text_match(parts["text-match"]),
        tuple(_param_filter(each) for each in parts["param-filter"]),
    )


def _param_filter(element: Element) -> ParamFilter:
    parts = _parts(element, "is-not-defined", "text-match")
    return ParamFilter(_name_of(element), bool(parts["is-not-defined"]), _text_match(parts["text-match"]))


def _text_match(found: Sequence[Element]) -> TextMatch | None:
    if not found:
        return None
    collation = found[0].get("collation", "i;ascii-casemap")
    fold = _COLLATIONS.get(collation)
    if fold is None:
        raise Refusal(403, "<C:supported-collation/>", f"The collation {collation[:60]} is not known here.")
    return TextMatch("".join(found[0].itertext()), fold, found[0].get("negate-condition") == "yes")


def _time_range(found: Sequence[Element]) -> TimeRange | None:
    if not found:
        return None
    start, end = (_instant(found[0].get(side)) for side in ("start", "end"))
    if start is None and end is None:
        raise _invalid("A time range has a start, an end or both.")
    if start is not None and end is not None and start >= end:
        raise _invalid("A time range ends after it starts.")
    return TimeRange(start, end)


def _instant(value: str | None) -> int | None:
    if value is None:
        return None
    if not _UTC.fullmatch(value):
        raise _invalid("The times of a filter are UTC, such as 20270301T000000Z.")
    try:
        return int(datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise _invalid(f"There is no time {value}.") from error


Component = Any  # an icalendar component
InTime = Callable[[Component, TimeRange], bool]


def passes(calendar: Component, wanted: CompFilter, in_time: InTime) -> bool:
    """Whether a parsed VCALENDAR passes the filter for VCALENDAR. `in_time` tells whether a component overlaps a
    range."""
    return not wanted.absent and _contents_pass(calendar, wanted, in_time)


def _contents_pass(component: Component, wanted: CompFilter, in_time: InTime) -> bool:
    if not all(_prop_passes(component, each) for each in wanted.props):
        return False
    if wanted.time is not None and not in_time(component, wanted.time):
        return False
    return all(_comp_passes(component, each, in_time) for each in wanted.comps)


def _comp_passes(parent: Component, wanted: CompFilter, in_time: InTime) -> bool:
    named = [each for each in parent.subcomponents if str(each.name).upper() == wanted.name]
    if wanted.absent:
        return not named
    return any(_contents_pass(each, wanted, in_time) for each in named)


def _prop_passes(component: Component, wanted: PropFilter) -> bool:
    value = component.get(wanted.name)
    values = [] if value is None else value if isinstance(value, list) else [value]
    if wanted.absent:
        return not values
    return any(_value_passes(each, wanted) for each in values)


def _value_passes(value: Any, wanted: PropFilter) -> bool:
    if wanted.time is not None and not _value_in(value, wanted.time):
        return False
    if wanted.text is not None and not wanted.text.matches(_text(value)):
        return False
    return all(_param_passes(value, each) for each in wanted.params)


def _text(value: Any) -> str:
    """A property's value as text, unescaped; several (CATEGORIES) joined by commas."""
    if isinstance(value, str):
        return str(value)
    if hasattr(value, "cats"):
        return ",".join(str(each) for each in value.cats)
    encoded = value.to_ical()
    return encoded.decode() if isinstance(encoded, bytes) else str(encoded)


def _param_passes(value: Any, wanted: ParamFilter) -> bool:
    found = getattr(value, "params", {}).get(wanted.name)
    if wanted.absent:
        return found is None
    if found is None:
        return False
    texts = found if isinstance(found, list) else [found]
    return wanted.text is None or any(wanted.text.matches(str(each)) for each in texts)


def _value_in(value: Any, time: TimeRange) -> bool:
    """Whether a property that is a time lies in the range; floating times are read as UTC."""
    moment = getattr(value, "dt", None)
    if moment is None:
        return False
    if not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day, tzinfo=UTC)
    at = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    return (time.start is None or at >= time.start) and (time.end is None or at < time.end)
