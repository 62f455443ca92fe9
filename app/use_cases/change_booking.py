"""Steps in a booking's life: confirm, start, complete, no-show, correct, cancel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

from app.domain.booking_state import Step, is_held_out, meant, next_status
from app.domain.bookings import Booking
from app.domain.errors import ClaimOverlap, Conflict, NotFound, NotModifiable, StaleVersion
from app.domain.slots import judge_picked
from app.ports import Ports
from app.ports.links import LinkContext
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_slot import locking, refresh_hosts, release_holds
from app.use_cases.booking_changes import Actor, expired, record_change
from app.use_cases.booking_jobs import completes_at
from app.use_cases.host_states import host_states
from app.use_cases.idempotency import Replay, remember
from app.use_cases.offered_hosts import judgeable, offer_context, policy_of

TRIES = 3
REASON_LENGTH = 500


async def take_step(
    ports: Ports,
    booking_id: str,
    step: Step,
    actor: Actor,
    *,
    version: int | None = None,
    reason: str | None = None,
    replay: Replay[Booking] | None = None,
) -> Booking:
    """Take one step; `version` is the one the caller saw (`StaleVersion` when it is not the current one).

    A pending booking whose hold ran out takes its time anew on `confirm`: `Conflict` when it is gone.
    To `confirm` one that is completed or missed is to correct it.
    """
    now = ports.clock()
    late = await _late_confirmation(ports, booking_id, now) if step == "confirm" else None
    offered = frozenset(host.host_id for host in late.hosts) if late else frozenset()
    asked = _Asked(booking_id, step, actor, version, reason)
    return await locking(lambda others: _commit(ports, asked, replay, now, offered | others))


@dataclass(frozen=True, slots=True)
class _Asked:
    booking_id: str
    step: Step
    actor: Actor
    version: int | None
    reason: str | None


async def _commit(
    ports: Ports, asked: _Asked, replay: Replay[Booking] | None, now: int, others: frozenset[str]
) -> Booking:
    actor = asked.actor
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, asked.booking_id, others)
        check_version(booking, asked.version)
        step = meant(booking, asked.step)
        if booking.is_session and step != "cancel":
            raise NotModifiable("Those who attend a session come or stay away each by themselves.")
        after = after_step(booking, step, now, asked.reason)
        if after.is_active and not booking.is_active:  # it takes its time anew, and what has run out is not in its way
            hosts = frozenset(host.id for host in booking.hosts)
            await release_holds(ports, work, sorted(hosts), booking.claim, now, hosts | others)
        if step == "confirm" and is_held_out(booking, now):
            await _check_free(work, booking, now)
        noted = await cancelling(work, booking, actor, now) if step == "cancel" else {}
        try:
            await record_change(ports, work, booking, after, actor, f"booking.{step}", now, noted)
        except ClaimOverlap as taken:
            raise Conflict("Another booking holds this time by now.") from taken
        if step == "cancel" and actor.kind == "recipient" and booking.one_time_link_id is not None:
            await work.links.revive_one_time(booking.one_time_link_id, booking.id)
        await remember(work, replay, after, now)
        await work.commit()
    return after


async def cancelling(work: UnitOfWork, booking: Booking, actor: Actor, now: int) -> dict[str, Any]:
    """What the audit entry of a cancellation notes: the fee its recipient owes. `NotModifiable` when the rules of its
    offer do not let them cancel any more; staff are not bound by them."""
    if actor.kind != "recipient":
        return {}
    policy = await policy_of(work, booking)
    policy.check_cancel(booking, now)
    fee = policy.fee_of(booking)
    return {} if fee is None else {"fee": {"amount": fee.amount, "currency": fee.currency}}


async def _late_confirmation(ports: Ports, booking_id: str, now: int) -> LinkContext | None:
    """For a booking whose hold ran out: its link, whose hosts' calendars are brought up to date as for a new one."""
    async with ports.read() as work:
        booking = await work.bookings.get(booking_id)
        if booking is None or not is_held_out(booking, now):
            return None
        context = await offer_context(work, booking)
    if context is not None:
        await refresh_hosts(ports, context, now)
    return context


