"""Two organizations with everything the API shows, one person of each kind in each."""

from __future__ import annotations

import calendar
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import update

from app.config import Settings, load_settings
from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.calendars import PERSONAL, Calendar, CalendarAccount
from app.domain.clients import Block, Client, identities_of
from app.domain.links import Link, OneTimeLink
from app.domain.services import Need, Resource, Service, ServiceHost
from app.domain.templates import Followup, Question, Template
from app.ports import Ports
from app.ports.hosts import ScheduleRecord, TimeOff
from app.ports.kept_edits import KeptEdit
from app.ports.outbox import NewJob
from app.ports.people import Organization, User
from app.ports.tokens import AppPassword, Feed
from app.use_cases import (
    block_recipients,
    manage_links,
    manage_people,
    manage_resources,
    manage_schedules,
    manage_services,
    manage_sessions,
    manage_tokens,
)
from app.use_cases.book_slot import BookingRequest, book_slot
from app.use_cases.file_clients import file_booking
from app.use_cases.ids import new_id
from app.use_cases.keep_edits import MOST
from app.use_cases.manage_people import NewUser
from app.wiring import Parts, wire
from tests.support.ical import ics

NOW = calendar.timegm((2027, 3, 1, 6, 0, 0))
"""A Monday, 07:00 in Berlin."""
ZONE = "Europe/Berlin"
PASSWORD = "correct-horse-battery"
SECRET_KEYS = "first-key-for-the-tests,older-key-for-the-tests"


@dataclass(frozen=True, slots=True)
class Member:
    """A user and an API token of theirs."""

    user: User
    token: str

    @property
    def id(self) -> str:
        return self.user.id


@dataclass(frozen=True, slots=True)
class Company:
    """One organization; all things belong to `owner`."""

    organization: Organization
    owner: Member
    colleague: Member
    admin: Member
    employee: Member
    link: Link
    approval_link: Link
    one_time: OneTimeLink
    template: Template
    schedule: ScheduleRecord
    booking: Booking
    pending: Booking
    feed: Feed
    app_password: AppPassword
    service: Service
    resource: Resource
    time_off: TimeOff
    account: CalendarAccount
    calendar: Calendar
    client: Client
    other_client: Client
    block: Block
    lesson: Service
    slot: Booking
    dead_letter_id: str
    kept_id: str
    other_kept_id: str

    @property
    def token(self) -> str:
        """The evergreen link's public token."""
        return f"{self.organization.slug}.{self.link.slug}"


@dataclass(frozen=True, slots=True)
class Workspace:
    """Two companies that must know nothing of each other."""

    acme: Company
    umbrella: Company


def settings_for(database_url: str, data_dir: Path, **variables: str) -> Settings:
    """Settings without any rate limit in the way."""
    given = {
        "DATABASE_URL": database_url,
        "DATA_DIR": str(data_dir),
        "SECRET_KEYS": SECRET_KEYS,
        "RATE_LIMIT_PUBLIC": "1000000/minute",
        "RATE_LIMIT_BOOKING": "1000000/minute",
        "RATE_LIMIT_LOGIN": "1000000/minute",
        **variables,
    }
    return load_settings({f"HALFPAST_{name}": value for name, value in given.items()})


def at(day: int, hour: int, minute: int = 0, *, month: int = 3) -> int:
    """An instant of 2027 by the clock of Berlin in winter (UTC+1)."""
    return calendar.timegm((2027, month, day, hour - 1, minute, 0))


