"""Tell of a session that moved, was cancelled or changed hands: an outbox handler, one lane a host or owner of a link.

Each attendee is told of the own booking. Those who give the session hear once for all whose booking has the same news.
As everywhere it is the state that is told, booking by booking: one that changed by itself since has a lane of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.bookings import Booking
from app.ports import Ports
from app.ports.mail import BookingNews
from app.ports.outbox import Job
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_jobs import staff_lane
from app.use_cases.open_session import MOST_SEATS
from app.use_cases.tell_members import ask_notices
from app.use_cases.tell_people import DueMail, Scene, delivery_of, due_of, news_of, people_of, scene_of, send_due

MOST_BOOKINGS = 2 * MOST_SEATS
"""That are looked at: those who attend, and who last cancelled."""


async def send_session_mail(ports: Ports, job: Job) -> int | None:
    """The job's subject is the session; its payload names the addressee as that of a single booking's mail."""
    now = ports.clock()
    async with ports.read() as work:
        session = await work.bookings.get(job.subject_id)
        due = [] if session is None else await _due(ports, work, session, job, now)
    if session is None:
        return None
    if waits := [until for each in due if (until := each.waits_until(now)) is not None]:
        return min(waits)
    groups: dict[BookingNews, list[DueMail]] = {}
    for each in due:
        groups.setdefault(_news(each), []).append(each)
    for news, group in groups.items():
        await (_send(ports, session, news, group) if len(group) > 1 else send_due(ports, group[0]))
    return None


def _news(due: DueMail) -> BookingNews:
    """Of a session that is off, its requests are off as its bookings are."""
    return "cancelled" if due.news.kind == "declined" else due.news.kind


async def _due(ports: Ports, work: UnitOfWork, session: Booking, job: Job, now: int) -> list[DueMail]:
    """In a number of statements that does not grow with the attendees."""
    scenes = {scene.booking.id: scene for scene in await _scenes(work, session, job)}
    if not scenes:
        return []
    person = next(iter(scenes.values())).person
    told = await work.mail_log.to_address(person.email.lower(), list(scenes), "state")
    news = {
        booking_id: found
        for booking_id, scene in scenes.items()
        if (found := news_of(scene, told.get(booking_id), now)) is not None
    }
    if not news:
        return []
    previous = await work.bookings.previous_times(session.id)
    settings = await work.telling.settings(job.payload["host_id"], session.org_id)
    mails = [due_of(ports, scenes[each], told.get(each), news[each], previous, settings, now) for each in sorted(news)]
    return [mail for mail in mails if mail is not None]


async def _scenes(work: UnitOfWork, session: Booking, job: Job) -> list[Scene]:
    """Of all attendees but those of whom the addressee is about to hear in another mail."""
    audience, user_id = job.payload["audience"], job.payload["host_id"]
    organization = await work.people.organization(session.org_id)
    bookings = await work.bookings.of_session(session.id, MOST_BOOKINGS)
    if audience == "owner":
        owners = {each: (await work.hosts.told_of(each, None))[0] for each in {each.link_id for each in bookings}}
        bookings = [each for each in bookings if owners[each.link_id] == user_id]
    if organization is None or not bookings:
        return []
    lanes = await work.outbox.due([staff_lane(each, audience, user_id) for each in bookings])
    people = await people_of(work, session, job.payload)
    found = [
        scene_of(each, organization, people, job.payload)
        for each in bookings
        if staff_lane(each, audience, user_id) not in lanes
    ]
    return [scene for scene in found if scene is not None]


async def _send(ports: Ports, session: Booking, news: BookingNews, group: Sequence[DueMail]) -> None:
    first, now = group[0], group[0].context.now
    seats = sum(each.scene.booking.seats for each in group)
    message_id = ""
    if first.is_mailed:
        context = replace(
            first.context,
            booking=session,
            news=news,
            seats=seats,
            app_url=f"{ports.base_url}/app/bookings/{session.id}",
            with_invitation=False,
        )
        mail = ports.composer.session(context, [each.context for each in group], first.scene.person)
        await ports.mailer.send(mail)
        message_id = mail.message_id
    async with ports.unit_of_work() as work:
        for each in group:
            await work.mail_log.record(delivery_of(each.scene, "state", each.news.status, message_id, now))
        if first.member is not None:
            await ask_notices(work, first.member, session, first.kind, news, now, seats)
        await work.commit()
