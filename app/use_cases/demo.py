"""The demo workspace: what `make run` shows on a fresh machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.domain.bookings import Booking, Recipient
from app.domain.hours import day_start, local_date
from app.domain.links import Answered, Followup, Link, Location, Question
from app.ports import Ports
from app.ports.storage import LinkContext, User
from app.use_cases.book_slot import BookingRequest, new_booking
from app.use_cases.booking_changes import SYSTEM, record_new
from app.use_cases.manage_links import create_link, create_template
from app.use_cases.manage_people import DEMO_PASSWORD, NewUser, create_organization, create_user
from app.use_cases.manage_tokens import create_feed, feed_address

ORGANIZATION = "demo"
OWNER = "owner@example.com"
ZONE = "Europe/Berlin"
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
            "location": Location("link", "https://meet.example.com/demo"),
        },
    )


async def _bookings(ports: Ports, link: Link) -> None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        context = await work.links.context(f"{ORGANIZATION}.{link.slug}", lock=True)
        if context is None:
            raise LookupError("the demo link is not there")
        for days, hour, minutes, name, topic in BOOKINGS:
            booking = _booking(ports, context, days, hour, minutes, name, topic, now)
            await record_new(ports, work, booking, context.organization, SYSTEM, now)
            # The mails of made-up bookings would only be noise.
            lanes = ["mail:recipient", *(f"mail:host:{host.id}" for host in booking.hosts)]
            await work.outbox.drop([f"booking:{booking.id}:{lane}" for lane in lanes])
        await work.commit()


def _booking(
    ports: Ports, context: LinkContext, days: int, hour: int, minutes: int, name: str, topic: str, now: int
) -> Booking:
    day = local_date(ZONE, now) + timedelta(days=days)
    if day.weekday() > 4:
        day += timedelta(days=7 - day.weekday())
    start = day_start(ZONE, day) + hour * 3600
    address = f"{name.split()[0].lower()}@example.org"
    request = BookingRequest(start, minutes, ZONE, Recipient(name, address))
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
