"""The slot engine against the oracle that walks minutes: more than 2,000 random questions in the ordinary run.

HYPOTHESIS_PROFILE=thorough asks twenty times as many.
"""

from collections import Counter
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.hours import day_start, local_date
from app.domain.seats import judge_session, seats_of_starts, seats_together
from app.domain.slots import (
    Verdict,
    free_starts,
    judge,
    judge_picked,
    pool_starts,
)
from app.domain.teams import Group, choose_team, judge_team, team_picked, team_starts, team_verdict
from tests.switches import examples
from tests.unit.slot_oracle import Oracle, walls_around
from tests.unit.slot_scenarios import ODD_DATES, Scenario, scenarios

pytestmark = pytest.mark.timeout(3600)  # the thorough form takes minutes


def _oracles(asked: Scenario) -> list[Oracle]:
    return [Oracle(asked.rules, asked.duration, host, asked.window, asked.now, asked.around) for host in asked.hosts]


def _word(verdict: Verdict) -> str:
    return "free" if verdict.is_free else "taken" if verdict.is_taken else "not offered"


@settings(max_examples=examples(900))
@given(scenarios())
def test_free_starts_are_those_the_rules_allow(asked: Scenario) -> None:
    (oracle,) = _oracles(asked)
    assert free_starts(asked.rules, asked.duration, asked.host, asked.window, asked.now) == oracle.starts()


