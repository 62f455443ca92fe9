"""Open a session of a service: for its first attendee, or by staff beforehand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

from app.domain.answers import Answered
from app.domain.bookings import Booking, HostRef, Recipient
from app.domain.errors import Invalid
from app.ports import Ports
from app.ports.links import LinkContext, LinkHost
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import SYSTEM, record_new
from app.use_cases.ids import new_id

MOST_SEATS = 200
"""In a session: it moves, or is cancelled, with all who attend it in one transaction."""


class Placed(Protocol):
    """Where a booking goes."""

    @property
    def session_id(self) -> str | None: ...


def check_seats(context: LinkContext, seats: int) -> None:
    """Several seats are taken in sessions alone."""
    if not 0 < seats <= MOST_SEATS:
        raise Invalid.field("seats", f"One to {MOST_SEATS} seats.")
    if seats > 1 and not context.has_sessions:
        raise Invalid.field("seats", "A booking takes one seat here.")


async def seated(
    ports: Ports, work: UnitOfWork, context: LinkContext, booking: Booking, place: Placed, now: int
) -> Booking:
    """The booking in its session, which is opened where there is none to join; as it is where seats are none."""
    if not context.has_sessions and not booking.is_seat:
        return booking
    session = await work.bookings.get(place.session_id) if place.session_id else None
    if session is None:
        capacity = max(context.capacity, booking.seats)
        made = session_like(ports, booking, context, capacity, now)
        session = await record_new(ports, work, made, context.organization, SYSTEM, now)
    return replace(
        booking,
        occurrence_id=session.id,
        buffer_before=session.buffer_before,
        buffer_after=session.buffer_after,
        hosts=session.hosts,
        location=session.location,
    )


def session_like(ports: Ports, booking: Booking, context: LinkContext, capacity: int, now: int) -> Booking:
    """A session for a booking to be the first in; it says nothing of who books."""
    session_id, link = new_id(), context.link
    return replace(
        booking,
        id=session_id,
        link_id=None,
        one_time_link_id=None,
        occurrence_id=session_id,
        status="confirmed",
        timezone=_zone(context) or booking.timezone,
        recipient=Recipient("", ""),
        language=None,
        guests=(),
        answered=Answered(),
        notes=None,
        internal_notes=None,
        client_id=None,
        series_id=None,
        seats=0,
        location=link.location,
        uid=f"{session_id}@{ports.uid_domain}",
        sequence=0,
        version=1,
        hold_expires_at=None,
        moves=0,
        recipient_reply=None,
        token=ports.vault.new_token(),
        created_at=now,
        updated_at=now,
        capacity=capacity,
    )


def _zone(context: LinkContext) -> str | None:
    return next((host.schedule.timezone for host in context.hosts if host.schedule is not None), None)


def refs(hosts: Sequence[LinkHost]) -> tuple[HostRef, ...]:
    """The hosts as a booking shows them."""
    return tuple(HostRef(host.host_id, host.kind, host.name) for host in hosts)
