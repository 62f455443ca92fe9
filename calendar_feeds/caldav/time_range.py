"""Ranges of time in requests (RFC 4791 §9.9): attributes `start` and `end`, UTC."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.domain.ical_limits import MAX_DATE_TIME, MIN_DATE_TIME
from calendar_feeds.caldav.xml import Element
from calendar_feeds.messages import Refusal

_UTC = re.compile(r"[0-9]{8}T[0-9]{6}Z")
Invalid = Callable[[str], Refusal]


@dataclass(frozen=True, slots=True)
class TimeRange:
    """[start, end) in epoch seconds; None is open."""

    start: int | None
    end: int | None


def time_range(element: Element, invalid: Invalid) -> TimeRange:
    """The range of an element. `invalid` makes the refusal for one that makes no sense; times before and after all that
    is kept here are refused by their own preconditions (§7.8)."""
    start, end = (_instant(element.get(side), invalid) for side in ("start", "end"))
    if start is None and end is None:
        raise invalid("A time range has a start, an end or both.")
    if start is not None and end is not None and start >= end:
        raise invalid("A time range ends after it starts.")
    return TimeRange(start, end)


def closed_range(element: Element, invalid: Invalid) -> tuple[int, int]:
    """A range that has both a start and an end."""
    found = time_range(element, invalid)
    if found.start is None or found.end is None:
        raise invalid("This time range has both a start and an end.")
    return found.start, found.end


def _instant(value: str | None, invalid: Invalid) -> int | None:
    if value is None:
        return None
    if not _UTC.fullmatch(value):
        raise invalid("The times of a range are UTC, such as 20270301T000000Z.")
    if value < MIN_DATE_TIME:
        raise Refusal(403, "<C:min-date-time/>", f"Times here begin at {MIN_DATE_TIME}.")
    if value > MAX_DATE_TIME:
        raise Refusal(403, "<C:max-date-time/>", f"Times here end at {MAX_DATE_TIME}.")
    try:
        return int(datetime.strptime(value, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise invalid(f"There is no time {value}.") from error
