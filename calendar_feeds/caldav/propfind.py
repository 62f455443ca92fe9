"""PROPFIND (RFC 4918 §9.1)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.ports.published import FIELD, RECORD, StoredText
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.properties import NEED_TEXT, Target, in_allprop, names_response, response
from calendar_feeds.caldav.resources import (
    HOMES,
    PRINCIPALS,
    ROOT,
    Kind,
    are_plain,
    collection_href,
    home_href,
    principal_href,
    segment,
)
from calendar_feeds.caldav.xml import MULTISTATUS, MULTISTATUS_END, Element, name, names_in, parse
from calendar_feeds.messages import Answer, Refusal

_FINITE = "<D:propfind-finite-depth/>"
_NAME, _ETAG = "%00name%00", "\x00etag\x00"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which properties: those named, or all (with those named beside), or just the names of what there is."""

    mode: Literal["prop", "allprop", "propname"]
    names: tuple[str, ...] = ()
    minimal: bool = False

    def for_kind(self, kind: Kind) -> Sequence[str]:
        """The names to answer for a resource of this kind."""
        if self.mode == "prop":
            return self.names
        return list(dict.fromkeys([*in_allprop(kind), *self.names]))

    def respond(self, target: Target) -> str:
        """The DAV:response of a resource."""
        if self.mode == "propname":
            return names_response(target)
        return response(target, self.for_kind(target.kind), minimal=self.minimal or self.mode == "allprop")

    @property
    def headers(self) -> dict[str, str]:
        """What to say of the preference that was followed."""
        return {"preference-applied": "return=minimal", "vary": "Brief, Prefer"} if self.minimal else {}


def wanted_in(root: Element | None, *, minimal: bool) -> Wanted:
    """Read DAV:prop, DAV:allprop or DAV:propname among the children; nothing of these means all."""
    if root is None:
        return Wanted("allprop", minimal=minimal)
    prop = root.find(name("prop"))
    if prop is not None:
        return Wanted("prop", tuple(names_in(prop)), minimal)
    if root.find(name("propname")) is not None:
        return Wanted("propname")
    return Wanted("allprop", tuple(names_in(root.find(name("include")))), minimal)


async def propfind(exchange: Exchange) -> Answer:
    """Properties of the resource and, with Depth 1, of its members."""
    root = parse(await exchange.request.xml_body())
    if root is not None and root.tag != name("propfind"):
        raise Refusal(400, detail="A PROPFIND has a DAV:propfind body.")
    depth = exchange.request.depth or "infinity"
    if depth == "infinity":
        raise Refusal(403, _FINITE, "Ask with Depth 0 or 1.")
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    parts = [MULTISTATUS, wanted.respond(await exchange.target())]
    if depth == "1":
        parts.append(await _members(exchange, wanted))
    parts.append(MULTISTATUS_END)
    return Answer(207, "".join(parts).encode(), headers=wanted.headers)


async def _members(exchange: Exchange, wanted: Wanted) -> str:
    user = exchange.user
    match exchange.location.kind:
        case "site":
            members = [Target("root", ROOT, user)]
        case "root":
            members = [Target("principals", PRINCIPALS, user), Target("homes", HOMES, user)]
        case "principals":
            members = [Target("principal", principal_href(user.handle), user)]
        case "homes":
            members = [Target("home", home_href(user.handle), user)]
        case "home":
            calendars = await exchange.store.builtin_calendars(user.id)
            members = [Target("collection", collection_href(user.handle, each), user, each) for each in calendars]
        case "collection":
            return await objects(exchange, wanted)
        case _:
            members = []
    return "".join(wanted.respond(member) for member in members)


async def objects(exchange: Exchange, wanted: Wanted) -> str:
    """Responses for all members of a calendar."""
    calendar = exchange.need_calendar()
    if wanted.mode == "prop" and NEED_TEXT.isdisjoint(wanted.names):
        return listed(exchange, wanted, await exchange.store.listing(calendar.id))
    found = await exchange.store.texts_between(calendar.id, None, None, None)
    return "".join(wanted.respond(exchange.object_target(item)) for item in found)


def listed(exchange: Exchange, wanted: Wanted, listing: str) -> str:
    """Responses from a listing of names and etags: one is rendered, the others differ from it in just these two."""
    if not listing:
        return ""
    item = StoredText("", _ETAG, "VEVENT", "", 0)
    target = Target("object", exchange.collection_href + _NAME, exchange.user, exchange.calendar, item)
    head, _, rest = wanted.respond(target).partition(_NAME)
    middle, has_etag, tail = rest.partition(_ETAG)
    if has_etag and are_plain(listing, FIELD, RECORD, '"'):
        return head + listing.replace(FIELD, middle).replace(RECORD, tail + head) + tail
    pairs = (record.partition(FIELD) for record in listing.split(RECORD))
    return "".join(f"{head}{segment(member)}{middle}{etag if has_etag else ''}{tail}" for member, _, etag in pairs)
