"""Stays by the night: from the check-in wall time of one date to the check-out wall time of a later one.

A stay's length is told in nominal minutes, 1440 a night; how much time passes depends on the two wall times and on what
the clock does in between. Wall times are minutes of the local day, instants are epoch seconds UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from app.domain.hours import MINUTES_A_DAY, ONE_DAY, local_date, wall_instant
from app.domain.intervals import Interval

MOST_NIGHTS = 30
"""A claim is 31 days long at most."""
LONGEST_CLAIM = 31 * MINUTES_A_DAY
_CLOCK_CHANGES = 60
"""By how many minutes a change of the clock may make a stay longer than its wall times say."""


@dataclass(frozen=True, slots=True)
class Stay:
    """When guests of an offer come and go, in one zone."""

    check_in: int
    check_out: int
    timezone: str

    def starts(self, window: Interval) -> Iterator[int]:
        """The check-ins within `[from, to)`, ascending."""
        day, last = local_date(self.timezone, window[0]), local_date(self.timezone, window[1])
        while day <= last:
            start = wall_instant(self.timezone, day, self.check_in)
            if window[0] <= start < window[1]:
                yield start
            day += ONE_DAY

    def is_start(self, instant: int) -> bool:
        """Whether it is a check-in."""
        return instant == self.check_in_of(instant)

    def end(self, start: int, duration: int) -> int:
        """The check-out of a stay of `duration` minutes that begins on the local date of `start`."""
        day = local_date(self.timezone, start) + timedelta(days=duration // MINUTES_A_DAY)
        return wall_instant(self.timezone, day, self.check_out)

    def check_in_of(self, instant: int) -> int:
        """The check-in of the local date of `instant`."""
        return wall_instant(self.timezone, local_date(self.timezone, instant), self.check_in)

    def problem(self, start: int, duration: int, buffers: int) -> str | None:
        """Why nobody can stay so long from there, with so many minutes of buffers around it; None if they can."""
        if duration % MINUTES_A_DAY or not 0 < duration <= MOST_NIGHTS * MINUTES_A_DAY:
            return f"A stay is 1 to {MOST_NIGHTS} nights of {MINUTES_A_DAY} minutes each."
        if self.end(start, duration) - start + buffers * 60 > LONGEST_CLAIM * 60:
            return "With its buffers, and until check-out, a stay is 31 days at most."
        return None

    def duration_of(self, start: int, minutes: int) -> int:
        """The nominal length of something that lasts so many minutes of elapsed time: a night for each date it reaches
        into, one at least. Whole nights are what they are."""
        if minutes > 0 and minutes % MINUTES_A_DAY == 0:
            return minutes
        nights = (local_date(self.timezone, start + minutes * 60) - local_date(self.timezone, start)).days
        return max(nights, 1) * MINUTES_A_DAY


def longest_claim(check_in: int, check_out: int, duration: int, buffers: int) -> int:
    """How many minutes a stay may occupy at most, buffers included."""
    return duration + check_out - check_in + buffers + _CLOCK_CHANGES


def wall_time(minute: int) -> str:
    """`HH:MM`."""
    return f"{minute // 60:02}:{minute % 60:02}"


def nights_words(duration: int) -> str:
    """`1 night`, `3 nights`."""
    nights = duration // MINUTES_A_DAY
    return f"{nights} night{'' if nights == 1 else 's'}"
