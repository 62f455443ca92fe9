"""Tell recipient, hosts and guests of a booking by mail: outbox handlers, one lane an addressee.

The handlers compare the booking as it is now with what the addressee was last told and send what is missing, so that
late, repeated or folded work does no harm. The mail goes out between two transactions, never within one; a crash in
between sends it once more, with the same Message-ID.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from app.domain.bookings import Booking
from app.domain.languages import SOURCE
from app.domain.notification_settings import NoticeKind, NotificationSettings
from app.ports import Ports
from app.ports.hosts import HostPerson
from app.ports.mail import Audience, BookingMailContext, BookingNews, MailPerson
from app.ports.mail_log import Delivery, DeliveryKind
from app.ports.outbox import Job
from app.ports.people import Organization
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.meeting_place import LOOK_SECONDS, is_waited_for
from app.use_cases.offered_hosts import offer_context
from app.use_cases.provider_roles import inviting_host
from app.use_cases.tell_members import Member, ask_notices, kind_of
from app.use_cases.unsubscribe import is_unsubscribed, recipients_way_out
from app.use_cases.view_booking import organizer_name, view_url


@dataclass(frozen=True, slots=True)
class News:
    """What an addressee is to be told. `status` is what they then know: pending, confirmed or cancelled."""

    kind: BookingNews
    status: str
    with_invitation: bool = True


@dataclass(frozen=True, slots=True)
class Scene:
    """All that one mail is made of."""

    booking: Booking
    organization: Organization
    people: Sequence[HostPerson]
    person: MailPerson
    removed: bool
    member_id: str | None = None


@dataclass(frozen=True, slots=True)
class DueMail:
    """A mail that is to be sent."""

    scene: Scene
    news: News
    context: BookingMailContext
    member: Member | None = None
    """Of those who sign in: who they are, and their choices."""
    kind: NoticeKind = "new"

    @property
    def is_mailed(self) -> bool:
        """Whether they want it by mail."""
        return self.member is None or "mail" in self.member.settings.ways_for(self.kind)

    def waits_until(self, now: int) -> int | None:
        """When their quiet hours end, if it is to wait for that."""
        return None if self.member is None else self.member.waits_until(self.scene.booking, now)


async def send_booking_mail(ports: Ports, job: Job) -> int | None:
    """Outbox handler; the payload names the audience, and a host by `host_id` or a guest by `address`."""
    now = ports.clock()
    async with ports.read() as work:
        due = await due_mail(ports, work, job, now)
    if due is None:
        return None
    if is_waited_for(due.scene.booking, now):
        return now + LOOK_SECONDS
    if (until := due.waits_until(now)) is not None:
        return until
    await send_due(ports, due)
    return None


async def due_mail(ports: Ports, work: UnitOfWork, job: Job, now: int) -> DueMail | None:
    """What the addressee is to be told of the job's booking now, if anything."""
    scene = await _scene(work, job)
    if scene is None:
        return None
    told = await _told(work, scene, "state")
    by_recipient = scene.booking.status == "cancelled" and await _cancelled_by_recipient(work, scene.booking)
    news = news_of(scene, told, now, by_recipient=by_recipient)
    if news is None:
        return None
    must_know = news.kind == "changed" or scene.person.is_owner
    previous = await work.bookings.previous_times(scene.booking.id) if must_know else []
    settings = await work.telling.settings(scene.member_id, scene.booking.org_id) if scene.member_id else None
    return due_of(ports, scene, told, news, previous, settings, now)


def news_of(scene: Scene, told: Delivery | None, now: int, *, by_recipient: bool = False) -> News | None:
    """What whom the scene is about does not know yet."""
    audience = scene.person.audience
    return news_for(scene.booking, told, audience, now, removed=scene.removed, by_recipient=by_recipient)


def due_of(
    ports: Ports,
    scene: Scene,
    told: Delivery | None,
    news: News,
    previous: Sequence[Mapping[str, Any]],
    settings: NotificationSettings | None,
    now: int,
) -> DueMail | None:
    """The mail of this news. `previous` are the times that were replaced, `settings` a user's choices."""
    before = told_start(scene.booking, told, previous)
    if scene.person.is_owner:
        owners = owners_news(scene.booking, told, news, before)
        if owners is None:
            return None
        news = owners
    elif scene.person.audience != "host" and inviting_host(ports, scene.booking, scene.people):
        news = replace(news, with_invitation=False)
    context = _context(ports, scene, news, before, now)
    if scene.member_id is None or settings is None:
        return DueMail(scene, news, context)
    kind = kind_of(news.kind, was_requested=told is not None and told.status == "pending")
    return DueMail(scene, news, context, Member(scene.member_id, scene.person.timezone, settings), kind)


