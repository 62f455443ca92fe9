"""The starts of a recurring set, held to what clocks show."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as some

from app.domain.errors import Invalid
from app.domain.hours import END_OF_TIME
from app.domain.repeats import Repeat

ZONES = ("UTC", "Europe/Berlin", "America/New_York", "Pacific/Auckland", "America/Santiago", "Australia/Lord_Howe")
MINUTES = some.integers(int(datetime(2024, 1, 1, tzinfo=UTC).timestamp()) // 60, 2_000_000_000 // 60)
SETS = some.builds(Repeat, some.integers(2, 52), some.integers(1, 4))


def wall(instant: int, timezone: str) -> datetime:
    return datetime.fromtimestamp(instant, ZoneInfo(timezone)).replace(tzinfo=None, fold=0)


@given(MINUTES, SETS, some.sampled_from(ZONES))
def test_the_wall_time_stays_whatever_the_clock_does(minute: int, repeat: Repeat, timezone: str) -> None:
    first = minute * 60
    starts = repeat.starts(first, timezone)
    assert len(starts) == repeat.times
    assert starts[0] == first
    for number, start in enumerate(starts):
        meant = wall(first, timezone) + timedelta(weeks=number * repeat.every_weeks)
        aware = meant.replace(tzinfo=ZoneInfo(timezone))
        exists = aware.astimezone(UTC).astimezone(ZoneInfo(timezone)).replace(tzinfo=None) == meant
        if exists:
            assert wall(start, timezone) == meant
        else:
            assert timedelta(0) < wall(start, timezone) - meant <= timedelta(hours=1), "just after the gap"


@pytest.mark.parametrize(
    ("timezone", "first", "second"),
    [
        ("Europe/Berlin", "2027-03-21T09:00+01:00", "2027-03-28T09:00+02:00"),
        ("Europe/Berlin", "2027-03-21T02:30+01:00", "2027-03-28T03:00+02:00"),
        ("Europe/Berlin", "2027-10-24T02:30+02:00", "2027-10-31T02:30+02:00"),
        ("America/Santiago", "2027-03-28T09:00-03:00", "2027-04-04T09:00-04:00"),
    ],
    ids=["summer begins", "in the gap", "twice", "the south's winter"],
)
def test_over_a_change_of_the_clock(timezone: str, first: str, second: str) -> None:
    start = int(datetime.fromisoformat(first).timestamp())
    assert Repeat(2).starts(start, timezone)[1] == int(datetime.fromisoformat(second).timestamp())


@pytest.mark.parametrize("repeat", [Repeat(1), Repeat(53), Repeat(2, 0), Repeat(2, 5)])
def test_bounds(repeat: Repeat) -> None:
    with pytest.raises(Invalid):
        repeat.check()


def test_the_end_of_time_is_no_crash() -> None:
    with pytest.raises(Invalid, match="calendar"):
        Repeat(52, 4).starts(END_OF_TIME - 86400, "Europe/Berlin")
