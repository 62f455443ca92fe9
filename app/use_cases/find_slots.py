"""Find the free starts of a link."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

from app.domain.errors import Invalid, NotFound
from app.domain.hours import MINUTES_A_DAY, day_start, local_date
from app.domain.links import Link
from app.domain.rules import HostState
from app.domain.seats import OpenSession, judge_session, seats_of_starts, seats_together
from app.domain.slots import nearest
from app.domain.stays import Stay
from app.domain.teams import Group, team_picked, team_starts
from app.ports import Ports
from app.ports.links import LinkContext
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.host_states import DAY, host_states, open_context
from app.use_cases.offered_hosts import choose_person, grouped, judgeable, takers, team
from app.use_cases.schedule_rules import check_timezone

MAX_WINDOW_DAYS = 92
ALTERNATIVES_DAYS = 14


@dataclass(frozen=True, slots=True)
class Slots:
    """The answer: (start, seats left) ascending. It stays right until `valid_until` unless the link's stamp changes."""

    context: LinkContext
    duration: int
    starts: Sequence[tuple[int, int]]
    valid_until: int
    stay: Stay | None = None
    """When guests come and go, if they stay by the night."""
    together: Mapping[int, int] = field(default_factory=dict)
    """Of a class: the most seats that one booking can take at each start."""


@dataclass(frozen=True, slots=True)
class SlotQuestion:
    """Local dates `first` to `last` of `timezone`, both inclusive; `duration` in minutes. `host_id`: the person who was
    chosen, where there is a choice."""

    first: date
    last: date
    duration: int
    timezone: str
    host_id: str | None = None

    def window(self) -> tuple[int, int]:
        """The instants asked for; `Invalid` when malformed or longer than 92 days."""
        check_timezone(self.timezone)
        if self.last < self.first:
            raise Invalid.field("to", "The last day lies before the first.")
        if (self.last - self.first).days >= MAX_WINDOW_DAYS:
            raise Invalid.field("to", f"At most {MAX_WINDOW_DAYS} days at once.")
        try:
            return day_start(self.timezone, self.first), day_start(self.timezone, self.last + timedelta(days=1))
        except (OverflowError, ValueError) as problem:
            raise Invalid.field("from", "These dates lie outside what the calendar can hold.") from problem


async def find_slots(ports: Ports, token: str, question: SlotQuestion, now: int) -> Slots:
    """The free starts of the link behind a public token."""
    window = question.window()
    async with ports.read() as work:
        context = choose_person(open_context(await work.links.context(token), now), question.host_id)
        return await slots_in(work, context, question.duration, window, now)


async def service_slots(ports: Ports, user: User, service_id: str, question: SlotQuestion, now: int) -> Slots:
    """The free starts of a service, as staff book it: without a link's notice and limits."""
    window = question.window()
    async with ports.read() as work:
        context = await work.links.context_of_service(user.org_id, service_id)
        if context is None:
            raise NotFound("There is no such service, or nobody is qualified for it yet.")
        return await slots_in(work, context, question.duration, window, now)


async def slots_in(
    work: UnitOfWork,
    context: LinkContext,
    duration: int,
    window: tuple[int, int],
    now: int,
    without: str | None = None,
    seats: int = 1,
) -> Slots:
    """The free starts within [window), for a context already read; those at which `seats` can be had together."""
    check_duration(context, duration)
    hosts = judgeable(context, duration, now)
    states, expiry = await host_states(work, context, hosts, window, duration, now, without)
    groups = team(hosts, states)
    starts = starts_of(context, groups, duration, window, now)
    together: dict[int, int] = {}
    if context.has_sessions:
        sessions = await sessions_of(work, context, duration, window, now, without)
        starts, together = _with_sessions(context, groups, starts, sessions, now)
        starts = [(start, left) for start, left in starts if together[start] >= seats]
        ends = [session.next_expiry for session in sessions if session.next_expiry is not None]
        expiry = min([*ends, *([] if expiry is None else [expiry])], default=None)
    until = _valid_until(context, states, starts, expiry, now)
    return Slots(context, duration, starts, until, context.link.stay, together)