async def send_due(ports: Ports, due: DueMail) -> None:
    """Send it, and note that it is told."""
    message_id = ""
    if due.is_mailed:
        mail = ports.composer.booking(due.context, due.scene.person)
        await ports.mailer.send(mail)
        message_id = mail.message_id
    async with ports.unit_of_work() as work:
        await record_due(work, due, message_id)
        await work.commit()


async def record_due(work: UnitOfWork, due: DueMail, message_id: str) -> None:
    """That it is told, with the other ways in which a user is told of it."""
    now = due.context.now
    await work.mail_log.record(delivery_of(due.scene, "state", due.news.status, message_id, now))
    if due.member is not None:
        await ask_notices(work, due.member, due.scene.booking, due.kind, due.news.kind, now)


async def send_followup(ports: Ports, job: Job) -> int | None:
    """Outbox handler of the mail after a booking; the instant to look again while it is not due."""
    now = ports.clock()
    async with ports.read() as work:
        scene = await _scene(work, job)
        if scene is None or scene.booking.status not in {"confirmed", "in_progress", "completed"}:
            return None
        offer = await offer_context(work, scene.booking)
        template = offer.template if offer else None
        if template is None or not template.email_followup_enabled:
            return None
        due = scene.booking.end + template.followup.delay_minutes * 60
        if now < due:
            return due
        if await _told(work, scene, "followup") is not None:
            return None
        if await is_unsubscribed(ports, work, scene.booking.org_id, scene.person.email):
            return None
    news = News("followup", "confirmed", with_invitation=False)
    text = template.followup
    context = replace(_context(ports, scene, news, None, now), followup_subject=text.subject, followup_body=text.body)
    context = replace(context, unsubscribe_url=recipients_way_out(ports, scene.booking))
    await _send(ports, scene, context, "followup", news.status)
    return None


def news_for(
    booking: Booking,
    told: Delivery | None,
    audience: Audience,
    now: int,
    *,
    removed: bool = False,
    by_recipient: bool = False,
) -> News | None:
    """What this addressee does not know yet, None when nothing. `removed`: they no longer take part in it.

    What is over is nobody's news. Guests first hear when it is confirmed. A cancellation of what was never told is a
    plain note without a calendar part, and for guests and former hosts nothing at all.
    """
    if booking.end <= now:
        return None
    if removed or booking.status == "cancelled":
        return _called_off(booking, told, audience, removed=removed, by_recipient=by_recipient)
    if booking.status == "pending":
        if told is None or told.status == "cancelled":
            return None if audience == "guest" else News("requested", "pending")
        return News("changed", "pending") if told.sequence < booking.sequence else None
    if told is None or told.status != "confirmed":
        return News("confirmed", "confirmed")
    return News("changed", "confirmed") if told.sequence < booking.sequence else None


def _called_off(
    booking: Booking, told: Delivery | None, audience: Audience, *, removed: bool, by_recipient: bool
) -> News | None:
    if told is None:
        unaware = removed or audience == "guest"
        return None if unaware else News("cancelled", "cancelled", with_invitation=False)
    if told.status == "cancelled":
        return None
    lapsed = booking.cancel_reason == "expired"
    declined = not removed and told.status == "pending" and (lapsed or not by_recipient)
    return News("declined" if declined else "cancelled", "cancelled")


def owners_news(booking: Booking, told: Delivery | None, news: News, before: int | None) -> News | None:
    """Of the news for hosts that for a link's owner who is none: that there is a booking, a new time (`before` is the
    one they know) and its end. That a request was confirmed is told to those who are assigned, and nothing is put into
    a calendar."""
    if news.kind == "confirmed" and told is not None:
        return None if before is None else News("changed", "confirmed", with_invitation=False)
    if news.kind == "declined" and booking.cancel_reason != "expired":
        return News("cancelled", "cancelled", with_invitation=False)
    return replace(news, with_invitation=False)


def told_start(booking: Booking, told: Delivery | None, previous: Sequence[Mapping[str, Any]]) -> int | None:
    """The start the addressee knows of, if it is not the present one: that of the first time replaced since."""
    if told is None:
        return None
    starts = [int(time["start_at"]) for time in previous if time["replaced_at"] >= told.sent_at]
    return starts[0] if starts and starts[0] != booking.start else None


async def _scene(work: UnitOfWork, job: Job) -> Scene | None:
    """None when there is nobody to tell, or nothing to tell of."""
    booking = await work.bookings.get(job.subject_id)
    organization = await work.people.organization(booking.org_id) if booking else None
    if booking is None or organization is None:
        return None
    return scene_of(booking, organization, await people_of(work, booking, job.payload), job.payload)


