"""Seats of a class, one example each; `test_slots_oracle` has the random ones.

It is Monday, 2027-03-01, midnight UTC; hosts work 09:00 to 12:00, and a class lasts 60 minutes.
"""

from dataclasses import replace

from app.domain.rules import HostState, LinkRules
from app.domain.seats import OpenSession, choose_session, judge_session, seats_of_starts, seats_together
from app.domain.slots import Verdict
from app.domain.teams import Group, team_starts
from tests.unit.test_slots import HOUR, MIDNIGHT, RULES, THE_DAY, at, clock, host

EIGHT = 8


def session(start: str, left: int = 3, host_id: str = "a", rules: LinkRules = RULES) -> OpenSession:
    begin, end = at(start), at(start) + HOUR
    claim = begin - rules.buffer_before * 60, end + rules.buffer_after * 60
    return OpenSession(f"{host_id}.{start}", begin, end, claim, frozenset({host_id}), left, None, EIGHT)


def holding(state: HostState, *sessions: OpenSession) -> HostState:
    """The host with what the guard knows of the sessions."""
    return replace(state, busy=sorted([*state.busy, *(each.claim for each in sessions)]))


def offered(
    sessions: list[OpenSession], *states: HostState, rules: LinkRules = RULES, capacity: int = EIGHT, duration: int = 60
) -> list[tuple[str, int]]:
    groups = [Group(tuple(states), 1)]
    teams = team_starts(rules, duration, groups, THE_DAY, MIDNIGHT)
    joinable = [
        each for each in sessions if each.duration == duration and judge_session(each, rules, groups, MIDNIGHT).is_free
    ]
    return [(clock(start), seats) for start, seats in seats_of_starts(teams, capacity, joinable)]


def test_an_untouched_start_has_all_seats() -> None:
    assert offered([], host()) == [("09:00", 8), ("10:00", 8), ("11:00", 8)]


def test_an_open_session_offers_its_rest_and_blocks_other_starts() -> None:
    ten = session("10:00")
    rules = replace(RULES, step=30)
    assert offered([ten], holding(host(), ten), rules=rules) == [("09:00", 8), ("10:00", 3), ("11:00", 8)]


def test_its_buffers_block_its_neighbours() -> None:
    rules = replace(RULES, buffer_after=5)
    ten = session("10:00", rules=rules)
    assert offered([ten], holding(host(), ten), rules=rules) == [("10:00", 3)]


def test_another_duration_at_the_same_start_conflicts() -> None:
    nine = session("09:00")
    assert offered([nine], holding(host(), nine), duration=90) == [("10:30", 8)]


def test_a_full_session_offers_nothing() -> None:
    ten = session("10:00", 0)
    assert offered([ten], holding(host(), ten)) == [("09:00", 8), ("11:00", 8)]
    assert judge_session(ten, RULES, [Group((holding(host(), ten),), 1)], MIDNIGHT) is Verdict.FULL


def test_a_session_that_something_else_overlaps_takes_no_more() -> None:
    ten = session("10:00")
    assert offered([ten], holding(host(("10:30", "10:45")), ten)) == [("09:00", 8), ("11:00", 8)]


def test_a_session_keeps_its_seats_when_the_service_loses_its_capacity() -> None:
    ten = session("10:00")
    assert offered([ten], holding(host(), ten), capacity=1) == [("09:00", 1), ("10:00", 3), ("11:00", 1)]


def test_nothing_but_what_staff_set() -> None:
    ten = session("10:00")
    assert offered([ten], holding(host(), ten), capacity=0) == [("10:00", 3)]


def test_seats_of_a_pool_add_up() -> None:
    ten = session("10:00")
    second = host(("11:00", "12:00"), host_id="b")
    found = offered([ten], holding(host(), ten), second)
    assert found == [("09:00", 16), ("10:00", 11), ("11:00", 8)]


def test_a_session_of_somebody_else_is_none_of_the_links() -> None:
    ten = session("10:00", host_id="c")
    assert judge_session(ten, RULES, [Group((host(),), 1)], MIDNIGHT) is Verdict.BUSY


def test_seats_together_are_those_of_one_session() -> None:
    ten, other = session("10:00", 3), session("10:00", 5, "b")
    assert seats_together([], 0, [ten, other]) == {at("10:00"): 5}
    assert seats_together([(at("10:00"), 1)], EIGHT, [ten]) == {at("10:00"): 8}


def test_the_fullest_session_that_has_room_is_joined() -> None:
    ten, other = session("10:00", 1), session("10:00", 5, "b")
    assert choose_session([other, ten], 1) == ten
    assert choose_session([other, ten], 2) == other
    assert choose_session([other, ten], 6) is None
