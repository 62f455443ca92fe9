"""Staff book for a client: through a link or a service, by its rules or over them, but never over a booking."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.answers import Answered, check_answers
from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, ClaimOverlap, Conflict, Invalid, NotFound
from app.domain.seats import choose_session
from app.domain.teams import judge_team
from app.ports import Ports
from app.ports.links import LinkContext, LinkHost
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.block_recipients import check_not_blocked
from app.use_cases.book_slot import (
    BookingRequest,
    MoreHosts,
    Place,
    find_place,
    first_check,
    locking,
    new_booking,
    refresh_hosts,
    release_expired,
)
from app.use_cases.booking_changes import Actor, record_new
from app.use_cases.find_slots import alternatives, check_duration, length_problem, sessions_of
from app.use_cases.host_states import host_states
from app.use_cases.idempotency import Replay, remember
from app.use_cases.manage_links import owned_link
from app.use_cases.offered_hosts import grouped, team, with_chosen
from app.use_cases.open_session import check_seats, seated
from app.use_cases.zone_names import canonical_zone

ON_THE_LIST = "This person is on the block list. Book over the rules if it is meant."


@dataclass(frozen=True, slots=True)
class ClientBooking:
    """What staff ask for: one of link and service; `override` leaves hours, steps, notice, limits and what is in the
    hosts' calendars to the staff's judgement."""

    request: BookingRequest
    link_id: str | None = None
    service_id: str | None = None
    override: bool = False


async def book_for_client(
    ports: Ports, user: User, wanted: ClientBooking, replay: Replay[Booking] | None = None
) -> Booking:
    """Book at once, without approval. Refusals as in `book_slot`; `NotFound` for what the user may not book."""
    now = ports.clock()
    request = replace(wanted.request, timezone=canonical_zone(wanted.request.timezone))
    wanted = replace(wanted, request=request)
    async with ports.read() as work:
        context = await client_context(work, user, wanted)
        answered = check_client_request(context, wanted)
        wanted = await in_their_language(work, user, wanted)
    try:
        if not wanted.override:
            async with ports.read() as work:
                await first_check(work, context, request.start, request.duration, now, request.seats)
        await refresh_hosts(ports, context, now)
        return await locking(lambda others: _commit(ports, user, wanted, answered, context, replay, now, others))
    except (Conflict, ClaimOverlap) as taken:
        free = await _alternatives(ports, context, request, now)
        raise Conflict(taken.detail, free, request.timezone) from taken


async def in_their_language(work: UnitOfWork, user: User, wanted: ClientBooking) -> ClientBooking:
    """With the language the client booked in last, unless staff say one."""
    request = wanted.request
    if request.language is not None:
        return wanted
    known = await work.clients.language_of(user.org_id, request.recipient)
    return replace(wanted, request=replace(request, language=known))


async def client_context(work: UnitOfWork, user: User, wanted: ClientBooking) -> LinkContext:
    """What staff book, as they asked for it; `NotFound` for what they may not book."""
    context = await client_offer(work, user, wanted.link_id, wanted.service_id)
    if not wanted.override:
        await check_not_blocked(work, context, wanted.request.recipient, ON_THE_LIST)
    host_id = wanted.request.host_id
    return context if host_id is None else with_chosen(context, host_id)


async def client_offer(work: UnitOfWork, user: User, link_id: str | None, service_id: str | None) -> LinkContext:
    """A link the user manages; a service for admins and for those who are qualified for it. `NotFound` otherwise."""
    context = None
    if link_id is not None:
        link = await owned_link(work, user, link_id)
        context = await work.links.context_of(link.id)
    elif service_id is not None:
        context = await work.links.context_of_service(user.org_id, service_id)
        if context and "admin" not in user.roles and user.id not in {host.host_id for host in context.hosts}:
            context = None
    if context is None:
        raise NotFound("There is no such offer, or nobody takes it yet.")
    return context


def check_client_request(context: LinkContext, wanted: ClientBooking) -> Answered:
    """What can be said of a request without looking at any calendar. Staff need not ask everything."""
    request = wanted.request
    if request.start % 60:
        raise Invalid.field("start", "A start is a whole minute.")
    if not wanted.override:
        check_duration(context, request.duration)
    elif problem := length_problem(context.link, request.start, request.duration):
        raise Invalid.field("duration", problem)
    check_seats(context, request.seats)
    questions = context.template.questions if context.template else ()
    return check_answers([replace(question, required=False) for question in questions], request.answers)


async def _commit(
    ports: Ports,
    user: User,
    wanted: ClientBooking,
    answered: Answered,
    seen: LinkContext,
    replay: Replay[Booking] | None,
    now: int,
    others: frozenset[str],
) -> Booking:
    request = wanted.request
    async with ports.unit_of_work() as work:
        locked = others.union(host.host_id for host in seen.hosts)
        await work.hosts.lock(sorted(locked))
        context = await client_context(work, user, wanted)
        if missing := {host.host_id for host in context.hosts} - locked:
            raise MoreHosts(missing)
        await release_expired(ports, work, context, request.start, request.duration, now, locked)
        if wanted.override:
            place = await overruled_place(work, context, request, now)
        else:
            place = await find_place(work, context, request.start, request.duration, request.seats, now)
        booking = replace(
            new_booking(ports, context, request, answered, place.hosts, now), status="confirmed", hold_expires_at=None
        )
        booking = await seated(ports, work, context, booking, place, now)
        booking = await record_new(ports, work, booking, context.organization, Actor("user", user.id), now)
        await remember(work, replay, booking, now)
        await work.commit()
    return booking


async def overruled_place(work: UnitOfWork, context: LinkContext, request: BookingRequest, now: int) -> Place:
    """A seat in a session at that time, or hosts for what is not there yet."""
    window = request.start, request.start + 1
    sessions = await sessions_of(work, context, request.duration, window, now, None) if context.has_sessions else []
    ids = {host.host_id for host in context.hosts}
    joined = choose_session([each for each in sessions if each.host_ids <= ids], request.seats)
    if joined is not None:
        return Place([host for host in context.hosts if host.host_id in joined.host_ids], joined.id)
    return Place(await overruled(work, context, request, now))


async def overruled(work: UnitOfWork, context: LinkContext, request: BookingRequest, now: int) -> list[LinkHost]:
    """Who takes it when the rules do not count: whoever has no booking then, those who are free anyway first."""
    start, link = request.start, context.link
    end = link.rules().end(start, request.duration)
    ids = [host.host_id for host in context.hosts]
    taken = await work.hosts.claimed(ids, start - link.buffer_before * 60, end + link.buffer_after * 60)
    states, _ = await host_states(work, context, context.hosts, (start, start + 1), request.duration, now)
    picks = ((start, request.duration),)
    judged = judge_team(link.rules(), request.duration, team(context.hosts, states), start, now, picks)
    free = {state.host_id for each in judged for state in each.free}
    chosen: list[LinkHost] = []
    for members, needed in grouped(context.hosts).values():
        able = sorted(
            (host for host in members if host.host_id not in taken),
            key=lambda host: (host.host_id not in free, -host.priority, host.host_id),
        )
        if len(able) < needed:
            raise Conflict("Another booking holds this time.")
        chosen += able[:needed]
    return chosen


async def _alternatives(ports: Ports, context: LinkContext, request: BookingRequest, now: int) -> list[int]:
    async with ports.read() as work:
        try:
            return await alternatives(work, context, request.duration, request.start, now, seats=request.seats)
        except (CalendarUnavailable, Invalid):
            return []  # the conflict is the answer
