"""What the providers of hosts' write calendars do for a booking: one makes the online meeting, one may invite.

Both are found among the hosts in the order of their ids, so that every process finds the same ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.bookings import Booking
from app.domain.locations import VIDEO, Location
from app.ports import Ports
from app.ports.calendars import Capabilities
from app.ports.hosts import HostPerson


def with_roles(ports: Ports, booking: Booking, people: Sequence[HostPerson]) -> Booking:
    """A new booking with what its hosts' calendars decide for it once and for all: who invites, and, where no calendar
    makes online meetings, the room to meet in. Nobody is invited to a session, whose attendees never see each other; it
    meets in a room, which its attendees know by their own bookings."""
    if booking.is_session or booking.is_seat:
        is_open = booking.location.kind == VIDEO and not booking.location.value
        location = new_room(ports) if is_open and booking.is_session else booking.location
        return replace(booking, provider_invites=False, location=location)
    invited = any(person.provider_invites and _capabilities(ports, person).invites for person in people)
    return with_meeting(ports, replace(booking, provider_invites=invited), people)


def with_meeting(ports: Ports, booking: Booking, people: Sequence[HostPerson]) -> Booking:
    """A booking whose hosts are new to it: one of their calendars makes its meeting, or there is a room. A meeting that
    the calendar of somebody else made goes with their event."""
    if booking.location.kind != VIDEO or _is_room(ports, booking.location):
        return booking
    booking = replace(booking, location=Location(VIDEO))
    return booking if meeting_maker(ports, booking, people) else replace(booking, location=new_room(ports))


def inviting_host(ports: Ports, booking: Booking, people: Sequence[HostPerson]) -> HostPerson | None:
    """Whose calendar's provider invites recipient and guests; None when our mail is the invitation."""
    if not booking.provider_invites:
        return None
    able = [person for person in people if _capabilities(ports, person).invites]
    return next((person for person in able if person.provider_invites), able[0] if able else None)


def meeting_maker(ports: Ports, booking: Booking, people: Sequence[HostPerson]) -> HostPerson | None:
    """Whose calendar's provider makes the online meeting; None when there is none to make, or it is a room of ours."""
    if booking.location.kind != VIDEO or _is_room(ports, booking.location):
        return None
    return next((person for person in people if _capabilities(ports, person).conferences), None)


def awaits_meeting(booking: Booking) -> bool:
    """Whether it is an online meeting that has no address yet."""
    return booking.location.kind == VIDEO and not booking.location.value


def new_room(ports: Ports) -> Location:
    """A room of its own, which nobody can guess, on the Jitsi server."""
    return Location(VIDEO, f"{ports.jitsi_url}/halfpast-{ports.vault.new_token()}")


def _is_room(ports: Ports, location: Location) -> bool:
    return location.value.startswith(f"{ports.jitsi_url}/")


def _capabilities(ports: Ports, person: HostPerson) -> Capabilities:
    provider = ports.providers.get(person.write_provider) if person.write_provider else None
    return provider.capabilities if provider is not None else _NONE


_NONE = Capabilities(writable=False, incremental=False, push=False, needs_connection=False)
