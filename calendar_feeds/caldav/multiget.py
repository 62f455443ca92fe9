"""The calendar-multiget report (RFC 4791 §7.9): objects by their addresses, none left out silently."""

from __future__ import annotations

from collections.abc import Sequence

from calendar_feeds.caldav.calendar_data import Form, form_in, in_form
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.object_responses import responder
from calendar_feeds.caldav.properties import gone
from calendar_feeds.caldav.query_zone import calendar_zone
from calendar_feeds.caldav.resources import is_plain, locate_href
from calendar_feeds.caldav.wanted import Wanted, wanted_in
from calendar_feeds.caldav.xml import MULTISTATUS, MULTISTATUS_END, Element, name, text_of
from calendar_feeds.messages import Answer, Refusal


async def calendar_multiget(exchange: Exchange, root: Element) -> Answer:
    """A response for each address asked for: its properties, or 404 when there is no such object in this collection (or
    in any of this home)."""
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    form = form_in(root)
    addresses = list(dict.fromkeys(text_of(each) for each in root.findall(name("href"))))
    if not addresses:
        raise Refusal(400, detail="A calendar-multiget names at least one DAV:href.")
    responses: dict[str, str] = {}
    if exchange.location.kind == "home":
        meant = _by_collection(addresses)
        for each in await exchange.calendars():
            responses |= await _responses(each, meant.get(each.location.collection, []), wanted, form)
    elif exchange.location.kind != "outbox":  # which has nothing in it (RFC 6638 §2.1)
        responses = await _responses(exchange, addresses, wanted, form)
    body = "".join(responses.get(address) or gone(address) for address in addresses)
    return Answer(207, f"{MULTISTATUS}{body}{MULTISTATUS_END}".encode(), headers=wanted.headers)


def _by_collection(addresses: Sequence[str]) -> dict[str, list[str]]:
    """Each address is looked at once, however many calendars there are."""
    found: dict[str, list[str]] = {}
    for address in addresses:
        if (there := locate_href(address)) is not None:
            found.setdefault(there.collection, []).append(address)
    return found


async def _responses(exchange: Exchange, addresses: Sequence[str], wanted: Wanted, form: Form | None) -> dict[str, str]:
    """By address: those that are of this calendar, and there."""
    collection, calendar = exchange.collection_href, exchange.need_calendar()
    members = {address: member for address in addresses if (member := _member(exchange, collection, address))}
    if not members:
        return {}
    found = await exchange.store.texts(calendar.id, list(members.values()), plain=exchange.is_others)
    respond = responder(exchange, wanted)
    by_name = {item.name: respond(item) for item in await in_form(found, form, calendar_zone(calendar))}
    return {address: by_name[member] for address, member in members.items() if member in by_name}


def _member(exchange: Exchange, collection: str, address: str) -> str | None:
    """The name of the member that the address means; None for what lies elsewhere."""
    name = address.removeprefix(collection)
    if len(name) < len(address) and is_plain(name) and exchange.location.kind in {"collection", "inbox"}:
        return name
    here, there = exchange.location, locate_href(address)
    if there is None or there.kind != "object":
        return None
    if (there.handle, there.collection) != (here.handle, here.collection):
        return None
    if here.kind == "object" and there.name != here.name:
        return None
    return there.name
