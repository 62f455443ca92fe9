"""An event as it is handed to people's calendars: neutral between iCalendar, Google and Graph."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EventStatus = Literal["TENTATIVE", "CONFIRMED", "CANCELLED"]


@dataclass(frozen=True, slots=True)
class Party:
    """An organizer or attendee; `partstat` is an RFC 5545 §3.2.12 word."""

    name: str
    email: str
    partstat: str = "NEEDS-ACTION"
    rsvp: bool = False


@dataclass(frozen=True, slots=True)
class CalendarEvent:
    """One timed event. Instants are epoch seconds UTC; `timezone` is the IANA zone its wall time is written in."""

    uid: str
    sequence: int
    status: EventStatus
    start: int
    end: int
    timezone: str
    summary: str
    created: int
    updated: int
    description: str = ""
    location: str = ""
    url: str | None = None
    organizer: Party | None = None
    attendees: tuple[Party, ...] = ()
    alarms: tuple[int, ...] = ()  # minutes before the start
    join_url: str | None = None
    """Where an online meeting is joined (RFC 7986 §5.11)."""
    conference: bool = False
    """The calendar's provider is to make a conference of its own (Meet, Teams); where to join comes with the written
    event. Providers that make none leave it out."""
