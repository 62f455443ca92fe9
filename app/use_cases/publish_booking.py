"""A booking's event in its hosts' own `schedule` collections, with the notes they made on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.booking_event import host_event
from app.domain.bookings import Booking
from app.domain.calendars import etag_of
from app.domain.event_notes import EventNotes, noted_text
from app.domain.event_text import calendar_text
from app.ports import Ports
from app.ports.calendar_store import ObjectWrite
from app.ports.event_notes import EventNote
from app.ports.hosts import HostPerson
from app.ports.people import Organization
from app.ports.unit_of_work import UnitOfWork

PUBLISHED = frozenset({"confirmed", "in_progress", "completed", "no_show"})


async def publish(
    ports: Ports,
    work: UnitOfWork,
    booking: Booking,
    before: Booking | None,
    people: Sequence[HostPerson],
    organization: Organization,
    now: int,
) -> None:
    """Bring the booking's event in each host's `schedule` collection to the booking's state."""
    hosts = {host.id for host in booking.hosts}
    for person in people:
        if person.schedule_calendar_id is None:
            continue
        shown = booking.status in PUBLISHED and person.host_id in hosts
        if not shown and (before is None or before.status not in PUBLISHED):
            continue
        write = schedule_object(ports, booking, person, organization)
        await work.calendars.publish(person.schedule_calendar_id, write, now, deleted=not shown)
        if person.notes:
            await work.event_notes.put(note_of(ports, booking, person, organization), now)


def schedule_object(
    ports: Ports, booking: Booking, person: HostPerson, organization: Organization, *, stamp: int | None = None
) -> ObjectWrite:
    """The booking's event in a host's `schedule`, with the host's own notes. `stamp` is its DTSTAMP, epoch seconds, if
    it is to be another one than that of the booking's last change; the schedule tag (RFC 6638 §3.2.10) tells the
    booking's own changes alone."""
    event = host_event(booking, person, organization.name, booking_address(ports, booking))
    text = noted_text(event, EventNotes.from_text(person.notes) if person.notes else None, stamp=stamp)
    return ObjectWrite(
        name=person.event_name or f"{booking.id}.ics",
        uid=booking.uid,
        component="VEVENT",
        etag=etag_of(text),
        data=text,
        start=booking.start,
        end=booking.end,
        busy=(),
        expanded_until=None,
        booking_id=booking.id,
        schedule_tag=etag_of(text if not person.notes and stamp is None else calendar_text(event)),
    )


def note_of(ports: Ports, booking: Booking, person: HostPerson, organization: Organization) -> EventNote:
    """A host's notes, as they are to be stored with how the booking is now."""
    event = host_event(booking, person, organization.name, booking_address(ports, booking))
    plain = calendar_text(event) if person.notes else ""
    return EventNote(booking.id, person.host_id, booking.org_id, person.event_name, person.notes or "", plain)


def with_note(person: HostPerson, name: str | None, data: str) -> HostPerson:
    """The person with these notes."""
    return replace(person, notes=data or None, event_name=name)


def booking_address(ports: Ports, booking: Booking) -> str:
    """The staff's page of the booking."""
    return f"{ports.base_url}/app/bookings/{booking.id}"
