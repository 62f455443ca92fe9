"""Free starts, by the rules of the free slots: integers in, integers out.

Durations are whole minutes; starts, windows `[from, to)` and `now` are epoch seconds UTC. A window holds starts, an end
may pass it. Lists of starts are ascending and without repetition.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from functools import lru_cache
from itertools import compress

from app.domain.hours import END_OF_TIME, ONE_DAY, Schedule, local_date, working_ranges
from app.domain.intervals import Interval, clear_flags, join, overlaps
from app.domain.rules import HostState, LinkRules, full_days, full_weeks, has_limits, offered_period
from app.domain.stays import Stay

_MEMO_SIZE = 16
_ONE_BYTE = 255


class Verdict(Enum):
    """Whether one start can be had, or the first rule that stands against it."""

    FREE = "free"
    PAST = "past"
    OUTSIDE_HOURS = "outside_hours"
    OFF_STEP = "off_step"
    NOTICE = "notice"
    HORIZON = "horizon"
    DATE_RANGE = "date_range"
    NOT_PICKED = "not_picked"
    FULL = "full"
    BUSY = "busy"
    DAY_LIMIT = "day_limit"
    WEEK_LIMIT = "week_limit"

    @property
    def is_free(self) -> bool:
        """It can be booked."""
        return self is Verdict.FREE

    @property
    def is_taken(self) -> bool:
        """The rules offer it, but it is busy, full or at a limit."""
        return self in _TAKEN

    @property
    def is_offered(self) -> bool:
        """The rules offer it, free or not."""
        return self.is_free or self.is_taken

    @staticmethod
    def for_all(verdicts: Iterable[Verdict]) -> Verdict:
        """For a collective: what stands against any of the hosts stands against all."""
        return max(verdicts, key=_gravity, default=Verdict.BUSY)

    @staticmethod
    def for_any(verdicts: Iterable[Verdict]) -> Verdict:
        """For a pool: one host that is free, or at least offered, is enough."""
        return min(verdicts, key=_gravity, default=Verdict.BUSY)

    @staticmethod
    def for_most(verdicts: Iterable[Verdict], needed: int) -> Verdict:
        """Where `needed` of several hosts are enough: what stands against the last of the best ones."""
        ranked = sorted(verdicts, key=_gravity)
        return ranked[needed - 1] if len(ranked) >= needed else Verdict.BUSY


_TAKEN = frozenset({Verdict.FULL, Verdict.BUSY, Verdict.DAY_LIMIT, Verdict.WEEK_LIMIT})


def _gravity(verdict: Verdict) -> int:
    return 0 if verdict.is_free else 1 if verdict.is_taken else 2


def free_starts(rules: LinkRules, duration: int, host: HostState, window: Interval, now: int) -> list[int]:
    """The starts in the window at which this one host can be booked."""
    offer = _offer(rules, duration, host.schedule, window, now)
    return list(compress(offer.starts, _free_flags(rules, duration, host, offer)))


def pool_starts(
    rules: LinkRules, duration: int, hosts: Sequence[HostState], window: Interval, now: int
) -> list[tuple[int, int]]:
    """The starts at which any of `hosts` is free, each with the number of them that are."""
    alike: dict[Schedule, list[HostState]] = {}
    for host in hosts:
        alike.setdefault(host.schedule, []).append(host)
    return _merge(
        [
            _seats_of_alike(rules, duration, group, _offer(rules, duration, schedule, window, now))
            for schedule, group in alike.items()
        ]
    )


def nearest(starts: Sequence[int], wanted: int, count: int = 5) -> list[int]:
    """The `count` starts nearest to a wanted one, ascending; of two as near the earlier."""
    return sorted(sorted(starts, key=lambda start: (abs(start - wanted), start))[:count])


def judge(rules: LinkRules, duration: int, host: HostState, start: int, now: int) -> Verdict:
    """Whether `free_starts` would hold this start, and if not, why not."""
    if start < now:
        return Verdict.PAST
    refusal = _outside_hours(rules, duration, host.schedule, start) or _outside_period(rules, host, start, now)
    return refusal or _taken(rules, duration, host, start) or Verdict.FREE


def judge_picked(
    picks: Sequence[tuple[int, int]], duration: int, rules: LinkRules, host: HostState, start: int, now: int
) -> Verdict:
    """The same for a link with hand-picked (start, duration): hours, step, notice and horizon do not apply."""
    if (start, duration) not in picks:
        return Verdict.NOT_PICKED
    if start <= now:
        return Verdict.PAST
    return _taken(rules, duration, host, start) or Verdict.FREE


def _outside_hours(rules: LinkRules, duration: int, schedule: Schedule, start: int) -> Verdict | None:
    if rules.stay is not None:
        return _no_arrival(rules.stay, schedule, start)
    end = start + duration * 60
    if end >= END_OF_TIME:
        return Verdict.OUTSIDE_HOURS
    ranges = working_ranges(schedule, *_days_around(schedule.timezone, start, end))
    if not any(opens <= start and end <= closes for opens, closes in join(ranges)):
        return Verdict.OUTSIDE_HOURS
    step = (rules.step or duration) * 60
    if not any(opens <= start < closes and (start - opens) % step == 0 for opens, closes in ranges):
        return Verdict.OFF_STEP
    return None


def _no_arrival(stay: Stay, schedule: Schedule, start: int) -> Verdict | None:
    """Guests arrive at check-in on dates that have working hours; what comes after does not matter."""
    if start >= END_OF_TIME or not stay.is_start(start):
        return Verdict.OFF_STEP
    day = local_date(stay.timezone, start)
    return None if working_ranges(schedule, day, day) else Verdict.OUTSIDE_HOURS


def _outside_period(rules: LinkRules, host: HostState, start: int, now: int) -> Verdict | None:
    if start < now + rules.minimum_notice * 60:
        return Verdict.NOTICE
    opens, closes = offered_period(rules, host.schedule.timezone, now)
    if opens <= start < closes:
        return None
    return Verdict.DATE_RANGE if rules.date_range is not None else Verdict.HORIZON


def _taken(rules: LinkRules, duration: int, host: HostState, start: int) -> Verdict | None:
    if _is_busy(rules, duration, host, start):
        return Verdict.BUSY
    if any(first <= start < last for first, last in full_days(rules, host)):
        return Verdict.DAY_LIMIT
    if any(first <= start < last for first, last in full_weeks(rules, host)):
        return Verdict.WEEK_LIMIT
    return None


def _is_busy(rules: LinkRules, duration: int, host: HostState, start: int) -> bool:
    """Rule 4."""
    return overlaps(host.busy, start - rules.buffer_before * 60, rules.end(start, duration) + rules.buffer_after * 60)


def _days_around(timezone: str, start: int, end: int) -> tuple[date, date]:
    """The dates whose ranges may hold any of `[start, end)`: a range reaches into the day after its own."""
    return local_date(timezone, start) - ONE_DAY, local_date(timezone, end) + ONE_DAY


@lru_cache(maxsize=64)
def _offered_starts(schedule: Schedule, step: int, duration: int, first: date, last: date) -> Sequence[int]:
    """Rules 1 to 3: the starts that the hours of these dates hold (short of the edges), whoever is busy.

    As an array, for it takes a fifth of a list's memory: three months of a fine step are tens of thousands of starts.
    """
    ranges = working_ranges(schedule, first, last)
    starts: list[int] = []
    unions = iter(join(ranges))
    union_end = 0
    for opens, closes in ranges:
        while union_end < closes:
            _, union_end = next(unions)
        starts += range(opens, min(closes, union_end - duration * 60 + 1), step * 60)
    return array("q", sorted(set(starts)))


@dataclass(frozen=True, slots=True)
class _Offer:
    """What a schedule offers: `starts` within window and period, cut out of all the starts of the dates `days`."""

    days: tuple[date, date]
    all_starts: Sequence[int]
    cut: slice
    starts: Sequence[int]


def _offer(rules: LinkRules, duration: int, schedule: Schedule, window: Interval, now: int) -> _Offer:
    """Rules 1 to 3 and 5."""
    timezone = schedule.timezone
    since, until = min(max(window[0], now), END_OF_TIME), min(window[1], END_OF_TIME)
    days = _days_around(timezone, since, until + duration * 60)
    all_starts = _offered_starts(schedule, rules.step or duration, duration, *days)
    opens, closes = offered_period(rules, timezone, now)
    first, last = max(window[0], opens), min(window[1], closes)
    cut = slice(bisect_left(all_starts, first), bisect_left(all_starts, last))
    return _Offer(days, all_starts, cut, all_starts[cut])


def _free_flags(rules: LinkRules, duration: int, host: HostState, offer: _Offer) -> bytes | bytearray:
    """Rules 4 and 6: a byte for each start of the offer, 1 where the host is free."""
    flags = _unoccupied(rules, duration, host, offer)[offer.cut]
    if not has_limits(rules, host):
        return flags
    return _without(flags, offer.starts, [*full_days(rules, host), *full_weeks(rules, host)])


def _without(flags: bytes, starts: Sequence[int], full: Iterable[Interval]) -> bytearray:
    """The flags with those of the starts within `full` put out."""
    kept = bytearray(flags)
    for begin, end in full:
        first, last = bisect_left(starts, begin), bisect_left(starts, end)
        kept[first:last] = bytes(last - first)
    return kept


def _unoccupied(rules: LinkRules, duration: int, host: HostState, offer: _Offer) -> bytes:
    """A byte for all starts of the days: 1 where busy time leaves room for it and its buffers."""
    key = (offer.days, rules.step, duration, rules.buffer_before, rules.buffer_after)
    if (known := host.memo.get(key)) is not None:
        return known
    lead, tail = rules.buffer_before * 60, (duration + rules.buffer_after) * 60
    flags = clear_flags(offer.all_starts, lead, tail, host.busy)
    if len(host.memo) >= _MEMO_SIZE:
        host.memo.clear()
    host.memo[key] = bytes(flags)
    return host.memo[key]


def _seats_of_alike(
    rules: LinkRules, duration: int, hosts: Sequence[HostState], offer: _Offer
) -> list[tuple[int, int]]:
    """The free starts of hosts with one schedule, and how many of them are free there."""
    seats = _add_up([_free_flags(rules, duration, host, offer) for host in hosts])
    return list(compress(zip(offer.starts, seats, strict=True), seats))


def _merge(lists: Sequence[list[tuple[int, int]]]) -> list[tuple[int, int]]:
    """One ascending list, the seats of equal starts added up."""
    if len(lists) == 1:
        return lists[0]
    total: Counter[int] = Counter()
    for pairs in lists:
        total.update(dict(pairs))
    return sorted(total.items())


def _add_up(flags_of_hosts: Sequence[bytes | bytearray]) -> Sequence[int]:
    """For each start the number of hosts that have it free.

    The flags of a host read as one big number, a byte a start; so one addition a host adds up all starts, and no byte
    runs over as long as there are no more hosts than a byte can count.
    """
    length = len(flags_of_hosts[0])
    sums = []
    for first in range(0, len(flags_of_hosts), _ONE_BYTE):
        part = flags_of_hosts[first : first + _ONE_BYTE]
        sums.append(sum(int.from_bytes(flags) for flags in part).to_bytes(length))
    return sums[0] if len(sums) == 1 else [sum(counts) for counts in zip(*sums, strict=True)]
