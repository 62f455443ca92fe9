"""Half-open intervals `[begin, end)` of epoch seconds, as plain pairs of integers."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence

Interval = tuple[int, int]


def join(intervals: Iterable[Interval]) -> list[Interval]:
    """The same time as disjoint intervals, ascending: overlapping and touching ones become one, empty ones vanish."""
    joined: list[Interval] = []
    for begin, end in sorted(intervals):
        if end <= begin:
            continue
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return joined


def overlaps(busy: Sequence[Interval], begin: int, end: int) -> bool:
    """Whether `[begin, end)` shares time with `busy`, which is sorted by begin and may overlap itself."""
    candidates = busy[: bisect_left(busy, (end,))]
    return any(busy_end > begin and busy_end > busy_begin for busy_begin, busy_end in candidates)


def clear_flags(starts: Sequence[int], lead: int, tail: int, busy: Sequence[Interval]) -> bytearray:
    """One byte for each of the ascending `starts`: 1 where `[start - lead, start + tail)` shares no time with `busy`.

    `busy` is sorted by begin and may overlap itself. It is passed over once; starts are looked at only where two busy
    times leave room between them, so that a full calendar costs less than an empty one.
    """
    count = len(starts)
    flags = bytearray(count)
    if not count:
        return flags
    room = lead + tail
    index = 0  # starts before it are decided
    upcoming = starts[0]
    reach = upcoming - lead  # where the busy time seen so far ends
    for begin, end in busy:
        if end > reach and end > begin:
            if begin - reach >= room and upcoming <= begin - tail:
                first = bisect_left(starts, reach + lead, index)
                index = bisect_right(starts, begin - tail, first)
                flags[first:index] = b"\x01" * (index - first)
                if index == count:
                    return flags
                upcoming = starts[index]
            reach = end
    first = bisect_left(starts, reach + lead, index)
    flags[first:] = b"\x01" * (count - first)
    return flags
