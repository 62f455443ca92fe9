"""Seats in sessions: which open ones can be joined, and how many seats a start has.

A session is one set of hosts at one start and duration of one service, and holds up to its capacity. Whoever joins it
is bound by notice, horizon, dates and limits as for any start; hours and step bound it when it was opened, if they did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.intervals import Interval
from app.domain.rules import HostState, LinkRules, full_days, full_weeks, offered_period
from app.domain.slots import Verdict
from app.domain.teams import Group, Picks


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session that has not ended or been cancelled. `claim` is its time with buffers, `seats_left` what may be
    negative after its service's capacity was lowered, `next_expiry` when the first hold in it runs out, `capacity` all
    the seats it has."""

    id: str
    start: int
    end: int
    claim: Interval
    host_ids: frozenset[str]
    seats_left: int
    next_expiry: int | None = None
    capacity: int = 0

    @property
    def duration(self) -> int:
        """Minutes."""
        return (self.end - self.start) // 60


def judge_session(
    session: OpenSession, rules: LinkRules, groups: Sequence[Group], now: int, picks: Picks = ()
) -> Verdict:
    """Whether a seat of a session can be had through a link with these hosts, or what stands against it.

    Its hosts must all be the link's, and busy with nothing else; the session's own claim is in their busy time.
    Hand-picked times (rule 7) take the place of notice, horizon and dates."""
    hosts = [(host, group.keeps_hours) for group in groups for host in group.hosts if host.host_id in session.host_ids]
    if len(hosts) < len(session.host_ids):
        return Verdict.BUSY
    if session.start < now or (picks and session.start == now):
        return Verdict.PAST
    if picks and (session.start, session.duration) not in picks:
        return Verdict.NOT_PICKED
    verdicts = [
        _judged(session, rules, host, now, keeps_hours=keeps_hours, bound=not picks) for host, keeps_hours in hosts
    ]
    found = Verdict.for_all(verdicts)
    return Verdict.FULL if found.is_free and session.seats_left <= 0 else found


def _judged(
    session: OpenSession, rules: LinkRules, host: HostState, now: int, *, keeps_hours: bool, bound: bool
) -> Verdict:
    start = session.start
    if keeps_hours and bound:
        opens, closes = offered_period(rules, host.schedule.timezone, now)
        if start < now + rules.minimum_notice * 60:
            return Verdict.NOTICE
        if not opens <= start < closes:
            return Verdict.DATE_RANGE if rules.date_range is not None else Verdict.HORIZON
    if _is_busy_otherwise(session, host.busy):
        return Verdict.BUSY
    if keeps_hours and _within(start, full_days(rules, host)):
        return Verdict.DAY_LIMIT
    if keeps_hours and _within(start, full_weeks(rules, host)):
        return Verdict.WEEK_LIMIT
    return Verdict.FREE


def _within(start: int, intervals: Iterable[Interval]) -> bool:
    return any(begin <= start < end for begin, end in intervals)


def _is_busy_otherwise(session: OpenSession, busy: Sequence[Interval]) -> bool:
    """Whether anything lies over the session but its own claim, of which there is one."""
    begin, end = session.claim
    over = [each for each in busy if each[0] < end and each[1] > begin and each[0] < each[1]]
    return len(over) > 1 or (len(over) == 1 and over[0] != session.claim)


def seats_of_starts(
    free_teams: Iterable[tuple[int, int]], capacity: int, sessions: Iterable[OpenSession]
) -> list[tuple[int, int]]:
    """Starts with their seats: those left in sessions that can be joined, and a whole session for every team that is
    free (`capacity` 0: no new sessions are opened)."""
    seats: Counter[int] = Counter()
    if capacity:
        seats.update({start: teams * capacity for start, teams in free_teams})
    for session in sessions:
        seats[session.start] += session.seats_left
    return sorted(seats.items())


def seats_together(
    free_teams: Iterable[tuple[int, int]], capacity: int, sessions: Iterable[OpenSession]
) -> dict[int, int]:
    """Starts with the most seats that one booking can take there, all in one session; `capacity` as above."""
    most = {start: capacity for start, _ in free_teams} if capacity else {}
    for session in sessions:
        most[session.start] = max(most.get(session.start, 0), session.seats_left)
    return most


def choose_session(sessions: Iterable[OpenSession], seats: int) -> OpenSession | None:
    """Which one to join: the fullest that has enough seats, so that larger groups find room in the others."""
    able = [session for session in sessions if session.seats_left >= seats]
    return min(able, key=lambda session: (session.seats_left, session.id), default=None)