def moment(instant: int) -> str:
    """RFC 3339 in UTC."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def day_of(instant: int, days: int = 0) -> str:
    """The UTC date of an instant, or one `days` later."""
    return (datetime.fromtimestamp(instant, UTC) + timedelta(days=days)).date().isoformat()


async def build(settings: Settings) -> Workspace:
    """Fill a migrated database."""
    parts = wire(settings, clock=lambda: NOW)
    try:
        return Workspace(await _company(parts, "acme"), await _company(parts, "umbrella"))
    finally:
        await parts.close()


async def _company(parts: Parts, slug: str) -> Company:
    ports = parts.ports
    organization = await manage_people.create_organization(ports, slug.capitalize(), slug)
    owner = await _member(ports, organization, "owner", "owner", password=PASSWORD)
    owned = {
        "owner": owner,
        "colleague": await _member(ports, organization, "colleague", "owner"),
        "admin": await _member(ports, organization, "admin", "admin", password=PASSWORD),
        "employee": await _member(ports, organization, "employee", "employee"),
    }
    template = await manage_links.create_template(ports, owner.user, _template_values())
    link = await _link(ports, owner.user, template, slug="intro")
    approval_link = await _link(ports, owner.user, None, slug="approval", requires_approval=True)
    one_time = await manage_links.create_one_time(
        ports, owner.user, link.id, recipient_email="r@example.org", slots=[], expires_at=NOW + 7 * 86400
    )
    feed = await manage_tokens.create_feed(ports, owner.user, "schedule", "Phone")
    app_password, _ = await manage_tokens.create_app_password(ports, owner.user, "Phone")
    service, resource = await _service(ports, owned["admin"].user, [owner.user, owned["colleague"].user])
    account, connected = await _account(ports, owner.user)
    booking = await book_slot(ports, f"{slug}.intro", request_at(at(2, 10)))
    lesson, slot = await _session(ports, owned["admin"].user, owner.user)
    return Company(
        organization=organization,
        **owned,
        link=link,
        approval_link=approval_link,
        one_time=one_time,
        template=template,
        schedule=await manage_schedules.create_schedule(ports, owner.user, _schedule_values()),
        booking=booking,
        pending=await book_slot(ports, f"{slug}.approval", replace(request_at(at(2, 14)), answers={})),
        feed=feed,
        app_password=app_password,
        service=service,
        resource=resource,
        time_off=await manage_schedules.add_time_off(ports, owner.user, owner.id, at(8, 9), at(9, 17), "Away"),
        account=account,
        calendar=connected,
        client=await _client(ports, booking),
        other_client=await _other_client(ports, organization),
        block=await block_recipients.add_block(ports, owner.user, "email", "nobody@blocked.example", "Never came"),
        lesson=lesson,
        slot=slot,
        dead_letter_id=await _dead_letter(parts, organization),
        kept_id=await _kept(ports, owner.user, "Dentist"),
        other_kept_id=await _kept(ports, owner.user, "Tailor"),
    )


async def _client(ports: Ports, booking: Booking) -> Client:
    """Who booked."""
    await file_booking(ports, booking.id)
    async with ports.read() as work:
        (client,) = await work.clients.known_by(booking.org_id, identities_of(booking.recipient))
    return client


async def _other_client(ports: Ports, organization: Organization) -> Client:
    """Somebody without bookings."""
    client = Client(new_id(), organization.id, "Kim Client", "kim@example.org", None, None, 1, NOW, NOW)
    async with ports.unit_of_work() as work:
        await work.clients.add(client)
        await work.commit()
    return client


async def _service(ports: Ports, admin: User, people: Sequence[User]) -> tuple[Service, Resource]:
    """A service of any of these people, in one of two rooms."""
    rooms = await manage_resources.create_resource(ports, admin, {"name": "Room", "quantity": 2})
    values = {"name": "Consultation", "durations": (30, 60)}
    qualified = [ServiceHost(person.id) for person in people]
    return await manage_services.create_service(ports, admin, values, [Need(rooms.id)], qualified), rooms


async def _session(ports: Ports, admin: User, teacher: User) -> tuple[Service, Booking]:
    """A class that the teacher gives, and one session of it."""
    values = {"name": "Lesson", "durations": (60,), "capacity": 8}
    lesson = await manage_services.create_service(ports, admin, values, [], [ServiceHost(teacher.id)])
    wanted = manage_sessions.NewSession(lesson.id, at(5, 14), 60)
    return lesson, await manage_sessions.create_session(ports, admin, wanted)


async def _member(
    ports: Ports, organization: Organization, name: str, role: str, password: str | None = None
) -> Member:
    email = f"{name}@{organization.slug}.example.com"
    new = NewUser(organization.id, email, name.capitalize(), (role,), ZONE, password)
    user = await manage_people.create_user(ports, new)
    return Member(user, await manage_tokens.create_api_token(ports, user, "tests"))


async def _link(
    ports: Ports, owner: User, template: Template | None, slug: str, *, requires_approval: bool = False
) -> Link:
    values = {
        "title": "Intro call",
        "slug": slug,
        "durations": (30, 60),
        "minimum_notice": 60,
        "buffer_after": 15,
        "template_id": template and template.id,
        "requires_approval": requires_approval,
    }
    return await manage_links.create_link(ports, owner, values)


def _template_values() -> dict[str, object]:
    return {
        "name": "Questions",
        "questions": (
            Question("topic", "What about?", "short", required=True),
            Question("size", "How big?", "choice", options=("small", "large")),
            Question("count", "How many?", "number"),
        ),
        "email_followup_enabled": False,
        "followup": Followup(),
    }


def _schedule_values() -> dict[str, object]:
    return {
        "name": "Evenings",
        "timezone": ZONE,
        "is_default": False,
        "weekly": {"mon": [("18:00", "22:00")]},
        "overrides": [],
        "exclusions": [],
        "holiday_country": None,
    }


def request_at(start: int, duration: int = 30) -> BookingRequest:
    """A recipient's wish for a time."""
    return BookingRequest(start, duration, ZONE, Recipient("Rae Recipient", "rae@example.org"), {"topic": "Hello"})


