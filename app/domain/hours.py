"""Working hours: from wall time in a zone to instants (rules 1 and 2 of the free slots).

Wall times are minutes of the local day, dates are local, instants are epoch seconds UTC. Zones are IANA names the
caller has checked; an unknown one is `zoneinfo.ZoneInfoNotFoundError`.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from app.domain.intervals import Interval

Range = tuple[int, int]

MINUTES_A_DAY = 1440
ONE_DAY = timedelta(days=1)
END_OF_TIME = int(datetime(9999, 1, 1, tzinfo=UTC).timestamp())  # dates need room for arithmetic before year 10000
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class Schedule:
    """Weekly hours with their exceptions, in one zone.

    A range is (begin 0..1439, end 0..1440) in wall minutes of the day; an end at or before the begin runs into the
    next day. `weekly` has seven entries, Monday first. `exclusions` are (first, last) local dates, both inclusive.
    `holidays` are the dates of the schedule's country, worked out by the caller. What it holds must not be changed
    afterwards: schedules are cache keys.
    """

    timezone: str
    weekly: tuple[tuple[Range, ...], ...]
    overrides: Mapping[date, tuple[Range, ...]]
    exclusions: tuple[tuple[date, date], ...]
    holidays: frozenset[date]

    def __hash__(self) -> int:
        return hash((self.timezone, self.weekly, frozenset(self.overrides.items()), self.exclusions, self.holidays))


def working_ranges(schedule: Schedule, first: date, last: date) -> list[Interval]:
    """The ranges that belong to the local dates `first` to `last`, as instants, ascending.

    Each is a single range as entered (touching and overlapping ones are not joined): its begin anchors the step.
    """
    found: list[Interval] = []
    for ordinal in range(first.toordinal(), last.toordinal() + 1):
        found += _ranges_of_date(schedule, date.fromordinal(ordinal))
    found.sort()
    return found


def _ranges_of_date(schedule: Schedule, day: date) -> Iterator[Interval]:
    if _is_excluded(schedule, day):
        return
    cut = day_start(schedule.timezone, day + ONE_DAY) if _is_excluded(schedule, day + ONE_DAY) else END_OF_TIME
    for begin, end in _wall_ranges(schedule, day):
        opens = _instant(schedule.timezone, day, begin, closing=False)
        runs_over = MINUTES_A_DAY if end <= begin else 0
        closes = min(cut, _instant(schedule.timezone, day, end + runs_over, closing=True))
        if opens < closes:
            yield opens, closes


def _is_excluded(schedule: Schedule, day: date) -> bool:
    """Whether the local date lies in one of the excluded periods."""
    return any(first <= day <= last for first, last in schedule.exclusions)


def _wall_ranges(schedule: Schedule, day: date) -> tuple[Range, ...]:
    """The ranges of a date that is not excluded: its override, else none on a holiday, else the weekday's."""
    if day in schedule.overrides:
        return schedule.overrides[day]
    if day in schedule.holidays:
        return ()
    return schedule.weekly[day.weekday()]


@cache
def zone(timezone: str) -> ZoneInfo:
    """The zone of an IANA name; `ZoneInfoNotFoundError` when unknown."""
    return ZoneInfo(timezone)


def local_date(timezone: str, instant: int) -> date:
    """The date on the wall calendar at this instant."""
    return datetime.fromtimestamp(instant, zone(timezone)).date()


def week_start(day: date) -> date:
    """The Monday of the ISO week the date lies in."""
    return day - timedelta(days=day.weekday())


def day_start(timezone: str, day: date) -> int:
    """The first instant of the local date, also where the clock skips midnight or shows it twice.

    For a date the zone skipped as a whole (Apia's 2011-12-30) it is the first instant of the next one.
    """
    return _instant(timezone, day, 0, closing=False)


def wall_instant(timezone: str, day: date, minute: int) -> int:
    """The instant of a wall time of the date, `minute` from 0 to 1439: just after the gap for one that does not exist,
    the first of two for one that exists twice."""
    return _instant(timezone, day, minute, closing=False)


def _instant(timezone: str, day: date, minute: int, *, closing: bool) -> int:
    """The instant of a wall time up to two days after the date's midnight.

    A wall time that does not exist means the instant just after the gap; one that exists twice its first occurrence,
    or its last when it closes a range. Midnight is the first instant of its date either way.
    """
    offset = fixed_offset(timezone, day)
    if offset is not None:
        return (day.toordinal() - _EPOCH) * 86400 + minute * 60 - offset
    wall = datetime.combine(day, time(), zone(timezone)) + timedelta(minutes=minute)
    last = closing and minute % MINUTES_A_DAY != 0
    return _resolve(wall, last=last)


@lru_cache(maxsize=8192)
def fixed_offset(timezone: str, day: date) -> int | None:
    """The zone's offset in seconds where it does not change from the date's midnight through the next day, else None.

    Asking the zone twice for each range would cost more than all the rest of a slot search. No zone is known to change
    its offset and take it back within two days.
    """
    midnight = datetime.combine(day, time(), zone(timezone))
    walls = (midnight, midnight + ONE_DAY, (midnight + 2 * ONE_DAY).replace(fold=1))
    offsets = {_offset(wall) for wall in walls}
    return offsets.pop() if len(offsets) == 1 else None


def _resolve(wall: datetime, *, last: bool) -> int:
    earlier, later = wall.replace(fold=0), wall.replace(fold=1)
    if _offset(earlier) < _offset(later):  # in a gap, fold 0 carries the offset from before it (PEP 495)
        return _end_of_gap(earlier, later)
    return int((later if last else earlier).timestamp())


def _end_of_gap(earlier: datetime, later: datetime) -> int:
    """The instant the clock jumps: it lies between the two readings of a wall time that does not exist."""
    before = _offset(earlier)
    instants = range(int(later.timestamp()) + 1, int(earlier.timestamp()) + 1)
    jumped = bisect_left(
        instants, True, key=lambda instant: _offset(datetime.fromtimestamp(instant, earlier.tzinfo)) != before
    )
    return instants[jumped]


def _offset(moment: datetime) -> int:
    return int((moment.utcoffset() or timedelta()).total_seconds())  # never None: every moment here has a zone
