"""What a person sees who leafs through a link's free times: one local month, one day in it, and the ways onward."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta

from app.domain.bookings import Booking
from app.domain.errors import Invalid
from app.domain.hours import day_start, local_date
from app.domain.rules import offered_period
from app.domain.stays import Stay
from app.ports import Ports
from app.ports.links import LinkContext
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_for_client import client_offer
from app.use_cases.find_slots import MAX_WINDOW_DAYS, all_durations, slots_in
from app.use_cases.host_states import open_context
from app.use_cases.offered_hosts import choices, choose_person, pool_of, with_chosen
from app.use_cases.reschedule_booking import booking_context
from app.use_cases.schedule_rules import check_timezone

ONE_DAY = timedelta(days=1)
SEARCH_CHUNKS = 4  # so many times 92 days ahead the next free time is looked for
YEARS = range(1971, 9990)

Interval = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Wish:
    """What to show. None means: the host's zone, the first length offered, the first month or day with a free time.

    `month` is any date in it; a `day` brings its own month, and so does a `start` (epoch seconds). `host_id` is the
    person who was chosen.
    """

    timezone: str | None = None
    duration: int | None = None
    month: date | None = None
    day: date | None = None
    start: int | None = None
    host_id: str | None = None

    def day_in(self, timezone: str) -> date | None:
        """The local date wished for."""
        return local_date(timezone, self.start) if self.day is None and self.start is not None else self.day

    def month_in(self, timezone: str) -> date | None:
        """The first of the month wished for."""
        wanted = self.day_in(timezone) or self.month
        if wanted is None:
            return None
        if wanted.year not in YEARS:
            raise Invalid.field("day", "This date lies outside what the calendar can hold.")
        return wanted.replace(day=1)


@dataclass(frozen=True, slots=True)
class FreeTimes:
    """The answer. `starts` are the free starts of the month, ascending; `day` is the one to show, None when the month
    has none and none was wished for; `day_before` and `day_after` are the nearest days with free times around it, in
    any month. `is_first`: no earlier day has any. After `last_month` (None: no end) nothing is offered. All dates
    are local to `timezone`."""

    context: LinkContext
    timezone: str
    host_timezone: str
    durations: tuple[int, ...]
    duration: int
    today: date
    month: date
    starts: Sequence[int]
    day: date | None
    day_before: date | None
    day_after: date | None
    is_first: bool
    last_month: date | None
    people: tuple[tuple[str, str], ...] = ()
    """Id and name of those among whom the reader may choose."""
    stay: Stay | None = None
    """When guests come and go, if they stay by the night."""
    seats: Mapping[int, int] = field(default_factory=dict)
    """Of a class: the most seats that one booking can take at each start."""

    def starts_on(self, day: date) -> list[int]:
        """The free starts of one local date of the month."""
        begin, end = day_start(self.timezone, day), day_start(self.timezone, day + ONE_DAY)
        return [start for start in self.starts if begin <= start < end]


async def browse_link(ports: Ports, token: str, wish: Wish) -> FreeTimes:
    """The free times behind a public token; the link's own refusals otherwise."""
    now = ports.clock()
    async with ports.read() as work:
        whole = open_context(await work.links.context(token), now)
        context = choose_person(whole, wish.host_id)
        free = await _browse(_Search(work, context, now), wish, offered_durations(context, now))
    return replace(free, people=tuple((host.host_id, host.name) for host in choices(whole)))


async def browse_for_client(
    ports: Ports, user: User, link_id: str | None, service_id: str | None, wish: Wish
) -> FreeTimes:
    """The times at which staff can book for a client, with any one of a pool if they wish; `NotFound` for what they may
    not book."""
    now = ports.clock()
    async with ports.read() as work:
        whole = await client_offer(work, user, link_id, service_id)
        context = whole if wish.host_id is None else with_chosen(whole, wish.host_id)
        free = await _browse(_Search(work, context, now), wish, offered_durations(context, now))
    return replace(free, people=pool_of(whole))


async def browse_moves(ports: Ports, booking: Booking, wish: Wish) -> FreeTimes:
    """The times a booking can be moved to."""
    now = ports.clock()
    async with ports.read() as work:
        context = await booking_context(work, booking, now)
        offered = offered_durations(context, now, booking)
        if wish.duration is None and booking.duration in offered:
            wish = replace(wish, duration=booking.duration)
        if wish.timezone is None:
            wish = replace(wish, timezone=booking.timezone)
        return await _browse(_Search(work, context, now, booking), wish, offered)


