"""MKCALENDAR (RFC 4791 §5.3.1) and extended MKCOL (RFC 5689): calendars that people add from their devices."""

from __future__ import annotations

from app.domain.errors import AlreadyExists, Forbidden
from app.use_cases.make_collection import NewCollection, make_collection
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.options import allowed
from calendar_feeds.caldav.properties import OK, propstat
from calendar_feeds.caldav.settable import DEPENDENT, Change, read_new
from calendar_feeds.caldav.xml import (
    CALDAV,
    MULTISTATUS,
    MULTISTATUS_END,
    PROLOGUE,
    Element,
    declarations,
    element,
    name,
    names_in,
    parse,
    text,
)
from calendar_feeds.messages import Answer, Refusal

_CALENDAR = {name("collection"), name("calendar", CALDAV)}
_BODIES = {"MKCALENDAR": name("mkcalendar", CALDAV), "MKCOL": name("mkcol")}
MAX_NAME = 255


async def mkcalendar(exchange: Exchange) -> Answer:
    """201 for a new calendar with the properties that came along, all of them or nothing; 403 where something is
    already (405 to MKCOL, RFC 4918 §9.3.1), and for a collection that is no calendar."""
    where, request = exchange.location, exchange.request
    if where.kind not in {"collection", "object"} or (where.kind == "collection" and exchange.calendar is not None):
        raise _taken(exchange)
    if where.kind == "object":
        raise Refusal(403, "<C:calendar-collection-location-ok/>", "A calendar lies in the home, not in another one.")
    if len(where.collection) > MAX_NAME:
        raise Refusal(403, detail=f"The name of a calendar has at most {MAX_NAME} characters.")
    exchange.need("D:bind", "Calendars cannot be added here.", on="home")
    root = parse(await request.xml_body())
    change = _change(root, request.method)
    if not change.is_possible:
        return _answer(exchange, change)
    new = NewCollection(where.collection, **change.values, properties=change.properties)
    try:
        await make_collection(exchange.ports, exchange.owner.id, new)
    except AlreadyExists as there:
        raise _taken(exchange) from there
    except Forbidden as limit:
        raise Refusal(403, "<D:quota-not-exceeded/>", limit.detail) from limit
    return Answer(201, headers={"cache-control": "no-cache"})


def _taken(exchange: Exchange) -> Refusal:
    detail = "There is something here already."
    if exchange.request.method == "MKCOL":
        return Refusal(405, detail=detail, headers={"allow": allowed(exchange)})
    return Refusal(403, "<D:resource-must-be-null/>", detail)


def _change(root: Element | None, method: str) -> Change:
    if root is not None and root.tag != _BODIES[method]:
        raise Refusal(400, detail=f"The body of {method} is not of its kind.")
    if method == "MKCOL":
        kinds = root.find(f"{name('set')}/{name('prop')}/{name('resourcetype')}") if root is not None else None
        if set(names_in(kinds)) != _CALENDAR:
            raise Refusal(403, "<D:valid-resourcetype/>", "Only calendars can be made here.")
    return read_new(root)


def _answer(exchange: Exchange, change: Change) -> Answer:
    """Which property stood in the way (RFC 4791 §5.3.1, RFC 5689 §3.4)."""
    results = {each: DEPENDENT if found == OK else found for each, found in change.results.items()}
    stats = "".join(
        propstat([element(each) for each, found in results.items() if found == told], told)
        for told in dict.fromkeys(results.values())
    )
    if exchange.request.method == "MKCALENDAR":
        body = f"{MULTISTATUS}<D:response><D:href>{text(exchange.href)}</D:href>{stats}</D:response>{MULTISTATUS_END}"
        return Answer(207, body.encode())
    return Answer(403, f"{PROLOGUE}<D:mkcol-response{declarations()}>{stats}</D:mkcol-response>".encode())
