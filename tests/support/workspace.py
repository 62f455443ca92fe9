"""A workspace in a real database, made by the program's own use cases, and short ways to look into its tables."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Select, Table, insert, select, update

from app.config import load_settings
from app.db import append_only, booking_guard  # noqa: F401  # their DDL belongs to the metadata
from app.db import models as m
from app.db.engine import connected
from app.domain.bookings import Booking, Recipient
from app.domain.calendars import PERSONAL, Calendar, CalendarAccount
from app.domain.links import Link, OneTimeLink
from app.ports import Ports
from app.ports.hosts import TimeOff
from app.ports.links import LinkContext
from app.ports.people import Organization, User
from app.use_cases.book_slot import BookingRequest, book_slot
from app.use_cases.calendar_objects import Conditions
from app.use_cases.find_slots import SlotQuestion, find_slots
from app.use_cases.idempotency import Replay
from app.use_cases.ids import new_id
from app.use_cases.manage_links import create_link, create_one_time
from app.use_cases.manage_people import NewUser, create_organization, create_user
from app.use_cases.put_calendar_object import put_calendar_object
from app.wiring import Parts, wire
from tests.support.clock import Clock

ALL_DAY = {day: [("00:00", "24:00")] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}
ANYTIME: Mapping[str, Any] = {"minimum_notice": 0, "horizon_days": 60, "durations": (30,)}
"""Link settings under which just hours, busy time and limits decide."""

Row = Mapping[str, Any]


@asynccontextmanager
async def opened(url: str, data_dir: Path, clock: Clock, *, tables: bool = True) -> AsyncIterator[Parts]:
    """The program's parts over the database at `url`, its tables made directly from the metadata."""
    parts = wire(load_settings(environment(url, data_dir)), clock=clock)
    try:
        if tables:
            await make_tables(parts)
        yield parts
    finally:
        await parts.close()


def environment(url: str, data_dir: Path) -> dict[str, str]:
    """The environment that programs of a test run in."""
    return {
        "HALFPAST_DATABASE_URL": url,
        "HALFPAST_DATA_DIR": str(data_dir),
        "HALFPAST_SECRET_KEYS": "a-key-for-tests-only-0123456789",
        "HALFPAST_BASE_URL": "http://127.0.0.1:8000",
        "HALFPAST_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
    }


async def make_tables(parts: Parts) -> None:
    """All tables, with the guard."""
    async with parts.database.write.begin() as connection:
        await connection.run_sync(m.metadata.create_all)


