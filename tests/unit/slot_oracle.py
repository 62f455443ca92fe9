"""Free slots the slow and obvious way: walk every minute, ask the zone what the wall shows, apply the rules one by one.

Nothing here is shared with the engine but the shapes of its input. `Verdict` is one of the three words below.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from app.domain.hours import Schedule
from app.domain.rules import HostState, LinkRules

Verdict = Literal["free", "taken", "not offered"]
Pair = tuple[int, int]

ONE_DAY = timedelta(days=1)


class Walls:
    """What the wall clock and calendar of a zone show at every minute around a date."""

    def __init__(self, timezone: str, around: date, days: int) -> None:
        self.zone = ZoneInfo(timezone)
        middle = int(datetime.combine(around, time(), UTC).timestamp())
        self.begin, self.end = middle - days * 86400, middle + days * 86400
        self.minutes: dict[int, datetime] = {}
        self.instants: dict[datetime, list[int]] = {}
        for instant in range(self.begin, self.end, 60):
            wall = self.at(instant)
            self.minutes[instant] = wall
            self.instants.setdefault(wall, []).append(instant)

    def at(self, instant: int) -> datetime:
        return datetime.fromtimestamp(instant, self.zone).replace(tzinfo=None)

    def date_of(self, instant: int) -> date:
        known = self.minutes.get(instant)
        return (known or self.at(instant)).date()

    def first(self, wall: datetime) -> int:
        """The first minute that shows this wall time, or the one after the gap that swallowed it."""
        if wall in self.instants:
            return self.instants[wall][0]
        return next(instant for instant, shown in self.minutes.items() if shown > wall)

    def last(self, wall: datetime) -> int:
        """The last minute that shows this wall time, or the one after the gap; midnight is where its date begins."""
        if wall in self.instants and wall.time() != time():
            return self.instants[wall][-1]
        return self.first(wall)


@lru_cache(maxsize=128)
def walls_around(timezone: str, around: date, days: int = 12) -> Walls:
    return Walls(timezone, around, days)


class Oracle:
    """The rules for one host and the starts in a window, which must lie within a week of the date `around`."""

    def __init__(self, rules: LinkRules, duration: int, host: HostState, window: Pair, now: int, around: date) -> None:
        self.rules, self.duration, self.host, self.window, self.now = rules, duration, host, window, now
        self.walls = walls_around(host.schedule.timezone, around)
        self.open_minutes: set[int] = set()
        self.on_step: set[int] = set()
        step = (rules.step or duration) * 60
        for minutes in self._ranges(host.schedule):
            self.open_minutes.update(minutes)
            self.on_step.update(minute for minute in minutes if (minute - minutes[0]) % step == 0)

    def _ranges(self, schedule: Schedule) -> Iterator[list[int]]:
        """The minutes of every single range near the window, ascending; the first is its begin."""
        first = self.walls.date_of(self.window[0]) - 2 * ONE_DAY
        last = self.walls.date_of(self.window[1] + self.duration * 60) + 2 * ONE_DAY
        for distance in range((last - first).days + 1):
            day = first + distance * ONE_DAY
            for begin, end in self._ranges_on(schedule, day):
                midnight = datetime.combine(day, time())
                opens = self.walls.first(midnight + begin * timedelta(minutes=1))
                end_wall = midnight + end * timedelta(minutes=1)
                if end_wall <= midnight + begin * timedelta(minutes=1):
                    end_wall += ONE_DAY
                closes = self.walls.last(end_wall)
                minutes = list(range(opens, closes, 60))
                if excluded(schedule, day + ONE_DAY):
                    minutes = [minute for minute in minutes if self.walls.date_of(minute) != day + ONE_DAY]
                if minutes:
                    yield minutes

    def _ranges_on(self, schedule: Schedule, day: date) -> tuple[Pair, ...]:
        if excluded(schedule, day):
            return ()
        if day in schedule.overrides:
            return schedule.overrides[day]
        if day in schedule.holidays:
            return ()
        return schedule.weekly[day.isoweekday() - 1]

    def starts(self) -> list[int]:
        """Every free start in the window."""
        first, last = self.window
        return [minute for minute in range(first + -first % 60, last, 60) if self.verdict(minute) == "free"]

    def verdict(self, start: int) -> Verdict:
        """What the rules say of this start."""
        if not (start in self.on_step and self._within_hours(start) and self._in_time(start)):
            return "not offered"
        return "free" if self.available(start) else "taken"

    def _within_hours(self, start: int) -> bool:
        return all(minute in self.open_minutes for minute in range(start, start + self.duration * 60, 60))

    def _in_time(self, start: int) -> bool:
        if start < self.now + self.rules.minimum_notice * 60:
            return False
        day = self.walls.date_of(start)
        if self.rules.date_range is not None:
            return self.rules.date_range[0] <= day <= self.rules.date_range[1]
        if self.rules.horizon_days is not None:
            return (day - self.walls.date_of(self.now)).days <= self.rules.horizon_days
        return True

    def available(self, start: int) -> bool:
        """Not busy, below all limits."""
        return self.has_room(start) and self._below_limits(start)

    def session_verdict(self, start: int, claim: Pair) -> Verdict:
        """What the rules say of joining a session there, whose own claim is in the host's busy time."""
        if not self._in_time(start):
            return "not offered"
        others = list(self.host.busy)
        others.remove(claim)
        is_busy = any(begin < claim[1] and claim[0] < finish for begin, finish in others if begin < finish)
        return "taken" if is_busy or not self._below_limits(start) else "free"

    def has_room(self, start: int) -> bool:
        """Not busy, whatever the hours and limits."""
        opens, closes = self._claim(start, start + self.duration * 60)
        return not any(begin < closes and opens < finish for begin, finish in self.host.busy if begin < finish)

    def _claim(self, start: int, end: int) -> Pair:
        return start - self.rules.buffer_before * 60, end + self.rules.buffer_after * 60

    def _below_limits(self, start: int) -> bool:
        day = self.walls.date_of(start)
        for starts, a_day, a_week in (
            (self.host.link_starts, self.rules.max_per_day, self.rules.max_per_week),
            (self.host.host_starts, self.host.max_per_day, self.host.max_per_week),
        ):
            days = [self.walls.date_of(booked) for booked in starts]
            same_week = [booked for booked in days if booked.isocalendar()[:2] == day.isocalendar()[:2]]
            if a_day is not None and days.count(day) >= a_day:
                return False
            if a_week is not None and len(same_week) >= a_week:
                return False
        return True


def excluded(schedule: Schedule, day: date) -> bool:
    return any(first <= day <= last for first, last in schedule.exclusions)
