"""Addresses that put a booking into the calendars people have; opened only when somebody follows them."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from app.domain.booking_event import booking_event
from app.domain.bookings import Booking
from app.domain.calendar_event import Party
from app.domain.calendar_links import google_link, outlook_link
from app.web.pages.faces import join_names


@dataclass(frozen=True, slots=True)
class CalendarAddress:
    """One calendar to add to. `is_file` is the iCalendar file of this program."""

    label: str
    address: str
    is_file: bool = False


def calendar_addresses(booking: Booking, organization: str) -> tuple[CalendarAddress, ...]:
    """Google, the two of Microsoft, and the file for Apple Calendar and all others."""
    hosts = Party(join_names(host.name for host in booking.people), "")
    # Without the manage link: these addresses tell their query to the calendar's owner.
    event = booking_event(
        booking, audience="recipient", organization=organization, timezone=booking.timezone, organizer=hosts
    )
    return (
        CalendarAddress("Google Calendar", google_link(event)),
        CalendarAddress("Outlook.com", outlook_link(event)),
        CalendarAddress("Microsoft 365", outlook_link(event, work=True)),
        CalendarAddress(
            "Apple Calendar and others (.ics)",
            f"/api/v1/public/bookings/{quote(booking.token, safe='')}/calendar.ics",
            is_file=True,
        ),
    )
