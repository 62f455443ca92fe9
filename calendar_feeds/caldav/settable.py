"""Which properties clients may set on a calendar, and what they mean for it; all others are kept as they came.

PROPPATCH, MKCALENDAR and extended MKCOL read what they carry by this one table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from app.domain.ical_zones import known_zone
from calendar_feeds.caldav.properties import OK, PROPERTIES
from calendar_feeds.caldav.resources import Kind
from calendar_feeds.caldav.xml import APPLE, CALDAV, NOT_IN_XML, Element, children, name
from calendar_feeds.colors import NAMES

FORBIDDEN, CONFLICT, DEPENDENT = "HTTP/1.1 403 Forbidden", "HTTP/1.1 409 Conflict", "HTTP/1.1 424 Failed Dependency"
FULL = "HTTP/1.1 507 Insufficient Storage"
MAX_PROPERTY, MAX_PROPERTIES = 16_000, 100_000
"""Characters of XML that are kept of one property of a client, and of all of a calendar."""
COMPONENTS = ("VEVENT", "VTODO", "VJOURNAL")
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?")
_DEFINITION = re.compile(r"^BEGIN:VTIMEZONE\s*$", re.MULTILINE | re.IGNORECASE)
_NO_DEFINITION = re.compile(r"^BEGIN:(?!VCALENDAR|VTIMEZONE|STANDARD|DAYLIGHT|X-)", re.MULTILINE | re.IGNORECASE)
_TZID = re.compile(r"^(?:TZID|X-LIC-LOCATION)[^:]*:(.+?)\s*$", re.MULTILINE | re.IGNORECASE)


@dataclass(slots=True)
class Change:
    """What a request asks of a calendar's properties: fields of `Calendar` to set, properties of clients to keep (None:
    to forget), and the status of each property named, in document order. `reasons` are the DAV:error and
    description of some."""

    values: dict[str, Any] = field(default_factory=dict)
    properties: dict[str, str | None] = field(default_factory=dict)
    results: dict[str, str] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)

    @property
    def is_possible(self) -> bool:
        """Whether nothing stands in the way."""
        return all(status == OK for status in self.results.values())


def _name_of(sent: Element) -> str | None:
    value = _text(sent)
    return value if value and len(value) <= 255 else None


def _description(sent: Element) -> str | None:
    value = _text(sent)
    return value if value is not None and len(value) <= 10_000 else None


def _color(sent: Element) -> str | None:
    value = _text(sent)
    return value if value and (_COLOR.fullmatch(value) or value.lower() in NAMES) else None


def _position(sent: Element) -> int | None:
    value = _text(sent)
    return int(value) if value and re.fullmatch(r"-?[0-9]{1,9}", value) else None


def _timezone(sent: Element) -> str | None:
    """A VTIMEZONE, and nothing else (RFC 4791 §5.2.2), is taken by its name: rules about the past and future of a zone
    are the zone database's."""
    definition = _text(sent) or ""
    if len(_DEFINITION.findall(definition)) != 1 or _NO_DEFINITION.search(definition):
        return None
    named = (known_zone(each) for each in _TZID.findall(definition))
    return next((zone.key for zone in named if zone is not None), None)


def _timezone_id(sent: Element) -> str | None:
    zone = known_zone(_text(sent) or "")
    return None if zone is None else zone.key


def _blocks(sent: Element) -> bool | None:
    """Of a transparent calendar nothing is busy (RFC 6638 §9.1)."""
    found = {str(child.tag) for child in children(sent)}
    kinds = {name("opaque", CALDAV): True, name("transparent", CALDAV): False}
    return kinds.get(found.pop()) if len(found) == 1 else None


def _components(sent: Element) -> tuple[str, ...] | None:
    asked = [child.get("name", "").upper() for child in children(sent) if child.tag == name("comp", CALDAV)]
    return tuple(dict.fromkeys(asked)) if asked and set(asked) <= {*COMPONENTS, "VFREEBUSY"} else None


def _text(sent: Element) -> str | None:
    value = "".join(str(part) for part in sent.itertext()).strip()
    return None if NOT_IN_XML.search(value) else value


