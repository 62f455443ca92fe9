"""What a link allows and what a host is doing: the input of the slot engine, and its rules 5 and 6.

Durations, step, buffers and notice are whole minutes; instants are epoch seconds UTC; dates are local dates of the
host's schedule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.domain.hours import END_OF_TIME, ONE_DAY, Schedule, day_start, local_date, week_start
from app.domain.intervals import Interval
from app.domain.stays import Stay

_LAST_DAY = date(9999, 1, 1)
_ALWAYS = (-END_OF_TIME, END_OF_TIME)


@dataclass(frozen=True, slots=True)
class LinkRules:
    """The settings of a link that decide which starts it offers.

    `step` None means the duration. `date_range` (first, last; both inclusive) takes the place of `horizon_days`; with
    neither there is no end. A limit of None is no limit. With `stay` a start is a check-in: step does not count,
    and hours say on which dates guests arrive.
    """

    step: int | None
    buffer_before: int
    buffer_after: int
    minimum_notice: int
    horizon_days: int | None
    date_range: tuple[date, date] | None
    max_per_day: int | None
    max_per_week: int | None
    stay: Stay | None = None

    def end(self, start: int, duration: int) -> int:
        """When a booking of so many minutes ends: after as much elapsed time, or a stay at its check-out."""
        return start + duration * 60 if self.stay is None else self.stay.end(start, duration)


@dataclass(frozen=True, slots=True)
class OtherLimit:
    """A link's limits, and the starts of its bookings that they count."""

    starts: Sequence[int]
    max_per_day: int | None
    max_per_week: int | None


@dataclass(frozen=True, slots=True)
class Along:
    """The bookings of one link (None: of no link) that a session takes along when it moves, and the link's limits."""

    link_id: str | None
    bookings: int
    max_per_day: int | None = None
    max_per_week: int | None = None

    @property
    def is_limited(self) -> bool:
        """Whether the link has limits at all."""
        return self.max_per_day is not None or self.max_per_week is not None

    def limit(self, starts: Sequence[int]) -> OtherLimit:
        """What counts these bookings besides those that start at `starts`."""
        more = self.bookings - 1
        return OtherLimit(starts, lowered(self.max_per_day, more), lowered(self.max_per_week, more))


def lowered(maximum: int | None, by: int) -> int | None:
    """A limit for so many more bookings than the one that is always meant."""
    return None if maximum is None else maximum - by


@dataclass(frozen=True, slots=True)
class HostState:
    """A host at the moment of the question.

    `busy`: sorted by begin, may overlap; claims with their buffers, time off and calendars' busy time together.
    `link_starts` and `host_starts`: starts of the bookings that are not cancelled, the link's and the host's, for whole
    ISO weeks around the window; needed only where a limit is set. `other_limits`: of further links whose bookings come
    along. `priority` and `last_booked_at` (None: never) decide within a pool.
    A booking that is being moved is in none of them.
    """

    host_id: str
    schedule: Schedule
    busy: Sequence[Interval]
    link_starts: Sequence[int] = ()
    host_starts: Sequence[int] = ()
    max_per_day: int | None = None
    max_per_week: int | None = None
    other_limits: Sequence[OtherLimit] = ()
    priority: int = 0
    last_booked_at: int | None = None
    # What the slot engine found out about this state, so that a state that is kept answers again at once.
    memo: dict[object, bytes] = field(default_factory=dict, init=False, repr=False, compare=False)


def offered_period(rules: LinkRules, timezone: str, now: int) -> Interval:
    """From when until when starts are offered (rule 5): notice, then horizon or date range, in the host's zone."""
    earliest = now + rules.minimum_notice * 60
    if rules.date_range is not None:
        first, last = rules.date_range
        return max(earliest, day_start(timezone, first)), _end_of_date(timezone, last, 0)
    if rules.horizon_days is not None:
        return earliest, _end_of_date(timezone, local_date(timezone, now), rules.horizon_days)
    return earliest, END_OF_TIME


def _end_of_date(timezone: str, day: date, later: int) -> int:
    """The end of the local date `later` days after `day`."""
    if later >= (_LAST_DAY - day).days:
        return END_OF_TIME
    return day_start(timezone, day + timedelta(days=later + 1))


def has_limits(rules: LinkRules, host: HostState) -> bool:
    """Whether the numbers of bookings matter at all."""
    limits = (rules.max_per_day, rules.max_per_week, host.max_per_day, host.max_per_week)
    return bool(host.other_limits) or limits != (None, None, None, None)


def full_days(rules: LinkRules, host: HostState) -> list[Interval]:
    """The local dates on which the link or the host has reached its daily limit (rule 6)."""
    return [
        *_full(host, host.link_starts, rules.max_per_day, _same_day, 1),
        *_full(host, host.host_starts, host.max_per_day, _same_day, 1),
        *(each for other in host.other_limits for each in _full(host, other.starts, other.max_per_day, _same_day, 1)),
    ]


def full_weeks(rules: LinkRules, host: HostState) -> list[Interval]:
    """The same for ISO weeks and weekly limits."""
    return [
        *_full(host, host.link_starts, rules.max_per_week, week_start, 7),
        *_full(host, host.host_starts, host.max_per_week, week_start, 7),
        *(each for other in host.other_limits for each in _full(host, other.starts, other.max_per_week, week_start, 7)),
    ]


def _same_day(day: date) -> date:
    return day


def _full(
    host: HostState, starts: Sequence[int], maximum: int | None, first_of: Callable[[date], date], days: int
) -> list[Interval]:
    if maximum is None:
        return []
    if maximum <= 0:
        return [_ALWAYS]
    zone = host.schedule.timezone
    counts = Counter(first_of(local_date(zone, start)) for start in starts)
    full = (first for first, count in counts.items() if count >= maximum)
    return [(day_start(zone, first), day_start(zone, first + days * ONE_DAY)) for first in full]
