"""Wall times as iCalendar writes them (RFC 5545 §3.3.4, §3.3.5)."""

from __future__ import annotations

import re
from datetime import date, datetime, time

_DATE_TIME = re.compile(r"([0-9]{8})T([0-9]{6})Z?")


def read_date_time(text: str) -> datetime | None:
    """What the clock shows in a DATE-TIME, in whatever zone is told beside it or by its Z; None for anything else."""
    found = _DATE_TIME.fullmatch(text)
    return None if found is None else wall_of(found[1], found[2])


def wall_of(day: str, clock: str = "000000") -> datetime | None:
    """The wall time of eight digits and six; None when there is no such day or time."""
    try:
        return datetime.combine(date.fromisoformat(day), time.fromisoformat(clock))
    except ValueError:
        return None