@settings(max_examples=examples(400))
@given(scenarios(), st.integers(0, 59))
def test_judging_one_start_says_what_the_rules_say(asked: Scenario, offset: int) -> None:
    """Every free start is judged free, and a spread of other minutes as the oracle has them."""
    (oracle,) = _oracles(asked)
    first, last = asked.window
    offered = [minute for minute in sorted(oracle.on_step) if first <= minute < last]
    minutes = [*offered[:: len(offered) // 12 + 1], *range(first - first % 60 + offset * 60, last, 7 * 3600)]
    judged = {minute: _word(judge(asked.rules, asked.duration, asked.host, minute, asked.now)) for minute in minutes}
    assert judged == {minute: oracle.verdict(minute) for minute in minutes}


@settings(max_examples=examples(200))
@given(scenarios(host_count=3))
def test_a_collective_is_free_where_all_hosts_are(asked: Scenario) -> None:
    free = [set(oracle.starts()) for oracle in _oracles(asked)]
    everybody = [Group(tuple(asked.hosts), 3)]
    found = team_starts(asked.rules, asked.duration, everybody, asked.window, asked.now)
    assert found == [(start, 1) for start in sorted(free[0] & free[1] & free[2])]


@settings(max_examples=examples(300))
@given(scenarios(host_count=6))
def test_people_and_resources_are_solved_together(asked: Scenario) -> None:
    """One fixed, one of a pool of two, and two of three chairs that have no hours of their own."""
    fixed, *pool = asked.hosts[:3]
    chairs = asked.hosts[3:]
    groups = [Group((fixed,), 1), Group(tuple(pool), 1), Group(tuple(chairs), 2, keeps_hours=False)]
    oracles = _oracles(asked)
    expected = [
        start
        for start in oracles[0].starts()
        if any(start in set(oracle.starts()) for oracle in oracles[1:3])
        and sum(oracle.has_room(start) for oracle in oracles[3:]) >= 2
    ]
    found = team_starts(asked.rules, asked.duration, groups, asked.window, asked.now)
    assert found == [(start, 1) for start in expected]
    for start in expected:
        judged = judge_team(asked.rules, asked.duration, groups, start, asked.now)
        assert team_verdict(judged).is_free
        chosen = choose_team(judged, start)
        assert len(chosen) == 4
        assert fixed.host_id in chosen


@settings(max_examples=examples(300))
@given(scenarios(host_count=3))
def test_a_pool_counts_the_hosts_that_are_free(asked: Scenario) -> None:
    counts = Counter(start for oracle in _oracles(asked) for start in oracle.starts())
    assert pool_starts(asked.rules, asked.duration, asked.hosts, asked.window, asked.now) == sorted(counts.items())


@settings(max_examples=examples(300))
@given(scenarios(host_count=2, shared=True), st.integers(1, 4))
def test_seats_are_those_of_open_sessions_and_of_whole_new_ones(asked: Scenario, capacity: int) -> None:
    group = Group(asked.hosts, 1)
    oracles = dict(zip((host.host_id for host in asked.hosts), _oracles(asked), strict=True))
    sessions = [each for each in asked.sessions if asked.window[0] <= each.start < asked.window[1]]
    judged = {each.id: judge_session(each, asked.rules, [group], asked.now) for each in sessions}
    seats: Counter[int] = Counter()
    together: dict[int, int] = {}
    for oracle in oracles.values():
        for start in oracle.starts():
            seats[start] += capacity
            together[start] = capacity
    joinable = []
    for each in sessions:
        (host_id,) = each.host_ids
        found = oracles[host_id].session_verdict(each.start, each.claim)
        assert _word(judged[each.id]) == ("taken" if found == "free" and not each.seats_left else found)
        if judged[each.id].is_free:
            joinable.append(each)
            seats[each.start] += each.seats_left
            together[each.start] = max(together.get(each.start, 0), each.seats_left)
    teams = team_starts(asked.rules, asked.duration, [group], asked.window, asked.now)
    assert seats_of_starts(teams, capacity, joinable) == sorted(seats.items())
    assert seats_together(teams, capacity, joinable) == together
    only_sessions = Counter({each.start: 0 for each in joinable})
    for each in joinable:
        only_sessions[each.start] += each.seats_left
    assert seats_of_starts(teams, 0, joinable) == sorted(only_sessions.items())


@settings(max_examples=examples(200))
@given(scenarios(host_count=2), st.lists(st.integers(-600, 900), max_size=8), st.booleans())
def test_picked_slots_ask_only_for_room(asked: Scenario, tens: list[int], pool: bool) -> None:
    base = asked.window[0]
    picks = [(base + ten * 600, asked.duration if ten % 3 else asked.duration + 5) for ten in tens]
    oracles = _oracles(asked)
    whole = any if pool else all
    expected = {
        start
        for start, minutes in picks
        if minutes == asked.duration and start > asked.now and whole(oracle.available(start) for oracle in oracles)
    }
    group = Group(tuple(asked.hosts), 1 if pool else len(asked.hosts))
    always = base - 360000, base + 540001
    found = team_picked(picks, asked.rules, asked.duration, [group], always, asked.now)
    assert found == [(start, 1) for start in sorted(expected)]
    for start, _ in picks:
        judged = judge_picked(picks, asked.duration, asked.rules, asked.host, start, asked.now)
        offered = (start, asked.duration) in picks and start > asked.now
        word = ("free" if oracles[0].available(start) else "taken") if offered else "not offered"
        assert _word(judged) == word


@settings(max_examples=examples(150))
@given(scenarios(), st.data())
def test_a_state_that_is_kept_answers_other_questions_as_a_new_one_does(asked: Scenario, data: st.DataObject) -> None:
    """What a state remembers of one question must not leak into the next."""
    (first, last), host = asked.window, asked.host
    for _ in range(3):
        duration = data.draw(st.sampled_from([30, 60]))
        later = data.draw(st.integers(0, 2)) * 86400
        window = (first + later, last + later)
        now = asked.now + data.draw(st.integers(0, 86400))
        oracle = Oracle(asked.rules, duration, host, window, now, asked.around)
        assert free_starts(asked.rules, duration, host, window, now) == oracle.starts()


@pytest.mark.parametrize("timezone", sorted(ODD_DATES))
def test_dates_begin_with_their_first_minute_in_every_zone(timezone: str) -> None:
    for around in ODD_DATES[timezone]:
        walls = walls_around(timezone, around)
        seen: dict[date, int] = {}
        for instant in walls.minutes:
            seen.setdefault(walls.date_of(instant), instant)
        for day, first_minute in list(seen.items())[1:]:
            assert day_start(timezone, day) == first_minute
            assert local_date(timezone, first_minute) == day
            assert local_date(timezone, first_minute - 60) < day
