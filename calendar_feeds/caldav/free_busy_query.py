"""The free-busy-query report (RFC 4791 §7.10): when calendars are busy, and nothing of what with."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from app.domain.calendars import INBOX, Calendar
from app.domain.errors import Invalid
from app.domain.free_busy import Busy, busy_times, by_kind, free_busy_text
from app.domain.ical_times import ObjectTimes
from app.domain.intervals import Interval
from app.domain.rrules import Effort
from app.ports.published import StoredText
from calendar_feeds.caldav.acl import privileges
from calendar_feeds.caldav.exchange import Exchange
from calendar_feeds.caldav.properties import OBJECT_TYPE
from calendar_feeds.caldav.query_zone import calendar_zone
from calendar_feeds.caldav.time_range import closed_range
from calendar_feeds.caldav.xml import CALDAV, Element, name
from calendar_feeds.messages import Answer, Refusal

MAX_DAYS = 3 * 366
MAX_PERIODS = 20_000
EFFORT = 1_000_000
"""What may be spent on rules for one answer, in starts found; beyond it, all of a series is busy."""

_KINDS = frozenset({"VEVENT", "VFREEBUSY"})


async def free_busy_query(exchange: Exchange, root: Element) -> Answer:
    """The busy times of a calendar, or of all calendars of a home that count, as VFREEBUSY. A calendar's members are
    always meant, whatever the Depth: by itself it is never busy."""
    asked = root.find(name("time-range", CALDAV))
    if asked is None:
        raise _malformed("A free-busy-query has a C:time-range.")
    window = closed_range(asked, _malformed)
    if window[1] - window[0] > MAX_DAYS * 86400:
        raise _too_much(f"A free-busy-query is about at most {MAX_DAYS} days.")
    exchange.need("C:read-free-busy", "You may not see when these calendars are busy.")
    addresses = frozenset({exchange.owner.email.lower()})
    busy: list[Busy] = []
    effort = Effort(EFFORT)
    for calendar in await _calendars(exchange):
        texts = [each for each in await _texts(exchange, calendar, window) if each.component in _KINDS]
        busy += await asyncio.to_thread(_busy, texts, calendar, window, addresses, effort)
    periods = by_kind(busy)
    if sum(map(len, periods.values())) > MAX_PERIODS:
        raise _too_much("There are more busy times than are told at once; ask for a shorter range.")
    text = free_busy_text(periods, window, exchange.ports.clock(), exchange.href)
    return Answer(200, text.encode(), OBJECT_TYPE)


def _malformed(detail: str) -> Refusal:
    return Refusal(400, detail=detail)


def _too_much(detail: str) -> Refusal:
    return Refusal(403, "<D:number-of-matches-within-limits/>", detail)


async def _calendars(exchange: Exchange) -> list[Calendar]:
    """Those that are asked: of a home, the ones that block time and may be looked into."""
    if exchange.location.kind != "home":
        return [exchange.need_calendar()]
    if exchange.request.depth == "0":
        return []
    return [
        each
        for each in await exchange.store.builtin_calendars(exchange.owner.id)
        if each.name != INBOX
        and (each.is_conflict or each.is_write)
        and "C:read-free-busy" in privileges("collection", exchange.access, each)
    ]


async def _texts(exchange: Exchange, calendar: Calendar, window: Interval) -> Sequence[StoredText]:
    if exchange.location.kind == "object":
        return await exchange.store.texts(calendar.id, [exchange.location.name], plain=exchange.is_others)
    return await exchange.store.texts_between(calendar.id, *window, None, plain=exchange.is_others)


def _busy(
    texts: Sequence[StoredText], calendar: Calendar, window: Interval, addresses: frozenset[str], effort: Effort
) -> list[Busy]:
    """Pure work, done in a thread. What cannot be read any more is left out: it was readable when it was kept."""
    zone = calendar_zone(calendar)
    found: list[Busy] = []
    for each in texts:
        try:
            found += busy_times(ObjectTimes(each.data, zone, effort), window, addresses)
        except Invalid:
            continue
    return found
