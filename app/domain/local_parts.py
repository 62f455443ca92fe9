"""Where the clock of a zone stands over a stretch of time, so that a database can turn instants into local dates and
hours by arithmetic alone."""

from __future__ import annotations

from datetime import datetime

from app.domain.hours import zone

DAY = 86400


def offsets(timezone: str, start: int, end: int) -> list[tuple[int, int]]:
    """(until, offset): before the instant `until`, and from the pair before on, the zone is `offset` seconds ahead of
    UTC. Ascending, and the last one reaches `end` at least. Two changes within one day count as one."""
    found: list[tuple[int, int]] = []
    at = start
    while at < end:
        following = min(at + DAY, end)
        if _offset(timezone, at) != _offset(timezone, following):
            found.append((_change(timezone, at, following), _offset(timezone, at)))
        at = following
    return [*found, (end, _offset(timezone, end))]


def _change(timezone: str, before: int, after: int) -> int:
    """The first instant of the new offset, between two that have different ones."""
    while after - before > 1:
        middle = (before + after) // 2
        if _offset(timezone, middle) == _offset(timezone, before):
            before = middle
        else:
            after = middle
    return after


def _offset(timezone: str, instant: int) -> int:
    ahead = datetime.fromtimestamp(instant, zone(timezone)).utcoffset()
    return int(ahead.total_seconds()) if ahead is not None else 0
