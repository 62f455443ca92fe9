"""Wall times as `datetime-local` and `time` inputs carry them, to instants and back."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.errors import Invalid
from app.domain.hours import day_start
from app.web.pages.signed_in.form import Form
from app.web.times import epoch


def local_input(instant: int, zone: str) -> str:
    """The value of a `datetime-local` input, to the minute."""
    return datetime.fromtimestamp(instant, ZoneInfo(zone)).strftime("%Y-%m-%dT%H:%M")


def read_local(form: Form, name: str, zone: str, message: str) -> int:
    """The instant of a `datetime-local` value in a zone; 0 beside an error."""
    try:
        moment = datetime.fromisoformat(form.get(name))
        if moment.tzinfo is not None:
            raise ValueError(name)
        return epoch(moment.replace(second=0, microsecond=0, tzinfo=ZoneInfo(zone)), name)
    except (ValueError, Invalid):
        form.fail(name, message)
        return 0


def day_end(zone: str, day: date) -> int:
    """The last minute of a local date."""
    return day_start(zone, day + timedelta(days=1)) - 60


def instant_of(zone: str, day: date, clock: str) -> int:
    """The instant of a wall time `HH:MM` of a date; `ValueError` when it is none. Times that the clock skips mean the
    same distance after the gap."""
    hours, minutes = clock.split(":")[:2]
    wall = datetime(day.year, day.month, day.day, int(hours), int(minutes), tzinfo=ZoneInfo(zone))
    return int(wall.timestamp())
