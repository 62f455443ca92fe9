"""How the API shows a booking, and what it takes to change one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from app.domain import bookings as domain
from app.domain.repeats import LEAST_TIMES, MOST_TIMES, MOST_WEEKS, Repeat
from app.use_cases.book_series import Series
from app.web.api.fields import (
    Answer,
    Email,
    In,
    Language,
    Length,
    Location,
    LongText,
    Moment,
    Phone,
    RequiredLine,
    Seats,
    ShortReason,
    Unset,
    Zone,
)
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


class ClientIn(In):
    """Whom staff book for; without an address nobody is told."""

    name: RequiredLine
    email: Email | None = None
    phone: Phone | None = None


class RepeatIn(In):
    """The same wall time, by the hours of who takes it, every so many weeks: `times` bookings in all. With `only_free`
    those that can be had, else all or none."""

    times: Annotated[int, Meta(ge=LEAST_TIMES, le=MOST_TIMES)]
    every_weeks: Annotated[int, Meta(ge=1, le=MOST_WEEKS)] = 1
    only_free: bool = False

    def meant(self) -> Repeat:
        """As the use cases take it."""
        return Repeat(self.times, self.every_weeks, self.only_free)


class SeriesPart(msgspec.Struct):
    """One booking of a recurring set; times in the zone of the booking."""

    id: str
    start: str
    end: str
    status: Status


class StaffBookIn(In):
    """A booking that staff make for a client: one of `link` and `service`. `override` leaves the rules to the staff's
    judgement; no booking is ever made over another. `language` is what the client is told of it in, such as `de-AT`:
    when it is missing, what they booked in last."""

    start: Moment
    duration: Length
    recipient: ClientIn
    link: UUID | None = None
    service: UUID | None = None
    host: UUID | None = None
    timezone: Zone | None = None
    language: Language | None = None
    answers: dict[Annotated[str, Meta(max_length=64)], Answer] = {}
    guests: Annotated[list[Email], Meta(max_length=20)] = []
    notes: LongText | None = None
    override: bool = False
    seats: Seats = 1
    repeat: RepeatIn | None = None


class ReassignIn(In):
    """Who takes the booking instead."""

    host: UUID


class BookingOut(msgspec.Struct):
    """A booking; times in its zone, `created_at` and `updated_at` in UTC. `recipient_reply` is what the recipient
    answered to the invitation; `has_conflict`: an event of a host's calendar lies over it. `series_id` is the first
    booking of its recurring set; `series` and `left_out` are what the request made, or changed, of the set."""

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
    series_id: str | None = None
    series: list[SeriesPart] | Unset = UNSET
    left_out: list[str] | Unset = UNSET


class StaffBooking(BookingOut, kw_only=True):
    """A booking as staff see it: `internal_notes` are shown to nobody else, `moves` counts how often its recipient
    moved it, `language` is what they are told of it in (null: English)."""

    internal_notes: str | None
    client_id: str | None
    moves: int
    language: str | None


class Bookings(msgspec.Struct):
    """A page of bookings."""

    items: list[StaffBooking]
    next_cursor: str | None


class BookingPatch(In):
    """What staff may change besides the steps. The recipient sees the notes too, nobody but staff the internal ones.
    `guests` are all there are: who is new is invited, and for who is left out it is cancelled."""

    notes: LongText | Unset | None = UNSET
    internal_notes: LongText | Unset | None = UNSET
    guests: Annotated[list[Email], Meta(max_length=20)] | Unset = UNSET


class CancelIn(In):
    """Why, if anybody wants to say. `following`: with the later ones of its recurring set."""

    reason: ShortReason | None = None
    following: bool = False


class RescheduleIn(In):
    """Where to; `duration` in minutes."""

    start: Moment
    duration: Length | None = None
    host: UUID | None = None


class StaffRescheduleIn(RescheduleIn):
    """Where to. `override` leaves the rules and what is in the hosts' calendars to the staff's judgement, but never
    moves over a booking; a seat in a session moves by the rules alone."""

    override: bool = False


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
        series_id=booking.series_id,
    )


def add_series(shown: BookingOut, series: Series) -> None:
    """The whole set beside its first booking."""
    zone = series.first.timezone
    shown.series = [
        SeriesPart(each.id, rfc3339(each.start, zone), rfc3339(each.end, zone), each.status) for each in series.bookings
    ]
    shown.left_out = [rfc3339(start, zone) for start in series.left_out]


def staff_booking(
    booking: domain.Booking, events: Sequence[domain.CalendarEventState], *, has_conflict: bool = False
) -> StaffBooking:
    """The same with what is for staff alone."""
    shown = booking_out(booking, events, has_conflict=has_conflict)
    fields = {name: getattr(shown, name) for name in BookingOut.__struct_fields__}
    return StaffBooking(
        **fields,
        internal_notes=booking.internal_notes,
        client_id=booking.client_id,
        moves=booking.moves,
        language=booking.language,
    )
