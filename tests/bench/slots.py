"""The slot engine against a plain sorted merge, and a pool of ten hosts against ten single ones.

The workload: one host open Monday to Friday, 09:00 to 17:00 in New York, 30-minute slots every 30 minutes with
15-minute buffers, over the 60 days from 2027-02-01, across the change to summer time (704 candidates). Most busy
events lie in weekday mornings, some in evenings, all on a 5-minute grid, so that afternoons stay partly free. Hours
are known to both sides beforehand; every answer is first compared with a brute-force one.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta
from statistics import median
from time import perf_counter
from zoneinfo import ZoneInfo

from app.domain.hours import Schedule, working_ranges
from app.domain.rules import HostState, LinkRules
from app.domain.slots import free_starts, pool_starts

Interval = tuple[int, int]

TIMEZONE = "America/New_York"
FIRST, DAYS = date(2027, 2, 1), 60
SLOT, BUFFER = 30, 15
RULES = LinkRules(
    step=SLOT,
    buffer_before=BUFFER,
    buffer_after=BUFFER,
    minimum_notice=0,
    horizon_days=None,
    date_range=None,
    max_per_day=None,
    max_per_week=None,
)
SCHEDULE = Schedule(TIMEZONE, (((9 * 60, 17 * 60),),) * 5 + ((), ()), {}, (), frozenset())
REPETITIONS = 301


def _instant(day: date, minute: int) -> int:
    wall = datetime.combine(day, time(minute // 60, minute % 60), ZoneInfo(TIMEZONE))
    return int(wall.timestamp())


WINDOW = (_instant(FIRST, 0), _instant(FIRST + timedelta(days=DAYS), 0))
NOW = WINDOW[0]


def busy_events(count: int, seed: int = 1) -> list[Interval]:
    """`count` events: nine of ten on weekdays between 07:00 and 14:00, the others on any evening; 15 to 60 minutes."""
    chance = random.Random(f"{seed} {count}")
    days = [FIRST + timedelta(days=offset) for offset in range(DAYS)]
    weekdays = [day for day in days if day.weekday() < 5]
    events = []
    for _ in range(count):
        in_the_morning = chance.random() < 0.9
        day = chance.choice(weekdays if in_the_morning else days)
        first, last = (7, 13) if in_the_morning else (18, 22)
        begin = _instant(day, chance.randrange(first * 60, last * 60, 5))
        events.append((begin, begin + chance.choice((15, 30, 45, 60)) * 60))
    return sorted(events)


def plain_merge(hours: Sequence[Interval], busy: Sequence[Interval]) -> list[int]:
    """The reference: candidates and busy times in step, one pass over each."""
    step = length = SLOT * 60
    buffer = BUFFER * 60
    free, index, reach, count = [], 0, 0, len(busy)
    for opens, closes in hours:
        start = opens
        while start + length <= closes:
            claimed_until = start + length + buffer
            while index < count and busy[index][0] < claimed_until:
                reach = max(reach, busy[index][1])
                index += 1
            if reach <= start - buffer:
                free.append(start)
            start += step
    return free


def brute_force(busy: Sequence[Interval]) -> list[int]:
    """Every half hour of every working day, compared with every event."""
    found = []
    for day in (FIRST + timedelta(days=offset) for offset in range(DAYS)):
        for minute in range(9 * 60, 17 * 60, SLOT) if day.weekday() < 5 else ():
            start = _instant(day, minute)
            claim = (start - BUFFER * 60, start + (SLOT + BUFFER) * 60)
            if not any(begin < claim[1] and claim[0] < end for begin, end in busy):
                found.append(start)
    return found


def host(busy: Sequence[Interval]) -> HostState:
    """A host the engine has not seen before."""
    return HostState(host_id="host", schedule=SCHEDULE, busy=busy)


def one_host(busy: Sequence[Interval]) -> list[int]:
    """The engine, for a host whose busy time was just read."""
    return free_starts(RULES, SLOT, host(busy), WINDOW, NOW)


def seconds(*tasks: Callable[[], object]) -> list[float]:
    """The median time of each task, run in turn so that a busy moment of the machine falls on all alike."""
    taken: list[list[float]] = [[] for _ in tasks]
    for _ in range(REPETITIONS):
        for task, times in zip(tasks, taken, strict=True):
            began = perf_counter()
            task()
            times.append(perf_counter() - began)
    return [median(times) for times in taken]


def slots_at(count: int) -> tuple[float, float]:
    """(ours, plain merge) in seconds for one host with `count` busy events."""
    busy = busy_events(count)
    hours = working_ranges(SCHEDULE, FIRST, FIRST + timedelta(days=DAYS - 1))
    expected = brute_force(busy)
    if one_host(busy) != expected or plain_merge(hours, busy) != expected:
        raise AssertionError(f"a wrong answer at {count} busy events")
    ours, reference = seconds(lambda: one_host(busy), lambda: plain_merge(hours, busy))
    return ours, reference


def slots() -> tuple[float, float]:
    """(ours, reference) at 200 or 2,000 busy events, whichever compares worse."""
    return max((slots_at(200), slots_at(2000)), key=lambda pair: pair[0] / pair[1])


def slots_pool() -> tuple[float, float]:
    """(ours, reference) for ten hosts with 2,000 busy events each.

    Ours is a pool asked again after one of its hosts changed: that one's busy time was just read, the states of the
    other nine are those of the question before. The reference is ten times one host whose busy time was just read.
    """
    busy = [busy_events(2000, seed) for seed in range(10)]
    known = [host(events) for events in busy[1:]]

    def after_a_change() -> list[tuple[int, int]]:
        return pool_starts(RULES, SLOT, [host(busy[0]), *known], WINDOW, NOW)

    _check_pool(after_a_change(), busy)
    ours, one = seconds(after_a_change, lambda: one_host(busy[0]))
    return ours, 10 * one


def slots_pool_unseen() -> tuple[float, float]:
    """(ours, reference) for the same hosts when all ten were just read: the pool against one host after the other.

    There is no target for it: passing over 20,000 events is what it takes either way.
    """
    busy = [busy_events(2000, seed) for seed in range(10)]

    def pooled() -> list[tuple[int, int]]:
        return pool_starts(RULES, SLOT, [host(events) for events in busy], WINDOW, NOW)

    _check_pool(pooled(), busy)
    ours, reference = seconds(pooled, lambda: [one_host(events) for events in busy])
    return ours, reference


def _check_pool(found: list[tuple[int, int]], busy: Sequence[Sequence[Interval]]) -> None:
    expected = Counter(start for events in busy for start in brute_force(events))
    if found != sorted(expected.items()):
        raise AssertionError("a wrong answer for the pool")
