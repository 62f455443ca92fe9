"""Somebody walked in: an event that a device makes in its person's `schedule` becomes a booking without a link."""

from __future__ import annotations

from dataclasses import replace

from app.domain.answers import Answered
from app.domain.booking_event import host_event
from app.domain.bookings import Booking, Recipient
from app.domain.calendars import Calendar, ObjectFacts
from app.domain.content_lines import Component
from app.domain.errors import ClaimOverlap, Conflict, Forbidden, Invalid, StaleVersion
from app.domain.event_edits import read_edit, single_event
from app.domain.event_notes import plain_text
from app.domain.event_text import clean_text
from app.domain.hours import MINUTES_A_DAY
from app.domain.locations import Location
from app.ports import Ports
from app.ports.links import LinkContext, LinkHost
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_slot import BookingRequest, decide, locking, new_booking, refresh_hosts, release_expired
from app.use_cases.booking_changes import Actor, record_change, record_new
from app.use_cases.booking_in_schedule import device_actor
from app.use_cases.calendar_objects import Device, EditRefused, ObjectRefused
from app.use_cases.change_booking import locked_booking
from app.use_cases.deliver_invitations import write_of
from app.use_cases.ids import new_id
from app.use_cases.publish_booking import booking_address
from app.use_cases.walk_in_link import TITLE, walk_in_context

LATEST_SECONDS = 86400
"""So long after it began somebody who walked in may still be entered."""
MAX_NAME = 200
MAX_PLACE = 500
MAX_UID = 255


async def book_walk_in(
    ports: Ports,
    calendar: Calendar,
    name: str,
    text: str,
    facts: ObjectFacts,
    addresses: frozenset[str],
    device: Device,
) -> Booking:
    """Book the event's time of the calendar's person, for whom the event names. Hours do not bound it, busy time does.

    `Forbidden` where the organization takes nobody in that way, `EditRefused` for what is taken or can be no booking,
    `CalendarUnavailable` while the person's calendars cannot be read.
    """
    if not calendar.takes_new:
        raise Forbidden("Only bookings are in this calendar: nothing is added to it by hand.")
    now = ports.clock()
    try:
        event = single_event(text)
        minutes = _minutes(facts, now)
        async with ports.read() as work:
            if len(facts.uid) > MAX_UID or await work.bookings.has_uid(facts.uid):
                raise ObjectRefused("no-uid-conflict", "Another booking has this UID.")
            context = await walk_in_context(work, calendar.org_id, calendar.user_id, minutes)
        await refresh_hosts(ports, context, now)
        note = _Noted(name, text, facts, addresses)
        return await locking(
            lambda others: _commit(ports, calendar, context, _asked(event, calendar, facts, minutes), note, device,
                                   others)
        )  # fmt: skip
    except (Conflict, ClaimOverlap, Invalid) as refusal:
        raise EditRefused(refusal.detail) from refusal


class _Noted:
    """What the event carries beside the booking, and how it is called."""

    def __init__(self, name: str, text: str, facts: ObjectFacts, addresses: frozenset[str]) -> None:
        self.name, self.text, self.facts, self.addresses = name, text, facts, addresses


def _minutes(facts: ObjectFacts, now: int) -> int:
    seconds = (facts.end or 0) - facts.start
    if facts.problems or seconds <= 0 or seconds % 60 or facts.start % 60 or seconds > MINUTES_A_DAY * 60:
        raise Invalid.field("duration", "A booking takes whole minutes, and a day at most.")
    if facts.start < now - LATEST_SECONDS:
        raise Invalid.field("start", "This began more than a day ago: it is too late for a booking.")
    return seconds // 60


def _asked(event: Component, calendar: Calendar, facts: ObjectFacts, minutes: int) -> tuple[BookingRequest, Location]:
    name = _one_line(plain_text(event.value("SUMMARY")))
    place = clean_text(plain_text(event.value("LOCATION")))[:MAX_PLACE]
    request = BookingRequest(facts.start, minutes, calendar.timezone, Recipient(name or TITLE, ""))
    return request, Location("address", place) if place else Location()


async def _commit(
    ports: Ports,
    calendar: Calendar,
    context: LinkContext,
    asked: tuple[BookingRequest, Location],
    noted: _Noted,
    device: Device,
    others: frozenset[str],
) -> Booking:
    now, (request, location) = ports.clock(), asked
    async with ports.unit_of_work() as work:
        locked = others | {calendar.user_id}
        await work.hosts.lock(sorted(locked))
        if await work.bookings.has_uid(noted.facts.uid):
            raise StaleVersion("Another device has just made this event.")
        context = await walk_in_context(work, calendar.org_id, calendar.user_id, request.duration)
        await release_expired(ports, work, context, request.start, request.duration, now, locked)
        booking_id = new_id()
        await _make_room(work, calendar, noted.facts, booking_id, now)
        hosts = await _free(work, context, request, now)
        booking = replace(
            new_booking(ports, context, request, Answered(), hosts, now),
            id=booking_id,
            occurrence_id=booking_id,
            link_id=None,
            uid=noted.facts.uid,
            location=location,
        )
        note = await _note(ports, work, context, booking, noted)
        actor = device_actor(device)
        booking = await record_new(ports, work, booking, context.organization, actor, now, note)
        await work.commit()
    return booking


async def _make_room(work: UnitOfWork, calendar: Calendar, facts: ObjectFacts, booking_id: str, now: int) -> None:
    """The same event in another calendar of the person is not in its own way: devices move events by putting them here
    and deleting them there."""
    for other, item in await work.scheduling.events_with([calendar.user_id], facts.uid):
        if (item.start, item.end) == (facts.start, facts.end):
            write = write_of(item.name, item.data, facts, now, item.schedule_tag)
            await work.calendars.put_object(other, replace(write, booking_id=booking_id), now)


async def _free(work: UnitOfWork, context: LinkContext, request: BookingRequest, now: int) -> list[LinkHost]:
    """The host, if nothing else is at that time; it may have begun already."""
    pick = request.start, request.duration
    return await decide(work, context, *pick, min(now, request.start - 1), picks=(pick,))


async def _note(
    ports: Ports, work: UnitOfWork, context: LinkContext, booking: Booking, noted: _Noted
) -> tuple[str, str]:
    (person,) = await work.hosts.people([context.hosts[0].host_id])
    plain = host_event(booking, person, context.organization.name, booking_address(ports, booking))
    notes = read_edit(noted.text, noted.facts, plain, noted.addresses).notes
    return noted.name, notes.to_text() if notes else ""


async def rename_walk_in(ports: Ports, booking_id: str, name: str, actor: Actor) -> None:
    """Who walked in is called otherwise: the event's name is all that is known of them."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking_id)
        after = booking.changed(now, recipient=replace(booking.recipient, name=_one_line(name) or TITLE))
        await record_change(ports, work, booking, after, actor, "booking.renamed", now)
        await work.commit()


def _one_line(text: str) -> str:
    return " ".join(clean_text(text).split())[:MAX_NAME]
