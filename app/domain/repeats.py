"""Recurring bookings: the same wall time every so many weeks. Instants are epoch seconds UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.domain.errors import Invalid
from app.domain.hours import END_OF_TIME, wall_instant, zone

LEAST_TIMES, MOST_TIMES, MOST_WEEKS = 2, 52, 4
_WEEK = 7 * 86400


@dataclass(frozen=True, slots=True)
class Repeat:
    """`times` bookings (2 to 52), one every `every_weeks` weeks (1 to 4): all of them, or with `only_free` those that
    can be had."""

    times: int
    every_weeks: int = 1
    only_free: bool = False

    def check(self) -> None:
        """`Invalid` outside the bounds."""
        if not LEAST_TIMES <= self.times <= MOST_TIMES:
            raise Invalid.field("repeat.times", f"A booking is repeated {LEAST_TIMES} to {MOST_TIMES} times.")
        if not 1 <= self.every_weeks <= MOST_WEEKS:
            raise Invalid.field("repeat.every_weeks", f"A booking is repeated every 1 to {MOST_WEEKS} weeks.")

    def starts(self, first: int, timezone: str) -> list[int]:
        """`first` and the starts after it, at the wall time that `first` has in `timezone`, whatever the clock does
        in between. Where that time does not exist it is the instant just after the gap; where it exists twice, the
        first of the two. `Invalid` beyond what the calendar can hold."""
        if first + (self.times * self.every_weeks + 1) * _WEEK > END_OF_TIME:
            raise Invalid.field("repeat", "These dates lie outside what the calendar can hold.")
        wall = datetime.fromtimestamp(first, zone(timezone))
        minute = wall.hour * 60 + wall.minute
        later = (wall.date() + timedelta(weeks=self.every_weeks * number) for number in range(1, self.times))
        return [first, *(wall_instant(timezone, day, minute) for day in later)]
