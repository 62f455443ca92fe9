"""Find the free starts of a link."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.errors import Invalid
from app.domain.hours import day_start, local_date
from app.domain.rules import HostState
from app.domain.slots import collective_starts, free_starts, nearest, picked_starts, pool_starts
from app.ports import Ports
from app.ports.storage import LinkContext, UnitOfWork
from app.use_cases.host_states import DAY, host_states, judgeable, open_context
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


@dataclass(frozen=True, slots=True)
class SlotQuestion:
    """Local dates `first` to `last` of `timezone`, both inclusive; `duration` in minutes."""

    first: date
    last: date
    duration: int
    timezone: str

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
        context = open_context(await work.links.context(token), now)
        return await slots_in(work, context, question.duration, window, now)


async def slots_in(
    work: UnitOfWork,
    context: LinkContext,
    duration: int,
    window: tuple[int, int],
    now: int,
    without: str | None = None,
) -> Slots:
    """The free starts within [window), for a context already read."""
    check_duration(context, duration)
    states, expiry = await host_states(work, context, judgeable(context, now), window, now, without)
    starts = starts_of(context, states, duration, window, now)
    return Slots(context, duration, starts, _valid_until(context, states, starts, expiry, now))


def check_duration(context: LinkContext, duration: int) -> None:
    """Whether the link offers this length."""
    offered = all_durations(context)
    if duration not in offered:
        choices = ", ".join(str(minutes) for minutes in sorted(offered))
        raise Invalid.field("duration", f"This link offers {choices} minutes.")


def all_durations(context: LinkContext) -> set[int]:
    """The lengths of the hand-picked times, or else the link's."""
    picks = context.one_time.slots if context.one_time else ()
    return {minutes for _, minutes in picks} if picks else set(context.link.durations)


def starts_of(
    context: LinkContext, states: Sequence[HostState], duration: int, window: tuple[int, int], now: int
) -> list[tuple[int, int]]:
    """Starts with their seats, by the link's mode."""
    rules = context.link.rules()
    if context.one_time and context.one_time.slots:
        picked = picked_starts(context.one_time.slots, duration, rules, states, now, pool=context.link.mode == "pool")
        return [(start, 1) for start in picked if window[0] <= start < window[1]]
    if context.link.mode == "pool":
        return pool_starts(rules, duration, states, window, now)
    if len(states) > 1:
        return [(start, 1) for start in collective_starts(rules, duration, states, window, now)]
    return [(start, 1) for start in free_starts(rules, duration, states[0], window, now)]


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
    work: UnitOfWork, context: LinkContext, duration: int, start: int, now: int, without: str | None = None
) -> list[int]:
    """The free starts nearest to a taken one."""
    reach = ALTERNATIVES_DAYS * DAY
    window = (max(now, start - reach), max(now, start) + reach)
    slots = await slots_in(work, context, duration, window, now, without)
    return nearest([free for free, _ in slots.starts], start)
