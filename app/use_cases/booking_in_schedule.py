"""The events in a person's `schedule`: found with the bookings they stand for, and written anew."""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.bookings import Booking
from app.domain.calendars import Calendar, CalendarObject
from app.domain.errors import NotFound
from app.ports import Ports
from app.ports.calendar_store import ObjectWrite
from app.ports.hosts import HostPerson
from app.ports.people import Organization
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import Actor
from app.use_cases.calendar_objects import Device
from app.use_cases.publish_booking import note_of, schedule_object, with_note


@dataclass(frozen=True, slots=True)
class ScheduleEvent:
    """A booking, one of its hosts with their notes on it, and its event in their schedule (None: not there)."""

    booking: Booking
    person: HostPerson
    organization: Organization
    calendar: Calendar
    event: CalendarObject | None

    def write(self, ports: Ports, *, stamp: int | None = None) -> ObjectWrite:
        """The event as it is to be; `stamp` as in `schedule_object`."""
        return schedule_object(ports, self.booking, self.person, self.organization, stamp=stamp)


def device_actor(device: Device) -> Actor:
    """Whose hand it was."""
    return Actor("device", device.id, device.label, device.user_id)


async def schedule_event(work: UnitOfWork, booking: Booking, calendar: Calendar) -> ScheduleEvent:
    """The booking's event in this schedule; `NotFound` when its person or organization is gone."""
    people = await work.hosts.people([calendar.user_id], booking.link_id, booking.id)
    organization = await work.people.organization(booking.org_id)
    if not people or organization is None:
        raise NotFound("There is no such calendar.")
    event = await work.calendars.object(calendar.id, people[0].event_name or f"{booking.id}.ics")
    return ScheduleEvent(booking, people[0], organization, calendar, event)


async def write_anew(ports: Ports, work: UnitOfWork, found: ScheduleEvent, now: int) -> None:
    """Write the event as the booking is, under another tag than it has: whoever knows that one reads it again."""
    stamp = max(now, found.booking.updated_at + 1)
    write = found.write(ports, stamp=stamp)
    while found.event is not None and write.etag == found.event.etag:
        stamp += 1
        write = found.write(ports, stamp=stamp)
    await work.calendars.publish(found.calendar.id, write, now, deleted=False)


async def put_note(
    ports: Ports, work: UnitOfWork, found: ScheduleEvent, name: str | None, data: str, now: int
) -> ScheduleEvent:
    """Keep a host's notes, and what their event is called, and write the event with them."""
    found = replace(found, person=with_note(found.person, name, data))
    await work.event_notes.put(note_of(ports, found.booking, found.person, found.organization), now)
    await work.calendars.publish(found.calendar.id, found.write(ports), now, deleted=False)
    return found
