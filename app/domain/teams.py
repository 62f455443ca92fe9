"""Who takes a booking together: groups of hosts of which some are needed, people and resources solved at once.

A single host, a collective (all are needed), a pool (one of several), a fixed person with one of a pool, and the rooms
or chairs they need besides are all lists of groups. Groups of one team share no host.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from app.domain.assignment import bookings_in_week, choose_host
from app.domain.hours import END_OF_TIME
from app.domain.intervals import Interval, clear_flags, overlaps
from app.domain.rules import HostState, LinkRules
from app.domain.slots import Verdict, judge, judge_picked, pool_starts
from app.domain.stays import Stay

Picks = Sequence[tuple[int, int]]
"""Hand-picked (start, duration in minutes), which hours, step, notice and horizon do not bound."""


@dataclass(frozen=True, slots=True)
class Group:
    """Hosts of whom `needed` take a booking. Without `keeps_hours` the group (a resource that goes by the hours of the
    people who use it) must just not be busy."""

    hosts: tuple[HostState, ...]
    needed: int
    keeps_hours: bool = True


def team_starts(
    rules: LinkRules, duration: int, groups: Sequence[Group], window: Interval, now: int
) -> list[tuple[int, int]]:
    """The starts at which every group has enough free hosts, ascending, each with the seats left: how many teams there
    are. At least one group keeps hours."""
    if rules.stay is not None:
        return _stay_starts(rules, rules.stay, duration, groups, window, now)
    leading = [group for group in groups if group.keeps_hours]
    found = _starts_of(leading[0], rules, duration, window, now)
    for group in leading[1:]:
        seats = dict(_starts_of(group, rules, duration, window, now))
        found = [(start, min(left, seats[start])) for start, left in found if start in seats]
    for group in groups:
        if not group.keeps_hours and found:
            found = _narrowed(found, group, rules, duration)
    return found


def _stay_starts(
    rules: LinkRules, stay: Stay, duration: int, groups: Sequence[Group], window: Interval, now: int
) -> list[tuple[int, int]]:
    """The same for stays: one start a date."""
    found = []
    for start in stay.starts((max(window[0], now), min(window[1], END_OF_TIME))):
        judged = judge_team(rules, duration, groups, start, now)
        if seats := min(len(each.free) // each.group.needed for each in judged):
            found.append((start, seats))
    return found


def team_picked(
    picks: Picks, rules: LinkRules, duration: int, groups: Sequence[Group], window: Interval, now: int
) -> list[tuple[int, int]]:
    """The same for hand-picked times (rule 7); of each there is one."""
    wanted = sorted({start for start, minutes in picks if minutes == duration and window[0] <= start < window[1]})
    return [
        (start, 1) for start in wanted if team_verdict(judge_team(rules, duration, groups, start, now, picks)).is_free
    ]


@dataclass(frozen=True, slots=True)
class Judged:
    """A group with each host's verdict on one start."""

    group: Group
    hosts: tuple[tuple[HostState, Verdict], ...]

    @property
    def verdict(self) -> Verdict:
        """What stands against the group: the best verdict that enough of its hosts have."""
        return Verdict.for_most((verdict for _, verdict in self.hosts), self.group.needed)

    @property
    def free(self) -> list[HostState]:
        """Those that can be booked."""
        return [host for host, verdict in self.hosts if verdict.is_free]


def judge_team(
    rules: LinkRules, duration: int, groups: Sequence[Group], start: int, now: int, picks: Picks = ()
) -> list[Judged]:
    """Every host's verdict on one start."""
    return [
        Judged(
            group,
            tuple(
                (host, _judged(rules, duration, host, start, now, picks, keeps_hours=group.keeps_hours))
                for host in group.hosts
            ),
        )
        for group in groups
    ]


def team_verdict(judged: Sequence[Judged]) -> Verdict:
    """What stands against the whole team."""
    return Verdict.for_all(each.verdict for each in judged)


def choose_team(judged: Sequence[Judged], start: int, present: Collection[str] = ()) -> list[str]:
    """The ids of the hosts that take the booking; of several that could, those `present` already, then the fairest
    (`choose_host`). Empty when a group has too few."""
    chosen: list[str] = []
    for each in judged:
        free = each.free
        if len(free) < each.group.needed:
            return []
        ranked = choose_host(free, bookings_in_week(free, start)) if len(free) > 1 else [host.host_id for host in free]
        ranked.sort(key=lambda host_id: host_id not in present)
        chosen += ranked[: each.group.needed]
    return chosen


def _judged(
    rules: LinkRules, duration: int, host: HostState, start: int, now: int, picks: Picks, *, keeps_hours: bool
) -> Verdict:
    if not keeps_hours:
        claim = start - rules.buffer_before * 60, rules.end(start, duration) + rules.buffer_after * 60
        return Verdict.BUSY if overlaps(host.busy, *claim) else Verdict.FREE
    if picks:
        return judge_picked(picks, duration, rules, host, start, now)
    return judge(rules, duration, host, start, now)


def _starts_of(group: Group, rules: LinkRules, duration: int, window: Interval, now: int) -> list[tuple[int, int]]:
    free = pool_starts(rules, duration, group.hosts, window, now)
    if group.needed == 1:
        return free
    return [(start, left // group.needed) for start, left in free if left >= group.needed]


def _narrowed(found: Sequence[tuple[int, int]], group: Group, rules: LinkRules, duration: int) -> list[tuple[int, int]]:
    """Those of the starts at which enough of the group are not busy."""
    starts = [start for start, _ in found]
    lead, tail = rules.buffer_before * 60, (duration + rules.buffer_after) * 60
    counts = [0] * len(starts)
    for host in group.hosts:
        counts = [count + flag for count, flag in zip(counts, clear_flags(starts, lead, tail, host.busy), strict=True)]
    return [
        (start, min(left, count // group.needed))
        for (start, left), count in zip(found, counts, strict=True)
        if count >= group.needed
    ]