async def _check_free(work: UnitOfWork, booking: Booking, now: int) -> None:
    """Whether the time can be taken anew: it is still to come, not busy and below the limits (`Conflict` otherwise)."""
    context = await offer_context(work, booking)
    present = {host.id for host in booking.hosts}
    hosts = tuple(host for host in context.hosts if host.host_id in present) if context else ()
    if context is None or len(hosts) < len(present):
        raise Conflict("The request was not confirmed in time, and its link does not offer the time any more.")
    context = replace(context, hosts=hosts, through=booking.occurrence_id)
    able = judgeable(context, booking.duration, now)
    window = booking.start, booking.start + 1
    states, _ = await host_states(work, context, able, window, booking.duration, now, booking.id)
    rules = replace(context.link.rules(), buffer_before=booking.buffer_before, buffer_after=booking.buffer_after)
    wanted = ((booking.start, booking.duration),)
    verdicts = [judge_picked(wanted, booking.duration, rules, state, booking.start, now) for state in states]
    if not all(verdict.is_free for verdict in verdicts):
        raise Conflict("The request was not confirmed in time, and its time is gone by now.")


def after_step(booking: Booking, step: Step, now: int, reason: str | None) -> Booking:
    """The booking after a step, not stored yet; `NotModifiable` when its state does not allow it."""
    status = next_status(booking, step, now)
    match step:
        case "confirm":
            return booking.changed(now, status=status, hold_expires_at=None, sequence=booking.sequence + 1)
        case "cancel":
            return booking.changed(
                now,
                status=status,
                hold_expires_at=None,
                sequence=booking.sequence + 1,
                cancel_reason=(reason or "")[:REASON_LENGTH] or None,
            )
        case "start":
            return booking.changed(now, status=status, actual_start=now)
        case "complete":
            return booking.changed(now, status=status, actual_end=now)
        case "correct":
            return booking.changed(now, status=status, actual_end=None)
        case _:
            return booking.changed(now, status=status)


async def locked_booking(work: UnitOfWork, booking_id: str, others: Iterable[str] = ()) -> Booking:
    """The booking with its hosts' rows (and those of the hosts `others`) and its own locked, hosts first: the order
    every transaction keeps. It comes first in its transaction, which begins again when the hosts changed meanwhile."""
    for _ in range(TRIES):
        seen = await work.bookings.get(booking_id)
        if seen is None:
            raise NotFound("There is no such booking.")
        await work.hosts.lock(sorted({*others, *(host.id for host in seen.hosts)}))
        booking = await work.bookings.get(booking_id, lock=True)
        if booking is not None and booking.hosts == seen.hosts:
            return booking
        await work.begin_again()
    raise StaleVersion("The booking is being changed by somebody else.")


def check_version(booking: Booking, version: int | None) -> None:
    """If-Match, when it was sent."""
    if version is not None and booking.version != version:
        raise StaleVersion(f"The booking is at version {booking.version} by now.")


async def expire_hold(ports: Ports, booking_id: str) -> int | None:
    """Cancel a pending booking whose hold ran out; the instant to look again when it has not yet."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking_id)
        if booking.status != "pending" or booking.hold_expires_at is None:
            return None
        if not is_held_out(booking, now):
            return booking.hold_expires_at
        await record_change(ports, work, booking, expired(booking, now), Actor("system"), "booking.expired", now)
        await work.commit()
    return None


async def complete_when_over(ports: Ports, booking_id: str) -> int | None:
    """Complete a confirmed booking some time after its end; the instant to look again when it is not over yet."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking_id)
        organization = await work.people.organization(booking.org_id)
        if organization is None or booking.status != "confirmed":
            return None
        due = completes_at(booking, organization)
        if due > now:
            return due
        try:
            after = booking.changed(now, status=next_status(booking, "complete", now))
        except NotModifiable:
            return None
        await record_change(ports, work, booking, after, Actor("system"), "booking.complete", now)
        await work.commit()
    return None
