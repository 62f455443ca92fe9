"""Confirm many requests at once, each by itself: what cannot be confirmed keeps nothing else from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, Conflict, HalfpastError, NotFound, NotModifiable, StaleVersion
from app.ports import Ports
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.idempotency import Replay, remember

MOST = 100
_REFUSALS = (CalendarUnavailable, Conflict, NotFound, NotModifiable, StaleVersion)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """What became of one id: the booking, or why it was not confirmed."""

    id: str
    booking: Booking | None
    refusal: HalfpastError | None = None


async def confirm_bookings(
    ports: Ports, user: User, ids: Sequence[str], replay: Replay[Sequence[Confirmation]] | None = None
) -> Sequence[Confirmation]:
    """Those the user may see: as a host, as the link's owner, or as an admin. One that is confirmed already is fine."""
    found = [await _confirm(ports, user, booking_id) for booking_id in dict.fromkeys(ids)]
    if replay is not None:
        async with ports.unit_of_work() as work:
            await remember(work, replay, found, ports.clock())
            await work.commit()
    return found


async def _confirm(ports: Ports, user: User, booking_id: str) -> Confirmation:
    try:
        async with ports.read() as work:
            booking = await visible_booking(work, user, booking_id)
        if booking.status == "pending":
            booking = await take_step(ports, booking.id, "confirm", Actor("user", user.id), version=booking.version)
        elif booking.status != "confirmed":
            raise NotModifiable(f"This booking is {booking.status.replace('_', ' ')}; it waits for nobody.")
    except _REFUSALS as refusal:
        return Confirmation(booking_id, None, refusal)
    return Confirmation(booking_id, booking)


async def visible_booking(work: UnitOfWork, user: User, booking_id: str) -> Booking:
    """A booking the user hosts or whose link they own; for admins any of the organization."""
    booking = await work.bookings.get(booking_id)
    if booking is None or booking.org_id != user.org_id or not await _may_see(work, user, booking):
        raise NotFound("There is no such booking.")
    return booking


async def _may_see(work: UnitOfWork, user: User, booking: Booking) -> bool:
    if "admin" in user.roles or user.id in {host.id for host in booking.hosts}:
        return True
    link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
    return link is not None and link.owner_id == user.id
