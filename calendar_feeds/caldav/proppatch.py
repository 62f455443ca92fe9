"""PROPPATCH (RFC 4918 §9.2): name, description, colour and order of a calendar; all of it or nothing."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from app.domain.errors import Forbidden, NotFound
from app.use_cases.change_collection import change_collection
from calendar_feeds.caldav.acl import need_privilege
from calendar_feeds.caldav.exchange import NOT_THERE, Exchange
from calendar_feeds.caldav.properties import OK, PROPERTIES, propstat
from calendar_feeds.caldav.xml import (
    APPLE,
    CALDAV,
    MULTISTATUS,
    MULTISTATUS_END,
    NOT_IN_XML,
    Element,
    children,
    element,
    name,
    parse,
    text,
)
from calendar_feeds.messages import Answer, Refusal

FORBIDDEN, CONFLICT, DEPENDENT = "HTTP/1.1 403 Forbidden", "HTTP/1.1 409 Conflict", "HTTP/1.1 424 Failed Dependency"
_COLOR = re.compile(r"#[0-9A-Fa-f]{6}(?:[0-9A-Fa-f]{2})?")
_PROTECTED = "<D:error><D:cannot-modify-protected-property/></D:error>"


def _name_of(value: str) -> str | None:
    return value if value and len(value) <= 255 else None


def _description(value: str) -> str | None:
    return value if len(value) <= 10_000 else None


def _color(value: str) -> str | None:
    return value if _COLOR.fullmatch(value) else None


def _position(value: str) -> int | None:
    return int(value) if re.fullmatch(r"-?[0-9]{1,9}", value) else None


SETTABLE: dict[str, tuple[str, Callable[[str], Any]]] = {
    name("displayname"): ("display_name", _name_of),
    name("calendar-description", CALDAV): ("description", _description),
    name("calendar-color", APPLE): ("color", _color),
    name("calendar-order", APPLE): ("position", _position),
}
"""By property: the field it sets, and how to read its text (None: not a possible value)."""

_WHEN_REMOVED: dict[str, Any] = {"description": "", "color": None}


async def proppatch(exchange: Exchange) -> Answer:
    """Set or remove what can be; one property that cannot makes the others 424."""
    root = parse(await exchange.request.xml_body())
    if root is None or root.tag != name("propertyupdate"):
        raise Refusal(400, detail="A PROPPATCH has a DAV:propertyupdate body.")
    if exchange.location.collection:
        calendar = exchange.need_calendar()
        if calendar.read_only:
            raise need_privilege(exchange.collection_href, "D:write-properties", "This calendar is read-only.")
    else:
        raise need_privilege(exchange.href, "D:write-properties", "The properties of this resource are fixed.")
    values, results = _read(exchange, root)
    if not results:
        raise Refusal(400, detail="A PROPPATCH names at least one property.")
    if all(status == OK for status in results.values()):
        await _store(exchange, values)
    else:
        results = {each: DEPENDENT if status == OK else status for each, status in results.items()}
    return _answer(exchange.href, results)


def _read(exchange: Exchange, root: Element) -> tuple[dict[str, Any], dict[str, str]]:
    """The fields to set, and the status of each property named, in document order."""
    values: dict[str, Any] = {}
    results: dict[str, str] = {}
    for instruction in children(root):
        prop = instruction.find(name("prop"))
        if instruction.tag not in {name("set"), name("remove")} or prop is None:
            continue
        for each in children(prop):
            results[str(each.tag)] = _take(exchange, each, instruction.tag == name("set"), values)
    return values, results


def _take(exchange: Exchange, prop: Element, is_set: bool, values: dict[str, Any]) -> str:
    settable = SETTABLE.get(str(prop.tag)) if exchange.location.kind == "collection" else None
    if settable is None:
        return FORBIDDEN
    field, read = settable
    if not is_set:
        if field not in _WHEN_REMOVED:
            return FORBIDDEN
        values[field] = _WHEN_REMOVED[field]
        return OK
    sent = "".join(str(part) for part in prop.itertext()).strip()
    value = None if NOT_IN_XML.search(sent) else read(sent)
    if value is None:
        return CONFLICT
    values[field] = value
    return OK


async def _store(exchange: Exchange, values: dict[str, Any]) -> None:
    try:
        await change_collection(exchange.ports, exchange.need_calendar(), **values)
    except NotFound as gone:
        raise Refusal(404, detail=NOT_THERE) from gone
    except Forbidden as forbidden:
        raise need_privilege(exchange.collection_href, "D:write-properties", forbidden.detail) from forbidden


def _answer(href: str, results: dict[str, str]) -> Answer:
    parts = [MULTISTATUS, f"<D:response><D:href>{text(href)}</D:href>"]
    for status in dict.fromkeys(results.values()):
        named = [each for each, found in results.items() if found == status]
        parts.append(propstat([element(each) for each in named], status))
        if status == FORBIDDEN and any(each in PROPERTIES["collection"] for each in named):
            parts[-1] = parts[-1].removesuffix("</D:propstat>") + _PROTECTED + "</D:propstat>"
    parts.append(f"</D:response>{MULTISTATUS_END}")
    return Answer(207, "".join(parts).encode())
