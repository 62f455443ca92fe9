"""Move a booking: it keeps its id, token, UID and events; old and new time are exchanged in one transaction."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.domain.booking_state import is_held_out, next_status
from app.domain.bookings import Booking, HostRef
from app.domain.errors import CalendarUnavailable, ClaimOverlap, Conflict, Invalid, NotFound, NotModifiable
from app.domain.hours import MINUTES_A_DAY
from app.domain.links import Link
from app.domain.policies import Policy
from app.ports import Ports
from app.ports.links import LinkContext, LinkHost
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_slot import Place, decide, find_place, locking, refresh_hosts, release_expired, release_holds
from app.use_cases.booking_changes import Actor, record_change
from app.use_cases.change_booking import check_version, locked_booking
from app.use_cases.find_slots import all_durations, alternatives, length_problem
from app.use_cases.idempotency import Replay, remember
from app.use_cases.offered_hosts import grouped, offer_context, only, with_chosen, without_host
from app.use_cases.open_session import seated
from app.use_cases.provider_roles import with_meeting
from app.use_cases.walk_in_link import walk_in_context


@dataclass(frozen=True, slots=True)
class Move:
    """Where to: `start` epoch seconds, `duration` minutes (None: as before), `host_id` to choose one of a pool.

    `anywhere`: the hosts' own wish, which hours, steps, notice and lengths do not bound; busy time does. `leaving`: a
    host of a pool who gives the booking back: another one takes it, at any notice. `reassigned`: staff give it to
    `host_id`, at any notice too. `override`: staff judge by themselves, as when they book for a client: over hours,
    steps, notice, limits and what is in the hosts' calendars, never over a booking. `elapsed`: the duration is the time
    that passes, as calendars tell it.
    """

    start: int
    duration: int | None = None
    host_id: str | None = None
    anywhere: bool = False
    leaving: str | None = None
    reassigned: bool = False
    override: bool = False
    elapsed: bool = False


async def reschedule_booking(
    ports: Ports,
    booking_id: str,
    move: Move,
    actor: Actor,
    *,
    version: int | None = None,
    replay: Replay[Booking] | None = None,
) -> Booking:
    """Move the booking to a time its link offers. Refusals as in `book_slot`, and 422 for what cannot be moved.

    Moving it to where it is already changes nothing.
    """
    now = ports.clock()
    async with ports.read() as work:
        seen = await work.bookings.get(booking_id)
        if seen is None:
            raise NotFound("There is no such booking.")
        check_version(seen, version)
        _check_state(seen, now)
        is_unbound = seen.is_walk_in or (seen.is_explicit and move.host_id is None)
        move = replace(move, anywhere=move.anywhere or is_unbound)
        context = await booking_context(work, seen, now)
        move = _in_nights(context, move)
        _check(context, seen, move)
    if _is_there(seen, move):
        return await _unchanged(ports, seen, replay, now)
    _check_policy(context, seen, actor, now)
    duration = move.duration or seen.duration
    try:
        async with ports.read() as work:
            with suppress(CalendarUnavailable):  # the calendars are asked next
                await _place(work, context, seen, move, duration, now)
        await refresh_hosts(ports, context, now)
        return await locking(lambda others: _commit(ports, seen, context, move, actor, version, replay, now, others))
    except (Conflict, ClaimOverlap) as taken:
        free = await _alternatives(ports, context, seen, move.start, duration, now)
        raise Conflict(taken.detail, free, seen.timezone) from taken


def _in_nights(context: LinkContext, move: Move) -> Move:
    """Calendars tell a stay's elapsed time: it has as many nights as it reaches into dates. Wherever its hosts put it,
    it begins at the check-in of that date."""
    stay = context.link.stay
    if stay is None:
        return move
    if move.elapsed and move.duration is not None:
        move = replace(move, duration=stay.duration_of(move.start, move.duration))
    return replace(move, start=stay.check_in_of(move.start)) if move.anywhere else move


def _check_state(booking: Booking, now: int) -> None:
    next_status(booking, "reschedule", now)
    if is_held_out(booking, now):
        raise NotModifiable("This booking was not confirmed in time; its time is free again.")


def _check_policy(context: LinkContext, booking: Booking, actor: Actor, now: int) -> None:
    """The rules of the offer bind its recipients alone."""
    if actor.kind == "recipient":
        Policy.of(context.link).check_reschedule(booking, now)


def _is_there(booking: Booking, move: Move) -> bool:
    if move.leaving is not None and move.leaving in {host.id for host in booking.hosts}:
        return False
    same_host = move.host_id is None or move.host_id in {host.id for host in booking.hosts}
    return same_host and (booking.start, booking.duration) == (move.start, move.duration or booking.duration)


async def _unchanged(ports: Ports, booking: Booking, replay: Replay[Booking] | None, now: int) -> Booking:
    """Where it is already. That is an answer too: the same request must not move it back some time later."""
    if replay is not None:
        async with ports.unit_of_work() as work:
            await remember(work, replay, booking, now)
            await work.commit()
    return booking


async def moved_end(ports: Ports, booking: Booking, start: int, duration: int) -> int:
    """When the booking would end there; a stay at the check-out of its offer."""
    if duration % MINUTES_A_DAY:
        return start + duration * 60
    async with ports.read() as work:
        return (await booking_context(work, booking, ports.clock())).link.rules().end(start, duration)


async def booking_context(work: UnitOfWork, booking: Booking, now: int) -> LinkContext:
    """The link a booking was made through, with its hosts; a link that is gone offers no other time. Who walked in came
    through none: their host's hours are offered.

    One made through a one-time link moves among the times picked for it, or else by the link's rules. That the one-time
    link is used (by this very booking) or expired meanwhile is no obstacle: it bounds booking, and this is booked.
    """
    if booking.is_walk_in:
        return await walk_in_context(work, booking.org_id, booking.hosts[0].id, booking.duration)
    context = await offer_context(work, booking)
    if context is None:
        raise Invalid.field("start", "The link of this booking is gone, so there is no other time to offer.")
    if booking.is_seat:
        through = await _emptied_session(work, booking, now)
        # Whoever has more seats than a session has by now takes them along.
        context = replace(context, through=through, capacity=max(context.capacity, booking.seats))
    if booking.is_session:  # a session that is there is no time to move to
        context = replace(context, capacity=1, is_scheduled=False, along=await work.sessions.along(booking.id, now))
    if booking.one_time_link_id is None:
        return context
    return replace(context, one_time=await work.links.one_time(booking.org_id, booking.one_time_link_id))


async def _emptied_session(work: UnitOfWork, booking: Booking, now: int) -> str | None:
    """The session that ends when this attendee leaves it. Whose hold ran out is not in it any more."""
    session = await work.bookings.get(booking.occurrence_id)
    if session is None or session.is_explicit:
        return None
    others = [each for each in session.attendees if each.booking_id != booking.id and not is_held_out(each, now)]
    return None if others else session.id


def _check(context: LinkContext, booking: Booking, move: Move) -> None:
    if move.start % 60:
        raise Invalid.field("start", "A start is a whole minute.")
    offered = move.anywhere or move.override or move.duration in {None, booking.duration, *all_durations(context)}
    if move.override and booking.is_seat:
        raise Invalid.field("override", "A seat moves by the rules alone; its session can be moved over them.")
    problem = None if offered else "The link does not offer this length."
    problem = problem or length_problem(context.link, move.start, move.duration or booking.duration)
    if problem:
        raise Invalid.field("duration", problem)
    pool = {host.host_id for host in context.hosts if host.role == "pool"}
    if move.leaving is not None and not pool - {move.leaving}:
        raise NotModifiable("This booking has no other hosts who could take it.")
    if move.host_id is not None:
        with_chosen(context, move.host_id)


async def _commit(
    ports: Ports,
    seen: Booking,
    context: LinkContext,
    move: Move,
    actor: Actor,
    version: int | None,
    replay: Replay[Booking] | None,
    now: int,
    others: frozenset[str],
) -> Booking:
    async with ports.unit_of_work() as work:
        # All hosts that may lose or gain the booking, in one lock: then the booking itself.
        locked = others.union((host.host_id for host in context.hosts), (host.id for host in seen.hosts))
        booking = await locked_booking(work, seen.id, locked)
        check_version(booking, version)
        _check_state(booking, now)
        if _is_there(booking, move):
            await remember(work, replay, booking, now)
            await work.commit()
            return booking
        context = await booking_context(work, booking, now)
        _check_policy(context, booking, actor, now)
        duration = move.duration or booking.duration
        if await _released(ports, work, context, booking, move.start, duration, now, locked):
            # It may have been a seat beside this booking, or in this session, which may have ended with it.
            booking = await work.bookings.get(seen.id) or booking  # locked by now
            _check_state(booking, now)
            context = await booking_context(work, booking, now)
        place = await _place(work, context, booking, move, duration, now)
        after = _moved(booking, context.link, place.hosts, move.start, duration, now)
        if booking.is_seat:
            if context.through is not None:  # it ends with this change, and its time is free for the new one
                await work.hosts.release(context.through)
            after = await seated(ports, work, context, after, place, now)
        if actor.kind == "recipient":
            after = replace(after, moves=booking.moves + 1)
        if after.hosts != booking.hosts and not booking.is_seat:
            after = with_meeting(ports, after, await work.hosts.people([host.id for host in after.hosts]))
        action = "booking.rescheduled" if move.leaving is None else "booking.handed_back"
        if move.reassigned:
            action = "booking.reassigned"
        await record_change(ports, work, booking, after, actor, action, now)
        await remember(work, replay, after, now)
        await work.commit()
    return after


async def _released(
    ports: Ports,
    work: UnitOfWork,
    context: LinkContext,
    booking: Booking,
    start: int,
    duration: int,
    now: int,
    locked: frozenset[str],
) -> bool:
    """Cancel pending bookings whose hold ran out where the booking goes, and in the session it leaves or is; whether
    there were any."""
    there = await release_expired(ports, work, context, start, duration, now, locked)
    if not booking.is_seat and not booking.is_session:
        return there
    hosts = [host.id for host in booking.hosts]
    return await release_holds(ports, work, hosts, booking.claim, now, locked) or there


def _moved(booking: Booking, link: Link, hosts: Sequence[LinkHost], start: int, duration: int, now: int) -> Booking:
    """At its new time the booking has the buffers the link asks for now, and is held at most until it begins. What the
    recipient answered was about the old one."""
    hold = booking.hold_expires_at
    return booking.changed(
        now,
        start=start,
        end=link.rules().end(start, duration),
        duration=duration,
        buffer_before=link.buffer_before,
        buffer_after=link.buffer_after,
        hosts=tuple(HostRef(host.host_id, host.kind, host.name) for host in hosts),
        hold_expires_at=None if hold is None else min(hold, start),
        sequence=booking.sequence + 1,
        recipient_reply=None,
    )


async def _place(
    work: UnitOfWork, context: LinkContext, booking: Booking, move: Move, duration: int, now: int
) -> Place:
    """Where the moved booking goes. Of a session's attendee another seat; of a session, as of all that have a time of
    their own, their hosts."""
    if not booking.is_seat:
        return Place(await _hosts(work, context, booking, move, duration, now))
    present = {host.id for host in booking.hosts}
    if move.host_id is not None:
        context = with_chosen(_at_any_notice(context) if move.reassigned else context, move.host_id)
    return await find_place(work, context, move.start, duration, booking.seats, now, booking.id, present=present)


async def _hosts(
    work: UnitOfWork, context: LinkContext, booking: Booking, move: Move, duration: int, now: int
) -> list[LinkHost]:
    """Who takes the moved booking: the present hosts when they can, of a pool else the fairest free one."""
    present = {host.id for host in booking.hosts}
    if move.override:
        return _overruled(context if move.host_id else only(context, present), move, present, now)
    if move.leaving is not None:
        others = without_host(_at_any_notice(context), move.leaving)
        return await decide(work, others, move.start, duration, now, booking.id, present=present)
    if move.anywhere:
        picks = ((move.start, duration),)
        return await decide(work, only(context, present), move.start, duration, now, booking.id, picks)
    if move.host_id is not None:
        context = with_chosen(_at_any_notice(context) if move.reassigned else context, move.host_id)
    return await decide(work, context, move.start, duration, now, booking.id, present=present)


def _overruled(context: LinkContext, move: Move, present: Collection[str], now: int) -> list[LinkHost]:
    """The present hosts, or who is chosen with them, whatever else they have to do: the guard knows their bookings."""
    if move.start <= now:
        raise Invalid.field("start", "This time lies in the past.")
    context = context if move.host_id is None else with_chosen(context, move.host_id)
    chosen: list[LinkHost] = []
    for members, needed in grouped(context.hosts).values():
        chosen += sorted(members, key=lambda host: (host.host_id not in present, -host.priority, host.host_id))[:needed]
    if not chosen:
        raise NotModifiable("Its link has none of its hosts any more.")
    return chosen


def _at_any_notice(context: LinkContext) -> LinkContext:
    """The link when a booking that it has taken needs another host: hours, busy time and limits still count."""
    link = replace(context.link, step=1, minimum_notice=0, horizon_days=None, date_range=None)
    return replace(context, link=link, one_time=None)


async def _alternatives(
    ports: Ports, context: LinkContext, booking: Booking, start: int, duration: int, now: int
) -> list[int]:
    try:
        async with ports.read() as work:
            free = await alternatives(work, context, duration, start, now, booking.id, max(booking.seats, 1))
    except (CalendarUnavailable, Invalid):
        return []  # the conflict is the answer
    return [other for other in free if (other, duration) != (booking.start, booking.duration)]
