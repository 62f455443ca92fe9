"""REPORT (RFC 3253 §3.6): which report, and whether this resource has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from calendar_feeds.caldav import multiget, principals, query, sync
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.resources import Kind
from calendar_feeds.caldav.xml import CALDAV, Element, name, parse
from calendar_feeds.messages import Answer, Refusal

Report = Callable[[Exchange, Element], Awaitable[Answer]]

_IN_CALENDARS: frozenset[Kind] = frozenset({"collection", "object"})
_ANYWHERE: frozenset[Kind] = frozenset(
    {"site", "root", "principals", "principal", "homes", "home", "collection", "object"}
)

REPORTS: dict[str, tuple[Report, frozenset[Kind]]] = {
    name("calendar-query", CALDAV): (query.calendar_query, _IN_CALENDARS),
    name("calendar-multiget", CALDAV): (multiget.calendar_multiget, _IN_CALENDARS),
    name("sync-collection"): (sync.sync_collection, frozenset({"collection"})),
    name("expand-property"): (principals.expand_property, _ANYWHERE),
    name("principal-search-property-set"): (principals.search_property_set, _ANYWHERE - _IN_CALENDARS),
    name("principal-property-search"): (principals.property_search, _ANYWHERE - _IN_CALENDARS),
}


async def report(exchange: Exchange) -> Answer:
    """Answer the report that the body names; 403 with DAV:supported-report when the resource does not have it."""
    root = parse(await exchange.request.xml_body())
    if root is None:
        raise Refusal(400, detail="A REPORT has a body that names the report.")
    found = REPORTS.get(str(root.tag))
    if exchange.location.collection:
        exchange.need_calendar()
    if found is None or exchange.location.kind not in found[1]:
        raise Refusal(403, "<D:supported-report/>", "This resource does not have that report.")
    return await found[0](exchange, root)
