"""Stays by the night, held to a brute search over every minute's clock, over changes of the clock on both sides of the
equator."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given
from hypothesis import strategies as some

from app.domain.hours import Schedule
from app.domain.intervals import Interval
from app.domain.rules import HostState, LinkRules
from app.domain.slots import Verdict, judge
from app.domain.stays import LONGEST_CLAIM, Stay, longest_claim
from app.domain.teams import Group, judge_team, team_starts, team_verdict

ZONES = ("Europe/Berlin", "America/New_York", "Pacific/Auckland", "America/Santiago", "Australia/Lord_Howe", "UTC")
SEASONS = (date(2027, 3, 10), date(2027, 4, 1), date(2027, 9, 1), date(2027, 9, 24), date(2027, 10, 28))
"""Around which one of these zones changes its clock."""
DAY = 1440
WALL = some.integers(0, 1439)
PLAIN = LinkRules(None, 0, 0, 0, None, None, None, None)


def instant(zone: ZoneInfo, day: date, minute: int) -> int:
    """By looking at what the clock shows, minute by minute: the first time it shows this, or else something later."""
    wall = datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
    begin = int(wall.timestamp()) - 15 * 3600
    for at in range(begin, begin + 30 * 3600, 60):
        shown = datetime.fromtimestamp(at, zone).replace(tzinfo=UTC)
        if shown >= wall:
            return at
    raise AssertionError("no clock is so wrong")


def schedule(zone: str, arrivals: frozenset[int], closed: tuple[tuple[date, date], ...] = ()) -> Schedule:
    """Guests arrive on these weekdays, but on closed dates."""
    weekly = tuple(((540, 1020),) if day in arrivals else () for day in range(7))
    return Schedule(zone, weekly, {}, closed, frozenset())


@given(
    some.sampled_from(ZONES),
    some.sampled_from(SEASONS),
    WALL,
    WALL,
    some.integers(1, 9),
    some.frozensets(some.integers(0, 6)),
    some.lists(some.tuples(some.integers(-2000, 30_000), some.integers(1, 4000)), max_size=5),
    some.tuples(some.sampled_from((0, 45, 180)), some.sampled_from((0, 30, 600))),
)
@example("Europe/Berlin", date(2027, 3, 10), 150, 150, 3, frozenset(range(7)), [], (0, 0))
@example("America/Santiago", date(2027, 9, 1), 0, 10, 2, frozenset(range(7)), [], (0, 0))
def test_offered_is_what_a_search_finds(
    zone_name: str,
    first: date,
    check_in: int,
    check_out: int,
    nights: int,
    arrivals: frozenset[int],
    events: list[tuple[int, int]],
    buffers: tuple[int, int],
) -> None:
    zone, days = ZoneInfo(zone_name), 14
    begin, end = instant(zone, first, 0), instant(zone, first + timedelta(days=days), 0)
    busy: list[Interval] = sorted((begin + at * 60, begin + (at + length) * 60) for at, length in events)
    excluded = (first + timedelta(days=4), first + timedelta(days=5))
    rules = LinkRules(None, *buffers, 0, None, None, None, None, stay=Stay(check_in, check_out, zone_name))
    host = HostState("room", schedule(zone_name, arrivals, (excluded,)), busy)
    expected = []
    for number in range(days):
        day = first + timedelta(days=number)
        start, leave = instant(zone, day, check_in), instant(zone, day + timedelta(days=nights), check_out)
        assert rules.end(start, nights * DAY) == leave
        claim = start - buffers[0] * 60, leave + buffers[1] * 60
        open_on_day = day.weekday() in arrivals and not excluded[0] <= day <= excluded[1]
        if open_on_day and not any(b < claim[1] and a > claim[0] for b, a in busy):
            expected.append((start, 1))
        assert judge(rules, nights * DAY, host, start + 60, begin).is_offered is False, "no other minute is a start"
        assert claim[1] - claim[0] <= longest_claim(check_in, check_out, nights * DAY, sum(buffers)) * 60
    group = Group((host,), 1)
    found = team_starts(rules, nights * DAY, [group], (begin, end), begin)
    assert found == [each for each in expected if begin <= each[0] < end]
    for start, _ in expected:
        assert team_verdict(judge_team(rules, nights * DAY, [group], start, begin)) is Verdict.FREE


@given(
    some.sampled_from(ZONES),
    some.sampled_from(SEASONS),
    WALL,
    WALL,
    some.lists(some.tuples(some.integers(0, 20), some.integers(1, 6)), max_size=25),
)
def test_no_two_stays_in_one_room_overlap(
    zone: str, first: date, check_in: int, check_out: int, wishes: list[tuple[int, int]]
) -> None:
    rules = LinkRules(None, 0, 0, 0, None, None, None, None, stay=Stay(check_in, check_out, zone))
    everyday = schedule(zone, frozenset(range(7)))
    now = instant(ZoneInfo(zone), first, 0)
    taken: list[Interval] = []
    for day, nights in wishes:
        start = instant(ZoneInfo(zone), first + timedelta(days=day), check_in)
        host = HostState("room", everyday, sorted(taken))
        if judge(rules, nights * DAY, host, start, now).is_free:
            taken.append((start, rules.end(start, nights * DAY)))
    taken.sort()
    assert all(taken[index][1] <= taken[index + 1][0] for index in range(len(taken) - 1))


def test_guests_leave_at_eleven_and_others_come_at_three() -> None:
    stay = Stay(15 * 60, 11 * 60, "Europe/Berlin")
    rules = LinkRules(None, 0, 0, 0, None, None, None, None, stay=stay)
    zone = ZoneInfo("Europe/Berlin")
    friday = instant(zone, date(2027, 3, 26), 15 * 60)  # the clock goes forward on Sunday
    monday = instant(zone, date(2027, 3, 29), 15 * 60)
    taken = (friday, rules.end(friday, 3 * DAY))
    assert (taken[1], taken[1] - friday) == (monday - 4 * 3600, (3 * 24 - 4 - 1) * 3600)
    host = HostState("room", schedule("Europe/Berlin", frozenset(range(7))), [taken])
    free = [start for start, _ in team_starts(rules, DAY, [Group((host,), 1)], (friday - 86400, monday + 3600), 0)]
    thursday = instant(zone, date(2027, 3, 25), 15 * 60)
    assert free == [thursday, monday]


@pytest.mark.parametrize(
    ("minutes", "nights"), [(1440, 1), (4320, 3), (20 * 60, 1), (44 * 60, 2), (60, 1), (67 * 60, 3), (68 * 60, 3)]
)
def test_nights_of_what_a_calendar_tells(minutes: int, nights: int) -> None:
    stay = Stay(15 * 60, 11 * 60, "Europe/Berlin")
    start = instant(ZoneInfo("Europe/Berlin"), date(2027, 3, 26), 15 * 60)
    assert stay.duration_of(start, minutes) == nights * DAY


@pytest.mark.parametrize(
    ("start", "nights", "buffers", "fits"),
    [
        (15, 30, 0, True), (15, 30, 1680, True), (15, 30, 1681, False), (0, 30, 780, True), (0, 30, 781, False),
        (15, 0, 0, False), (15, 31, 0, False), (15, -1, 0, False),
    ],
)  # fmt: skip
def test_how_long_one_can_stay(start: int, nights: int, buffers: int, fits: bool) -> None:
    """Whenever it begins: a claim is 31 days long at most."""
    stay = Stay(15 * 60, 11 * 60, "Europe/Berlin")
    begin = instant(ZoneInfo("Europe/Berlin"), date(2027, 5, 10), start * 60)
    assert (stay.problem(begin, nights * DAY, buffers) is None) is fits


@pytest.mark.parametrize("minutes", [1, 30, DAY - 1, DAY + 1, 30 * DAY - 1])
def test_a_stay_is_whole_nights(minutes: int) -> None:
    assert Stay(15 * 60, 11 * 60, "UTC").problem(0, minutes, 0) is not None


@given(some.sampled_from(ZONES), some.sampled_from(SEASONS), WALL, WALL)
def test_the_check_in_of_a_date(zone_name: str, first: date, check_in: int, minute: int) -> None:
    zone = ZoneInfo(zone_name)
    stay = Stay(check_in, 0, zone_name)
    for number in range(5):
        day = first + timedelta(days=number)
        found = stay.check_in_of(instant(zone, day, minute))
        assert found == instant(zone, day, check_in)
        assert stay.is_start(found)


def test_the_longest_stay_fits_into_a_claim() -> None:
    assert longest_claim(15 * 60, 11 * 60, 30 * DAY, 0) <= LONGEST_CLAIM
    assert longest_claim(0, 1439, 30 * DAY, 0) > LONGEST_CLAIM
