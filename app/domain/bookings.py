"""A booking. Instants are epoch seconds UTC, durations and buffers whole minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from app.domain.answers import Answered
from app.domain.locations import Location

Reply = Literal["accepted", "declined", "tentative"]
BookingStatus = Literal["pending", "confirmed", "in_progress", "completed", "cancelled", "no_show"]
ACTIVE: frozenset[str] = frozenset({"pending", "confirmed", "in_progress"})

EVENT_REMOVED = "It was removed from the host's calendar."
"""The cancel reason of a booking whose host deleted its event."""
ERASED = "Erased"
"""What stands in the place of a recipient's name who was forgotten."""
SESSION_EMPTY = "Nobody attends it any more."
"""The cancel reason of a session that was opened for an attendee, after the last one left."""


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who booked, or whom staff booked for; `email` is empty for somebody who walked in, and is told nothing."""

    name: str
    email: str
    phone: str | None = None


@dataclass(frozen=True, slots=True)
class HostRef:
    """A host as a booking shows it."""

    id: str
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Attendee:
    """Somebody's seats in a session: the booking that took them."""

    booking_id: str
    name: str
    email: str
    seats: int
    status: BookingStatus
    hold_expires_at: int | None

    @property
    def is_active(self) -> bool:
        """Active bookings hold their seats."""
        return self.status in ACTIVE


@dataclass(frozen=True, slots=True)
class Booking:
    """One booking; `uid`, `id` and `token` never change, `version` rises with every change, `sequence` with those
    that calendars must take over (RFC 5546 §2.1.4)."""

    id: str
    org_id: str
    link_id: str | None
    one_time_link_id: str | None
    service_id: str | None
    occurrence_id: str
    status: BookingStatus
    title: str
    start: int
    end: int
    duration: int
    buffer_before: int
    buffer_after: int
    timezone: str
    recipient: Recipient
    guests: tuple[str, ...]
    answered: Answered
    notes: str | None
    seats: int
    location: Location
    uid: str
    sequence: int
    version: int
    hold_expires_at: int | None
    cancel_reason: str | None
    actual_start: int | None
    actual_end: int | None
    token: str
    hosts: tuple[HostRef, ...]
    created_at: int
    updated_at: int
    recipient_reply: Reply | None = None
    """What the recipient answered to the invitation in their calendar, if they did."""
    capacity: int | None = None
    """Of a session, which has no recipient of its own: how many seats its attendees' bookings may take together. They
    have its id as `occurrence_id`, and it alone is an event in calendars. None: an ordinary booking."""
    series_id: str | None = None
    """The first booking of the recurring set it belongs to."""
    client_id: str | None = None
    internal_notes: str | None = None
    """What staff wrote, never shown to recipients and guests."""
    moves: int = 0
    """How often the recipient moved it."""
    provider_invites: bool = False
    """Recipient and guests are invited by the provider of a host's calendar, as they were from the beginning: whoever
    has one invitation must not get a second one."""
    is_explicit: bool = False
    """A session that staff made: it stays when its last attendee leaves."""
    attendees: tuple[Attendee, ...] = ()
    """Of a session: who is to come, by id; without those who cancelled."""
    language: str | None = None
    """The recipient's, a BCP 47 tag such as `de-AT`: what they and their guests are told things in."""

    @property
    def is_session(self) -> bool:
        """It is what attendees take seats in, and nobody's own booking."""
        return self.capacity is not None

    @property
    def is_seat(self) -> bool:
        """It takes seats in a session; the time and the events in calendars are the session's."""
        return self.occurrence_id != self.id

    @property
    def seats_taken(self) -> int:
        """The seats of a session's attendees, those who came included."""
        return sum(attendee.seats for attendee in self.attendees)

    @property
    def seats_held(self) -> int:
        """What a session's claim must count: the seats of its active attendees."""
        return sum(attendee.seats for attendee in self.attendees if attendee.is_active)

    @property
    def claim_expires_at(self) -> int | None:
        """When its claim ends unless it is confirmed. A session that was opened for attendees of whom none is confirmed
        yet ends with the last one's hold."""
        if not self.is_session:
            return self.hold_expires_at
        holds = [attendee.hold_expires_at for attendee in self.attendees if attendee.status == "pending"]
        if self.is_explicit or len(holds) < len(self.attendees) or None in holds:
            return None
        return max((hold for hold in holds if hold is not None), default=None)

    @property
    def is_active(self) -> bool:
        """Active bookings hold their time."""
        return self.status in ACTIVE

    @property
    def is_stay(self) -> bool:
        """Whether its times say that its length is told in nights: nothing else lasts longer than a day, or another
        time than it says. Of a single night of 24 hours they do not."""
        nominal = self.duration * 60 == self.end - self.start
        return self.duration % 1440 == 0 and (self.duration > 1440 or not nominal)

    @property
    def is_walk_in(self) -> bool:
        """Made by a host in their own schedule, without a link, for somebody without an address."""
        return not self.recipient.email and self.link_id is None and self.service_id is None

    @property
    def people(self) -> tuple[HostRef, ...]:
        """The hosts who are people; where nobody is needed, all of them."""
        return tuple(host for host in self.hosts if host.kind != "resource") or self.hosts

    @property
    def resources(self) -> tuple[HostRef, ...]:
        """What is reserved besides people."""
        return tuple(host for host in self.hosts if host not in self.people)

    @property
    def claim(self) -> tuple[int, int]:
        """The time it occupies, buffers included."""
        return self.start - self.buffer_before * 60, self.end + self.buffer_after * 60

    def changed(self, now: int, **changes: object) -> Booking:
        """The next version of this booking."""
        return replace(self, version=self.version + 1, updated_at=now, **changes)  # type: ignore[arg-type]  # names are checked by replace


@dataclass(frozen=True, slots=True)
class CalendarEventState:
    """How far a booking's event has come in one write calendar."""

    account_id: str
    calendar_id: str
    calendar_event_id: str | None
    html_link: str | None
    state: Literal["written", "pending", "failed"]
    error: str | None
