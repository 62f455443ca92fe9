"""Book the same wall time week after week: a recurring set, by recipients through a link or by staff for a client.

All of it is decided in one transaction under the locks of all hosts, as `book_slot` decides a single booking; limits
count what the set has taken so far. Each is an ordinary booking that carries the first one's id as `series_id`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from app.domain.answers import Answered
from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, ClaimOverlap, Conflict, Invalid
from app.domain.hours import local_date
from app.domain.repeats import Repeat
from app.ports import Ports
from app.ports.links import LinkContext
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_for_client import (
    ClientBooking,
    check_client_request,
    client_context,
    in_their_language,
    overruled_place,
)
from app.use_cases.book_slot import (
    BookingRequest,
    MoreHosts,
    Place,
    asked,
    check_request,
    find_place,
    locking,
    new_booking,
    refresh_hosts,
    release_expired,
)
from app.use_cases.booking_changes import Actor, record_new
from app.use_cases.find_slots import alternatives
from app.use_cases.idempotency import Replay, remember
from app.use_cases.offered_hosts import offer_zone
from app.use_cases.open_session import seated
from app.use_cases.zone_names import canonical_zone

TOLD_DAYS = 5
"""How many of the times that cannot be had are told in words."""


@dataclass(frozen=True, slots=True)
class Series:
    """A recurring set: its bookings by start, and the starts that were left out because they could not be had."""

    bookings: tuple[Booking, ...]
    left_out: tuple[int, ...] = ()

    @property
    def first(self) -> Booking:
        """The one whose id all of them carry."""
        return self.bookings[0]


Offer = Callable[[UnitOfWork], Awaitable[LinkContext]]
Take = Callable[[UnitOfWork, LinkContext, BookingRequest, frozenset[str]], Awaitable[Place]]


@dataclass(frozen=True, slots=True)
class _Plan:
    """What the two ways of booking differ in. `offer` reads the offer anew, `take` decides where one start goes, the
    present hosts before others; `actor` None is the recipient."""

    request: BookingRequest
    repeat: Repeat
    answered: Answered
    seen: LinkContext
    offer: Offer
    take: Take
    actor: Actor | None = None


@dataclass(slots=True)
class _Taken:
    """How far a set has come."""

    bookings: list[Booking] = field(default_factory=list)
    busy: list[int] = field(default_factory=list)
    never: list[int] = field(default_factory=list)

    @property
    def refused(self) -> list[int]:
        """The starts that cannot be had, in order."""
        return sorted([*self.busy, *self.never])


async def book_series(
    ports: Ports, token: str, request: BookingRequest, replay: Replay[Series] | None = None
) -> Series:
    """Book a set through a public token, as its link allows. The wall time is that of the zone of `offer_zone`.

    Refusals as in `book_slot`. Of all, or nothing, is refused what is not free: `Conflict` that names the `taken`
    starts, `Invalid` for those the rules never offer. With `only_free` they are left out; it takes one at least.
    """
    now = ports.clock()
    request = replace(request, timezone=canonical_zone(request.timezone))
    repeat = _repeat_of(request)
    async with ports.read() as work:
        seen = await asked(work, token, request, now)
        _check_allowed(seen, repeat)
        answered = check_request(seen, request)

    async def offer(work: UnitOfWork) -> LinkContext:
        context = await asked(work, token, request, now, lock=True)
        _check_allowed(context, repeat)
        return context

    async def take(work: UnitOfWork, context: LinkContext, one: BookingRequest, present: frozenset[str]) -> Place:
        return await find_place(work, context, one.start, one.duration, one.seats, now, present=present)

    return await _book(ports, _Plan(request, repeat, answered, seen, offer, take), replay, now)


async def book_series_for_client(
    ports: Ports, user: User, wanted: ClientBooking, replay: Replay[Series] | None = None
) -> Series:
    """The same for staff, who may repeat whatever they may book."""
    now = ports.clock()
    wanted = replace(wanted, request=replace(wanted.request, timezone=canonical_zone(wanted.request.timezone)))
    repeat = _repeat_of(wanted.request)
    async with ports.read() as work:
        seen = await client_context(work, user, wanted)
        answered = check_client_request(seen, wanted)
        wanted = await in_their_language(work, user, wanted)

    async def offer(work: UnitOfWork) -> LinkContext:
        return await client_context(work, user, wanted)

    async def take(work: UnitOfWork, context: LinkContext, one: BookingRequest, present: frozenset[str]) -> Place:
        if wanted.override:
            return await overruled_place(work, context, one, now)
        return await find_place(work, context, one.start, one.duration, one.seats, now, present=present)

    plan = _Plan(wanted.request, repeat, answered, seen, offer, take, Actor("user", user.id))
    return await _book(ports, plan, replay, now)


def _repeat_of(request: BookingRequest) -> Repeat:
    if request.repeat is None:
        raise Invalid.field("repeat", "How often is needed.")
    request.repeat.check()
    return request.repeat


def _check_allowed(context: LinkContext, repeat: Repeat) -> None:
    """Whether recipients may repeat so often."""
    if context.one_time is not None:
        raise Invalid.field("repeat", "A one-time link is for one booking.")
    most = context.link.max_repeats
    if not most:
        raise Invalid.field("repeat", "This link does not let you repeat a booking.")
    if repeat.times > most:
        raise Invalid.field("repeat.times", f"This link lets you book {most} times at once, at most.")


async def _book(ports: Ports, plan: _Plan, replay: Replay[Series] | None, now: int) -> Series:
    starts = plan.repeat.starts(plan.request.start, offer_zone(plan.seen))
    await refresh_hosts(ports, plan.seen, now)
    try:
        return await locking(lambda others: _commit(ports, plan, starts, replay, now, others))
    except (Conflict, ClaimOverlap) as refusal:
        taken = refusal.taken if isinstance(refusal, Conflict) else ()
        free = await _alternatives(ports, plan, taken[0] if taken else plan.request.start, now)
        raise Conflict(refusal.detail, free, plan.request.timezone, taken) from refusal


async def _commit(
    ports: Ports,
    plan: _Plan,
    starts: list[int],
    replay: Replay[Series] | None,
    now: int,
    others: frozenset[str],
) -> Series:
    async with ports.unit_of_work() as work:
        locked = others.union(host.host_id for host in plan.seen.hosts)
        await work.hosts.lock(sorted(locked))
        context = await plan.offer(work)
        if missing := {host.host_id for host in context.hosts} - locked:
            raise MoreHosts(missing)
        taken = _Taken()
        for start in starts:
            await release_expired(ports, work, context, start, plan.request.duration, now, locked)
            await _take_one(ports, work, context, plan, start, taken, now)
        _check_whole(plan, taken)
        series = Series(tuple(taken.bookings), tuple(taken.refused))
        await remember(work, replay, series, now)
        await work.commit()
    return series


async def _take_one(
    ports: Ports, work: UnitOfWork, context: LinkContext, plan: _Plan, start: int, taken: _Taken, now: int
) -> None:
    """Take one start of the set, or note why not. Of a set that is refused already the rest is looked at, not made."""
    one = replace(plan.request, start=start)
    present = frozenset(host.id for host in taken.bookings[0].hosts) if taken.bookings else frozenset()
    try:
        place = await plan.take(work, context, one, present)
    except Conflict:
        taken.busy.append(start)
        return
    except Invalid:
        taken.never.append(start)
        return
    if taken.refused and not plan.repeat.only_free:
        return
    booking = new_booking(ports, context, one, plan.answered, place.hosts, now)
    booking = replace(booking, series_id=taken.bookings[0].id if taken.bookings else booking.id)
    if plan.actor is not None:
        booking = replace(booking, status="confirmed", hold_expires_at=None)
    booking = await seated(ports, work, context, booking, place, now)
    actor = plan.actor or Actor("recipient", booking.id)
    taken.bookings.append(await record_new(ports, work, booking, context.organization, actor, now))


def _check_whole(plan: _Plan, taken: _Taken) -> None:
    """Whether what was taken is what was asked for."""
    if not taken.refused or (plan.repeat.only_free and taken.bookings):
        return
    if taken.never and not (plan.repeat.only_free and taken.busy):
        field_name = "start" if plan.request.start in taken.never else "repeat"
        raise Invalid.field(field_name, f"Not all of these times are offered: {_days(plan, taken.never)}.")
    raise Conflict(f"Not free any more: {_days(plan, taken.busy)}.", taken=taken.busy)


def _days(plan: _Plan, starts: list[int]) -> str:
    """Dates in the offer's zone."""
    zone = offer_zone(plan.seen)
    days = [local_date(zone, start).isoformat() for start in starts]
    more = len(days) - TOLD_DAYS
    return ", ".join(days[:TOLD_DAYS]) + (f" and {more} more" if more > 0 else "")


async def _alternatives(ports: Ports, plan: _Plan, start: int, now: int) -> list[int]:
    """What else there is near the first that is taken."""
    async with ports.read() as work:
        try:
            return await alternatives(work, plan.seen, plan.request.duration, start, now, seats=plan.request.seats)
        except (CalendarUnavailable, Invalid):
            return []  # the conflict is the answer
