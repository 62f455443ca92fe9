"""Groups of hosts, one example each; `test_slots_oracle` has the random ones. The day is that of `test_slots`."""

from collections.abc import Sequence
from dataclasses import replace

from app.domain.rules import HostState, LinkRules
from app.domain.slots import Verdict
from app.domain.teams import Group, choose_team, judge_team, team_picked, team_starts, team_verdict
from tests.unit.test_slots import MIDNIGHT, RULES, THE_DAY, at, host, schedule

NEVER = replace(schedule(), weekly=((),) * 7)


def starts(*groups: Group, rules: LinkRules = RULES) -> list[tuple[int, int]]:
    return team_starts(rules, 60, groups, THE_DAY, MIDNIGHT)


def everybody(*hosts: HostState) -> Group:
    return Group(hosts, len(hosts))


def pool(*hosts: HostState) -> Group:
    return Group(hosts, 1)


def units(*busy: Sequence[tuple[str, str]], needed: int = 1) -> Group:
    """A resource with a unit for each list of busy times."""
    found = [host(*times, hours=NEVER, host_id=f"u{number}") for number, times in enumerate(busy)]
    return Group(tuple(found), needed, keeps_hours=False)


class TestPeople:
    def test_a_collective_needs_all(self) -> None:
        group = everybody(host(("09:00", "10:00")), host(("11:00", "12:00"), host_id="b"))
        assert starts(group) == [(at("10:00"), 1)]

    def test_a_collective_of_nobody_is_never_free(self) -> None:
        assert starts(everybody()) == []
        assert not team_verdict(judge_team(RULES, 60, [pool()], at("10:00"), MIDNIGHT)).is_free

    def test_one_of_a_pool_joins_those_who_are_fixed(self) -> None:
        fixed = everybody(host(("09:00", "10:00"), host_id="f"))
        others = pool(host(("10:00", "11:00")), host(("10:00", "12:00"), host_id="b"))
        assert starts(fixed, others) == [(at("11:00"), 1)]

    def test_several_may_be_needed_of_a_group(self) -> None:
        three = (host(("09:00", "10:00")), host(("10:00", "11:00"), host_id="b"), host(("10:00", "11:00"), host_id="c"))
        assert starts(Group(three, 2)) == [(at("09:00"), 1), (at("11:00"), 1)]


class TestResources:
    def test_a_resource_has_no_hours_or_steps_of_its_own(self) -> None:
        assert starts(pool(host()), units([("10:00", "10:05")])) == [(at("09:00"), 1), (at("11:00"), 1)]

    def test_there_are_as_many_seats_as_teams(self) -> None:
        people = pool(host(), host(host_id="b"), host(host_id="c"))
        rooms = units([("09:00", "10:00")], [("09:00", "11:00")])
        assert starts(people, rooms) == [(at("10:00"), 1), (at("11:00"), 2)]

    def test_several_units_are_taken_together(self) -> None:
        chairs = units([], [], [("10:00", "11:00")], needed=2)
        assert starts(pool(host(), host(host_id="b")), chairs) == [(at("09:00"), 1), (at("10:00"), 1), (at("11:00"), 1)]

    def test_buffers_count_for_resources_too(self) -> None:
        rules = replace(RULES, buffer_after=15)
        assert starts(pool(host()), units([("10:05", "10:10")]), rules=rules) == [(at("11:00"), 1)]

    def test_without_people_the_resource_keeps_hours_of_its_own(self) -> None:
        court = Group((host(("10:00", "11:00"), host_id="u"),), 1)
        assert starts(court) == [(at("09:00"), 1), (at("11:00"), 1)]


class TestChoosing:
    def test_all_who_are_needed_are_chosen(self) -> None:
        groups = [
            everybody(host(host_id="f")),
            pool(host(("10:00", "11:00")), host(host_id="b")),
            units([("10:00", "11:00")], [], [], needed=2),
        ]
        judged = judge_team(RULES, 60, groups, at("10:00"), MIDNIGHT)
        assert choose_team(judged, at("10:00")) == ["f", "b", "u1", "u2"]

    def test_nobody_is_chosen_when_a_group_has_too_few(self) -> None:
        judged = judge_team(RULES, 60, [pool(host()), units([("10:00", "11:00")])], at("10:00"), MIDNIGHT)
        assert choose_team(judged, at("10:00")) == []
        assert team_verdict(judged) is Verdict.BUSY

    def test_those_who_are_there_stay(self) -> None:
        judged = judge_team(RULES, 60, [pool(host(), host(host_id="b"))], at("10:00"), MIDNIGHT)
        assert choose_team(judged, at("10:00")) == ["a"]
        assert choose_team(judged, at("10:00"), {"b"}) == ["b"]

    def test_what_stands_against_a_group_is_what_its_best_hosts_say(self) -> None:
        groups = [pool(host(hours=NEVER), host(("10:00", "11:00"), host_id="b"))]
        assert team_verdict(judge_team(RULES, 60, groups, at("10:00"), MIDNIGHT)) is Verdict.BUSY
        assert team_verdict(judge_team(RULES, 60, groups, at("08:00"), MIDNIGHT)) is Verdict.OUTSIDE_HOURS


class TestPicked:
    PICKS = ((at("03:07"), 60), (at("20:00", 400), 60), (at("10:00"), 30))

    def picked(
        self,
        *groups: Group,
        picks: Sequence[tuple[int, int]] = PICKS,
        rules: LinkRules = RULES,
        duration: int = 60,
        now: int = MIDNIGHT,
    ) -> list[int]:
        window = MIDNIGHT, at("00:00", 500)
        return [start for start, _ in team_picked(picks, rules, duration, groups or [pool(host())], window, now)]

    def test_hours_step_notice_and_horizon_do_not_apply(self) -> None:
        rules = replace(RULES, minimum_notice=6000, horizon_days=1)
        assert self.picked(rules=rules) == [at("03:07"), at("20:00", 400)]

    def test_only_those_of_the_duration(self) -> None:
        assert self.picked(duration=30) == [at("10:00")]

    def test_they_are_given_once_and_in_order(self) -> None:
        picks = [(at("10:00"), 60), (at("09:00"), 60), (at("10:00"), 60)]
        assert self.picked(picks=picks) == [at("09:00"), at("10:00")]

    def test_only_those_of_the_window(self) -> None:
        assert team_picked(self.PICKS, RULES, 60, [pool(host())], THE_DAY, MIDNIGHT) == [(at("03:07"), 1)]

    def test_they_must_lie_in_the_future(self) -> None:
        assert self.picked(now=at("03:07")) == [at("20:00", 400)]
        assert self.picked(now=at("03:07") - 1)[0] == at("03:07")

    def test_buffers_apply(self) -> None:
        before = pool(host(("02:00", "03:00")))
        assert self.picked(before, picks=self.PICKS[:1], rules=replace(RULES, buffer_before=10)) == []
        assert self.picked(before, picks=self.PICKS[:1]) == [at("03:07")]

    def test_limits_apply(self) -> None:
        state = host(link_starts=[at("15:00")])
        assert self.picked(pool(state), rules=replace(RULES, max_per_day=1)) == [at("20:00", 400)]

    def test_several_hosts_must_all_be_free_or_any_in_a_pool(self) -> None:
        hosts = host(("03:00", "04:00")), host(host_id="b")
        assert self.picked(everybody(*hosts), picks=self.PICKS[:1]) == []
        assert self.picked(pool(*hosts), picks=self.PICKS[:1]) == [at("03:07")]
        assert self.picked(pool(), picks=self.PICKS[:1]) == []
