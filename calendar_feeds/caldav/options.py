"""OPTIONS: what can be done here (RFC 4918 §10.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from calendar_feeds.caldav.acl import privileges
from calendar_feeds.messages import Answer

if TYPE_CHECKING:
    from calendar_feeds.caldav.exchange import Exchange

DAV_FEATURES = (
    "1, 3, access-control, extended-mkcol, add-member, calendar-access, calendar-auto-schedule, calendar-availability, "
    "calendar-no-timezone, calendar-proxy, inbox-availability, "
    "calendarserver-principal-property-search"
)

_READ = ("OPTIONS", "GET", "HEAD", "PROPFIND", "REPORT")
_BY_PRIVILEGE = {
    "D:write-properties": ("PROPPATCH",),
    "D:write-content": ("PUT",),
    "D:bind": ("PUT", "POST", "COPY", "MOVE"),
    "D:unbind": ("DELETE", "MOVE"),
    "C:schedule-send-freebusy": ("POST",),
}
"""Methods by what they need. Those for members are told of their collection: clients look there (Evolution)."""


async def options(exchange: Exchange) -> Answer:
    """What the user may do with the resource; on a read-only calendar no method that writes."""
    if exchange.location.collection and exchange.location.kind != "collection":
        exchange.need_calendar()
    return Answer(200, headers={"allow": allowed(exchange)})


def allowed(exchange: Exchange) -> str:
    """The value of an Allow header. Where there is no calendar, one can be made."""
    where = exchange.location
    if where.kind == "collection" and exchange.calendar is None:
        return "OPTIONS, MKCALENDAR, MKCOL"
    granted = privileges(where.kind, exchange.access, exchange.calendar)
    found = [method for name, methods in _BY_PRIVILEGE.items() if name in granted for method in methods]
    if where.kind == "object":
        found = [method for method in found if method not in {"POST", "PROPPATCH"}]
    if where.kind == "home":
        found = [method for method in found if method == "DELETE"] + (["MKCALENDAR", "MKCOL"] if found else [])
    return ", ".join(dict.fromkeys((*_READ, *found)))
