"""Book a free start of a link.

A cheap check first, then the hosts' connected calendars are brought up to date outside any transaction, then the
decision under the hosts' locks: busy time and limits are read again, the guard of the database has the last word.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from app.domain.answers import Answered, check_answers
from app.domain.booking_state import is_held_out
from app.domain.bookings import Booking, HostRef, Recipient
from app.domain.errors import CalendarUnavailable, ClaimOverlap, Conflict, HalfpastError, Invalid, LinkUsed
from app.domain.intervals import Interval
from app.domain.languages import checked_tag
from app.domain.repeats import Repeat
from app.domain.seats import OpenSession, choose_session, judge_session
from app.domain.slots import Verdict
from app.domain.teams import Judged, Picks, choose_team, judge_team, team_verdict
from app.ports import Ports
from app.ports.links import LinkContext, LinkHost
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.block_recipients import check_not_blocked
from app.use_cases.booking_changes import SYSTEM, Actor, expired, record_change, record_new
from app.use_cases.find_slots import alternatives, check_duration, sessions_of
from app.use_cases.host_states import host_states, open_context
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id
from app.use_cases.offered_hosts import choose_person, judgeable, team
from app.use_cases.open_session import check_seats, seated
from app.use_cases.refresh_calendars import refresh_calendars
from app.use_cases.zone_names import canonical_zone

TRIES = 5
Result = TypeVar("Result")

REFUSALS = {
    Verdict.PAST: "it lies in the past",
    Verdict.OUTSIDE_HOURS: "it lies outside the hours",
    Verdict.OFF_STEP: "it does not lie on the link's steps",
    Verdict.NOTICE: "it is too soon",
    Verdict.HORIZON: "it is too far ahead",
    Verdict.DATE_RANGE: "it lies outside the link's dates",
    Verdict.NOT_PICKED: "it is not among the chosen times",
}


@dataclass(frozen=True, slots=True)
class BookingRequest:
    """What a recipient asks for; `start` is epoch seconds, `duration` minutes, `timezone` the recipient's."""

    start: int
    duration: int
    timezone: str
    recipient: Recipient
    answers: Mapping[str, Any] = field(default_factory=dict)
    guests: tuple[str, ...] = ()
    notes: str | None = None
    host_id: str | None = None
    """The person who was chosen, where there is a choice."""
    seats: int = 1
    repeat: Repeat | None = None
    """A weekly set of bookings, which `book_series` makes."""
    language: str | None = None
    """The recipient's, a BCP 47 tag."""


async def book_slot(
    ports: Ports, token: str, request: BookingRequest, replay: Replay[Booking] | None = None
) -> Booking:
    """Book through a public token.

    Raises `Invalid` for what the rules never offer, `Conflict` with alternatives for what is taken, the link's own
    refusals, and `CalendarUnavailable` when no host can be judged.
    """
    now = ports.clock()
    request = replace(request, timezone=canonical_zone(request.timezone))
    try:
        async with ports.read() as work:
            context = await asked(work, token, request, now)
            answered = check_request(context, request)
            await first_check(work, context, request.start, request.duration, now, request.seats)
        await refresh_hosts(ports, context, now)
        return await locking(lambda others: _commit(ports, token, context, request, answered, replay, now, others))
    except (Conflict, ClaimOverlap) as taken:
        free = await _alternatives(ports, token, request, now)
        raise Conflict(taken.detail, free, request.timezone) from taken


async def asked(work: UnitOfWork, token: str, request: BookingRequest, now: int, *, lock: bool = False) -> LinkContext:
    """The open link, with the person who was chosen alone."""
    context = open_context(await work.links.context(token, lock=lock), now)
    await check_not_blocked(work, context, request.recipient)
    return choose_person(context, request.host_id)


async def first_check(
    work: UnitOfWork, context: LinkContext, start: int, duration: int, now: int, seats: int = 1
) -> None:
    """Refuse what is known to be impossible before any calendar is asked. Hosts that cannot be judged are no reason
    yet: the calendars are asked next."""
    with suppress(CalendarUnavailable):
        await find_place(work, context, start, duration, seats, now)


async def refresh_hosts(ports: Ports, context: LinkContext, now: int) -> None:
    """Bring the connected calendars of the link's hosts up to date, within the bound."""
    connected = [host.host_id for host in context.hosts if host.judged_until is not None]
    if connected:
        await refresh_calendars(ports, connected, now, ports.refresh_budget)


