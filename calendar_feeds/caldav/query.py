"""The calendar-query report (RFC 4791 §7.8).

The index narrows by kind and covering range; an object is read only where that cannot decide: when it recurs, or when
the filter asks for more than a time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import tzinfo

from app.domain.errors import Invalid
from app.domain.rrules import Effort
from app.ports.published import StoredText
from calendar_feeds.caldav.calendar_data import form_in, in_form
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.filter_matching import Candidate
from calendar_feeds.caldav.filters import CompFilter, read_filter
from calendar_feeds.caldav.limits import cut, cut_response, limit_in
from calendar_feeds.caldav.object_responses import responder
from calendar_feeds.caldav.query_zone import calendar_zone, query_zone
from calendar_feeds.caldav.wanted import wanted_in
from calendar_feeds.caldav.xml import MULTISTATUS, MULTISTATUS_END, Element
from calendar_feeds.messages import Answer

_ZONE_SLACK = 26 * 3600
"""How far a floating time can lie from where the index has it, when the query names another zone."""

PARSED_INLINE = 4
"""More objects than this are parsed in a thread, so that nobody else waits for them."""
EFFORT = 2_000_000
"""What may be spent on rules for one query, in starts found; beyond it, the covering range decides."""

_RECURS = ("\nRRULE", "\nRDATE", "\nEXDATE", "\nRECURRENCE-ID")
_INDEXED = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})


async def calendar_query(exchange: Exchange, root: Element) -> Answer:
    """The members that pass the filter, with the wanted properties; of a home, those of all its calendars."""
    wanted = wanted_in(root, minimal=exchange.request.wants_minimal)
    form, limit = form_in(root), limit_in(root)
    condition = read_filter(root)
    parts, left, is_cut = [MULTISTATUS], limit, False
    for each in await calendars_below(exchange):
        calendar = each.need_calendar()
        zone = query_zone(root, calendar)
        found, is_cut = cut(await _passing(each, condition, zone), left)
        shown = await in_form(found, form, zone or calendar_zone(calendar))
        parts += map(responder(each, wanted), shown)
        left = None if left is None else left - len(found)
        if is_cut:
            parts.append(cut_response(exchange.href))
            break
    return Answer(207, "".join([*parts, MULTISTATUS_END]).encode(), headers=wanted.headers)


async def calendars_below(exchange: Exchange) -> list[Exchange]:
    """The request as it is for each calendar it is about: its own, or all of a home asked in depth; the outbox has
    nothing in it (RFC 6638 §2.1)."""
    if exchange.location.kind == "outbox":
        return []
    if exchange.location.kind != "home":
        return [exchange]
    if exchange.request.depth != "infinity":
        return []  # only calendars lie directly in a home (RFC 4791 §7.8 looks at objects)
    return await exchange.calendars()


async def _candidates(exchange: Exchange, condition: CompFilter, zone: tzinfo | None) -> Sequence[StoredText]:
    """The objects that may pass, by the index."""
    is_object = exchange.location.kind == "object"
    if condition.absent or (exchange.request.depth == "0" and not is_object):
        return ()  # the collection itself is no object
    calendar = exchange.need_calendar()
    if is_object:
        return await exchange.store.texts(calendar.id, [exchange.location.name], plain=exchange.is_others)
    kind, time = None, None
    if (
        len(condition.comps) == 1
        and not condition.comps[0].absent
        and (condition.test == "allof" or not condition.props)
    ):
        kind, time = condition.comps[0].name, condition.comps[0].time
    if time is None or kind not in _INDEXED:
        return await exchange.store.texts_between(calendar.id, None, None, kind, plain=exchange.is_others)
    slack = _ZONE_SLACK if zone else 0
    start = None if time.start is None else time.start - slack
    end = None if time.end is None else time.end + slack
    if kind != "VEVENT":  # the end of a range can be when a task is due (§9.9)
        end = None if end is None else end + 1
    return await exchange.store.texts_between(calendar.id, start, end, kind, plain=exchange.is_others)


async def _passing(exchange: Exchange, condition: CompFilter, zone: tzinfo | None) -> list[StoredText]:
    candidates = await _candidates(exchange, condition, zone)
    to_parse = [item for item in candidates if not _is_decided(exchange, item, condition, zone)]
    if not to_parse:
        return list(candidates)
    read_in = zone or calendar_zone(exchange.need_calendar())
    if len(to_parse) > PARSED_INLINE:
        failed = await asyncio.to_thread(_failing, to_parse, condition, read_in)
    else:
        failed = _failing(to_parse, condition, read_in)
    return [item for item in candidates if item.name not in failed]


def _is_decided(exchange: Exchange, item: StoredText, condition: CompFilter, zone: tzinfo | None) -> bool:
    """Whether being found by the index is enough."""
    if exchange.location.kind == "object" or condition.props or len(condition.comps) > 1:
        return False
    if not condition.comps:
        return True
    inner = condition.comps[0]
    if not inner.is_bare or inner.name == "VTIMEZONE":
        return False
    if inner.time is None:
        return True
    return inner.name == "VEVENT" and zone is None and not any(each in item.data for each in _RECURS)


def _failing(items: Sequence[StoredText], condition: CompFilter, zone: tzinfo) -> set[str]:
    """The names of those that do not pass. Pure work, done in a thread when there is much of it."""
    effort = Effort(EFFORT)
    return {item.name for item in items if not _passes(item, condition, zone, effort)}


def _passes(item: StoredText, condition: CompFilter, zone: tzinfo, effort: Effort) -> bool:
    try:
        return Candidate(item.data, zone, effort).passes(condition)
    except Invalid:  # kept by an earlier version that read it otherwise
        return False
