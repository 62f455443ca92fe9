"""Move a booking: it keeps its id, token, UID and events; old and new time are exchanged in one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.domain.booking_state import is_held_out, next_status
from app.domain.bookings import Booking, HostRef
from app.domain.errors import CalendarUnavailable, ClaimOverlap, Conflict, Invalid, NotFound, NotModifiable
from app.domain.links import Link
from app.ports import Ports
from app.ports.storage import LinkContext, LinkHost, UnitOfWork
from app.use_cases.book_slot import choose, decide, judge_hosts, locking, refresh_hosts, release_expired
from app.use_cases.booking_changes import Actor, record_change
from app.use_cases.change_booking import check_version, locked_booking
from app.use_cases.find_slots import all_durations, alternatives
from app.use_cases.idempotency import Replay, remember
from app.use_cases.provider_roles import with_meeting

LONGEST_MINUTES = 1440


@dataclass(frozen=True, slots=True)
class Move:
    """Where to: `start` epoch seconds, `duration` minutes (None: as before), `host_id` to choose one of a pool.

    `anywhere`: the hosts' own wish, which hours, steps, notice and lengths do not bound; busy time does.
    """

    start: int
    duration: int | None = None
    host_id: str | None = None
    anywhere: bool = False


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
        context = await booking_context(work, seen)
        _check(context, seen, move)
    if _is_there(seen, move):
        return await _unchanged(ports, seen, replay, now)
    duration = move.duration or seen.duration
    try:
        async with ports.read() as work:
            with suppress(CalendarUnavailable):  # the calendars are asked next
                await _hosts(work, context, seen, move, duration, now)
        await refresh_hosts(ports, context, now)
        return await locking(lambda others: _commit(ports, seen, context, move, actor, version, replay, now, others))
    except (Conflict, ClaimOverlap) as taken:
        free = await _alternatives(ports, context, seen, move.start, duration, now)
        raise Conflict(taken.detail, free, seen.timezone) from taken


def _check_state(booking: Booking, now: int) -> None:
    next_status(booking, "reschedule", now)
    if is_held_out(booking, now):
        raise NotModifiable("This booking was not confirmed in time; its time is free again.")


def _is_there(booking: Booking, move: Move) -> bool:
    same_host = move.host_id is None or {move.host_id} == {host.id for host in booking.hosts}
    return same_host and (booking.start, booking.duration) == (move.start, move.duration or booking.duration)


async def _unchanged(ports: Ports, booking: Booking, replay: Replay[Booking] | None, now: int) -> Booking:
    """Where it is already. That is an answer too: the same request must not move it back some time later."""
    if replay is not None:
        async with ports.unit_of_work() as work:
            await remember(work, replay, booking, now)
            await work.commit()
    return booking


async def booking_context(work: UnitOfWork, booking: Booking) -> LinkContext:
    """The link a booking was made through, with its hosts; a link that is gone offers no other time.

    One made through a one-time link moves among the times picked for it, or else by the link's rules. That the one-time
    link is used (by this very booking) or expired meanwhile is no obstacle: it bounds booking, and this is booked.
    """
    context = await work.links.context_of(booking.link_id) if booking.link_id else None
    if context is None:
        raise Invalid.field("start", "The link of this booking is gone, so there is no other time to offer.")
    if booking.one_time_link_id is None:
        return context
    return replace(context, one_time=await work.links.one_time(booking.org_id, booking.one_time_link_id))


def _check(context: LinkContext, booking: Booking, move: Move) -> None:
    if move.start % 60:
        raise Invalid.field("start", "A start is a whole minute.")
    offered = move.anywhere or move.duration in {None, booking.duration, *all_durations(context)}
    if not offered or not 0 < (move.duration or booking.duration) <= LONGEST_MINUTES:
        raise Invalid.field("duration", "The link does not offer this length.")
    if move.host_id is not None and move.host_id not in {host.host_id for host in context.hosts}:
        raise Invalid.field("host", "This host does not belong to the link.")


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
        context = await booking_context(work, booking)
        duration = move.duration or booking.duration
        await release_expired(ports, work, context, move.start, duration, now, locked)
        hosts = await _hosts(work, context, booking, move, duration, now)
        after = _moved(booking, context.link, hosts, move.start, duration, now)
        if after.hosts != booking.hosts:
            after = with_meeting(ports, after, await work.hosts.people([host.id for host in after.hosts]))
        await record_change(ports, work, booking, after, actor, "booking.rescheduled", now)
        await remember(work, replay, after, now)
        await work.commit()
    return after


def _moved(booking: Booking, link: Link, hosts: Sequence[LinkHost], start: int, duration: int, now: int) -> Booking:
    """At its new time the booking has the buffers the link asks for now, and is held at most until it begins. What the
    recipient answered was about the old one."""
    hold = booking.hold_expires_at
    return booking.changed(
        now,
        start=start,
        end=start + duration * 60,
        duration=duration,
        buffer_before=link.buffer_before,
        buffer_after=link.buffer_after,
        hosts=tuple(HostRef(host.host_id, host.kind, host.name) for host in hosts),
        hold_expires_at=None if hold is None else min(hold, start),
        sequence=booking.sequence + 1,
        recipient_reply=None,
    )


async def _hosts(
    work: UnitOfWork, context: LinkContext, booking: Booking, move: Move, duration: int, now: int
) -> list[LinkHost]:
    """Who takes the moved booking: the present hosts when they can, for a pool else the fairest free one."""
    if move.anywhere:
        present = {host.id for host in booking.hosts}
        return await decide(
            work, _only(context, present), move.start, duration, now, booking.id, picks=((move.start, duration),)
        )
    if context.link.mode != "pool":
        return await decide(work, context, move.start, duration, now, booking.id)
    if move.host_id is not None:
        return await decide(work, _only(context, {move.host_id}), move.start, duration, now, booking.id)
    verdicts = await judge_hosts(work, context, move.start, duration, now, booking.id)
    present = {host.id for host in booking.hosts}
    kept = [pair for pair in verdicts if pair[0].host_id in present]
    if kept and all(verdict.is_free for _, verdict in kept):
        return choose(context, kept, move.start)
    return await decide(work, context, move.start, duration, now, booking.id)


def _only(context: LinkContext, host_ids: set[str]) -> LinkContext:
    return replace(context, hosts=tuple(host for host in context.hosts if host.host_id in host_ids))


async def _alternatives(
    ports: Ports, context: LinkContext, booking: Booking, start: int, duration: int, now: int
) -> list[int]:
    try:
        async with ports.read() as work:
            free = await alternatives(work, context, duration, start, now, booking.id)
    except (CalendarUnavailable, Invalid):
        return []  # the conflict is the answer
    return [other for other in free if (other, duration) != (booking.start, booking.duration)]