def check_request(context: LinkContext, request: BookingRequest) -> Answered:
    """What can be said of a request without looking at any calendar."""
    check_duration(context, request.duration)
    if request.start % 60:
        raise Invalid.field("start", "A start is a whole minute.")
    check_seats(context, request.seats)
    questions = context.template.questions if context.template else ()
    return check_answers(questions, request.answers)


async def _commit(
    ports: Ports,
    token: str,
    seen: LinkContext,
    request: BookingRequest,
    answered: Answered,
    replay: Replay[Booking] | None,
    now: int,
    others: frozenset[str],
) -> Booking:
    async with ports.unit_of_work() as work:
        locked = others.union(host.host_id for host in seen.hosts)
        if others:
            await work.hosts.lock(sorted(locked))
        context = await asked(work, token, request, now, lock=True)
        await release_expired(ports, work, context, request.start, request.duration, now, locked)
        place = await find_place(work, context, request.start, request.duration, request.seats, now)
        booking = new_booking(ports, context, request, answered, place.hosts, now)
        if context.one_time and not await work.links.consume_one_time(context.one_time.id, booking.id, now):
            await asked(work, token, request, now)
            raise LinkUsed("This link was used already.")
        booking = await seated(ports, work, context, booking, place, now)
        booking = await record_new(ports, work, booking, context.organization, Actor("recipient", booking.id), now)
        await remember(work, replay, booking, now)
        await work.commit()
    return booking


@dataclass(frozen=True, slots=True)
class Place:
    """Where a booking goes: its hosts, and the open session it joins (None: it has a time of its own, or is the first
    in a new session)."""

    hosts: Sequence[LinkHost]
    session_id: str | None = None


async def find_place(
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    seats: int,
    now: int,
    without: str | None = None,
    picks: Picks = (),
    present: Collection[str] = (),
) -> Place:
    """Seats in an open session, or else hosts for a new one; refusals as of `decide`."""
    if not context.has_sessions:
        return Place(await decide(work, context, start, duration, now, without, picks, present))
    judged = await _judged_sessions(work, context, start, duration, now, without, picks)
    joined = choose_session([session for session, verdict in judged if verdict.is_free], seats)
    if joined is not None:
        return Place([host for host in context.hosts if host.host_id in joined.host_ids], joined.id)
    if not context.is_scheduled and seats <= context.capacity:
        try:
            return Place(await decide(work, context, start, duration, now, without, picks, present))
        except (Invalid, Conflict):
            if not judged:
                raise
    if judged:
        raise _without_seats(context, judged, seats)
    if context.is_scheduled:
        raise Invalid.field("start", "This time is not offered: nothing takes place then.")
    with suppress(Conflict):  # whether it is taken or not, it has not so many seats
        await decide(work, context, start, duration, now, without, picks, present)
    raise _too_many(context.capacity)


def _without_seats(context: LinkContext, judged: Sequence[tuple[OpenSession, Verdict]], seats: int) -> HalfpastError:
    """Why none of the sessions of a start has seats for somebody, where no new one can be opened."""
    verdict = Verdict.for_any(verdict for _, verdict in judged)
    if not verdict.is_offered:
        return Invalid.field("start", f"This time is not offered: {REFUSALS[verdict]}.")
    most = max(session.capacity for session, _ in judged)
    most = most if context.is_scheduled else max(most, context.capacity)
    return _too_many(most) if seats > most else Conflict("There are not so many seats left at this time.")


def _too_many(capacity: int) -> Invalid:
    return Invalid.field("seats", f"There are {capacity} seats at most at this time.")


async def _judged_sessions(
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    without: str | None,
    picks: Picks,
) -> list[tuple[OpenSession, Verdict]]:
    window = start, start + 1
    sessions = await sessions_of(work, context, duration, window, now, without)
    if not sessions:
        return []
    hosts = judgeable(context, duration, now)
    states, _ = await host_states(work, context, hosts, window, duration, now, without)
    groups, picks = team(hosts, states), picks or (context.one_time.slots if context.one_time else ())
    return [(each, judge_session(each, context.link.rules(), groups, now, picks)) for each in sessions]


async def decide(
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    without: str | None = None,
    picks: Picks = (),
    present: Collection[str] = (),
) -> list[LinkHost]:
    """The hosts to take, those `present` before others. `Conflict` when the rules offer the start but it is taken,
    `Invalid` when they never do."""
    judged = await judge_hosts(work, context, start, duration, now, without, picks)
    chosen = choose_team(judged, start, present)
    if chosen:
        by_id = {host.host_id: host for host in context.hosts}
        return [by_id[host_id] for host_id in chosen]
    verdict = team_verdict(judged)
    if verdict.is_taken:
        raise Conflict("This time was just taken.")
    raise Invalid.field("start", f"This time is not offered: {REFUSALS[verdict]}.")


