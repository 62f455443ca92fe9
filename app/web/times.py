"""Instants on the wire: RFC 3339 with offset."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.errors import Invalid
from app.domain.hours import day_start
from app.use_cases.schedule_rules import check_timezone

MAX_INSTANT = 253402214400 - 86400 * 366
"""A year before the end of year 9999, so that adding durations and zones stays within the calendar."""


def rfc3339(instant: int, timezone: str = "UTC") -> str:
    """Epoch seconds as wall time of `timezone` with its offset, `Z` for UTC."""
    if timezone == "UTC":
        return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return datetime.fromtimestamp(instant, ZoneInfo(timezone)).isoformat()


def optional_rfc3339(instant: int | None, timezone: str = "UTC") -> str | None:
    """The same for what may be missing."""
    return None if instant is None else rfc3339(instant, timezone)


def epoch(moment: datetime, field: str) -> int:
    """Epoch seconds of an aware moment; `Invalid` when it has parts of a second or lies beyond what can be kept."""
    if moment.microsecond:
        raise Invalid.field(field, "Parts of a second cannot be kept.")
    try:
        instant = int(moment.timestamp())
    except (OverflowError, ValueError) as problem:
        raise Invalid.field(field, "This time lies beyond what can be kept.") from problem
    if not 0 <= instant <= MAX_INSTANT:
        raise Invalid.field(field, "This time lies beyond what can be kept.")
    return instant


def parse_moment(text: str, field: str) -> int:
    """An instant in RFC 3339, as epoch seconds."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as problem:
        raise Invalid.field(field, "This is not a time.") from problem
    if moment.tzinfo is None:
        raise Invalid.field(field, "A time needs its offset.")
    return epoch(moment, field)


def parse_date(text: str, field: str) -> date:
    """A local date `YYYY-MM-DD` between the years 1971 and 9990."""
    try:
        found = date.fromisoformat(text)
    except ValueError as problem:
        raise Invalid.field(field, "A date is written YYYY-MM-DD.") from problem
    if found.isoformat() != text or not 1971 <= found.year <= 9990:
        raise Invalid.field(field, "A date is written YYYY-MM-DD, in the years 1971 to 9990.")
    return found


def period(first: str | None, last: str | None, timezone: str) -> tuple[int | None, int | None]:
    """The instants [start, end) of the local dates `first` to `last` of `timezone`, both inclusive; None is open."""
    check_timezone(timezone)
    start = day_start(timezone, parse_date(first, "from")) if first is not None else None
    end = day_start(timezone, parse_date(last, "to") + timedelta(days=1)) if last is not None else None
    if start is not None and end is not None and end <= start:
        raise Invalid.field("to", "The last day lies before the first.")
    return start, end
