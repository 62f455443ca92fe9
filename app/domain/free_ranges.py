"""When somebody is free: their working hours without what occupies them."""

from __future__ import annotations

from collections.abc import Iterable

from app.domain.hours import ONE_DAY, Schedule, local_date, working_ranges
from app.domain.intervals import Interval, join


def free_ranges(
    schedule: Schedule, busy: Iterable[Interval], window: Interval, now: int, minutes: int = 1
) -> list[Interval]:
    """The free time in the window that is still to come, ascending, in ranges of at least so many minutes; epoch
    seconds."""
    begin, end = max(window[0], now), window[1]
    if end <= begin:
        return []
    first = local_date(schedule.timezone, begin) - ONE_DAY  # the night before may reach into it
    hours = join(working_ranges(schedule, first, local_date(schedule.timezone, end)))
    clipped = [(max(opens, begin), min(closes, end)) for opens, closes in hours]
    return [each for each in without(clipped, busy) if each[1] - each[0] >= minutes * 60]


def without(ranges: Iterable[Interval], busy: Iterable[Interval]) -> list[Interval]:
    """The parts of disjoint, ascending ranges that no busy time covers."""
    taken, found = join(busy), []
    for begin, end in ranges:
        free = begin
        for busy_begin, busy_end in taken:
            if busy_end <= free or busy_begin >= end:
                continue
            if busy_begin > free:
                found.append((free, busy_begin))
            free = max(free, busy_end)
        if free < end:
            found.append((free, end))
    return found
