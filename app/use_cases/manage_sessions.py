"""Sessions that staff set: a class, an event, an opening, with seats to be booked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.answers import Answered
from app.domain.bookings import Booking, Recipient
from app.domain.errors import CalendarUnavailable, ClaimOverlap, Conflict, Invalid, NotFound
from app.ports import Ports
from app.ports.bookings import BookingFilter
from app.ports.links import LinkContext
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_slot import (
    BookingRequest,
    MoreHosts,
    decide,
    locking,
    new_booking,
    refresh_hosts,
    release_expired,
)
from app.use_cases.booking_changes import Actor, record_new
from app.use_cases.find_slots import alternatives, check_duration
from app.use_cases.idempotency import Replay, remember
from app.use_cases.open_session import MOST_SEATS, session_like


@dataclass(frozen=True, slots=True)
class NewSession:
    """What staff ask for; `start` is epoch seconds, `duration` minutes. `capacity` and `title` None: the service's.
    Without `host_ids` the rules choose who gives it, within their hours; those who are named may work outside them."""

    service_id: str
    start: int
    duration: int
    capacity: int | None = None
    host_ids: tuple[str, ...] = ()
    title: str | None = None


async def create_session(
    ports: Ports, user: User, wanted: NewSession, replay: Replay[Booking] | None = None
) -> Booking:
    """Set a session of a service of the user's organization. `Conflict` when its time is taken."""
    now = ports.clock()
    async with ports.read() as work:
        context = await _context(work, user, wanted)
        _check(context, wanted)
    await refresh_hosts(ports, context, now)
    try:
        return await locking(lambda others: _commit(ports, user, wanted, context, replay, now, others))
    except (Conflict, ClaimOverlap) as taken:
        raise Conflict(taken.detail, await _alternatives(ports, context, wanted, now), user.timezone) from taken


async def _alternatives(ports: Ports, context: LinkContext, wanted: NewSession, now: int) -> list[int]:
    """Starts at which a new session can be set: the sessions that are there are no alternative."""
    fresh = replace(context, capacity=1, is_scheduled=False)
    async with ports.read() as work:
        try:
            return await alternatives(work, fresh, wanted.duration, wanted.start, now)
        except (CalendarUnavailable, Invalid):
            return []  # the conflict is the answer


async def _context(work: UnitOfWork, user: User, wanted: NewSession) -> LinkContext:
    context = await work.links.context_of_service(user.org_id, wanted.service_id)
    if context is None:
        raise NotFound("There is no such service, or nobody is qualified for it yet.")
    return _given_by(context, wanted.host_ids) if wanted.host_ids else context


def _given_by(context: LinkContext, host_ids: Sequence[str]) -> LinkContext:
    """All of these people give it, in the named rooms; what else a booking needs is chosen as usual."""
    named = {host.host_id: host for host in context.hosts if host.host_id in host_ids}
    if len(named) < len(set(host_ids)):
        raise Invalid.field("host_ids", "These are among those who are qualified for the service, and what it needs.")
    people = [replace(host, role="fixed") for host in named.values() if host.role != "unit"]
    settled = {host.resource_id for host in named.values() if host.role == "unit"}
    units = [
        host
        for host in context.hosts
        if host.role == "unit" and (host.host_id in named or host.resource_id not in settled)
    ]
    if not people:
        people = [host for host in context.hosts if host.role != "unit"]
    return replace(context, hosts=tuple(sorted([*people, *units], key=lambda host: host.host_id)))


def _check(context: LinkContext, wanted: NewSession) -> None:
    check_duration(context, wanted.duration)
    if wanted.start % 60:
        raise Invalid.field("start", "A start is a whole minute.")
    if wanted.capacity is not None and not 0 < wanted.capacity <= MOST_SEATS:
        raise Invalid.field("capacity", f"One to {MOST_SEATS} seats.")
    if not context.has_sessions:
        raise Invalid.field(
            "service_id", "Bookings of this service have times of their own: give it several seats first."
        )


async def _commit(
    ports: Ports,
    user: User,
    wanted: NewSession,
    seen: LinkContext,
    replay: Replay[Booking] | None,
    now: int,
    others: frozenset[str],
) -> Booking:
    async with ports.unit_of_work() as work:
        locked = others.union(host.host_id for host in seen.hosts)
        await work.hosts.lock(sorted(locked))
        context = await _context(work, user, wanted)
        _check(context, wanted)
        if missing := {host.host_id for host in context.hosts} - locked:
            raise MoreHosts(missing)
        await release_expired(ports, work, context, wanted.start, wanted.duration, now, locked)
        picks = ((wanted.start, wanted.duration),) if wanted.host_ids else ()
        hosts = await decide(work, context, wanted.start, wanted.duration, now, picks=picks)
        request = BookingRequest(wanted.start, wanted.duration, user.timezone, Recipient("", ""))
        like = new_booking(ports, context, request, Answered(), hosts, now)
        capacity = wanted.capacity or context.capacity
        session = replace(
            session_like(ports, like, context, capacity, now), title=wanted.title or like.title, is_explicit=True
        )
        session = await record_new(ports, work, session, context.organization, Actor("user", user.id), now)
        await remember(work, replay, session, now)
        await work.commit()
    return session


async def found_session(work: UnitOfWork, user: User, session_id: str, *, to_change: bool = False) -> Booking:
    """The session, for those who may see it: admins all of the organization, others what they give, and what a link of
    theirs offers, though without the names of those who came through other links. `to_change`: for those alone who may
    move or cancel it, admins and who gives it."""
    reader = None if "admin" in user.roles else user.id
    where = BookingFilter(user.org_id, reader, booking_id=session_id, view="sessions")
    found = (await work.bookings.page(where, 1, None)).items
    if not found or (to_change and not may_change(found[0], user)):
        raise NotFound("There is no such session.")
    return found[0]


def may_change(session: Booking, user: User) -> bool:
    """Whether somebody may move or cancel it with all who attend it."""
    return "admin" in user.roles or user.id in {host.id for host in session.hosts}
