"""What every change of a booking brings along, inside the same transaction: its claims, the hosts' published schedule,
the audit entry, and the outbox rows of what must follow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.booking_state import next_status
from app.domain.bookings import SESSION_EMPTY, Booking
from app.domain.errors import Conflict, StaleVersion
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.hosts import HostPerson
from app.ports.people import Organization
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.audit_changes import WITHHELD
from app.use_cases.booking_jobs import event_job, jobs_after, session_job, staff_lane
from app.use_cases.provider_roles import with_roles
from app.use_cases.publish_booking import PUBLISHED, note_of, publish, with_note
from app.use_cases.reminder_jobs import reminder_jobs, reminders_for

OWN_REASONS = frozenset({"expired", "erased", SESSION_EMPTY})


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: `kind` is user, recipient, system or device. A device is known by its app password, is called `label`,
    and is `user_id`'s; one of a connected calendar is known by its user alone."""

    kind: str
    id: str | None = None
    label: str | None = None
    user_id: str | None = None

    def noted(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The changes of an audit entry, with the device that made them."""
        return {**changes, "device": self.label, "by": self.user_id} if self.label is not None else dict(changes)


SYSTEM = Actor("system")


def expired(booking: Booking, now: int) -> Booking:
    """A pending booking after its hold ran out."""
    return booking.changed(
        now, status="cancelled", cancel_reason="expired", hold_expires_at=None, sequence=booking.sequence + 1
    )


async def record_new(
    ports: Ports,
    work: UnitOfWork,
    booking: Booking,
    organization: Organization,
    actor: Actor,
    now: int,
    note: tuple[str, str] | None = None,
) -> Booking:
    """Store a new booking with all that belongs to it, and answer with what was stored. `ClaimOverlap` when its time is
    taken. `note`: what the event is called in the only host's schedule, and their notes on it."""
    people = await work.hosts.people(
        sorted(host.id for host in booking.hosts), booking.link_id, None, booking.service_id
    )
    booking = with_roles(ports, booking, people)
    await work.bookings.add(booking)
    if booking.is_seat:
        await take_seats(work, booking.occurrence_id, booking.seats)
    else:
        await work.hosts.claim(booking)
    if note is not None:
        people = [with_note(person, *note) for person in people]
        for person in people:
            await work.event_notes.put(note_of(ports, booking, person, organization), now)
    changes = {"status": booking.status, "start": booking.start, "end": booking.end}
    await _follow(
        ports,
        work,
        booking,
        None,
        people,
        organization,
        actor,
        "session.opened" if booking.is_session else "booking.created",
        changes,
        now,
    )
    if booking.is_seat:
        await _renew_session(ports, work, booking.occurrence_id, now)
    return booking


async def record_change(
    ports: Ports,
    work: UnitOfWork,
    before: Booking,
    after: Booking,
    actor: Actor,
    action: str,
    now: int,
    noted: Mapping[str, Any] | None = None,
    *,
    with_session: bool = False,
) -> None:
    """Store the next version of a booking. The caller holds the locks of the hosts before and after, in id order.
    `noted`: what the audit entry says besides; `with_session`: it follows its session, whose seats stay as they are."""
    if not await work.bookings.update(after, before.version):
        raise StaleVersion("The booking was changed meanwhile.")
    moved = (before.claim, before.hosts) != (after.claim, after.hosts)
    if before.hosts != after.hosts:
        await work.bookings.replace_hosts(after)
    if after.is_seat:
        if not with_session:
            await _exchange_seats(work, before, after)
    elif not after.is_active:
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
    host_ids = sorted({host.id for host in (*after.hosts, *before.hosts)})
    people = await work.hosts.people(host_ids, after.link_id, after.id, after.service_id)
    changes = {**_difference(before, after), **(noted or {})}
    if after.is_session:
        await _take_along(ports, work, before, after, people, actor, now)
    await _follow(
        ports, work, after, before, people, organization, actor, action, changes, now, with_session=with_session
    )
    if after.is_seat and not with_session:
        for session_id in dict.fromkeys((before.occurrence_id, after.occurrence_id)):
            await _renew_session(ports, work, session_id, now, also_past=before.recipient != after.recipient)


# sessions and the seats in them


async def take_seats(work: UnitOfWork, session_id: str, seats: int) -> None:
    """`Conflict` when the session has not so many left. One that is over has no time to guard any more."""
    if not await work.sessions.take(session_id, seats):
        session = await work.bookings.get(session_id)
        if session is None or session.is_active:
            raise Conflict("These seats were just taken.")


async def _exchange_seats(work: UnitOfWork, before: Booking, after: Booking) -> None:
    held = before.seats if before.is_active else 0
    wanted = after.seats if after.is_active else 0
    if before.occurrence_id != after.occurrence_id:
        await work.sessions.give_back(before.occurrence_id, held)
        held = 0
    if wanted > held:
        await take_seats(work, after.occurrence_id, wanted - held)
    elif held > wanted:
        await work.sessions.give_back(after.occurrence_id, held - wanted)


async def _take_along(
    ports: Ports,
    work: UnitOfWork,
    before: Booking,
    after: Booking,
    people: Sequence[HostPerson],
    actor: Actor,
    now: int,
) -> None:
    """A session that moves or is cancelled takes its attendees along; `NotModifiable` when one of them has begun."""
    cancelled = after.status == "cancelled" and before.is_active
    moved = (before.start, before.end, before.hosts) != (after.start, after.end, after.hosts)
    if not cancelled and not moved:
        return
    taken = []
    for attendee in before.attendees:
        booking = await work.bookings.get(attendee.booking_id, lock=True)
        if booking is None or booking.status in {"completed", "no_show", "cancelled"}:
            continue
        changes: dict[str, object] = {"sequence": booking.sequence + 1, "hold_expires_at": booking.hold_expires_at}
        if cancelled:
            status = next_status(booking, "cancel", now)
            changes |= {"status": status, "cancel_reason": after.cancel_reason, "hold_expires_at": None}
        else:
            next_status(booking, "reschedule", now)
            names = ("start", "end", "duration", "buffer_before", "buffer_after", "hosts")
            changes |= {name: getattr(after, name) for name in names} | {"recipient_reply": None}
            if booking.hold_expires_at is not None:
                changes["hold_expires_at"] = min(booking.hold_expires_at, after.start)
        action = "booking.cancel" if cancelled else "booking.rescheduled"
        followed = booking.changed(now, **changes)
        await record_change(ports, work, booking, followed, actor, action, now, with_session=True)
        taken.append(followed)
    await _tell_staff(work, after, taken, [person.host_id for person in people], now)


async def _tell_staff(
    work: UnitOfWork, session: Booking, attendees: Sequence[Booking], host_ids: Sequence[str], now: int
) -> None:
    """Hosts, and owners of the links that attendees booked through, hear of all of them at once. What they were to hear
    of single ones until then is part of that; of a recurring set they hear as one."""
    told: dict[tuple[str, str], list[Booking]] = {("host", host_id): list(attendees) for host_id in host_ids}
    owners = {link_id: (await work.hosts.told_of(link_id, None))[0] for link_id in {each.link_id for each in attendees}}
    for booking in attendees:
        owner_id = owners.get(booking.link_id)
        if owner_id is not None and owner_id not in host_ids:
            told.setdefault(("owner", owner_id), []).append(booking)
    lanes = [staff_lane(each, *who) for who, bookings in told.items() for each in bookings if each.series_id is None]
    if lanes:
        await work.outbox.drop(lanes)
        await work.outbox.enqueue([session_job(session, *who, now) for who in told], now)


async def _renew_session(ports: Ports, work: UnitOfWork, session_id: str, now: int, *, also_past: bool = False) -> None:
    """Its seats changed: its event says so. One that was opened for its first attendee ends with its last. `also_past`:
    somebody who attended is called otherwise, or not at all any more."""
    session = await work.bookings.get(session_id, lock=True)
    if session is None or not (session.is_active or (also_past and session.status in PUBLISHED)):
        return
    if session.is_active and not session.attendees and not session.is_explicit:
        sequence = session.sequence + 1
        over = session.changed(now, status="cancelled", cancel_reason=SESSION_EMPTY, sequence=sequence)
        await record_change(ports, work, session, over, SYSTEM, "session.closed", now)
        return
    await work.sessions.hold_until(session.id, session.claim_expires_at)
    renewed = session.changed(now)
    if not await work.bookings.update(renewed, session.version):
        raise StaleVersion("The session was changed meanwhile.")
    organization = await work.people.organization(session.org_id)
    if organization is None:
        raise LookupError(f"organization {session.org_id} of session {session.id} is gone")
    people = await work.hosts.people([host.id for host in session.hosts], None, session.id)
    await publish(ports, work, renewed, session, people, organization, now)
    written = [person for person in people if person.write_calendar_id is not None]
    await work.outbox.enqueue([event_job(session.org_id, session.id, each.host_id, now) for each in written], now)


# what follows


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
    *,
    with_session: bool = False,
) -> None:
    await work.hosts.booked(sorted({host.id for host in (*booking.hosts, *(before.hosts if before else ()))}), now)
    if not booking.is_seat:  # the session's event stands for its attendees
        await publish(ports, work, booking, before, people, organization, now)
    await work.audit.write(
        AuditEntry(booking.org_id, actor.kind, actor.id, action, "booking", booking.id, actor.noted(changes)), now
    )
    jobs, withdrawn = reminder_jobs(booking, before, await reminders_for(work, booking, people), now)
    jobs += jobs_after(booking, before, people, organization, now, with_session=with_session)
    await work.outbox.enqueue(jobs, now)
    if not booking.is_active:
        over = ("hold", "complete", "meeting") + (("followup",) if booking.status == "cancelled" else ())
        withdrawn += [f"booking:{booking.id}:{target}" for target in over]
    if withdrawn:
        await work.outbox.drop(withdrawn)


def _difference(before: Booking, after: Booking) -> dict[str, Any]:
    names = ("status", "start", "end", "duration", "hold_expires_at", "cancel_reason", "actual_start", "actual_end")
    changed = {name: [getattr(before, name), getattr(after, name)] for name in names}
    found: dict[str, Any] = {name: pair for name, pair in changed.items() if pair[0] != pair[1]}
    if "cancel_reason" in found:  # what somebody wrote is read at the booking, where it can be erased
        found["cancel_reason"] = [told_reason(reason) for reason in found["cancel_reason"]]
    if before.hosts != after.hosts:
        found["hosts"] = [[host.id for host in booking.hosts] for booking in (before, after)]
    return found


def told_reason(reason: str | None) -> str | None:
    """A reason of the program's own, else that there is one."""
    return reason if reason is None or reason in OWN_REASONS else WITHHELD
