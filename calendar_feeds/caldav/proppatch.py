"""PROPPATCH (RFC 4918 §9.2): the properties of a calendar, and who assists a person; all of it or nothing."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.errors import Forbidden, NotFound
from app.use_cases.change_collection import change_collection
from app.use_cases.change_home import change_home
from app.use_cases.choose_assistants import choose_assistants
from calendar_feeds.caldav.acl import need_privilege
from calendar_feeds.caldav.availability import set_hours, take_hours
from calendar_feeds.caldav.exchange import NOT_THERE, Exchange
from calendar_feeds.caldav.properties import OK, propstat
from calendar_feeds.caldav.resources import PROXIES, locate_href
from calendar_feeds.caldav.settable import CONFLICT, DEPENDENT, FORBIDDEN, Change, is_protected, read_update
from calendar_feeds.caldav.xml import MULTISTATUS, MULTISTATUS_END, Element, element, name, parse, text, text_of
from calendar_feeds.messages import Answer, Refusal

_PROTECTED = "<D:error><D:cannot-modify-protected-property/></D:error>"
_MEMBERS = name("group-member-set")


async def proppatch(exchange: Exchange) -> Answer:
    """Set or remove what can be; one property that cannot makes the others 424."""
    root = parse(await exchange.request.xml_body())
    if root is None or root.tag != name("propertyupdate"):
        raise Refusal(400, detail="A PROPPATCH has a DAV:propertyupdate body.")
    kind = exchange.location.kind
    if exchange.location.collection:
        exchange.need_calendar()
    if kind == "object":
        raise Refusal(403, detail="Objects have no properties of clients: what is to be kept belongs into the object.")
    exchange.need("D:write-properties", "The properties of this resource are fixed.")
    hours = take_hours(root) if kind == "inbox" else None
    change = read_update(root, kind, await _kept(exchange))
    if not change.results and hours is None:
        raise Refusal(400, detail="A PROPPATCH names at least one property.")
    if hours is not None:
        await set_hours(exchange, hours, change)
    if kind == "proxy":
        await _choose_assistants(exchange, root, change)
    elif change.is_possible and kind == "home":
        await change_home(exchange.ports, exchange.owner.id, change.properties)
    elif change.is_possible:
        await _store(exchange, change)
    return _answer(exchange, change)


async def _kept(exchange: Exchange) -> Mapping[str, str]:
    """The properties of clients that are there before the change."""
    if exchange.location.kind == "home":
        async with exchange.ports.read() as work:
            return await work.calendars.home_properties(exchange.owner.id)
    return exchange.calendar.properties if exchange.calendar else {}


async def _store(exchange: Exchange, change: Change) -> None:
    try:
        await change_collection(exchange.ports, exchange.need_calendar(), change.properties, **change.values)
    except NotFound as gone:
        raise Refusal(404, detail=NOT_THERE) from gone
    except Forbidden as forbidden:
        raise need_privilege(exchange.collection_href, "D:write-properties", forbidden.detail) from forbidden


async def _choose_assistants(exchange: Exchange, root: Element, change: Change) -> None:
    """The members of a proxy group, by the addresses of their principals."""
    change.results = {each: OK if each == _MEMBERS else FORBIDDEN for each in change.results}
    if not change.is_possible:
        return
    handles = []
    for each in root.iter(name("href")):
        there = locate_href(text_of(each))
        handles.append(there.handle if there is not None and there.kind == "principal" else "")
    access = PROXIES[exchange.location.name]
    try:
        await choose_assistants(exchange.ports, exchange.owner, access, handles)
    except NotFound:
        change.results[_MEMBERS] = CONFLICT


def _answer(exchange: Exchange, change: Change) -> Answer:
    results = change.results
    if not change.is_possible:
        results = {each: DEPENDENT if status == OK else status for each, status in results.items()}
    elif exchange.request.wants_minimal:  # RFC 8144 §2.3: nothing went wrong, so there is nothing to tell
        return Answer(200, headers={"preference-applied": "return=minimal", "vary": "Brief, Prefer"})
    parts = [MULTISTATUS, f"<D:response><D:href>{text(exchange.href)}</D:href>"]
    for status in dict.fromkeys(results.values()):
        named = [each for each, found in results.items() if found == status]
        stat = propstat([element(each) for each in named], status)
        reasons = "".join(change.reasons.get(each, "") for each in named)
        stat = stat.removesuffix("</D:propstat>") + reasons + "</D:propstat>"
        is_told = status == FORBIDDEN and any(is_protected(each, exchange.location.kind) for each in named)
        parts.append(stat.removesuffix("</D:propstat>") + _PROTECTED + "</D:propstat>" if is_told else stat)
    parts.append(f"</D:response>{MULTISTATUS_END}")
    return Answer(207, "".join(parts).encode())
