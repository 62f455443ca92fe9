"""The calendar-multiget report (RFC 4791 §7.9): objects by their addresses, none left out silently."""

from __future__ import annotations

from calendar_feeds.caldav.calendar_data import check_calendar_data
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.properties import gone
from calendar_feeds.caldav.propfind import wanted_in
from calendar_feeds.caldav.resources import is_plain, locate_href
from calendar_feeds.caldav.xml import MULTISTATUS, MULTISTATUS_END, Element, name, text_of
from calendar_feeds.messages import Answer, Refusal


async def calendar_multiget(exchange: Exchange, root: Element) -> Answer:
    """A response for each address asked for: its properties, or 404 when this collection has no such object."""
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    check_calendar_data(root)
    addresses = list(dict.fromkeys(text_of(each) for each in root.findall(name("href"))))
    if not addresses:
        raise Refusal(400, detail="A calendar-multiget names at least one DAV:href.")
    collection = exchange.collection_href
    names = [_member(exchange, collection, address) for address in addresses]
    found = await exchange.store.texts(exchange.need_calendar().id, [each for each in names if each is not None])
    by_name = {item.name: item for item in found}
    parts = [MULTISTATUS]
    for address, member in zip(addresses, names, strict=True):
        item = by_name.get(member) if member is not None else None
        parts.append(gone(address) if item is None else wanted.respond(exchange.object_target(item)))
    parts.append(MULTISTATUS_END)
    return Answer(207, "".join(parts).encode(), headers=wanted.headers)


def _member(exchange: Exchange, collection: str, address: str) -> str | None:
    """The name of the member that the address means; None for what lies elsewhere."""
    name = address.removeprefix(collection)
    if len(name) < len(address) and is_plain(name) and exchange.location.kind == "collection":
        return name
    here, there = exchange.location, locate_href(address)
    if there is None or there.kind != "object":
        return None
    if (there.handle, there.collection) != (here.handle, here.collection):
        return None
    if here.kind == "object" and there.name != here.name:
        return None
    return there.name
