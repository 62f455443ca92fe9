"""What every change of a booking brings along, inside the same transaction: its claims, the hosts' published schedule,
the audit entry, and the outbox rows of what must follow."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.booking_event import host_event
from app.domain.bookings import Booking
from app.domain.calendars import etag_of
from app.domain.errors import StaleVersion
from app.domain.event_text import calendar_text
from app.ports import Ports
from app.ports.calendar_store import ObjectWrite
from app.ports.outbox import NewJob
from app.ports.storage import AuditEntry, HostPerson, Organization, UnitOfWork
from app.use_cases.provider_roles import awaits_meeting, with_roles

MEETING_SECONDS = 60
"""How long a host's calendar has to make an online meeting before the booking gets a room instead."""
PUBLISHED = frozenset({"confirmed", "in_progress", "completed", "no_show"})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` is user, recipient, system or device."""

    kind: str
    id: str | None = None


SYSTEM = Actor("system")


def expired(booking: Booking, now: int) -> Booking:
    """A pending booking after its hold ran out."""
    return booking.changed(
        now, status="cancelled", cancel_reason="expired", hold_expires_at=None, sequence=booking.sequence + 1
    )


async def record_new(
    ports: Ports, work: UnitOfWork, booking: Booking, organization: Organization, actor: Actor, now: int
) -> Booking:
    """Store a new booking with all that belongs to it, and answer with what was stored. `ClaimOverlap` when its time is
    taken."""
    people = await work.hosts.people(sorted(host.id for host in booking.hosts), booking.link_id)
    booking = with_roles(ports, booking, people)
    await work.bookings.add(booking)
    await work.hosts.claim(booking)
    changes = {"status": booking.status, "start": booking.start, "end": booking.end}
    await _follow(ports, work, booking, None, people, organization, actor, "booking.created", changes, now)
    return booking


async def record_change(
    ports: Ports, work: UnitOfWork, before: Booking, after: Booking, actor: Actor, action: str, now: int
) -> None:
    """Store the next version of a booking. The caller holds the locks of the hosts before and after, in id order."""
    if not await work.bookings.update(after, before.version):
        raise StaleVersion("The booking was changed meanwhile.")
    moved = (before.claim, before.hosts) != (after.claim, after.hosts)
    if before.hosts != after.hosts:
        await work.bookings.replace_hosts(after)
    if not after.is_active:
        await work.hosts.release(after.occurrence_id)
    elif moved or not before.is_active or before.hold_expires_at != after.hold_expires_at:
        await work.hosts.move_claim(after)
    if (before.start, before.end, before.hosts) != (after.start, after.end, after.hosts):
        await work.bookings.add_previous_time(before, now)
    if before.start != after.start:
        await work.bookings.move_hosts(after)
    organization = await work.people.organization(after.org_id)
    if organization is None:
        raise LookupError(f"organization {after.org_id} of booking {after.id} is gone")
    people = await work.hosts.people(sorted({host.id for host in (*after.hosts, *before.hosts)}), after.link_id)
    await _follow(ports, work, after, before, people, organization, actor, action, _difference(before, after), now)


async def _follow(
    ports: Ports,
    work: UnitOfWork,
    booking: Booking,
    before: Booking | None,
    people: Sequence[HostPerson],
    organization: Organization,
    actor: Actor,
    action: str,
    changes: Mapping[str, Any],
    now: int,
) -> None:
    await work.hosts.bump(sorted({host.id for host in (*booking.hosts, *(before.hosts if before else ()))}))
    await publish(ports, work, booking, before, people, organization, now)
    await work.audit.write(
        AuditEntry(booking.org_id, actor.kind, actor.id, action, "booking", booking.id, changes), now
    )
    await work.outbox.enqueue(jobs_after(booking, before, people, organization, now), now)
    if not booking.is_active:
        over = ("hold", "complete", "meeting") + (("followup",) if booking.status == "cancelled" else ())
        await work.outbox.drop([f"booking:{booking.id}:{target}" for target in over])


def _difference(before: Booking, after: Booking) -> dict[str, Any]:
    names = ("status", "start", "end", "duration", "hold_expires_at", "cancel_reason", "actual_start", "actual_end")
    changed = {name: [getattr(before, name), getattr(after, name)] for name in names}
    found: dict[str, Any] = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if before.hosts != after.hosts:
        found["hosts"] = [[host.id for host in booking.hosts] for booking in (before, after)]
    return found


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
        event = host_event(booking, person, organization.name, f"{ports.base_url}/app/bookings/{booking.id}")
        text = calendar_text(event)
        write = ObjectWrite(
            name=f"{booking.id}.ics",
            uid=booking.uid,
            component="VEVENT",
            etag=etag_of(text),
            data=text,
            start=booking.start,
            end=booking.end,
            busy=(),
            expanded_until=None,
            booking_id=booking.id,
        )
        await work.calendars.publish(person.schedule_calendar_id, write, now, deleted=not shown)


def completes_at(booking: Booking, organization: Organization) -> int:
    """When a confirmed booking completes by itself: some time after its end, and after the last change, so that staff
    who correct one that is over are not corrected at once themselves."""
    return max(booking.end, booking.updated_at) + organization.complete_after_minutes * 60


def event_job(org_id: str, booking_id: str, host_id: str, run_at: int) -> NewJob:
    """Bring the event in a host's connected calendar to the booking's state."""
    lane = f"booking:{booking_id}:event:{host_id}"
    return NewJob(org_id, lane, "calendar_event", booking_id, run_at, {"host_id": host_id})


def jobs_after(
    booking: Booking, before: Booking | None, people: Sequence[HostPerson], organization: Organization, now: int
) -> list[NewJob]:
    """What must follow a change: mails to all concerned, events in write calendars, and what time brings."""

    def job(target: str, kind: str, run_at: int = now, **payload: str) -> NewJob:
        return NewJob(booking.org_id, f"booking:{booking.id}:{target}", kind, booking.id, run_at, payload)

    jobs = [job("mail:recipient", "booking_mail", audience="recipient", address=booking.recipient.email)]
    for guest in booking.guests:
        lane = f"mail:guest:{hashlib.sha256(guest.encode()).hexdigest()[:16]}"  # an address may be longer than a lane
        jobs.append(job(lane, "booking_mail", audience="guest", address=guest))
    for person in people:
        jobs.append(job(f"mail:host:{person.host_id}", "booking_mail", audience="host", host_id=person.host_id))
        if person.write_calendar_id is not None:
            jobs.append(event_job(booking.org_id, booking.id, person.host_id, now))
    if booking.status == "pending" and booking.hold_expires_at is not None:
        jobs.append(job("hold", "expire_hold", booking.hold_expires_at))
    if booking.status == "confirmed" and awaits_meeting(booking):
        jobs.append(job("meeting", "meeting_place", now + MEETING_SECONDS))
    if booking.status in ("confirmed", "in_progress"):
        jobs.append(job("complete", "complete_booking", completes_at(booking, organization)))
    if booking.status == "confirmed" and (before is None or before.end != booking.end or before.status == "pending"):
        jobs.append(job("followup", "followup", booking.end))
    is_new = booking.status == "confirmed" and (before is None or before.status == "pending")
    if is_new and any(person.adds_contacts for person in people):
        jobs.append(job("contact", "add_contact"))
    return jobs
