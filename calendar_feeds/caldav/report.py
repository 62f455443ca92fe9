"""REPORT (RFC 3253 §3.6): which report, and whether this resource has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from calendar_feeds.caldav import expand_property, free_busy_query, multiget, principals, query, sync
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.report_kinds import REPORT_KINDS
from calendar_feeds.caldav.xml import CALDAV, Element, name, parse
from calendar_feeds.messages import Answer, Refusal

Report = Callable[[Exchange, Element], Awaitable[Answer]]

REPORTS: Mapping[str, Report] = {
    name("calendar-query", CALDAV): query.calendar_query,
    name("calendar-multiget", CALDAV): multiget.calendar_multiget,
    name("free-busy-query", CALDAV): free_busy_query.free_busy_query,
    name("sync-collection"): sync.sync_collection,
    name("expand-property"): expand_property.expand_property,
    name("principal-search-property-set"): principals.search_property_set,
    name("principal-property-search"): principals.property_search,
    name("principal-match"): principals.principal_match,
    name("acl-principal-prop-set"): principals.acl_principals,
}


async def report(exchange: Exchange) -> Answer:
    """Answer the report that the body names; 403 with DAV:supported-report when the resource does not have it."""
    root = parse(await exchange.request.xml_body())
    if root is None:
        raise Refusal(400, detail="A REPORT has a body that names the report.")
    found = REPORTS.get(str(root.tag))
    if exchange.location.collection:
        exchange.need_calendar()
    if found is None or exchange.location.kind not in REPORT_KINDS[str(root.tag)]:
        raise Refusal(403, "<D:supported-report/>", "This resource does not have that report.")
    return await found(exchange, root)
