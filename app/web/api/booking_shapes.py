"""How the API shows a booking, and what it takes to change one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET

from app.domain import bookings as domain
from app.web.api.fields import Duration, In, Location, LongText, Moment, ShortReason, Unset
from app.web.times import optional_rfc3339, rfc3339

Status = Literal["pending", "confirmed", "in_progress", "completed", "cancelled", "no_show"]


class HostOut(msgspec.Struct):
    """A host of a booking."""

    id: str
    kind: str
    name: str


class RecipientOut(msgspec.Struct):
    """Who booked."""

    name: str
    email: str
    phone: str | None


class EventStateOut(msgspec.Struct):
    """How far the booking's event has come in one calendar."""

    account_id: str
    calendar_id: str
    calendar_event_id: str | None
    html_link: str | None
    state: Literal["written", "pending", "failed"]
    error: str | None


class BookingOut(msgspec.Struct):
    """A booking; times in its zone, `created_at` and `updated_at` in UTC. `recipient_reply` is what the recipient
    answered to the invitation; `has_conflict`: an event of a host's calendar lies over it."""

    id: str
    status: Status
    title: str
    link_id: str | None
    one_time_link_id: str | None
    service_id: str | None
    hosts: list[HostOut]
    start: str
    end: str
    duration: int
    timezone: str
    actual_start: str | None
    actual_end: str | None
    recipient: RecipientOut
    guests: list[str]
    answers: dict[str, Any]
    notes: str | None
    seats: int
    location: Location
    uid: str
    sequence: int
    version: int
    hold_expires_at: str | None
    cancel_reason: str | None
    recipient_reply: Literal["accepted", "declined", "tentative"] | None
    has_conflict: bool
    calendar_events: list[EventStateOut]
    created_at: str
    updated_at: str


class Bookings(msgspec.Struct):
    """A page of bookings."""

    items: list[BookingOut]
    next_cursor: str | None


class BookingPatch(In):
    """What staff may change besides the steps. The recipient sees the notes too."""

    notes: LongText | Unset | None = UNSET


class CancelIn(In):
    """Why, if anybody wants to say."""

    reason: ShortReason | None = None


class RescheduleIn(In):
    """Where to; `duration` in minutes."""

    start: Moment
    duration: Duration | None = None
    host: UUID | None = None


class HistoryEntry(msgspec.Struct):
    """One audited change."""

    at: str
    actor_kind: str
    actor_id: str | None
    action: str
    changes: dict[str, Any]


class PreviousTime(msgspec.Struct):
    """A time the booking had before it was moved."""

    status: str
    start: str
    end: str
    host_ids: list[str]
    replaced_at: str


class History(msgspec.Struct):
    """What happened to a booking."""

    items: list[HistoryEntry]
    previous_times: list[PreviousTime]


def booking_out(
    booking: domain.Booking, events: Sequence[domain.CalendarEventState], *, has_conflict: bool = False
) -> BookingOut:
    """A booking as the API shows it."""
    zone = booking.timezone
    return BookingOut(
        id=booking.id,
        status=booking.status,
        title=booking.title,
        link_id=booking.link_id,
        one_time_link_id=booking.one_time_link_id,
        service_id=booking.service_id,
        hosts=[HostOut(host.id, host.kind, host.name) for host in booking.hosts],
        start=rfc3339(booking.start, zone),
        end=rfc3339(booking.end, zone),
        duration=booking.duration,
        timezone=zone,
        actual_start=optional_rfc3339(booking.actual_start, zone),
        actual_end=optional_rfc3339(booking.actual_end, zone),
        recipient=RecipientOut(booking.recipient.name, booking.recipient.email, booking.recipient.phone),
        guests=list(booking.guests),
        answers=dict(booking.answered.values),
        notes=booking.notes,
        seats=booking.seats,
        location=Location(booking.location.kind, booking.location.value),
        uid=booking.uid,
        sequence=booking.sequence,
        version=booking.version,
        hold_expires_at=optional_rfc3339(booking.hold_expires_at),
        cancel_reason=booking.cancel_reason,
        recipient_reply=booking.recipient_reply,
        has_conflict=has_conflict,
        calendar_events=[
            EventStateOut(
                event.account_id,
                event.calendar_id,
                event.calendar_event_id,
                event.html_link,
                event.state,
                event.error,
            )
            for event in events
        ],
        created_at=rfc3339(booking.created_at),
        updated_at=rfc3339(booking.updated_at),
    )
