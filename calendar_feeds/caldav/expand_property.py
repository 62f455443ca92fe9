"""The expand-property report (RFC 3253 §3.8): properties, and in place of addresses those of what is there."""

from __future__ import annotations

from lxml import etree

from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.properties import MISSING, OK, Target, propstat, read_property
from calendar_feeds.caldav.resources import locate_href
from calendar_feeds.caldav.wanted import MAX_NAMES
from calendar_feeds.caldav.xml import (
    DAV,
    MULTISTATUS,
    MULTISTATUS_END,
    Element,
    children,
    declarations,
    element,
    name,
    text,
    text_of,
)
from calendar_feeds.messages import Answer, Refusal

MAX_DEPTH = 4
MAX_FOLLOWED = 200
"""More addresses than this, in one report, stay addresses."""
_FOLLOWED = frozenset({"principal", "proxy", "home", "collection", "inbox", "outbox"})


async def expand_property(exchange: Exchange, root: Element) -> Answer:
    """Properties, and for those that hold addresses the properties of the resources there."""
    exchange.request.need_depth_zero()
    if sum(1 for _ in root.iter()) > MAX_NAMES:
        raise Refusal(403, detail=f"At most {MAX_NAMES} properties are asked for at once.")
    body = await _Expansion(exchange).respond(await exchange.target(), root, 0)
    return Answer(207, f"{MULTISTATUS}{body}{MULTISTATUS_END}".encode())


class _Expansion:
    """One report: how far it has been followed."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._left = MAX_FOLLOWED

    async def respond(self, target: Target, asked: Element, depth: int) -> str:
        """The DAV:response of a resource, with what is asked of it."""
        if depth > MAX_DEPTH:
            raise Refusal(400, detail=f"Properties can be expanded {MAX_DEPTH} times.")
        found, missing = [], []
        for each in children(asked):
            if each.tag != name("property"):
                continue
            if not each.get("name"):
                raise Refusal(400, detail="Every DAV:property has a name.")
            qualified = name(each.get("name", ""), each.get("namespace", DAV))
            rendered = read_property(target, qualified)
            if rendered is None:
                missing.append(_named(each))
            elif any(True for _ in children(each)):
                found.append(element(qualified, await self._follow(rendered, each, depth)))
            else:
                found.append(rendered)
        stats = (propstat(found, OK) if found or not missing else "") + (propstat(missing, MISSING) if missing else "")
        return f"<D:response><D:href>{text(target.href)}</D:href>{stats}</D:response>"

    async def _follow(self, rendered: str, asked: Element, depth: int) -> str:
        """Every DAV:href in a property replaced by the response of what is there; addresses elsewhere stay."""
        wrapped = etree.fromstring(f"<x{declarations()}>{rendered}</x>")
        parts = []
        for href in wrapped.iter(name("href")):
            target = await self._at(text_of(href))
            if target is None:
                parts.append(f"<D:href>{text(text_of(href))}</D:href>")
            else:
                parts.append(await self.respond(target, asked, depth + 1))
        return "".join(parts)

    async def _at(self, address: str) -> Target | None:
        """What is there, as far as the user may read it."""
        location = locate_href(address)
        if location is None or location.kind not in _FOLLOWED or self._left == 0:
            return None
        self._left -= 1
        try:
            return await (await self._exchange.elsewhere(location)).target()
        except Refusal:
            return None


def _named(asked: Element) -> str:
    """An empty element of the asked name, if it is one XML can have."""
    try:
        made = etree.Element(name(asked.get("name", ""), asked.get("namespace", DAV)))
    except ValueError as error:
        raise Refusal(400, detail="A DAV:property has the name of an XML element.") from error
    return element(str(made.tag))