def check_duration(context: LinkContext, duration: int) -> None:
    """Whether the link offers this length."""
    offered = all_durations(context)
    if duration not in offered:
        choices = ", ".join(str(minutes) for minutes in sorted(offered)) or "no"
        raise Invalid.field("duration", f"This link offers {choices} minutes.")


def length_problem(link: Link, start: int, duration: int) -> str | None:
    """Why nothing can last so long from there, whatever the link offers: a stay lasts whole nights, anything else a day
    at most."""
    if link.stay is not None:
        return link.stay.problem(start, duration, link.buffer_before + link.buffer_after)
    if not 0 < duration <= MINUTES_A_DAY:
        return f"A booking lasts {MINUTES_A_DAY} minutes at most."
    return None


def all_durations(context: LinkContext) -> set[int]:
    """The lengths of the hand-picked times that can still be had, or else the link's."""
    picks = context.one_time.slots if context.one_time else ()
    if picks:
        return {minutes for start, minutes in picks if length_problem(context.link, start, minutes) is None}
    return {minutes for minutes in context.link.durations if _is_taken(context, minutes)}


def _is_taken(context: LinkContext, duration: int) -> bool:
    """Whether enough hosts take this length at all."""
    able = grouped(takers(context, duration))
    return all(key in able and len(able[key][0]) >= needed for key, (_, needed) in grouped(context.hosts).items())


def starts_of(
    context: LinkContext, groups: Sequence[Group], duration: int, window: tuple[int, int], now: int
) -> list[tuple[int, int]]:
    """Starts with their seats."""
    rules = context.link.rules()
    if context.one_time and context.one_time.slots:
        return team_picked(context.one_time.slots, rules, duration, groups, window, now)
    return team_starts(rules, duration, groups, window, now)


async def sessions_of(
    work: UnitOfWork, context: LinkContext, duration: int, window: tuple[int, int], now: int, without: str | None
) -> list[OpenSession]:
    """The open sessions of the service that the link offers."""
    if context.service is None:
        return []
    return await work.sessions.open_ones(context.service[0], window, duration, now, without, context.through)


def _with_sessions(
    context: LinkContext,
    groups: Sequence[Group],
    starts: Sequence[tuple[int, int]],
    sessions: Sequence[OpenSession],
    now: int,
) -> tuple[list[tuple[int, int]], dict[int, int]]:
    """Starts with their seats in open and in new sessions, and with the most that one of these has."""
    rules, picks = context.link.rules(), context.one_time.slots if context.one_time else ()
    joinable = [session for session in sessions if judge_session(session, rules, groups, now, picks).is_free]
    capacity = 0 if context.is_scheduled else context.capacity
    return seats_of_starts(starts, capacity, joinable), seats_together(starts, capacity, joinable)


def _valid_until(
    context: LinkContext,
    states: Sequence[HostState],
    starts: Sequence[tuple[int, int]],
    expiry: int | None,
    now: int,
) -> int:
    """When the passing of time alone may change the answer: the first start falls under the notice, a new day comes
    within the horizon, a hold runs out, a calendar's copy grows too old, the one-time link expires."""
    ends = [now + DAY]
    for state in states:
        zone = state.schedule.timezone
        ends.append(day_start(zone, local_date(zone, now) + timedelta(days=1)))
    if starts:
        ends.append(starts[0][0] - context.link.minimum_notice * 60 + 1)
    if expiry is not None:
        ends.append(expiry)
    if context.one_time and context.one_time.expires_at is not None:
        ends.append(context.one_time.expires_at)
    ends += [host.judged_until for host in context.hosts if host.judged_until is not None and host.judged_until > now]
    return min(ends)


async def alternatives(
    work: UnitOfWork,
    context: LinkContext,
    duration: int,
    start: int,
    now: int,
    without: str | None = None,
    seats: int = 1,
) -> list[int]:
    """The free starts nearest to a taken one."""
    reach = ALTERNATIVES_DAYS * DAY
    window = (max(now, start - reach), max(now, start) + reach)
    slots = await slots_in(work, context, duration, window, now, without, seats)
    return nearest([free for free, _ in slots.starts], start)
