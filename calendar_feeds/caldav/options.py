"""OPTIONS: what can be done here (RFC 4918 §10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calendar_feeds.messages import Answer

if TYPE_CHECKING:
    from calendar_feeds.caldav.exchange import Exchange

DAV_FEATURES = "1, 3, access-control, calendar-access"

_READ = "OPTIONS, GET, HEAD, PROPFIND, REPORT"
ALLOW = {
    "site": _READ,
    "root": _READ,
    "principals": _READ,
    "principal": _READ,
    "homes": _READ,
    "home": _READ,
    "collection": f"{_READ}, PROPPATCH",
    "object": f"{_READ}, PUT, DELETE",
}


async def options(exchange: Exchange) -> Answer:
    """What is allowed for the kind of resource; a read-only calendar lists no method that writes."""
    location = exchange.location
    if location.collection:
        calendar = exchange.need_calendar()
        allowed = _READ if calendar.read_only else ALLOW[location.kind]
        if location.kind == "collection" and not calendar.read_only:
            allowed += ", PUT, DELETE"  # of its members: clients look here (Evolution)
        return Answer(200, headers={"allow": allowed})
    return Answer(200, headers={"allow": ALLOW[location.kind]})