@dataclass
class Workspace:
    """One organization. Its hosts work in UTC and the whole week, unless a test says otherwise."""

    parts: Parts
    clock: Clock
    organization: Organization
    users: list[User] = field(default_factory=list)

    @property
    def ports(self) -> Ports:
        """What use cases take."""
        return self.parts.ports

    @property
    def owner(self) -> User:
        """The first user."""
        return self.users[0]

    # people and links

    async def user(self, name: str, *, timezone: str = "UTC", weekly: Mapping[str, Any] = ALL_DAY) -> User:
        """A user `name@example.com` with these weekly hours."""
        email = f"{name}@{self.organization.slug}.example.com"
        roles = ("owner", "admin") if not self.users else ("owner",)
        user = await create_user(self.ports, NewUser(self.organization.id, email, name.title(), roles, timezone))
        await self.hours(user, weekly)
        self.users.append(user)
        return user

    async def hours(self, user: User, weekly: Mapping[str, Any] = ALL_DAY, **values: Any) -> None:
        """Give the user's default schedule other weekly hours, or another zone, exclusions ..."""
        schedules = m.schedules.c
        ranges = {day: [list(pair) for pair in pairs] for day, pairs in weekly.items()}
        bumped = schedules.version + 1
        await self.set(m.schedules, schedules.user_id == user.id, weekly=ranges, version=bumped, **values)

    async def link(self, slug: str = "intro", owner: User | None = None, **values: Any) -> Link:
        """A link; `ANYTIME` unless given otherwise."""
        settings = {**ANYTIME, "title": slug.title(), "slug": slug, **values}
        return await create_link(self.ports, owner or self.owner, settings)

    async def shared_link(
        self, mode: str, hosts: Sequence[User], slug: str = "team", priorities: Sequence[int] = (), **values: Any
    ) -> Link:
        """A pool or collective link over these hosts."""
        link = await self.link(slug, hosts[0], mode=mode, **values)
        role = "pool" if mode == "pool" else "fixed"
        rows = [
            {"offer_id": link.id, "host_id": host.id, "priority": priority, "role": role}
            for host, priority in zip(hosts, priorities or [0] * len(hosts), strict=True)
        ]
        async with self.parts.database.write.begin() as connection:
            await connection.execute(m.offer_hosts.delete().where(m.offer_hosts.c.offer_id == link.id))
            await connection.execute(insert(m.offer_hosts), rows)
        return link

    async def one_time(self, link: Link, *slots: tuple[int, int], expires_at: int | None = None) -> OneTimeLink:
        """A one-time link, with hand-picked (start, minutes) or free choice."""
        return await create_one_time(
            self.ports, self.owner, link.id, recipient_email=None, slots=slots, expires_at=expires_at
        )

    def token(self, link: Link) -> str:
        """The public token of an evergreen link."""
        return f"{self.organization.slug}.{link.slug}"

    async def context(self, link: Link) -> LinkContext:
        """What one SELECT says about the link."""
        async with self.ports.read() as work:
            context = await work.links.context_of(link.id)
        assert context is not None
        return context

    # booking

    async def book(
        self,
        link: Link | OneTimeLink,
        start: int,
        minutes: int = 30,
        replay: Replay[Booking] | None = None,
        **values: Any,
    ) -> Booking:
        """Book as a recipient."""
        token = link.token if isinstance(link, OneTimeLink) else self.token(link)
        return await book_slot(self.ports, token, request(start, minutes, **values), replay)

    async def free(self, link: Link | OneTimeLink, first: int, last: int, minutes: int = 30) -> list[int]:
        """The starts offered on the UTC dates of two instants, both inclusive."""
        token = link.token if isinstance(link, OneTimeLink) else self.token(link)
        question = SlotQuestion(
            datetime.fromtimestamp(first, UTC).date(), datetime.fromtimestamp(last, UTC).date(), minutes, "UTC"
        )
        return [start for start, _ in (await find_slots(self.ports, token, question, self.clock.now)).starts]

    # what occupies hosts

    async def busy(self, user: User, start: int, end: int, name: str | None = None) -> str:
        """An event in the user's `personal` calendar, as a device puts it; its name."""
        async with self.ports.read() as work:
            calendar = await work.calendars.builtin_calendar(user.id, PERSONAL)
        assert calendar is not None
        uid = name or new_id()
        await put_calendar_object(self.ports, calendar, f"{uid}.ics", event_text(uid, start, end), Conditions())
        return uid

    async def time_off(self, user: User, start: int, end: int) -> None:
        """A period the host is away."""
        async with self.ports.unit_of_work() as work:
            away = TimeOff(new_id(), self.organization.id, user.id, start, end, "")
            await work.hosts.add_time_off(away, self.clock.now)
            await work.commit()

    async def connected_calendar(
        self, user: User, *, synced_at: int | None, is_conflict: bool = True, provider: str = "caldav"
    ) -> Calendar:
        """A mirror of a calendar elsewhere, last read at `synced_at`."""
        now = self.clock.now
        account = CalendarAccount(
            id=new_id(),
            org_id=user.org_id,
            user_id=user.id,
            provider=provider,
            label="Elsewhere",
            url="http://calendar.example.com/",
            username=user.handle,
            secret="secret",
            status="ok",
            error=None,
            last_ok_at=now,
            created_at=now,
            updated_at=now,
        )
        calendar = Calendar(
            id=new_id(),
            org_id=user.org_id,
            account_id=account.id,
            user_id=user.id,
            provider=provider,
            name=f"http://calendar.example.com/{user.handle}/",
            display_name="Work",
            color=None,
            position=2,
            description="",
            timezone="UTC",
            components=("VEVENT",),
            is_conflict=is_conflict,
            is_write=False,
            read_only=False,
            revision=0,
            modified_at=now,
            sync_cursor=None,
            synced_at=synced_at,
            sync_error=None,
        )
        async with self.ports.unit_of_work() as work:
            await work.calendars.add_account(account)
            await work.calendars.add_calendar(calendar)
            await work.commit()
        return calendar

    # tables

    async def rows(self, query: Select[Any] | Table) -> list[Row]:
        """The rows of a query, as mappings; those of the outbox without the daily work every organization has."""
        statement = select(query) if isinstance(query, Table) else query
        if query is m.outbox:
            statement = statement.where(m.outbox.c.kind != "retention")
        async with connected(self.parts.database.read) as connection:
            return [dict(row) for row in (await connection.execute(statement)).mappings()]

    async def set(self, table: Table, where: Any, **values: Any) -> None:
        """Change rows behind the program's back."""
        async with self.parts.database.write.begin() as connection:
            await connection.execute(update(table).where(where).values(**values))

    async def stored(self, booking: Booking | str) -> Booking:
        """The booking as the database has it."""
        async with self.ports.read() as work:
            found = await work.bookings.get(booking if isinstance(booking, str) else booking.id)
        assert found is not None
        return found

    async def counts(self) -> dict[str, int]:
        """How many rows each table has; to show that nothing was written."""
        return {table.name: len(await self.rows(table)) for table in m.metadata.sorted_tables}


