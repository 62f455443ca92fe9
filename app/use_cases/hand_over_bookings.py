"""What becomes of the coming bookings of somebody who leaves or is ill: others take them, or they are cancelled."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.bookings import Booking, BookingStatus
from app.domain.errors import (
    CalendarUnavailable,
    Conflict,
    Forbidden,
    HalfpastError,
    Invalid,
    NotFound,
    NotModifiable,
    StaleVersion,
)
from app.ports import Ports
from app.ports.bookings import BookingFilter
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.idempotency import Replay, remember
from app.use_cases.offered_hosts import offer_context
from app.use_cases.reschedule_booking import Move, reschedule_booking

MOST = 100
"""So many bookings at once; what is behind them is asked for again."""
COMING: tuple[BookingStatus, ...] = ("pending", "confirmed")
_REFUSALS = (CalendarUnavailable, Conflict, Invalid, NotFound, NotModifiable, StaleVersion)

To = Literal["others", "person", "cancel", "leave"]


@dataclass(frozen=True, slots=True)
class BookingPlan:
    """`others`: the fairest of those who take such bookings; `person`: `person_id`; `cancel` tells the recipients the
    `reason`."""

    to: To
    person_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one booking. `detail` says why it was left."""

    booking: Booking
    kind: Literal["reassigned", "cancelled", "left"]
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Outcomes:
    """By start; `more`: there are further ones, which were not looked at."""

    items: Sequence[Outcome]
    more: bool


async def coming_bookings(work: UnitOfWork, org_id: str, person_id: str, now: int) -> tuple[list[Booking], bool]:
    """The bookings of somebody that are still to begin, by start, and whether there are more than `MOST`. The attendees
    of a session go with it."""
    where = BookingFilter(org_id, status=COMING, host_id=person_id, start=now, view="schedule")
    page = await work.bookings.page(where, MOST, None)
    return list(page.items), page.cursor is not None


async def hand_over_bookings(
    ports: Ports, user: User, person_id: str, plan: BookingPlan, replay: Replay[Outcomes] | None = None
) -> Outcomes:
    """Each booking in a transaction of its own, so that one that nobody can take stays alone. For admins."""
    if "admin" not in user.roles:
        raise Forbidden("Only admins hand over the bookings of others.")
    async with ports.read() as work:
        await _check(work, user, person_id, plan)
        bookings, more = await coming_bookings(work, user.org_id, person_id, ports.clock())
    outcomes = Outcomes([await _hand_over(ports, user, person_id, booking, plan) for booking in bookings], more)
    async with ports.unit_of_work() as work:
        await remember(work, replay, outcomes, ports.clock())
        await work.commit()
    return outcomes


async def _check(work: UnitOfWork, user: User, person_id: str, plan: BookingPlan) -> None:
    if await work.employees.get(user.org_id, person_id) is None:
        raise NotFound("There is no such person.")
    if plan.to != "person":
        return
    other = await work.employees.get(user.org_id, plan.person_id) if plan.person_id else None
    if other is None or not other.is_active or other.id == person_id:
        raise Invalid.field("host", "Please choose somebody else who is not switched off.")


async def _hand_over(ports: Ports, user: User, person_id: str, booking: Booking, plan: BookingPlan) -> Outcome:
    actor = Actor("user", user.id)
    try:
        match plan.to:
            case "leave":
                return Outcome(booking, "left", "It stays with them.")
            case "cancel":
                return Outcome(
                    await take_step(ports, booking.id, "cancel", actor, reason=plan.reason or None), "cancelled"
                )
        await _check_offer(ports, booking)
        leaving, chosen = (person_id, None) if plan.to == "others" else (None, plan.person_id)
        move = Move(booking.start, host_id=chosen, leaving=leaving, reassigned=True)
        return Outcome(await reschedule_booking(ports, booking.id, move, actor), "reassigned")
    except _REFUSALS as refusal:
        return Outcome(booking, "left", _why(refusal))


async def _check_offer(ports: Ports, booking: Booking) -> None:
    if booking.is_walk_in:
        raise NotModifiable("They entered it in their schedule themselves.")
    async with ports.read() as work:
        if await offer_context(work, booking) is None:
            raise NotModifiable("Nobody else takes such bookings.")


def _why(refusal: HalfpastError) -> str:
    match refusal:
        case Conflict():
            return "Nobody who takes such bookings is free then."
        case StaleVersion():
            return "It was changed at the same moment."
        case Invalid() if refusal.errors and refusal.errors[0].field == "host":
            return "This person does not take such bookings."
    return refusal.detail