Read = Callable[[Element], Any]
SETTABLE: Mapping[str, tuple[str, Read]] = {
    name("displayname"): ("display_name", _name_of),
    name("calendar-description", CALDAV): ("description", _description),
    name("calendar-color", APPLE): ("color", _color),
    name("calendar-order", APPLE): ("position", _position),
    name("calendar-timezone", CALDAV): ("timezone", _timezone),
    name("calendar-timezone-id", CALDAV): ("timezone", _timezone_id),
    name("schedule-calendar-transp", CALDAV): ("is_conflict", _blocks),
}
"""By property: the field it sets, and how to read it (None: not a possible value)."""

_ONLY_NEW: Mapping[str, tuple[str, Read]] = {
    name("supported-calendar-component-set", CALDAV): ("components", _components),
}
_WHEN_REMOVED: Mapping[str, Any] = {"description": "", "color": None}
_ANSWERED_BY_NOBODY = frozenset(
    {name("lockdiscovery"), name("supportedlock"), name("creationdate"), name("getcontentlanguage")}
)
"""Properties of RFC 4918 that would mean something, were they here."""
_DESCRIBED_BY_THE_METHOD = frozenset({name("resourcetype")})


def read_new(root: Element | None) -> Change:
    """What a new calendar is to be like, from the body of MKCALENDAR or MKCOL."""
    change = Change()
    for instruction in children(root) if root is not None else ():
        prop = instruction.find(name("prop"))
        for each in children(prop) if instruction.tag == name("set") and prop is not None else ():
            if each.tag not in _DESCRIBED_BY_THE_METHOD:
                change.results[str(each.tag)] = _set(change, each, {**SETTABLE, **_ONLY_NEW})
    return change


def read_update(root: Element, kind: Kind, kept: Mapping[str, str]) -> Change:
    """What a DAV:propertyupdate asks of a resource that keeps these properties of clients; instructions are followed in
    document order (RFC 4918 §9.2)."""
    change = Change()
    settable = SETTABLE if kind == "collection" else {}
    for instruction in children(root):
        prop = instruction.find(name("prop"))
        if instruction.tag not in {name("set"), name("remove")} or prop is None:
            continue
        for each in children(prop):
            is_set = instruction.tag == name("set")
            change.results[str(each.tag)] = (
                _set(change, each, settable, kind) if is_set else _remove(change, str(each.tag), settable, kind)
            )
    if change.is_possible and _size(change, kept) > MAX_PROPERTIES:
        change.results |= {each: FULL for each, value in change.properties.items() if value is not None}
    return change


def _size(change: Change, kept: Mapping[str, str]) -> int:
    return sum(len(value) for value in {**kept, **change.properties}.values() if value is not None)


def _set(change: Change, sent: Element, settable: Mapping[str, tuple[str, Read]], kind: Kind = "collection") -> str:
    qualified = str(sent.tag)
    if qualified not in settable:
        return FORBIDDEN if is_protected(qualified, kind) else _keep(change, qualified, sent)
    target, read = settable[qualified]
    value = read(sent)
    if value is None:
        return CONFLICT
    change.values[target] = value
    return OK


def _keep(change: Change, qualified: str, sent: Element) -> str:
    language = sent.xpath("string(ancestor-or-self::*[@xml:lang][1]/@xml:lang)")
    if language:
        sent.set("{http://www.w3.org/XML/1998/namespace}lang", str(language))  # it is part of the value (RFC 4918 §4.3)
    written = etree.tostring(sent, encoding="unicode", with_tail=False)
    if len(written) > MAX_PROPERTY:
        return FULL
    change.properties[qualified] = written
    return OK


def _remove(change: Change, qualified: str, settable: Mapping[str, tuple[str, Read]], kind: Kind) -> str:
    if qualified in settable:
        target = settable[qualified][0]
        if target not in _WHEN_REMOVED:
            return FORBIDDEN
        change.values[target] = _WHEN_REMOVED[target]
        return OK
    if is_protected(qualified, kind):
        return FORBIDDEN
    change.properties[qualified] = None
    return OK


def is_protected(qualified: str, kind: Kind) -> bool:
    """Whether this is a property the server itself answers: what it says does not hang on clients."""
    return qualified in PROPERTIES[kind] or qualified in PROPERTIES["object"] or qualified in _ANSWERED_BY_NOBODY
