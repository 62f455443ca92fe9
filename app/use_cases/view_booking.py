"""Looking at a booking: the guests' page by a signed address, which changes nothing, and the recipient's event."""

from __future__ import annotations

from collections.abc import Sequence

from app.domain.booking_event import booking_event
from app.domain.bookings import Booking
from app.domain.calendar_event import CalendarEvent, Party
from app.domain.errors import NotFound
from app.ports import Ports
from app.ports.hosts import HostPerson

PURPOSE = "view-booking"
MAX_AGE_SECONDS = 400 * 86400


def view_url(ports: Ports, booking: Booking) -> str:
    """The address for the guests' mails and calendars."""
    return f"{ports.base_url}/booking/view/{ports.vault.sign(PURPOSE, {'booking': booking.id})}"


async def viewed_booking(ports: Ports, signed: str) -> Booking:
    """The booking such an address shows; `NotFound` when it is forged or too old."""
    payload = ports.vault.unsign(PURPOSE, signed, MAX_AGE_SECONDS)
    if payload is not None:
        async with ports.read() as work:
            booking = await work.bookings.get(payload.get("booking", ""))
        if booking is not None:
            return booking
    raise NotFound("There is no such booking.")


async def recipient_event(ports: Ports, booking: Booking) -> CalendarEvent:
    """The event of the recipient's invitation, organizer and all: a calendar that gets both shows one event."""
    async with ports.read() as work:
        organization = await work.people.organization(booking.org_id)
        people = await work.hosts.people([host.id for host in booking.hosts])
    name = organization.name if organization else ""
    return booking_event(
        booking,
        audience="recipient",
        organization=name,
        timezone=booking.timezone,
        organizer=Party(organizer_name(booking, people, name), ports.organizer_address),
        manage_url=f"{ports.base_url}/booking/{booking.token}",
    )


def organizer_name(booking: Booking, people: Sequence[HostPerson], organization: str) -> str:
    """Whose name an invitation carries: the first host's, else the organization's."""
    names = (*(person.name for person in people), *(host.name for host in booking.hosts), organization)
    return names[0]
