"""The demo workspace: what `make run` shows on a fresh machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.domain.answers import Answered
from app.domain.bookings import Booking, Recipient
from app.domain.hours import day_start, local_date
from app.domain.links import Link
from app.domain.locations import Location
from app.domain.reminders import Reminder
from app.domain.services import Need, ServiceHost
from app.domain.templates import Followup, Question
from app.ports import Ports
from app.ports.links import LinkContext
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_slot import BookingRequest, find_place, new_booking
from app.use_cases.booking_changes import SYSTEM, record_new
from app.use_cases.manage_links import create_link, create_template
from app.use_cases.manage_people import DEMO_PASSWORD, NewUser, create_organization, create_user
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import create_service
from app.use_cases.manage_sessions import NewSession, create_session
from app.use_cases.manage_tokens import create_feed, feed_address
from app.use_cases.open_session import seated

ORGANIZATION = "demo"
OWNER = "owner@example.com"
ZONE = "Europe/Berlin"
HALF_AN_HOUR, DAY = 1800, 86400
PEOPLE = (
    (OWNER, "Olivia Owner", ("owner", "admin")),
    ("ana@example.com", "Ana Example", ("employee",)),
    ("ben@example.com", "Ben Example", ("employee",)),
)
BOOKINGS: Sequence[tuple[int, int, int, str, str]] = (
    # days from today, hour of the day, minutes, recipient, topic
    (-12, 10, 30, "Casey Client", "Getting to know each other"),
    (-6, 14, 60, "Robin Recipient", "Project kick-off"),
    (-2, 11, 15, "Sam Sample", "A quick question"),
    (2, 9, 30, "Casey Client", "Offer and next steps"),
    (3, 15, 60, "Kim Customer", "Workshop preparation"),
    (8, 10, 30, "Robin Recipient", "Review"),
    (15, 13, 15, "Sam Sample", "Check-in"),
)
REMINDERS = (
    Reminder(1440, body="Please have your questions at hand. Your link lets you move it, or cancel."),
    Reminder(60, to="hosts"),
)
SESSIONS: Sequence[tuple[int, int, Sequence[tuple[str, int]]]] = (
    # days from today, hour of the day, who attends with how many seats
    (4, 17, (("Casey Client", 1), ("Robin Recipient", 2), ("Sam Sample", 2))),
    (11, 17, (("Kim Customer", 1),)),
    (18, 17, ()),
)


async def load_demo(ports: Ports) -> bool:
    """Fill an empty database; False (and nothing done) when there is an organization already."""
    async with ports.read() as work:
        if await work.people.any_organization():
            return False
    organization = await create_organization(ports, "Demo Company", ORGANIZATION)
    users = [
        await create_user(ports, NewUser(organization.id, email, name, roles, ZONE, DEMO_PASSWORD))
        for email, name, roles in PEOPLE
    ]
    owner = users[0]
    link = await _intro_link(ports, owner)
    await _bookings(ports, link)
    await _consultation_link(ports, owner, users[1:])
    await _workshop_link(ports, owner, users[1])
    for user in users:
        await create_feed(ports, user, "schedule", "My phone")
    return True


async def _intro_link(ports: Ports, owner: User) -> Link:
    template = await create_template(
        ports,
        owner,
        {
            "name": "Introduction",
            "questions": (
                Question("topic", "What would you like to talk about?", "long", required=False),
                Question("heard", "How did you hear of us?", "choice", options=("A friend", "The web", "An event")),
            ),
            "email_followup_enabled": False,
            "followup": Followup("Thank you", "It was good to talk to you.", 60),
        },
    )
    return await create_link(
        ports,
        owner,
        {
            "title": "Intro call",
            "slug": "intro",
            "description": "A first conversation: tell me what you need, and we find out how I can help.",
            "durations": (15, 30, 60),
            "step": 30,
            "buffer_after": 15,
            "template_id": template.id,
            "reminders": REMINDERS,
            "location": Location("link", "https://meet.example.com/demo"),
        },
    )


async def _consultation_link(ports: Ports, owner: User, people: Sequence[User]) -> Link:
    """Whoever of the people is free, in one of two rooms."""
    rooms = await create_resource(ports, owner, {"name": "Meeting room", "quantity": 2})
    values = {
        "name": "Consultation",
        "category": "Advice",
        "durations": (45,),
        "buffer_after": 15,
        "price": 6000,
        "currency": "EUR",
        "location": Location("address", "Example Street 1, Berlin"),
    }
    hosts = [ServiceHost(person.id) for person in people]
    service = await create_service(ports, owner, values, [Need(rooms.id)], hosts)
    return await create_link(
        ports,
        owner,
        {
            "title": "Consultation",
            "slug": "consultation",
            "description": "Advice by whoever of us is free first.",
            "service_id": service.id,
        },
    )


async def _workshop_link(ports: Ports, owner: User, teacher: User) -> None:
    """A class with eight seats, which takes place when it is set to: some of them are taken."""
    values = {
        "name": "Workshop",
        "category": "Classes",
        "durations": (120,),
        "capacity": 8,
        "is_scheduled": True,
        "price": 4500,
        "currency": "EUR",
        "location": Location("address", "Example Street 1, Berlin"),
    }
    service = await create_service(ports, owner, values, (), [ServiceHost(teacher.id)])
    link = await create_link(
        ports,
        owner,
        {
            "title": "Workshop",
            "slug": "workshop",
            "description": "Two hours in a small group: bring a question, and take home an answer.",
            "service_id": service.id,
        },
    )
    for days, hour, attendees in SESSIONS:
        start = _workday(ports.clock(), days) + hour * 3600
        await create_session(ports, owner, NewSession(service.id, start, 120, host_ids=(teacher.id,)))
        await _attend(ports, link, start, attendees)


async def _attend(ports: Ports, link: Link, start: int, attendees: Sequence[tuple[str, int]]) -> None:
    """Book seats of a session; the mails of made-up bookings would only be noise."""
    now = ports.clock()
    for name, seats in attendees:
        async with ports.unit_of_work() as work:
            context = await work.links.context(f"{ORGANIZATION}.{link.slug}", lock=True)
            if context is None:
                raise LookupError("the workshop is not there")
            request = BookingRequest(start, 120, ZONE, Recipient(name, _address(name)), seats=seats)
            place = await find_place(work, context, start, 120, seats, now)
            booking = new_booking(ports, context, request, Answered(), place.hosts, now)
            booking = await seated(ports, work, context, booking, place, now)
            await record_new(ports, work, booking, context.organization, SYSTEM, now)
            await _silence(work, booking)
            await work.commit()


async def _bookings(ports: Ports, link: Link) -> None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        context = await work.links.context(f"{ORGANIZATION}.{link.slug}", lock=True)
        if context is None:
            raise LookupError("the demo link is not there")
        for days, hour, minutes, name, topic in BOOKINGS:
            start = _workday(now, days) + hour * 3600
            booking = _booking(ports, context, start, minutes, name, topic, now)
            await record_new(ports, work, booking, context.organization, SYSTEM, now)
            await _silence(work, booking)
        if (soon := _soon_reminded(now)) is not None:
            booking = _booking(ports, context, soon, 30, "Alex Applicant", "How to begin", now)
            await record_new(ports, work, booking, context.organization, SYSTEM, now)
            await _silence(work, booking)
        await work.commit()


async def _silence(work: UnitOfWork, booking: Booking) -> None:
    """The mails of made-up bookings would only be noise."""
    lanes = ["mail:recipient", "mail:owner", *(f"mail:host:{host.id}" for host in booking.hosts)]
    await work.outbox.drop([f"booking:{booking.id}:{lane}" for lane in lanes])


def _workday(now: int, days: int) -> int:
    """The begin of a date so many days from today; of a weekend's the Monday after it."""
    day = local_date(ZONE, now) + timedelta(days=days)
    if day.weekday() > 4:
        day += timedelta(days=7 - day.weekday())
    return day_start(ZONE, day)


