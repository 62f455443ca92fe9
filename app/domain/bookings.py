"""A booking. Instants are epoch seconds UTC, durations and buffers whole minutes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from app.domain.links import Answered, Location

Reply = Literal["accepted", "declined", "tentative"]
BookingStatus = Literal["pending", "confirmed", "in_progress", "completed", "cancelled", "no_show"]
ACTIVE: frozenset[str] = frozenset({"pending", "confirmed", "in_progress"})


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who booked, or whom staff booked for."""

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
    provider_invites: bool = False
    """Recipient and guests are invited by the provider of a host's calendar, as they were from the beginning: whoever
    has one invitation must not get a second one."""

    @property
    def is_active(self) -> bool:
        """Active bookings hold their time."""
        return self.status in ACTIVE

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
