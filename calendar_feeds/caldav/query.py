"""The calendar-query report (RFC 4791 §7.8).

The index narrows by kind and covering range; an object is parsed only where that cannot decide: when it recurs, or when
the filter asks for more than a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.domain.calendars import Calendar
from app.domain.ical_matching import ObjectTimes
from app.domain.ical_zones import known_zone
from app.ports.published import StoredText
from calendar_feeds.caldav.calendar_data import check_calendar_data
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.filters import CompFilter, TimeRange, passes, read_filter
from calendar_feeds.caldav.propfind import wanted_in
from calendar_feeds.caldav.xml import CALDAV, MULTISTATUS, MULTISTATUS_END, Element, name, text_of
from calendar_feeds.messages import Answer, Refusal

_ZONE_SLACK = 26 * 3600
"""How far a floating time can lie from where the index has it, when the query names another zone."""

PARSED_INLINE = 4
"""More objects than this are parsed in a thread, so that nobody else waits for them."""

_RECURS = ("\nRRULE", "\nRDATE", "\nEXDATE", "\nRECURRENCE-ID")


async def calendar_query(exchange: Exchange, root: Element) -> Answer:
    """The members that pass the filter, with the wanted properties."""
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    check_calendar_data(root)
    condition = read_filter(root)
    found = await _passing(exchange, condition, _zone(root, exchange.need_calendar()))
    parts = [MULTISTATUS, *(wanted.respond(exchange.object_target(item)) for item in found), MULTISTATUS_END]
    return Answer(207, "".join(parts).encode(), headers=wanted.headers)


def _zone(root: Element, calendar: Calendar) -> str | None:
    """The zone the query wants floating times read in, when it is another than the calendar's."""
    named = text_of(root.find(name("timezone-id", CALDAV)))
    definition = root.find(name("timezone", CALDAV))
    if not named and definition is not None:
        lines = (definition.text or "").splitlines()
        named = next((line.partition(":")[2].strip() for line in lines if line.upper().startswith("TZID")), "")
    if not named or named == calendar.timezone:
        return None
    zone = known_zone(named)
    if zone is None:
        raise Refusal(403, "<C:valid-calendar-data/>", "The time zone of the query is not known here.")
    return zone.key


async def _candidates(exchange: Exchange, condition: CompFilter, zone: str | None) -> Sequence[StoredText]:
    """The objects that may pass, by the index."""
    is_collection = exchange.location.kind == "collection"
    if condition.absent or (exchange.request.depth == "0" and is_collection):
        return ()  # the collection itself is no object
    calendar = exchange.need_calendar()
    if not is_collection:
        return await exchange.store.texts(calendar.id, [exchange.location.name])
    kind, time = None, None
    if len(condition.comps) == 1 and not condition.comps[0].absent:
        kind, time = condition.comps[0].name, condition.comps[0].time
    if time is None or kind != "VEVENT":  # the ranges of tasks follow from more than their times
        return await exchange.store.texts_between(calendar.id, None, None, kind)
    slack = _ZONE_SLACK if zone else 0
    start = None if time.start is None else time.start - slack
    end = None if time.end is None else time.end + slack
    return await exchange.store.texts_between(calendar.id, start, end, kind)


async def _passing(exchange: Exchange, condition: CompFilter, zone: str | None) -> list[StoredText]:
    candidates = await _candidates(exchange, condition, zone)
    to_parse = [item for item in candidates if not _is_decided(exchange, item, condition, zone)]
    if not to_parse:
        return list(candidates)
    read_in = zone or exchange.need_calendar().timezone
    if len(to_parse) > PARSED_INLINE:
        failed = await asyncio.to_thread(_failing, to_parse, condition, read_in)
    else:
        failed = _failing(to_parse, condition, read_in)
    return [item for item in candidates if item.name not in failed]


def _is_decided(exchange: Exchange, item: StoredText, condition: CompFilter, zone: str | None) -> bool:
    """Whether being found by the index is enough."""
    if exchange.location.kind != "collection" or condition.props or len(condition.comps) > 1:
        return False
    if not condition.comps:
        return True
    inner = condition.comps[0]
    if not inner.is_bare:
        return False
    if inner.time is None:
        return True
    return inner.name == "VEVENT" and zone is None and not any(each in item.data for each in _RECURS)


def _failing(items: Sequence[StoredText], condition: CompFilter, zone: str) -> set[str]:
    """The names of those that do not pass. Pure work, done in a thread when there is much of it."""
    return {item.name for item in items if not _passes(item, condition, zone)}


def _passes(item: StoredText, condition: CompFilter, zone: str) -> bool:
    times = ObjectTimes(item.data, zone)

    def in_time(component: object, time: TimeRange) -> bool:
        return times.overlaps(component, time.start, time.end)

    return passes(times.calendar, condition, in_time)
