"""The C:filter of a calendar-query (RFC 4791 §9.7) as it is read from a request; `filter_matching` applies it."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from calendar_feeds.caldav.time_range import TimeRange, time_range
from calendar_feeds.caldav.xml import CALDAV, Element, children, name
from calendar_feeds.messages import Refusal

MAX_NODES = 200
Fold = Callable[[str], str]

_ASCII_CAPITALS = {ord(each): each.upper() for each in "abcdefghijklmnopqrstuvwxyz"}


def _ascii_casemap(value: str) -> str:
    """RFC 4790 §9.2."""
    return value.translate(_ASCII_CAPITALS)


def _unicode_casemap(value: str) -> str:
    """RFC 5051 §2: case folded, then decomposed for compatibility."""
    return unicodedata.normalize("NFKD", value.casefold())


def _octet(value: str) -> str:
    """RFC 4790 §9.3."""
    return value


COLLATIONS: Mapping[str, Fold] = {
    "i;ascii-casemap": _ascii_casemap,
    "i;octet": _octet,
    "i;unicode-casemap": _unicode_casemap,
}
_FOLDS: Mapping[str, Fold] = {**COLLATIONS, "default": _ascii_casemap}
_MATCHES: Mapping[str, Callable[[str, str], bool]] = {
    "contains": lambda value, sought: sought in value,
    "equals": lambda value, sought: value == sought,
    "starts-with": lambda value, sought: value.startswith(sought),
    "ends-with": lambda value, sought: value.endswith(sought),
}
Test = Literal["allof", "anyof"]
_NESTED: Mapping[str, frozenset[str]] = {
    "VCALENDAR": frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VTIMEZONE"}),
    "VEVENT": frozenset({"VALARM"}),
    "VTODO": frozenset({"VALARM"}),
    "VTIMEZONE": frozenset({"STANDARD", "DAYLIGHT"}),
}
_KNOWN = frozenset({"VCALENDAR"}).union(*_NESTED.values())
_IN_TIME = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VALARM"})
"""Components that a time-range is defined for (RFC 4791 §9.9)."""
_TEXTS = frozenset(
    {"SUMMARY", "DESCRIPTION", "LOCATION", "COMMENT", "CATEGORIES", "RESOURCES", "CONTACT", "STATUS", "TRANSP", "CLASS",
     "UID", "ORGANIZER", "ATTENDEE", "URL", "ATTACH", "RELATED-TO", "PRIORITY", "SEQUENCE", "PERCENT-COMPLETE", "GEO"}
)  # fmt: skip
"""Properties that are no time, whatever their parameters say: a time-range cannot be in them (§7.8)."""


@dataclass(frozen=True, slots=True)
class TextMatch:
    """Text that a value must (or must not) contain."""

    sought: str
    fold: Fold
    negate: bool
    match: Callable[[str, str], bool]

    def matches(self, value: str) -> bool:
        """Whether the value passes."""
        return self.match(self.fold(value), self.fold(self.sought)) != self.negate


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
    test: Test = "allof"


@dataclass(frozen=True, slots=True)
class CompFilter:
    """A condition on a component and what is in it."""

    name: str
    absent: bool
    time: TimeRange | None
    props: tuple[PropFilter, ...]
    comps: tuple[CompFilter, ...]
    test: Test = "allof"

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
        refusal = _invalid if own in _KNOWN else _unsupported
        raise refusal(f"Components {own[:60]} in {parent} cannot be asked for.")
    parts = _parts(element, "is-not-defined", "time-range", "prop-filter", "comp-filter")
    absent = _is_absent(parts)
    if parts["time-range"] and own not in _IN_TIME:
        raise _invalid(f"{own[:60]} has no time.")
    return CompFilter(
        own,
        absent,
        _time_range(parts),
        tuple(_prop_filter(each) for each in parts["prop-filter"]),
        tuple(_comp_filter(each, own) for each in parts["comp-filter"]),
        _test(element),
    )


def _is_absent(parts: dict[str, list[Element]]) -> bool:
    absent = bool(parts.pop("is-not-defined"))
    if absent and any(parts.values()):
        raise _invalid("What is not defined can have no conditions.")
    return absent


def _test(element: Element) -> Test:
    """Whether all conditions must hold or any (as in RFC 6352 §10.5.1; RFC 4791 knows all alone)."""
    match element.get("test", "allof"):
        case "allof":
            return "allof"
        case "anyof":
            return "anyof"
        case other:
            raise _invalid(f"A test is allof or anyof, not {other[:20]}.")


def _prop_filter(element: Element) -> PropFilter:
    parts = _parts(element, "is-not-defined", "time-range", "text-match", "param-filter")
    own = _name_of(element)
    if parts["time-range"] and own in _TEXTS:
        raise _invalid(f"{own} is no time.")
    return PropFilter(
        own,
        _is_absent(parts),
        _time_range(parts),
        _text_match(parts["text-match"]),
        tuple(_param_filter(each) for each in parts["param-filter"]),
        _test(element),
    )


def _param_filter(element: Element) -> ParamFilter:
    parts = _parts(element, "is-not-defined", "text-match")
    return ParamFilter(_name_of(element), _is_absent(parts), _text_match(parts["text-match"]))


def _text_match(found: Sequence[Element]) -> TextMatch | None:
    if not found:
        return None
    asked = found[0]
    collation = asked.get("collation", "i;ascii-casemap")
    fold = _FOLDS.get(collation)
    if fold is None:
        raise Refusal(403, "<C:supported-collation/>", f"The collation {collation[:60]} is not known here.")
    match = _MATCHES.get(asked.get("match-type", "contains"))
    if match is None:
        raise _unsupported("A match-type is contains, equals, starts-with or ends-with.")
    return TextMatch("".join(asked.itertext()), fold, asked.get("negate-condition") == "yes", match)


def _time_range(parts: dict[str, list[Element]]) -> TimeRange | None:
    found = parts.get("time-range")
    return time_range(found[0], _invalid) if found else None
