"""Booking on the days when clocks change, by wall-clock hours in the host's zone."""

import pytest

from app.db import models as m
from app.domain.errors import Conflict, Invalid
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

MINUTE, HOUR = 60, 3600
NIGHT = {"sun": [("01:00", "04:00")]}

# zone, the date, its free half hours of 01:00-04:00 (elapsed time), and how long the local day is
DAYS = [
    ("Europe/Berlin", "2027-03-28", 4, 23 * 60),
    ("Europe/Berlin", "2027-10-31", 8, 25 * 60),
    ("America/New_York", "2027-03-14", 4, 23 * 60),
    ("America/New_York", "2027-11-07", 8, 25 * 60),
    ("Australia/Lord_Howe", "2027-04-04", 7, 24 * 60 + 30),
    ("Australia/Lord_Howe", "2027-10-03", 5, 23 * 60 + 30),
]


@pytest.mark.parametrize(("zone", "day", "free", "length"), DAYS, ids=[f"{zone} {day}" for zone, day, _, _ in DAYS])
async def test_hours_are_wall_time_and_bookings_elapsed_time(
    workspace: Workspace, clock: Clock, zone: str, day: str, free: int, length: int
) -> None:
    clock.now = at(f"{day} 00:00", zone) - 24 * HOUR
    await workspace.hours(workspace.owner, NIGHT, timezone=zone)
    link = await workspace.link()
    midnight = at(f"{day} 00:00", zone)
    starts = [
        start for start in await workspace.free(link, midnight, midnight + 30 * HOUR) if start < midnight + 30 * HOUR
    ]
    assert starts == [midnight + HOUR + number * 30 * MINUTE for number in range(free)]
    for start in starts:
        made = await workspace.book(link, start)
        assert made.end - made.start == 30 * MINUTE
    for start in (starts[0] - 30 * MINUTE, starts[-1] + 30 * MINUTE):
        with pytest.raises(Invalid):
            await workspace.book(link, start)
    claims = sorted((row["start_at"], row["end_at"]) for row in await workspace.rows(m.claims))
    assert claims == [(start, start + 30 * MINUTE) for start in starts]


@pytest.mark.parametrize(("zone", "day", "free", "length"), DAYS, ids=[f"{zone} {day}" for zone, day, _, _ in DAYS])
async def test_a_daily_limit_spans_the_whole_local_day(
    workspace: Workspace, clock: Clock, zone: str, day: str, free: int, length: int
) -> None:
    """The first and the last half hour of a day belong together, the one after to the next."""
    midnight = at(f"{day} 00:00", zone)
    clock.now = midnight - 24 * HOUR
    await workspace.hours(workspace.owner, timezone=zone)
    link = await workspace.link(max_per_day=1)
    await workspace.book(link, midnight)
    with pytest.raises(Conflict):
        await workspace.book(link, midnight + (length - 30) * MINUTE)
    await workspace.book(link, midnight - 30 * MINUTE)
    await workspace.book(link, midnight + length * MINUTE)


async def test_an_hour_shown_twice_can_be_booked_twice(workspace: Workspace, clock: Clock) -> None:
    """02:30 exists twice in Berlin that night: two starts an hour apart, each bookable once."""
    clock.now = at("2027-10-30 12:00")
    await workspace.hours(workspace.owner, NIGHT, timezone="Europe/Berlin")
    link = await workspace.link()
    first, second = at("2027-10-31 00:30"), at("2027-10-31 01:30")
    for start in (first, second):
        await workspace.book(link, start)
        with pytest.raises(Conflict):
            await workspace.book(link, start)


@pytest.mark.parametrize(("zone", "day", "free", "length"), DAYS, ids=[f"{zone} {day}" for zone, day, _, _ in DAYS])
async def test_a_range_that_ends_when_it_begins_is_a_whole_day(
    workspace: Workspace, clock: Clock, zone: str, day: str, free: int, length: int
) -> None:
    """From 00:30 to the same wall time of the next day, whatever the clock does in between."""
    begin = at(f"{day} 00:30", zone)
    clock.now = begin - 24 * HOUR
    await workspace.hours(workspace.owner, {"sun": [("00:30", "00:30")]}, timezone=zone)
    starts = await workspace.free(await workspace.link(), begin - 24 * HOUR, begin + 48 * HOUR)
    assert starts == list(range(begin, begin + (length - 29) * MINUTE, 30 * MINUTE))
