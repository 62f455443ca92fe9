"""Book a free start of a link.

A cheap check first, then the hosts' connected calendars are brought up to date outside any transaction, then the
decision under the hosts' locks: busy time and limits are read again, the guard of the database has the last word.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

from app.domain.answers import check_answers
from app.domain.assignment import bookings_in_week, choose_host
from app.domain.booking_state import is_held_out
from app.domain.bookings import Booking, HostRef, Recipient
from app.domain.errors import CalendarUnavailable, ClaimOverlap, Conflict, Invalid, LinkUsed
from app.domain.links import Answered
from app.domain.rules import HostState
from app.domain.slots import Verdict, judge, judge_picked
from app.ports import Ports
from app.ports.storage import LinkContext, LinkHost, UnitOfWork
from app.use_cases.booking_changes import SYSTEM, Actor, expired, record_change, record_new
from app.use_cases.find_slots import alternatives, check_duration
from app.use_cases.host_states import host_states, judgeable, open_context
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id
from app.use_cases.refresh_calendars import refresh_calendars
from app.use_cases.zone_names import canonical_zone

TRIES = 5

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
            context = open_context(await work.links.context(token), now)
            answered = check_request(context, request)
            await first_check(work, context, request.start, request.duration, now)
        await refresh_hosts(ports, context, now)
        return await locking(lambda others: _commit(ports, token, context, request, answered, replay, now, others))
    except (Conflict, ClaimOverlap) as taken:
        free = await _alternatives(ports, token, request, now)
        raise Conflict(taken.detail, free, request.timezone) from taken


async def first_check(
    work: UnitOfWork, context: LinkContext, start: int, duration: int, now: int, without: str | None = None
) -> None:
    """Refuse what is known to be impossible before any calendar is asked. Hosts that cannot be judged are no reason
    yet: the calendars are asked next."""
    with suppress(CalendarUnavailable):
        await decide(work, context, start, duration, now, without)


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
        context = open_context(await work.links.context(token, lock=True), now)
        await release_expired(ports, work, context, request.start, request.duration, now, locked)
        hosts = await decide(work, context, request.start, request.duration, now)
        booking = new_booking(ports, context, request, answered, hosts, now)
        if context.one_time and not await work.links.consume_one_time(context.one_time.id, booking.id, now):
            open_context(await work.links.context(token), now)
            raise LinkUsed("This link was used already.")
        booking = await record_new(ports, work, booking, context.organization, Actor("recipient", booking.id), now)
        await remember(work, replay, booking, now)
        await work.commit()
    return booking


async def decide(
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    without: str | None = None,
    picks: Sequence[tuple[int, int]] = (),
) -> list[LinkHost]:
    """The hosts to take. `Conflict` when the rules offer the start but it is taken, `Invalid` when they never do."""
    verdicts = await judge_hosts(work, context, start, duration, now, without, picks)
    chosen = choose(context, verdicts, start)
    if chosen:
        return chosen
    refusals = [verdict for _, verdict in verdicts if not verdict.is_free]
    never = [verdict for verdict in refusals if not verdict.is_taken]
    if not never or (context.link.mode == "pool" and len(never) < len(refusals)):
        raise Conflict("This time was just taken.")
    raise Invalid.field("start", f"This time is not offered: {REFUSALS[never[0]]}.")


async def judge_hosts(
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    without: str | None = None,
    picks: Sequence[tuple[int, int]] = (),
) -> list[tuple[HostState, Verdict]]:
    """Each judgeable host with its verdict on one start; `picks` (start, minutes) take the place of the link's."""
    hosts = judgeable(context, now)
    states, _ = await host_states(work, context, hosts, (start, start + 1), now, without)
    rules = context.link.rules()
    picks = picks or (context.one_time.slots if context.one_time else ())
    if picks:
        return [(state, judge_picked(picks, duration, rules, state, start, now)) for state in states]
    return [(state, judge(rules, duration, state, start, now)) for state in states]


def choose(context: LinkContext, verdicts: Sequence[tuple[HostState, Verdict]], start: int) -> list[LinkHost]:
    """The hosts that take the booking: all of them, or for a pool the fairest free one. Empty: it cannot be."""
    by_id = {host.host_id: host for host in context.hosts}
    free = [state for state, verdict in verdicts if verdict.is_free]
    if context.link.mode == "pool":
        if not free:
            return []
        return [by_id[choose_host(free, bookings_in_week(free, start))[0]]]
    return [by_id[state.host_id] for state in free] if len(free) == len(verdicts) else []


async def release_expired(
    ports: Ports,
    work: UnitOfWork,
    context: LinkContext,
    start: int,
    duration: int,
    now: int,
    locked: frozenset[str],
) -> None:
    """Cancel pending bookings in the way whose hold ran out. The caller holds the locks of the hosts `locked`, the
    link's among them; `MoreHosts` when that is not enough."""
    link = context.link
    window = start - link.buffer_before * 60, start + (duration + link.buffer_after) * 60
    for booking_id in await work.hosts.expired_holds([host.host_id for host in context.hosts], *window, now):
        held = await work.bookings.get(booking_id, lock=True)
        if held is None or not is_held_out(held, now):
            continue
        if missing := {host.id for host in held.hosts} - locked:
            raise MoreHosts(missing)
        await record_change(ports, work, held, expired(held, now), SYSTEM, "booking.expired", now)


class MoreHosts(Exception):
    """A transaction must change bookings of hosts that it has not locked. Locking them now could wait in a circle: it
    has to begin again."""

    def __init__(self, ids: Iterable[str]) -> None:
        super().__init__()
        self.ids = frozenset(ids)


async def locking(commit: Callable[[frozenset[str]], Awaitable[Booking]]) -> Booking:
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
        link_id=link.id,
        one_time_link_id=context.one_time.id if context.one_time else None,
        service_id=None,
        occurrence_id=booking_id,
        status="pending" if link.requires_approval else "confirmed",
        title=link.title,
        start=request.start,
        end=request.start + request.duration * 60,
        duration=request.duration,
        buffer_before=link.buffer_before,
        buffer_after=link.buffer_after,
        timezone=request.timezone,
        recipient=request.recipient,
        guests=request.guests,
        answered=answered,
        notes=request.notes,
        seats=1,
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
    )


async def _alternatives(ports: Ports, token: str, request: BookingRequest, now: int) -> list[int]:
    """What else there is; a link that has ended meanwhile says so itself."""
    async with ports.read() as work:
        context = open_context(await work.links.context(token), now)
        try:
            return await alternatives(work, context, request.duration, request.start, now)
        except CalendarUnavailable:
            return []  # the conflict is the answer