def offered_durations(context: LinkContext, now: int, moved: Booking | None = None) -> tuple[int, ...]:
    """The lengths a link offers, in the owner's order; for hand-picked times those still ahead, the next one first,
    without the one a moved booking has."""
    picks = sorted(context.one_time.slots) if context.one_time else []
    able = all_durations(context)
    if not picks:
        return tuple(minutes for minutes in context.link.durations if minutes in able) or context.link.durations
    present = moved and (moved.start, moved.duration)
    ahead = [pick[1] for pick in picks if pick[0] > now and pick != present and pick[1] in able]
    return tuple(dict.fromkeys(ahead or [minutes for _, minutes in picks]))


def host_timezone(context: LinkContext) -> str:
    """The zone of the first host that keeps hours."""
    return next((host.schedule.timezone for host in context.hosts if host.schedule is not None), "UTC")


@dataclass(frozen=True, slots=True)
class _Search:
    """One question to the slot engine after another, about the same link."""

    work: UnitOfWork
    context: LinkContext
    now: int
    moved: Booking | None = None
    seats: dict[int, int] = field(default_factory=dict)

    async def within(self, duration: int, window: Interval) -> list[int]:
        """The free starts of a window, but the one a moved booking has."""
        if window[0] >= window[1]:
            return []
        without, seats = (self.moved.id, self.moved.seats) if self.moved else (None, 1)
        slots = await slots_in(self.work, self.context, duration, window, self.now, without, seats)
        self.seats.update(slots.together)
        return [start for start, _ in slots.starts if not self._is_present(start, duration)]

    def _is_present(self, start: int, duration: int) -> bool:
        return self.moved is not None and (self.moved.start, self.moved.duration) == (start, duration)

    async def first_from(self, duration: int, begin: int, end: int) -> int | None:
        """The first free start in [begin, end), looked for in pieces."""
        reach = MAX_WINDOW_DAYS * 86400
        for piece in range(SEARCH_CHUNKS):
            window = (begin + piece * reach, min(end, begin + (piece + 1) * reach))
            if found := await self.within(duration, window):
                return found[0]
            if window[1] >= end:
                break
        return None

    def offered_until(self) -> int:
        """No start at or after this instant is offered."""
        picks = self.context.one_time.slots if self.context.one_time else ()
        if picks:
            return max(start for start, _ in picks) + 1
        return offered_period(self.context.link.rules(), host_timezone(self.context), self.now)[1]


async def _browse(search: _Search, wish: Wish, durations: tuple[int, ...]) -> FreeTimes:
    host_zone = host_timezone(search.context)
    zone = check_timezone(wish.timezone) if wish.timezone else host_zone
    duration = wish.duration or durations[0]
    today = local_date(zone, search.now)
    until = search.offered_until()
    wished = wish.month_in(zone)
    month = wished or today.replace(day=1)
    starts = await search.within(duration, _month_window(zone, month))
    if not starts and wished is None:
        first = await search.first_from(duration, _month_window(zone, month)[1], until)
        if first is not None:
            month = local_date(zone, first).replace(day=1)
            starts = await search.within(duration, _month_window(zone, month))
    day = wish.day_in(zone) or (local_date(zone, starts[0]) if starts else None)
    before, after = await _neighbours(search, zone, duration, month, starts, day, until)
    return FreeTimes(
        context=search.context,
        timezone=zone,
        host_timezone=host_zone,
        durations=durations,
        duration=duration,
        today=today,
        month=month,
        starts=starts,
        day=day,
        day_before=before,
        day_after=after,
        is_first=bool(starts) and before is None and day == local_date(zone, starts[0]),
        last_month=_last_month(zone, until, month),
        stay=search.context.link.stay,
        seats=search.seats,
    )


async def _neighbours(
    search: _Search, zone: str, duration: int, month: date, starts: Sequence[int], day: date | None, until: int
) -> tuple[date | None, date | None]:
    """The days with free times before and after the shown one: in the month, else looked for beyond it."""
    begin, end = _month_window(zone, month)
    cut = day_start(zone, day) if day else end
    rest = day_start(zone, day + ONE_DAY) if day else end
    earlier, later = starts[: bisect_left(starts, cut)], starts[bisect_left(starts, rest) :]
    before: int | None = earlier[-1] if earlier else None
    if before is None and begin > search.now:
        found = await search.within(duration, (max(search.now, begin - MAX_WINDOW_DAYS * 86400), begin))
        before = found[-1] if found else None
    after = later[0] if later else await search.first_from(duration, max(end, search.now), until)
    return (
        None if before is None else local_date(zone, before),
        None if after is None else local_date(zone, after),
    )


def _month_window(zone: str, month: date) -> Interval:
    following = (month + timedelta(days=32)).replace(day=1)
    return day_start(zone, month), day_start(zone, following)


def _last_month(zone: str, until: int, month: date) -> date | None:
    """The last month that can hold a start; None when the link has no end within the calendar."""
    try:
        last = local_date(zone, until - 1).replace(day=1)
    except (OverflowError, ValueError, OSError):
        return None
    return None if last.year > month.year + 50 else last