async def make_workspace(parts: Parts, clock: Clock, slug: str = "acme") -> Workspace:
    """An organization with its first user, `owner`."""
    workspace = Workspace(parts, clock, await create_organization(parts.ports, slug.title(), slug))
    await workspace.user("owner")
    return workspace


def request(start: int, minutes: int = 30, **values: Any) -> BookingRequest:
    """What a recipient asks for."""
    recipient = values.pop("recipient", Recipient("Casey Client", "casey@example.org"))
    return BookingRequest(start, minutes, values.pop("timezone", "UTC"), recipient, **values)


def event_text(uid: str, start: int, end: int) -> str:
    """An opaque event, as a device sends it."""
    begin, finish = (datetime.fromtimestamp(instant, UTC).strftime("%Y%m%dT%H%M%SZ") for instant in (start, end))
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Example//Device//EN",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        "DTSTAMP:20270101T000000Z",
        f"DTSTART:{begin}",
        f"DTEND:{finish}",
        "SUMMARY:Dentist",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]
    return "\r\n".join(lines)


@asynccontextmanager
async def broken_table(parts: Parts, table: str) -> AsyncIterator[None]:
    """No row can be added to the table: what a full disk or a bug would do half way."""
    if parts.database.is_sqlite:
        body = "BEGIN SELECT RAISE(ABORT, 'broken for this test'); END"
        breaking = f"CREATE TRIGGER broken BEFORE INSERT ON {table} {body}"
        mending = "DROP TRIGGER broken"
    else:
        breaking = f"ALTER TABLE {table} ADD CONSTRAINT broken CHECK (false) NOT VALID"
        mending = f"ALTER TABLE {table} DROP CONSTRAINT broken"
    async with parts.database.write.begin() as connection:
        await connection.exec_driver_sql(breaking)
    try:
        yield
    finally:
        async with parts.database.write.begin() as connection:
            await connection.exec_driver_sql(mending)


def free_whatever_the_store_says(patch: Any) -> None:
    """Blind the program to claims and busy time, so that only the database's own guard is left."""

    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    patch.setattr("app.db.hosts.SqlHostStore.times", nothing)