def _soon_reminded(now: int) -> int | None:
    """The next half hour of tomorrow: whoever tries the demo at work on a day before a workday sees a reminder within
    that half hour. None at other times."""
    start = ((now + DAY) // HALF_AN_HOUR + 1) * HALF_AN_HOUR
    wall = datetime.fromtimestamp(start, ZoneInfo(ZONE))
    return start if wall.weekday() < 5 and 9 <= wall.hour < 16 else None


def _address(name: str) -> str:
    return f"{name.split()[0].lower()}@example.org"


def _booking(ports: Ports, context: LinkContext, start: int, minutes: int, name: str, topic: str, now: int) -> Booking:
    request = BookingRequest(start, minutes, ZONE, Recipient(name, _address(name)))
    answered = Answered({"topic": topic}, {"topic": "What would you like to talk about?"})
    booking = new_booking(ports, context, request, answered, context.hosts, now)
    made_at = min(now, start - 3 * 86400)
    status = "completed" if booking.end < now else booking.status
    return replace(booking, status=status, created_at=made_at, updated_at=made_at)


async def demo_addresses(ports: Ports) -> str:
    """What `serve` prints once it answers; beyond the demo workspace just the sign-in address."""
    base = ports.base_url
    async with ports.read() as work:
        owner = await work.people.user_by_email(OWNER)
        feeds = await work.tokens.feeds(owner.id) if owner else []
        link = await work.links.context(f"{ORGANIZATION}.intro")
    started = datetime.fromtimestamp(ports.clock(), UTC).strftime("%Y-%m-%d %H:%M UTC")
    lines = [f"Halfpast is ready ({started})."]
    if owner is None or link is None or not ports.is_loopback:
        return "\n".join([*lines, f"  Sign in:       {base}/", f"  CalDAV:        {base}/dav/"])
    lines += [
        f"  Booking page:  {base}/{ORGANIZATION}/intro",
        f"  Sign in:       {base}/   ({OWNER} / {DEMO_PASSWORD})",
        f"  Feed:          {feed_address(ports, feeds[0]) if feeds else 'none'}",
        f"  CalDAV:        {base}/dav/   (user owner, app password from {base}/app/phone)",
    ]
    return "\n".join(lines)
