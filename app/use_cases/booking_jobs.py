"""The outbox rows that follow a change of a booking: whom to tell, which calendars to write, what time brings."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from app.domain.bookings import Booking
from app.ports.hosts import HostPerson
from app.ports.outbox import NewJob
from app.ports.people import Organization
from app.use_cases.provider_roles import awaits_meeting

MEETING_SECONDS = 60
"""How long a host's calendar has to make an online meeting before the booking gets a room instead."""


def completes_at(booking: Booking, organization: Organization) -> int:
    """When a confirmed booking completes by itself: some time after its end, and after the last change, so that staff
    who correct one that is over are not corrected at once themselves."""
    return max(booking.end, booking.updated_at) + organization.complete_after_minutes * 60


def event_job(org_id: str, booking_id: str, host_id: str, run_at: int) -> NewJob:
    """Bring the event in a host's connected calendar to the booking's state."""
    lane = f"booking:{booking_id}:event:{host_id}"
    return NewJob(org_id, lane, "calendar_event", booking_id, run_at, {"host_id": host_id})


def jobs_after(
    booking: Booking,
    before: Booking | None,
    people: Sequence[HostPerson],
    organization: Organization,
    now: int,
    *,
    with_session: bool = False,
) -> list[NewJob]:
    """What must follow a change: mails to all concerned, events in write calendars, and what time brings.
    `with_session`: it follows its session, of which those who give it are told at once."""

    def job(target: str, kind: str, run_at: int = now, **payload: str) -> NewJob:
        return NewJob(booking.org_id, f"booking:{booking.id}:{target}", kind, booking.id, run_at, payload)

    def mail(lane: str, **payload: str) -> NewJob:
        """A recurring set is told of in one mail: its bookings share the lanes of the first."""
        subject = booking.series_id or booking.id
        kind = "booking_mail" if booking.series_id is None else "series_mail"
        return NewJob(booking.org_id, f"booking:{subject}:{lane}", kind, subject, now, payload)

    jobs = []
    owner_id = people[0].owner_id if people else None
    tells_staff = not booking.is_session and not with_session
    if tells_staff and owner_id is not None and all(owner_id != person.host_id for person in people):
        jobs.append(mail("mail:owner", audience="owner", host_id=owner_id))
    if booking.recipient.email:
        jobs.append(mail("mail:recipient", audience="recipient", address=booking.recipient.email))
    for guest in dict.fromkeys((*booking.guests, *(before.guests if before else ()))):
        lane = f"mail:guest:{hashlib.sha256(guest.encode()).hexdigest()[:16]}"  # an address may be longer than a lane
        jobs.append(mail(lane, audience="guest", address=guest))
    for person in people:
        if tells_staff:  # of a session hosts hear by its attendees, as of all who book
            jobs.append(mail(f"mail:host:{person.host_id}", audience="host", host_id=person.host_id))
        if person.write_calendar_id is not None and not booking.is_seat:
            jobs.append(event_job(booking.org_id, booking.id, person.host_id, now))
    if before is None and (booking.recipient.email or booking.recipient.phone):
        jobs.append(job("client", "client"))
    if booking.status == "pending" and booking.hold_expires_at is not None:
        jobs.append(job("hold", "expire_hold", booking.hold_expires_at))
    if booking.status == "confirmed" and awaits_meeting(booking):
        jobs.append(job("meeting", "meeting_place", now + MEETING_SECONDS))
    if booking.status in ("confirmed", "in_progress"):
        jobs.append(job("complete", "complete_booking", completes_at(booking, organization)))
    if (
        booking.status == "confirmed"
        and booking.recipient.email
        and (before is None or before.end != booking.end or before.status == "pending")
    ):
        jobs.append(job("followup", "followup", booking.end))
    is_new = booking.status == "confirmed" and (before is None or before.status == "pending")
    if is_new and booking.recipient.email and any(person.adds_contacts for person in people):
        jobs.append(job("contact", "add_contact"))
    return jobs


def staff_lane(booking: Booking, audience: str, user_id: str) -> str:
    """Where a host, or the owner of its link, is told of one booking."""
    target = "mail:owner" if audience == "owner" else f"mail:host:{user_id}"
    return f"booking:{booking.series_id or booking.id}:{target}"


def session_job(session: Booking, audience: str, user_id: str, now: int) -> NewJob:
    """Tell a host, or the owner of attendees' links, once of all attendees of a session that changed together."""
    lane = f"booking:{session.id}:mail:{audience}:{user_id}"
    payload = {"audience": audience, "host_id": user_id}
    return NewJob(session.org_id, lane, "session_mail", session.id, now, payload)