async def people_of(work: UnitOfWork, booking: Booking, payload: Mapping[str, Any]) -> Sequence[HostPerson]:
    """Its hosts, and the one who is to be told."""
    host_ids, asked = [host.id for host in booking.hosts], payload.get("host_id")
    return await work.hosts.people([*host_ids, *([asked] if asked and asked not in host_ids else [])])


def scene_of(
    booking: Booking, organization: Organization, people: Sequence[HostPerson], payload: Mapping[str, Any]
) -> Scene | None:
    """None when there is nobody to tell: a host is no person, or the same address already hears as the recipient or as
    a host. The owner of the link is found as a host is."""
    is_owner = payload.get("audience") == "owner"
    audience: Audience = "host" if is_owner else payload.get("audience", "recipient")
    host_ids = [host.id for host in booking.hosts]
    asked = payload.get("host_id")
    found = _person(booking, audience, people, payload)
    if found is None or (is_owner and asked in host_ids):
        return None
    taking_part = [person for person in people if person.host_id in host_ids]
    if _hears_otherwise(booking, found, taking_part):
        return None
    if is_owner:
        return Scene(booking, organization, taking_part, replace(found, is_owner=True), False, asked)
    removed = (audience == "host" and asked not in host_ids) or (
        audience == "guest" and found.email not in booking.guests
    )
    return Scene(booking, organization, taking_part, found, removed, asked)


def _person(
    booking: Booking, audience: Audience, people: Sequence[HostPerson], payload: Mapping[str, Any]
) -> MailPerson | None:
    if audience == "recipient":
        if not booking.recipient.email:
            return None
        return told_recipient(booking)
    if audience == "guest":
        return MailPerson(payload["address"], "", booking.timezone, "guest", booking.language or SOURCE)
    for person in people:
        if person.host_id == payload["host_id"] and person.is_active:
            return MailPerson(person.email, person.name, person.timezone, "host")
    return None


def told_recipient(booking: Booking) -> MailPerson:
    """The recipient, in the language and zone they booked in."""
    recipient = booking.recipient
    return MailPerson(recipient.email, recipient.name, booking.timezone, "recipient", booking.language or SOURCE)


def _hears_otherwise(booking: Booking, person: MailPerson, hosts: Sequence[HostPerson]) -> bool:
    """One mail an address: the recipient's before the host's before the guest's."""
    address = person.email.lower()
    if person.audience == "recipient":
        return False
    if address == booking.recipient.email.lower():
        return True
    return person.audience == "guest" and address in {host.email.lower() for host in hosts}


async def _told(work: UnitOfWork, scene: Scene, kind: DeliveryKind) -> Delivery | None:
    address = scene.person.email.lower()
    deliveries = await work.mail_log.of_booking(scene.booking.id, kind)
    return next((delivery for delivery in deliveries if delivery.address == address), None)


async def _cancelled_by_recipient(work: UnitOfWork, booking: Booking) -> bool:
    entries = await work.audit.of_entity(booking.org_id, booking.id)
    actors = [entry["actor_kind"] for entry in entries if "status" in entry["changes"]]
    return bool(actors) and actors[-1] == "recipient"


def _context(ports: Ports, scene: Scene, news: News, previous_start: int | None, now: int) -> BookingMailContext:
    booking, audience = scene.booking, scene.person.audience
    organizer = scene.people[0] if scene.people else None
    return BookingMailContext(
        booking=booking,
        news=news.kind,
        organization=scene.organization.name,
        organizer_name=organizer_name(booking, scene.people, scene.organization.name),
        organizer_email=organizer.email if organizer else "",
        previous_start=previous_start,
        manage_url=f"{ports.base_url}/booking/{booking.token}" if audience == "recipient" else None,
        app_url=f"{ports.base_url}/app/bookings/{booking.id}" if audience == "host" else None,
        view_url=view_url(ports, booking) if audience == "guest" else None,
        with_invitation=news.with_invitation,
        now=now,
    )


async def _send(
    ports: Ports,
    scene: Scene,
    context: BookingMailContext,
    kind: DeliveryKind,
    status: str,
) -> None:
    mail = ports.composer.booking(context, scene.person)
    await ports.mailer.send(mail)
    async with ports.unit_of_work() as work:
        await work.mail_log.record(delivery_of(scene, kind, status, mail.message_id, context.now))
        await work.commit()


def delivery_of(scene: Scene, kind: DeliveryKind, status: str, message_id: str, now: int) -> Delivery:
    """What the addressee was told of the booking by a mail."""
    return Delivery(
        booking_id=scene.booking.id,
        address=scene.person.email.lower(),
        kind=kind,
        org_id=scene.booking.org_id,
        status=status,
        sequence=scene.booking.sequence,
        message_id=message_id,
        sent_at=now,
    )
