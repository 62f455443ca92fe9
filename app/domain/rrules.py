"""One RRULE, worked out within a bound.

`dateutil` finds the starts. Left alone it would look for a match until the year 9999, and step through every second
of a SECONDLY rule since its begin; strangers write rules, so neither may happen here.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Any

from dateutil.rrule import rrulestr

MAX_STEPS = 200_000
MAX_TEXT = 1_000
EARLIEST_YEAR = 1600
MAX_POSITIONS = 10
MAX_TIMES_AN_HOUR = 4
SEARCH = 100_000
"""What looking in vain until the last year there is counts as, in starts found."""
_CYCLE = 400  # Gregorian years after which dates fall on the same weekdays again
_LAST_YEAR = 9990
_PARTS = frozenset(
    {
        "FREQ", "UNTIL", "COUNT", "INTERVAL", "BYSECOND", "BYMINUTE", "BYHOUR", "BYDAY", "BYMONTHDAY", "BYYEARDAY",
        "BYWEEKNO", "BYMONTH", "BYSETPOS", "WKST",
    }
)  # fmt: skip
_LENGTHS = {"HOURLY": timedelta(hours=1), "DAILY": timedelta(days=1), "WEEKLY": timedelta(weeks=1)}
_UNITS = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600}


class NotUnderstood(ValueError):
    """The rule is not one of RFC 5545 §3.3.10."""


class TooDense(ValueError):
    """The rule has too many instances, or takes too many steps, to list them one by one."""


class Effort:
    """How much may still be spent on rules, counted in starts found: of one object, and of the reading of many objects
    that it is part of."""

    def __init__(self, starts: int = 2 * MAX_STEPS, whole: Effort | None = None) -> None:
        self._left = starts
        self._whole = whole

    def spend(self, starts: int) -> None:
        """`TooDense` when that is more than is left, and from then on."""
        if starts > self._left:
            self._left = 0
            raise TooDense("working it out takes too long")
        self._left -= starts
        if self._whole is not None:
            self._whole.spend(starts)


def rule_parts(text: str) -> dict[str, str]:
    """The parts of a rule, upper-cased; `NotUnderstood` when there are unknown ones."""
    if len(text) > MAX_TEXT:
        raise NotUnderstood("it is too long")
    parts: dict[str, str] = {}
    for pair in filter(None, text.upper().split(";")):
        name, found, value = pair.partition("=")
        if not found or name in parts:
            raise NotUnderstood(f"{pair[:40]} has no meaning")
        parts[name] = value
    if parts.get("RSCALE") == "GREGORIAN" and parts.get("SKIP", "OMIT") == "OMIT":  # RFC 7529's way to say nothing
        parts = {name: value for name, value in parts.items() if name not in {"RSCALE", "SKIP"}}
    unknown = sorted(name for name in parts if name not in _PARTS and not name.startswith("X-"))
    if not re.fullmatch(r"0*[1-9][0-9]{0,5}", parts.get("INTERVAL", "1")):
        raise NotUnderstood(f"INTERVAL={parts['INTERVAL'][:40]} is no interval")  # 0 would go round for ever
    if unknown or "FREQ" not in parts:
        raise NotUnderstood(f"{', '.join(unknown) or 'FREQ'} is not known here" if unknown else "it has no FREQ")
    return parts


def dense_end(parts: Mapping[str, str], start: datetime, until: datetime | None) -> datetime | None:
    """When a rule that is too dense to list surely has ended; None when that cannot be said."""
    if until is not None:
        return until
    unit = _UNITS.get(parts.get("FREQ", ""))
    if unit is None or "COUNT" not in parts or any(name.startswith("BY") for name in parts):
        return None
    try:
        return start + timedelta(seconds=unit * int(parts["COUNT"]) * int(parts.get("INTERVAL", "1")))
    except (ValueError, OverflowError):
        return None


def last_instant(text: str, start: date, zone: tzinfo) -> datetime | None:
    """The UNTIL of a rule as an instant (naive when `start` is a date or floating), inclusive; None without one.

    A date stands for all of that day, a floating time for one in the zone of `start`; with an all-day start only the
    local date counts, as clients write its end in UTC.
    """
    value = rule_parts(text).get("UNTIL")
    if value is None:
        return None
    moment = _until_value(value)
    if not isinstance(start, datetime):
        if moment.tzinfo is not None:
            moment = moment.astimezone(zone)
        return moment.replace(hour=23, minute=59, second=59, tzinfo=None)
    if len(value) == 8:
        moment = moment.replace(hour=23, minute=59, second=59)
    if start.tzinfo is None:
        return moment.astimezone(zone).replace(tzinfo=None) if moment.tzinfo else moment
    return moment if moment.tzinfo else moment.replace(tzinfo=start.tzinfo)


def _until_value(value: str) -> datetime:
    for pattern in ("%Y%m%dT%H%M%SZ", "%Y%m%dT%H%M%S", "%Y%m%d"):
        try:
            found = datetime.strptime(value, pattern)  # noqa: DTZ007  # the zone is the caller's to say
        except ValueError:
            continue
        return found.replace(tzinfo=UTC) if pattern.endswith("Z") else found
    raise NotUnderstood(f"UNTIL={value[:40]} is no time")


def _named(parts: Mapping[str, str], name: str) -> int:
    """How many values a part of a rule lists."""
    return parts.get(name, "").count(",") + 1


def _stride(parts: Mapping[str, str], start: datetime) -> Callable[[datetime], datetime] | None:
    """How to come near a moment by whole intervals of a rule: a function from the moment to the begin of an interval
    before it, from which on the rule makes the same starts as from its own. None where all starts have to be counted,
    or months differ in having the day."""
    unit, interval = parts["FREQ"], int(parts.get("INTERVAL", "1"))
    if "COUNT" in parts:
        return None
    if unit in _LENGTHS:
        length = interval * _LENGTHS[unit]
        return lambda low: start + max((low - start) // length - 1, 0) * length
    months = interval * (12 if unit == "YEARLY" else 1)
    if start.day > 28:
        return None

    def by_months(low: datetime) -> datetime:
        between = (low.year - start.year) * 12 + low.month - start.month
        passed = start.month - 1 + max(between // months - 1, 0) * months
        return start.replace(year=start.year + passed // 12, month=passed % 12 + 1)

    return by_months


class BoundedRule:
    """The starts of one rule, in the wall time of `start`; what `recurring_ical_events` needs of a rule.

    The work is done 400 years or a multiple of them later, close to the last year there is: the calendar repeats
    exactly, and a rule that never matches again ends soon.
    """

    def __init__(self, text: str, start: datetime, until: datetime | None, effort: Effort | None = None) -> None:
        parts = rule_parts(text)
        self._effort = effort or Effort()
        if start.year < EARLIEST_YEAR:
            raise TooDense(f"it begins before {EARLIEST_YEAR}")
        if parts["FREQ"] in {"SECONDLY", "MINUTELY"} or (parts["FREQ"] == "HOURLY" and "BYSETPOS" in parts):
            raise TooDense(f"it repeats {parts['FREQ'].lower()}")
        if parts["FREQ"] == "HOURLY" and _named(parts, "BYMINUTE") * _named(parts, "BYSECOND") > MAX_TIMES_AN_HOUR:
            raise TooDense("it repeats many times an hour")
        if _named(parts, "BYSETPOS") > MAX_POSITIONS:
            raise TooDense(f"it names more than {MAX_POSITIONS} positions")
        self.string = text
        self.until = until and until.replace(tzinfo=until.tzinfo or start.tzinfo if start.tzinfo else None)
        self._zone = start.tzinfo
        self._start = start.replace(tzinfo=None)
        self._count = parts.get("COUNT")
        kept = {name: value for name, value in parts.items() if name != "UNTIL" and not name.startswith("X-")}
        self._text = ";".join(f"{name}={value}" for name, value in kept.items())
        self._stride = _stride(parts, self._start)
        self._first = self._start
        self._found: list[datetime] = []
        self._source: Iterator[datetime] | None = None
        self._shift = 0
        self._parse(self._start)

    def _parse(self, start: datetime) -> Any:
        if self._count is not None and not self._count.lstrip("-").isdecimal():
            raise NotUnderstood("COUNT is no number")
        text = self._text
        if self._count is not None and int(self._count) <= 0:  # seen in the wild, meaning no end
            text = text.replace(f"COUNT={self._count}", "").strip(";").replace(";;", ";")
        try:
            return rrulestr(text, dtstart=start)
        except (ValueError, TypeError, AttributeError, IndexError) as error:
            raise NotUnderstood(str(error)[:120] or "it cannot be read") from error

    def between(self, after: datetime, before: datetime, inc: bool = True) -> list[datetime]:  # noqa: ARG002  # dateutil's signature
        """Starts in [after, before], ascending. `TooDense` when that takes too many steps."""
        low, high = self._wall(after), self._wall(before)
        if self.until is not None:
            high = min(high, self._wall(self.until))
        self._begin_near(low, high)
        self._extend(high)
        found = self._found[bisect_left(self._found, low) : bisect_right(self._found, high)]
        zoned = [each.replace(tzinfo=self._zone) for each in found]
        return [each for each in zoned if self.until is None or each <= self.until]

    def last(self) -> datetime | None:
        """The last start of a rule that ends by COUNT; None when it is too far to walk to."""
        if self._count is None or int(self._count) <= 0:
            return None
        try:
            self._extend(self._start.replace(year=min(self._start.year + _CYCLE, _LAST_YEAR), month=1, day=1))
        except TooDense:
            return None
        complete = len(self._found) >= int(self._count)
        return self._found[-1].replace(tzinfo=self._zone) if complete and self._found else None

    def _wall(self, moment: datetime) -> datetime:
        if moment.tzinfo is not None and self._zone is not None:
            moment = moment.astimezone(self._zone)
        return moment.replace(tzinfo=None)

    def _begin_near(self, low: datetime, high: datetime) -> None:
        """Leave out the starts long before `low`, where each that follows can be found without them; begin anew when
        that was done for a later moment, or too late in time to reach `high`."""
        is_within = self._first <= max(low, self._start) and (not self._shift or high.year + self._shift <= _LAST_YEAR)
        if self._source is not None and is_within:
            return
        self._found, self._source = [], None
        self._first = self._start if self._stride is None else self._stride(low)

    def _extend(self, high: datetime) -> None:
        if self._source is None:
            latest = min(max(high.year, self._first.year), _LAST_YEAR)
            self._shift = (_LAST_YEAR - latest) // _CYCLE * _CYCLE
            self._source = iter(self._parse(self._first.replace(year=self._first.year + self._shift)))
        while not self._found or self._found[-1] <= high:
            self._effort.spend(1)
            following = next(self._source, None)
            if following is None:
                if self._count is None or len(self._found) < int(self._count):
                    self._effort.spend(SEARCH)
                return
            if len(self._found) >= MAX_STEPS:
                raise TooDense("it has too many instances")
            self._found.append(following.replace(year=following.year - self._shift))
