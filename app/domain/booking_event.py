"""What a booking looks like as an event: in its hosts' calendars, and in the invitations of recipient and guests.

Hosts' calendars are often shared: their events carry the staff's sign-in address, never the recipient's manage link,
and no attendees, since the invitation comes by mail; or the other way round (one invitation, not two).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal, Protocol

from app.domain.answers import Answered
from app.domain.bookings import Attendee, Booking
from app.domain.calendar_event import CalendarEvent, EventStatus, Party
from app.domain.locations import VIDEO

EventAudience = Literal["host", "recipient", "guest"]
ALARMS = (15,)
"""Minutes before the start that hosts are reminded."""


class Zoned(Protocol):
    """Whoever has a time zone of their own."""

    @property
    def timezone(self) -> str: ...


def host_event(
    booking: Booking,
    person: Zoned,
    organization: str,
    app_url: str,
    *,
    invites: bool = False,
    conference: bool = False,
) -> CalendarEvent:
    """The event in a host's calendars; `app_url` is the staff's page of the booking.

    With `invites` the calendar's provider invites recipient and guests to it, who then see what it says: it says
    nothing but what the guests may know. With `conference` the provider makes the online meeting.
    """
    event = booking_event(
        booking, audience="host", organization=organization, timezone=person.timezone, app_url=app_url, alarms=ALARMS
    )
    if invites:
        text = "\n\n".join(each for each in (_booked_with(organization), f"For hosts: {app_url}") if each)
        event = replace(event, attendees=attendees(booking), description=text)
    return replace(event, conference=conference)


def booking_event(
    booking: Booking,
    *,
    audience: EventAudience,
    organization: str,
    timezone: str,
    organizer: Party | None = None,
    app_url: str | None = None,
    manage_url: str | None = None,
    alarms: Sequence[int] = (),
) -> CalendarEvent:
    """The booking as `audience` sees it, its wall times in the zone `timezone`.

    `organizer` and the attendees are written for recipient and guests alone, `app_url` is used for hosts alone,
    `manage_url` for the recipient alone, whoever passes them.
    """
    for_host = audience == "host"
    url = {"host": app_url, "recipient": manage_url, "guest": None}[audience]
    return CalendarEvent(
        uid=booking.uid,
        sequence=booking.sequence,
        status=event_status(booking),
        start=booking.start,
        end=booking.end,
        timezone=timezone,
        summary=_host_summary(booking) if for_host else _invitee_summary(booking, organizer),
        created=booking.created_at,
        updated=booking.updated_at,
        description=_host_text(booking, url) if for_host else _invitee_text(booking, audience, organization, url),
        location=booking.location.value,
        url=url,
        organizer=None if for_host else organizer,
        attendees=() if for_host else attendees(booking),
        alarms=tuple(alarms),
        join_url=join_url(booking),
    )


def join_url(booking: Booking) -> str | None:
    """Where the booking's online meeting is joined: of a link, only if it can be one."""
    location = booking.location
    is_online = location.kind in {VIDEO, "link"} and location.value.startswith(("https://", "http://"))
    return location.value if is_online else None


def event_status(booking: Booking) -> EventStatus:
    """STATUS of RFC 5545 §3.8.1.11: an unapproved booking is tentative, and so is a session for none but those."""
    if booking.status == "cancelled":
        return "CANCELLED"
    is_open = booking.status == "pending" or (booking.is_session and booking.claim_expires_at is not None)
    return "TENTATIVE" if is_open else "CONFIRMED"


def attendees(booking: Booking) -> tuple[Party, ...]:
    """The recipient, if they have an address, and the guests they named, asked to reply."""
    recipient = Party(booking.recipient.name, booking.recipient.email, rsvp=True)
    guests = (Party("", guest, rsvp=True) for guest in booking.guests)
    return (recipient, *guests) if recipient.email else tuple(guests)


def answer_lines(answered: Answered) -> list[tuple[str, str]]:
    """(label, answer as people read it); what was left empty is left out."""
    lines = ((answered.labels.get(key, key), _spoken(value)) for key, value in answered.values.items())
    return [(label, text) for label, text in lines if text]


def _spoken(value: Any) -> str:
    if isinstance(value, bool):
        return "Yes" if value else "No"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return "" if value is None else str(value)


def _host_summary(booking: Booking) -> str:
    if booking.is_session:
        return f"{booking.title} ({booking.seats_taken} of {booking.capacity})"
    if booking.is_walk_in:
        return booking.recipient.name
    return f"{booking.title}: {booking.recipient.name}"


def _invitee_summary(booking: Booking, organizer: Party | None) -> str:
    return f"{booking.title} with {organizer.name}" if organizer and organizer.name else booking.title


def _host_text(booking: Booking, app_url: str | None) -> str:
    lines = _attendance(booking) if booking.is_session else _contact(booking)
    blocks = ["\n".join(lines)] if lines else []
    blocks += [f"{label}\n{text}" for label, text in answer_lines(booking.answered)]
    if booking.notes:
        blocks.append(f"Notes\n{booking.notes}")
    if booking.status == "cancelled" and booking.cancel_reason:
        blocks.append(f"Cancelled: {booking.cancel_reason}")
    if app_url:
        blocks.append(f"Open this booking: {app_url}")
    return "\n\n".join(blocks)


def _attendance(booking: Booking) -> list[str]:
    """Of a session: who comes, for its hosts alone; of one that is cancelled nobody, whoever wanted to. Those whom the
    reader is not told of have no name."""
    if booking.status == "cancelled":
        return []
    lines = [_attendee(attendee) for attendee in booking.attendees if attendee.name or attendee.email]
    lines = lines if booking.attendees else ["Nobody has booked yet."]
    return [*lines, f"Reserved: {', '.join(host.name for host in booking.resources)}"] if booking.resources else lines


def _attendee(attendee: Attendee) -> str:
    named = f"{attendee.name} <{attendee.email}>" if attendee.email else attendee.name
    seats = f", {attendee.seats} seats" if attendee.seats > 1 else ""
    return f"{named}{seats}{', not confirmed yet' if attendee.status == 'pending' else ''}"


def _contact(booking: Booking) -> list[str]:
    recipient = booking.recipient
    contact = [f"{recipient.name} <{recipient.email}>" if recipient.email else recipient.name]
    if recipient.phone:
        contact.append(f"Phone: {recipient.phone}")
    if booking.resources:
        contact.append(f"Reserved: {', '.join(host.name for host in booking.resources)}")
    if booking.guests:
        contact.append(f"Guests: {', '.join(booking.guests)}")
    if booking.seats > 1:
        contact.append(f"Seats: {booking.seats}")
    return contact


def _booked_with(organization: str) -> str:
    return f"Booked with {organization}." if organization else ""


def _invitee_text(booking: Booking, audience: EventAudience, organization: str, manage_url: str | None) -> str:
    blocks = [_booked_with(organization)]
    if audience == "recipient":
        blocks.append(booking.notes or "")  # what they wrote to the host is not the guests' business
    if manage_url:
        blocks.append(f"Move or cancel: {manage_url}")
    return "\n\n".join(block for block in blocks if block)
