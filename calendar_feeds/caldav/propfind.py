"""PROPFIND (RFC 4918 §9.1)."""

from __future__ import annotations

from dataclasses import replace

from app.domain.calendars import INBOX
from calendar_feeds.caldav.acl import privileges
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.members import answer_with_members
from calendar_feeds.caldav.properties import AVAILABILITY, Target
from calendar_feeds.caldav.resources import (
    HOMES,
    OUTBOX,
    PRINCIPALS,
    PROXIES,
    ROOT,
    Kind,
    collection_href,
    home_href,
    principal_href,
    proxy_href,
)
from calendar_feeds.caldav.wanted import Wanted, wanted_in
from calendar_feeds.caldav.xml import MULTISTATUS, MULTISTATUS_END, name, parse
from calendar_feeds.messages import Answer, Refusal

_FINITE = "<D:propfind-finite-depth/>"


async def propfind(exchange: Exchange) -> Answer:
    """Properties of the resource and, with Depth 1, of its members."""
    root = parse(await exchange.request.xml_body())
    if root is not None and root.tag != name("propfind"):
        raise Refusal(400, detail="A PROPFIND has a DAV:propfind body.")
    if root is not None and sum(root.find(name(each)) is not None for each in ("prop", "allprop", "propname")) != 1:
        raise Refusal(400, detail="A DAV:propfind has one of DAV:prop, DAV:allprop and DAV:propname.")
    depth = exchange.request.depth or "infinity"
    if depth == "infinity":
        raise Refusal(403, _FINITE, "Ask with Depth 0 or 1.")
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    head = MULTISTATUS
    if depth == "0" or not exchange.request.wants_no_root:
        head += wanted.respond(await exchange.target())
    if depth == "1":
        if exchange.location.kind in {"collection", "inbox"}:
            return await answer_with_members(exchange, wanted, head, MULTISTATUS_END)
        head += "".join(wanted.respond(member) for member in await members(exchange, wanted))
    return Answer(207, f"{head}{MULTISTATUS_END}".encode(), headers=wanted.headers)


async def members(exchange: Exchange, wanted: Wanted) -> list[Target]:
    """What lies directly below the resource of the request, objects of calendars excepted."""
    own, handle = exchange.own_target, exchange.owner.handle
    match exchange.location.kind:
        case "site":
            return [own("root", ROOT)]
        case "root":
            return [own("principals", PRINCIPALS), own("homes", HOMES)]
        case "principals":
            return [await exchange.principal(exchange.owner, "owner", principal_href(handle))]
        case "principal":
            groups = (await exchange.target()).groups
            return [replace(own("proxy", proxy_href(handle, group)), groups=groups) for group in PROXIES]
        case "homes":
            return [own("home", home_href(handle))]
        case "home":
            return await _collections(exchange, wanted)
        case _:
            return []


async def _collections(exchange: Exchange, wanted: Wanted) -> list[Target]:
    """What the user may read of a home: its calendars, and their own inbox and outbox."""
    own, handle, access = exchange.own_target, exchange.owner.handle, exchange.access
    found = []
    for calendar in await exchange.store.builtin_calendars(exchange.owner.id):
        kind: Kind = "inbox" if calendar.name == INBOX else "collection"
        if kind == "inbox" and not set(AVAILABILITY).isdisjoint(wanted.names):
            found.append(await exchange.inbox_target(calendar))
        else:
            found.append(own(kind, collection_href(handle, calendar.name), calendar))
    found.append(own("outbox", collection_href(handle, OUTBOX)))
    return [each for each in found if "D:read" in privileges(each.kind, access, each.calendar)]
