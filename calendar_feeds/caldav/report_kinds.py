"""Which reports which resources have: told to clients and held to by one table (RFC 3253 §3.6, RFC 4791 §7)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from calendar_feeds.caldav.resources import Kind
from calendar_feeds.caldav.xml import CALDAV, element, name

_OBJECTS: frozenset[Kind] = frozenset({"collection", "inbox", "object"})
_EMPTY: frozenset[Kind] = frozenset({"outbox"})
"""Collections that hold objects by their kind, and never any."""
_MEMBERS: frozenset[Kind] = frozenset({"collection", "inbox"})
_ABOVE: frozenset[Kind] = frozenset({"site", "root", "principals", "principal", "proxy", "homes", "home"})
_OWNED: frozenset[Kind] = frozenset({"principal", "proxy", "home", "collection", "inbox", "outbox", "object"})

REPORT_KINDS: Mapping[str, frozenset[Kind]] = {
    name("calendar-query", CALDAV): _OBJECTS | _EMPTY | {"home"},
    name("calendar-multiget", CALDAV): _OBJECTS | _EMPTY | {"home"},
    name("free-busy-query", CALDAV): frozenset({"home", "collection", "object"}),
    name("sync-collection"): _MEMBERS,
    name("expand-property"): _ABOVE | _OWNED,
    name("principal-search-property-set"): _ABOVE | _MEMBERS,
    name("principal-property-search"): _ABOVE | _MEMBERS,
    name("principal-match"): _ABOVE | _MEMBERS,
    name("acl-principal-prop-set"): _OWNED,
}


@cache
def supported_reports(kind: Kind) -> str:
    """The content of DAV:supported-report-set."""
    return "".join(
        f"<D:supported-report><D:report>{element(report)}</D:report></D:supported-report>"
        for report, kinds in REPORT_KINDS.items()
        if kind in kinds
    )
