"""Remind recipients and hosts of a booking: outbox handler.

The row says which reminder of which booking; all else is read when its time has come, so that one that was cancelled,
moved or taken off the link reminds nobody. What was told is recorded by booking, reminder, person and start. A crash
between sending and recording sends it once more, under the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.bookings import Booking
from app.domain.phone_numbers import e164
from app.domain.reminders import Reminder
from app.ports import Ports
from app.ports.hosts import HostPerson
from app.ports.mail import BookingMailContext, MailPerson
from app.ports.outbox import Job, NewJob
from app.ports.people import Organization
from app.ports.telling import Reminded
from app.ports.texting import Text
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.reminder_jobs import reminders_for
from app.use_cases.tell_members import Member, ask_notices, member_of
from app.use_cases.tell_people import told_recipient
from app.use_cases.unsubscribe import is_unsubscribed, recipients_way_out
from app.use_cases.view_booking import organizer_name

RECIPIENT = "recipient"


@dataclass(frozen=True, slots=True)
class _Scene:
    """All that one reminder is made of."""

    booking: Booking
    reminder: Reminder
    organization: Organization
    people: Sequence[HostPerson]
    person: MailPerson
    phone: str | None
    told: Reminded
    member: Member | None = None

    def is_too_late(self, now: int) -> bool:
        """Whether it helps nobody any more; for a host counted from the end of their quiet hours."""
        due = self.reminder.due(self.booking)
        held_until = self.member.settings.quiet_until(self.member.timezone, due) if self.member else None
        return self.reminder.is_too_late(self.booking, now, held_until)


async def send_reminder(ports: Ports, job: Job) -> int | None:
    """Outbox handler; the payload names the reminder, and a host by `host_id`. One to all hosts asks for one each. The
    instant to look again while it is not due."""
    now = ports.clock()
    async with ports.read() as work:
        booking = await work.bookings.get(job.subject_id)
        if booking is None:
            return None
        hosts = [host.id for host in booking.hosts]
        people = await work.hosts.people(hosts, booking.link_id, None, booking.service_id)
        named = {reminder.key: reminder for reminder in await reminders_for(work, booking, people)}
        reminder = named.get(job.payload["reminder"])
        if reminder is None or not reminder.concerns(booking):
            return None
        if now < reminder.due(booking):
            return reminder.due(booking)
        host_id = job.payload.get("host_id")
        scene = None
        if reminder.to == "recipient" or host_id is not None:
            scene = await _scene(work, booking, reminder, people, host_id)
            if scene is None or scene.is_too_late(now):
                return None
            if _is_optional(reminder) and await _is_unwanted(ports, work, booking):
                return None
    if scene is None:
        await _ask_each(ports, job, people, now)
    elif scene.member is None:
        await _tell(ports, scene, now)
    elif (until := scene.member.waits_until(booking, now)) is not None:
        return until
    else:
        await _tell_member(ports, scene, scene.member, now)
    return None


def _is_optional(reminder: Reminder) -> bool:
    """What comes after a booking is not needed for it: the law lets recipients refuse it."""
    return reminder.when == "after" and reminder.to == "recipient"


async def _is_unwanted(ports: Ports, work: UnitOfWork, booking: Booking) -> bool:
    return await is_unsubscribed(ports, work, booking.org_id, booking.recipient.email)


async def _ask_each(ports: Ports, job: Job, people: Sequence[HostPerson], now: int) -> None:
    async with ports.unit_of_work() as work:
        jobs = [
            NewJob(job.org_id, f"{job.lane}:{person.host_id}", job.kind, job.subject_id, now, payload)
            for person in people
            for payload in [{**job.payload, "host_id": person.host_id}]
        ]
        await work.outbox.enqueue(jobs, now)
        await work.commit()


async def _scene(
    work: UnitOfWork, booking: Booking, reminder: Reminder, people: Sequence[HostPerson], host_id: str | None
) -> _Scene | None:
    """None when there is nobody to remind, or it was done."""
    told = Reminded(booking.id, reminder.key, host_id or RECIPIENT, booking.start, booking.org_id)
    if await work.telling.was_reminded(told):
        return None
    organization = await work.people.organization(booking.org_id)
    if organization is None:
        return None
    if host_id is None:
        phone = e164(booking.recipient.phone)
        return _Scene(booking, reminder, organization, people, told_recipient(booking), phone, told)
    host = next((person for person in people if person.host_id == host_id and person.is_active), None)
    if host is None:
        return None
    person = MailPerson(host.email, host.name, host.timezone, "host")
    member = await member_of(work, host, booking.org_id)
    return _Scene(booking, reminder, organization, people, person, None, told, member)


async def _tell(ports: Ports, scene: _Scene, now: int) -> None:
    """By a text where there is a number for it, else by mail: who left none is not forgotten."""
    context = _context(ports, scene, now)
    channel = scene.reminder.channel
    if channel != "mail" and scene.phone is not None:
        key = f"{scene.booking.id}.{scene.told.reminder}.{scene.told.target}.{scene.told.start}"
        await ports.texter.send(Text(channel, scene.phone, ports.composer.text(context, scene.person), key))
    elif scene.person.email:
        await ports.mailer.send(ports.composer.booking(context, scene.person))
    else:
        return
    await ports.reminder_log.record(scene.told, now)


async def _tell_member(ports: Ports, scene: _Scene, member: Member, now: int) -> None:
    """In the ways they chose."""
    if "mail" in member.settings.ways_for("reminder"):
        await ports.mailer.send(ports.composer.booking(_context(ports, scene, now), scene.person))
    async with ports.unit_of_work() as work:
        await ask_notices(work, member, scene.booking, "reminder", "reminder", now, scene.booking.seats_taken)
        await work.telling.record_reminder(scene.told, now)
        await work.commit()


def _context(ports: Ports, scene: _Scene, now: int) -> BookingMailContext:
    booking, is_host = scene.booking, scene.person.audience == "host"
    organizer = scene.people[0] if scene.people else None
    return BookingMailContext(
        booking=booking,
        news="reminder",
        organization=scene.organization.name,
        organizer_name=organizer_name(booking, scene.people, scene.organization.name),
        organizer_email=organizer.email if organizer else "",
        previous_start=None,
        manage_url=None if is_host else f"{ports.base_url}/booking/{booking.token}",
        app_url=f"{ports.base_url}/app/bookings/{booking.id}" if is_host else None,
        now=now,
        with_invitation=False,
        reminder=scene.reminder,
        seats=booking.seats_taken,
        unsubscribe_url=recipients_way_out(ports, booking) if _is_optional(scene.reminder) else None,
    )
