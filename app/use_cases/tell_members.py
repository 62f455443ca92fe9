"""The other ways besides mail in which a user hears of a booking: texts, devices, the program's own list.

They go by the mail's lead: when a host's mail is recorded (or would be, for who wants none), the same transaction asks
for the other ways, one lane each, and puts the line into the list. So each news is told once by each way.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.bookings import Booking
from app.domain.notification_settings import NoticeKind, NotificationSettings
from app.ports import Ports
from app.ports.hosts import HostPerson
from app.ports.mail import BookingMailContext, BookingNews, MailPerson
from app.ports.outbox import Job, NewJob
from app.ports.push import PushNote
from app.ports.telling import Notification
from app.ports.texting import Text
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.ids import new_id
from app.use_cases.view_booking import organizer_name


@dataclass(frozen=True, slots=True)
class Member:
    """A user who is to hear of a booking, and their choices."""

    user_id: str
    timezone: str
    settings: NotificationSettings

    def waits_until(self, booking: Booking, now: int) -> int | None:
        """When their quiet hours end, unless it begins before they do: that is told at once."""
        until = self.settings.quiet_until(self.timezone, now)
        return None if until is None or now <= booking.start < until else until


async def member_of(work: UnitOfWork, person: HostPerson, org_id: str) -> Member:
    """With their choices."""
    return Member(person.host_id, person.timezone, await work.telling.settings(person.host_id, org_id))


def kind_of(news: BookingNews, *, was_requested: bool) -> NoticeKind:
    """What users choose by. `was_requested`: they knew it as a request."""
    if news in {"cancelled", "declined"}:
        return "cancelled"
    if news == "confirmed" and was_requested:
        return "confirmed"
    kinds: dict[BookingNews, NoticeKind] = {"changed": "changed", "reminder": "reminder"}
    return kinds.get(news, "new")


async def ask_notices(
    work: UnitOfWork,
    member: Member,
    booking: Booking,
    kind: NoticeKind,
    news: BookingNews,
    now: int,
    seats: int = 0,
) -> None:
    """In the transaction that records what was told; `seats`: of a session, how many it is about."""
    ways = member.settings.ways_for(kind)
    if "in_app" in ways:
        line = Notification(new_id(), booking.org_id, member.user_id, kind, booking.id, booking.sequence, now)
        await work.telling.notify(line)
    payload = {
        "user_id": member.user_id,
        "news": news,
        "status": booking.status,
        "start": booking.start,
        "seats": seats,
    }
    jobs = [
        NewJob(
            booking.org_id,
            f"booking:{booking.id}:notice:{way}:{member.user_id}",
            "notice",
            booking.id,
            now,
            {**payload, "way": way},
        )
        for way in ways
        if way in {"text", "whatsapp", "push"}
    ]
    await work.outbox.enqueue(jobs, now)


async def send_notice(ports: Ports, job: Job) -> None:
    """Outbox handler: one way to one user. What is not so any more is not told: the next change asks anew."""
    sent = job.payload
    async with ports.read() as work:
        booking = await work.bookings.get(job.subject_id)
        if booking is None or (booking.status, booking.start) != (sent["status"], sent["start"]):
            return
        organization = await work.people.organization(booking.org_id)
        found = await work.hosts.people([sent["user_id"]])
        hosts = await work.hosts.people([host.id for host in booking.hosts])
        if organization is None or not found or not found[0].is_active:
            return
        member = await member_of(work, found[0], booking.org_id)
    context = BookingMailContext(
        booking=booking,
        news=sent["news"],
        organization=organization.name,
        organizer_name=organizer_name(booking, hosts, organization.name),
        organizer_email="",
        previous_start=None if sent["news"] != "changed" else 0,
        manage_url=None,
        app_url=f"{ports.base_url}/app/bookings/{booking.id}",
        now=ports.clock(),
        with_invitation=False,
        seats=sent.get("seats", 0),
    )
    person = MailPerson(found[0].email, found[0].name, found[0].timezone, "host")
    body = ports.composer.text(context, person)
    key = f"{booking.id}.{sent['news']}.{booking.start}.{member.user_id}"
    if sent["way"] == "push":
        await ports.pusher.send(PushNote(member.user_id, body.partition("\n")[0], context.app_url or "", key))
    elif member.settings.phone is not None:
        await ports.texter.send(
            Text("whatsapp" if sent["way"] == "whatsapp" else "sms", member.settings.phone, body, key)
        )