async def _account(ports: Ports, owner: User) -> tuple[CalendarAccount, Calendar]:
    """A connected account that does not block time."""
    account = CalendarAccount(
        id=new_id(),
        org_id=owner.org_id,
        user_id=owner.id,
        provider="caldav",
        label="Elsewhere",
        url="https://calendar.invalid/",
        username="owner",
        secret="secret",
        status="ok",
        error=None,
        last_ok_at=NOW,
        created_at=NOW,
        updated_at=NOW,
    )
    connected = Calendar(
        id=new_id(),
        org_id=owner.org_id,
        account_id=account.id,
        user_id=owner.id,
        provider="caldav",
        name="https://calendar.invalid/work/",
        display_name="Work",
        color=None,
        position=0,
        description="",
        timezone=ZONE,
        components=("VEVENT",),
        is_conflict=False,
        is_write=False,
        read_only=False,
        revision=0,
        modified_at=NOW,
        sync_cursor=None,
        synced_at=NOW,
        sync_error=None,
    )
    async with ports.unit_of_work() as work:
        await work.calendars.add_account(account)
        await work.calendars.add_calendar(connected)
        await work.commit()
    return account, connected


async def _kept(ports: Ports, user: User, title: str) -> str:
    """What a device sent too late."""
    text = ics(f"{title.lower()}@{user.handle}", f"SUMMARY:{title}")
    async with ports.unit_of_work() as work:
        personal = await work.calendars.builtin_calendar(user.id, PERSONAL)
        assert personal is not None
        edit = KeptEdit(
            new_id(), user.org_id, user.id, personal.id, f"{title}.ics", text, "It was changed.", "Phone", NOW
        )
        await work.kept_edits.keep(edit, MOST)
        await work.commit()
    return edit.id


async def _dead_letter(parts: Parts, organization: Organization) -> str:
    lane = f"test:{organization.slug}"
    async with parts.ports.unit_of_work() as work:
        await work.outbox.enqueue([NewJob(organization.id, lane, "booking_mail", organization.id, NOW)], NOW)
        await work.commit()
    async with parts.database.write.begin() as connection:
        outbox = m.outbox.c
        rows = await connection.execute(
            update(m.outbox).where(outbox.lane == lane).values(state="dead", last_error="gone").returning(outbox.id)
        )
        return str(rows.scalar_one())
