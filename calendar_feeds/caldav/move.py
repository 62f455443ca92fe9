"""MOVE and COPY of an object from one of a person's calendars to another (RFC 4918 §9.8, §9.9)."""

from __future__ import annotations

from dataclasses import replace

from app.domain.calendars import INBOX, SCHEDULE, Calendar
from app.domain.errors import Forbidden, NotFound, StaleVersion
from app.use_cases.calendar_objects import ObjectRefused
from app.use_cases.move_calendar_object import Passage, move_calendar_object
from calendar_feeds.caldav.acl import need_privilege
from calendar_feeds.caldav.conditions import conditions_of
from calendar_feeds.caldav.exchange import NOT_THERE, Exchange
from calendar_feeds.caldav.put import MAX_NAME, refused_object
from calendar_feeds.caldav.resources import Location, locate_href
from calendar_feeds.messages import Answer, Refusal


async def move(exchange: Exchange) -> Answer:
    """201 where nothing was, 204 where something was replaced."""
    return await _pass(exchange, copies=False)


async def copy(exchange: Exchange) -> Answer:
    """The same, and the source stays."""
    return await _pass(exchange, copies=True)


async def _pass(exchange: Exchange, *, copies: bool) -> Answer:
    if exchange.location.kind != "object":
        raise Refusal(403, detail="Only objects can be moved and copied; a calendar is renamed by its displayname.")
    source = exchange.need_calendar()
    if not copies:
        exchange.need("D:unbind", "This calendar is read-only.")
    there = await _destination(exchange)
    target = there.need_calendar()
    there.need("D:bind", "This calendar is read-only.", on="collection")
    _check_kinds(source, target, copies=copies)
    overwrites = (exchange.request.header("overwrite") or "T").upper() != "F"
    passage = Passage(
        source, exchange.location.name, target, there.location.name, copies, overwrites, is_plain=exchange.is_others
    )
    try:
        created = await move_calendar_object(
            exchange.ports, passage, conditions_of(exchange.request), frozenset({exchange.owner.email})
        )
    except ObjectRefused as refused:
        raise refused_object(there, refused) from refused
    except StaleVersion as stale:
        raise Refusal(412, detail=stale.detail) from stale
    except NotFound as gone:
        raise Refusal(404, detail=NOT_THERE) from gone
    except Forbidden as forbidden:
        raise need_privilege(there.collection_href, "D:bind", forbidden.detail) from forbidden
    return Answer(201 if created else 204, headers={"location": exchange.request.origin + there.href})


async def _destination(exchange: Exchange) -> Exchange:
    """What the Destination header names, as if the request were for that; it lies in the same home."""
    there = locate_href(exchange.request.header("destination") or "")
    if there is None or there.kind != "object":
        raise Refusal(400, detail="A Destination is the address of an object in a calendar.")
    if there.handle != exchange.owner.handle:
        raise Refusal(403, detail="Objects are moved and copied among one person's calendars.")
    if there == exchange.location:
        raise Refusal(403, detail="Source and destination are the same.")
    if len(there.name) > MAX_NAME:
        raise Refusal(403, detail=f"The name of an object has at most {MAX_NAME} characters.")
    return replace(exchange, location=there, calendar=await _calendar(exchange, there), _collection=None)


async def _calendar(exchange: Exchange, there: Location) -> Calendar:
    async with exchange.ports.read() as work:
        found = await work.calendars.builtin_calendar(exchange.owner.id, there.collection)
    if found is None:
        raise Refusal(409, detail="There is no such calendar.")
    return found


def _check_kinds(source: Calendar, target: Calendar, *, copies: bool) -> None:
    """Bookings are moved in time, not elsewhere; and messages are no events."""
    if target.name in {SCHEDULE, INBOX} or source.name == INBOX or (source.name == SCHEDULE and not copies):
        raise Refusal(403, detail="A booking stays in the schedule, and a message in the inbox.")