async def judge_hosts(
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    without: str | None = None,
    picks: Picks = (),
) -> list[Judged]:
    """Each group of judgeable hosts with their verdicts on one start; `picks` (start, minutes) take the place of the
    link's."""
    hosts = judgeable(context, duration, now)
    states, _ = await host_states(work, context, hosts, (start, start + 1), duration, now, without)
    picks = picks or (context.one_time.slots if context.one_time else ())
    return judge_team(context.link.rules(), duration, team(hosts, states), start, now, picks)


async def release_expired(
    ports: Ports,
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    locked: frozenset[str],
) -> bool:
    """Cancel pending bookings in the way whose hold ran out, and say whether there were any. The caller holds the locks
    of the hosts `locked`, the link's among them; `MoreHosts` when that is not enough."""
    link = context.link
    window = start - link.buffer_before * 60, link.rules().end(start, duration) + link.buffer_after * 60
    return await release_holds(ports, work, [host.host_id for host in context.hosts], window, now, locked)


async def release_holds(
    ports: Ports, work: UnitOfWork, host_ids: Sequence[str], window: Interval, now: int, locked: frozenset[str]
) -> bool:
    """The same for whatever holds any of these hosts within a window."""
    released = False
    for booking_id in await work.hosts.expired_holds(host_ids, *window, now):
        held = await work.bookings.get(booking_id, lock=True)
        if held is None or not is_held_out(held, now):
            continue
        if missing := {host.id for host in held.hosts} - locked:
            raise MoreHosts(missing)
        await record_change(ports, work, held, expired(held, now), SYSTEM, "booking.expired", now)
        released = True
    return released


class MoreHosts(Exception):
    """A transaction must change bookings of hosts that it has not locked. Locking them now could wait in a circle: it
    has to begin again."""

    def __init__(self, ids: Iterable[str]) -> None:
        super().__init__()
        self.ids = frozenset(ids)


async def locking(commit: Callable[[frozenset[str]], Awaitable[Result]]) -> Result:
    """Run a transaction that first locks its hosts and the given others, all in id order; again, with more of them,
    when it turns out to need them."""
    others: frozenset[str] = frozenset()
    for _ in range(TRIES):
        try:
            return await commit(others)
        except MoreHosts as more:
            others |= more.ids
    raise Conflict("This time is being booked by others.")


def new_booking(
    ports: Ports,
    context: LinkContext,
    request: BookingRequest,
    answered: Answered,
    hosts: Sequence[LinkHost],
    now: int,
) -> Booking:
    """The booking of these hosts, not stored yet."""
    link = context.link
    booking_id = new_id()
    hold = now + context.organization.hold_minutes * 60 if link.requires_approval else None
    return Booking(
        id=booking_id,
        org_id=link.org_id,
        link_id=link.id or None,
        one_time_link_id=context.one_time.id if context.one_time else None,
        service_id=link.service_id,
        occurrence_id=booking_id,
        status="pending" if link.requires_approval else "confirmed",
        title=link.title,
        start=request.start,
        end=link.rules().end(request.start, request.duration),
        duration=request.duration,
        buffer_before=link.buffer_before,
        buffer_after=link.buffer_after,
        timezone=request.timezone,
        recipient=request.recipient,
        guests=request.guests,
        answered=answered,
        notes=request.notes,
        seats=request.seats,
        location=link.location,
        uid=f"{booking_id}@{ports.uid_domain}",
        sequence=0,
        version=1,
        hold_expires_at=min(hold, request.start) if hold is not None else None,
        cancel_reason=None,
        actual_start=None,
        actual_end=None,
        token=ports.vault.new_token(),
        hosts=tuple(HostRef(host.host_id, host.kind, host.name) for host in hosts),
        created_at=now,
        updated_at=now,
        language=checked_tag(request.language) if request.language else None,
    )


async def _alternatives(ports: Ports, token: str, request: BookingRequest, now: int) -> list[int]:
    """What else there is; a link that has ended meanwhile says so itself."""
    async with ports.read() as work:
        context = await asked(work, token, request, now)
        try:
            return await alternatives(work, context, request.duration, request.start, now, seats=request.seats)
        except CalendarUnavailable:
            return []  # the conflict is the answer
