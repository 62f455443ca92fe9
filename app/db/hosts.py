"""Hosts: what occupies them, their claims, schedules and time off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    and_,
    bindparam,
    cast,
    delete,
    false,
    func,
    insert,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.blockers import blockers
from app.db.booking_guard import is_overlap
from app.db.host_times import host_times
from app.db.quick import QuickStatement, given
from app.db.rows import parse_numbers
from app.domain.bookings import Booking
from app.domain.calendars import BUILTIN, SCHEDULE
from app.domain.errors import ClaimOverlap
from app.domain.explain import Blocker
from app.domain.reminders import Reminder, reminders_of
from app.ports.hosts import HostPerson, HostTimes, ScheduleRecord, TimeOff

OfHosts = Callable[[ColumnElement[Any]], ColumnElement[bool]]
"""Narrows a host column."""


class _ForHosts:
    """A statement about some hosts: nearly always it is one, for whom it goes straight to the driver."""

    def __init__(self, build: Callable[[OfHosts], Any], *, is_short: bool = False) -> None:
        self._of_one = QuickStatement(build(lambda host: host == given("host_id")), is_short=is_short)
        self._of_several = build(lambda host: host.in_(bindparam("host_ids", expanding=True)))

    async def rows(self, connection: AsyncConnection, host_ids: Sequence[str], **values: Any) -> Sequence[Any]:
        """What it answers."""
        if len(host_ids) == 1:
            return await self._of_one.rows(connection, host_id=host_ids[0], **values)
        return (await connection.execute(self._of_several, {"host_ids": list(host_ids), **values})).all()


def _people(of_hosts: OfHosts) -> Select[Any]:
    users, accounts, notes = m.users.c, m.calendar_accounts.c, m.event_notes.c
    published, written = m.calendars.alias("published"), m.calendars.alias("written")
    is_published = (published.c.provider == BUILTIN) & (published.c.name == SCHEDULE)
    is_written = written.c.is_write & (written.c.provider != BUILTIN)
    return (
        select(users.id, users.name, users.email, users.timezone, published.c.id, written.c.id, written.c.provider)
        .add_columns(func.coalesce(accounts.provider_invites, false()), _adds_contacts(), notes.data, notes.name)
        .add_columns(users.is_active)
        .add_columns(_owner(), _reminders())
        .select_from(m.users)
        .outerjoin(published, (published.c.user_id == users.id) & is_published)
        .outerjoin(written, (written.c.user_id == users.id) & is_written)
        .outerjoin(m.calendar_accounts, accounts.id == written.c.account_id)
        .outerjoin(m.event_notes, (notes.user_id == users.id) & (notes.booking_id == given("booking_id")))
        .where(of_hosts(users.id))
        .order_by(users.id)
    )


def _adds_contacts() -> ColumnElement[bool]:
    """Whether recipients are added to an address book of the host, or of whose the `given` link is."""
    own, owners = m.calendar_accounts.alias("own"), m.calendar_accounts.alias("owners")
    of_host = select(own.c.id).where(own.c.user_id == m.users.c.id, own.c.contacts == "add")
    of_owner = (
        select(owners.c.id)
        .join(m.links, m.links.c.owner_id == owners.c.user_id)
        .where(m.links.c.id == given("link_id"), owners.c.contacts == "add")
    )
    return or_(of_host.correlate(m.users).exists(), of_owner.exists())


def _owner() -> ColumnElement[Any]:
    """Whose the `given` link is."""
    return select(m.links.c.owner_id).where(m.links.c.id == given("link_id")).scalar_subquery()


def _reminders() -> ColumnElement[Any]:
    """Those of the `given` link, or else of the service."""
    links, services = m.links.c, m.services.c
    of_link = select(links.reminders).where(links.id == given("link_id")).scalar_subquery()
    of_service = select(services.reminders).where(services.id == given("service_id")).scalar_subquery()
    return func.coalesce(of_link, of_service, type_=m.links.c.reminders.type)


_OFFER = QuickStatement(select(_owner(), _reminders()))


def _expired_holds(of_hosts: OfHosts) -> Select[Any]:
    claims, bookings = m.claims.c, m.bookings.c
    return (
        select(bookings.id)
        .join_from(m.claims, m.bookings, bookings.occurrence_id == claims.occurrence_id)
        .where(
            of_hosts(claims.host_id),
            claims.start_at > given("earliest"),
            claims.start_at < given("window_to"),
            claims.end_at > given("window_from"),
            bookings.status == "pending",
            bookings.hold_expires_at <= given("now"),
        )
        .distinct()
        .order_by(bookings.id)
    )


def _bump(of_hosts: OfHosts) -> Any:
    hosts = m.hosts.c
    return update(m.hosts).where(of_hosts(hosts.id)).values(revision=hosts.revision + 1).returning(hosts.id)


def _booked(of_hosts: OfHosts) -> Any:
    hosts = m.hosts.c
    return (
        update(m.hosts)
        .where(of_hosts(hosts.id))
        .values(
            revision=hosts.revision + 1,
            bookings_revision=hosts.bookings_revision + 1,
            bookings_changed_at=given("changed_at"),
        )
        .returning(hosts.id)
    )


# Statements of every booking are built once.
_CLAIM = QuickStatement(insert(m.claims), columns=[column.name for column in m.claims.c])
_BUMP = _ForHosts(_bump)
_BOOKED = _ForHosts(_booked)
_PEOPLE = _ForHosts(_people, is_short=True)
_EXPIRED_HOLDS = _ForHosts(_expired_holds)


class SqlHostStore:
    """`HostStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def people(
        self,
        host_ids: Sequence[str],
        link_id: str | None = None,
        booking_id: str | None = None,
        service_id: str | None = None,
    ) -> list[HostPerson]:
        asked = {"link_id": link_id, "booking_id": booking_id, "service_id": service_id}
        rows = await _PEOPLE.rows(self._db, host_ids, **asked)
        told = [[*row[:-1], reminders_of(row[-1]) or ()] for row in rows]
        return [HostPerson(*values) for values in told]

    async def told_of(self, link_id: str | None, service_id: str | None) -> tuple[str | None, tuple[Reminder, ...]]:
        row = await _OFFER.first(self._db, link_id=link_id, service_id=service_id)
        return (row[0], reminders_of(row[1]) or ()) if row else (None, ())

    async def times(
        self, host_ids: Sequence[str], start: int, end: int, now: int, without: str | None = None
    ) -> Mapping[str, HostTimes]:
        return await host_times(self._db, host_ids, start, end, now, without)

    async def link_starts(self, link_id: str, start: int, end: int, now: int, without: str | None = None) -> list[int]:
        bookings = m.bookings.c
        query = select(func.aggregate_strings(cast(bookings.start_at, Text), ",")).where(
            bookings.link_id == link_id,
            bookings.start_at >= start,
            bookings.start_at < end,
            *_counting(now),
        )
        if without is not None:
            query = query.where(bookings.id != without, bookings.occurrence_id != without)
        return parse_numbers(await self._db.scalar(query))

    async def host_starts(
        self, host_ids: Sequence[str], start: int, end: int, now: int, without: str | None = None
    ) -> Mapping[str, list[int]]:
        hosted, bookings = m.booking_hosts.c, m.bookings.c
        query = (
            select(hosted.host_id, func.aggregate_strings(cast(hosted.start_at, Text), ","))
            .join_from(m.booking_hosts, m.bookings, bookings.id == hosted.booking_id)
            .where(
                hosted.host_id.in_(list(host_ids)),
                hosted.start_at >= start,
                hosted.start_at < end,
                *_counting(now),
            )
            .group_by(hosted.host_id)
        )
        if without is not None:
            query = query.where(bookings.id != without, bookings.occurrence_id != without)
        return {host: parse_numbers(text) for host, text in await self._db.execute(query)}

    async def last_booked(self, host_ids: Sequence[str]) -> Mapping[str, int]:
        hosted, hosts = m.booking_hosts.c, m.hosts.c
        # A maximum for each host by itself is one step in an index, however many bookings there are.
        latest = select(func.max(hosted.booked_at)).where(hosted.host_id == hosts.id).scalar_subquery()
        query = select(hosts.id, latest).where(hosts.id.in_(list(host_ids)))
        return {host: booked_at for host, booked_at in await self._db.execute(query) if booked_at}

    async def bump(self, host_ids: Sequence[str]) -> None:
        await _BUMP.rows(self._db, host_ids)

    async def booked(self, host_ids: Sequence[str], now: int) -> None:
        await _BOOKED.rows(self._db, host_ids, changed_at=now)

    async def lock(self, host_ids: Sequence[str]) -> None:
        if self._db.dialect.name == "sqlite":
            return  # the transaction holds the write lock since BEGIN IMMEDIATE
        hosts = m.hosts.c
        await self._db.execute(
            select(hosts.id).where(hosts.id.in_(list(host_ids))).order_by(hosts.id).with_for_update()
        )

    async def blockers(self, host_ids: Sequence[str], start: int, end: int, now: int) -> list[Blocker]:
        return await blockers(self._db, host_ids, start, end, now)

    async def claimed(self, host_ids: Sequence[str], start: int, end: int) -> frozenset[str]:
        claims = m.claims.c
        query = select(claims.host_id).where(
            claims.host_id.in_(list(host_ids)),
            claims.start_at > start - m.MAX_SPAN,
            claims.start_at < end,
            claims.end_at > start,
        )
        return frozenset(await self._db.scalars(query))

    async def claim(self, booking: Booking) -> None:
        start, end = booking.claim
        rows = [
            {
                "occurrence_id": booking.occurrence_id,
                "host_id": host.id,
                "org_id": booking.org_id,
                "start_at": start,
                "end_at": end,
                "capacity": booking.capacity or 1,
                "seats_taken": booking.seats_held if booking.is_session else booking.seats,
                "hold_expires_at": booking.claim_expires_at,
            }
            for host in booking.hosts
        ]
        try:
            await _CLAIM.run(self._db, *rows)
        except Exception as error:
            if is_overlap(error):
                raise ClaimOverlap("Another booking holds this time.") from error
            raise

    async def move_claim(self, booking: Booking) -> None:
        await self.release(booking.occurrence_id)
        await self.claim(booking)

    async def release(self, occurrence_id: str) -> None:
        await self._db.execute(delete(m.claims).where(m.claims.c.occurrence_id == occurrence_id))

    async def expired_holds(self, host_ids: Sequence[str], start: int, end: int, now: int) -> list[str]:
        window = {"earliest": start - m.MAX_SPAN, "window_from": start, "window_to": end, "now": now}
        return [booking_id for (booking_id,) in await _EXPIRED_HOLDS.rows(self._db, host_ids, **window)]

    async def add_schedule(self, schedule: ScheduleRecord) -> None:
        await self._db.execute(insert(m.schedules).values(**_schedule_values(schedule)))

    async def schedule(self, org_id: str, schedule_id: str) -> ScheduleRecord | None:
        schedules = m.schedules.c
        rows = await self._db.execute(
            select(m.schedules).where(schedules.id == schedule_id, schedules.org_id == org_id)
        )
        row = rows.one_or_none()
        return schedule_record(row._mapping) if row else None

    async def schedules(self, user_id: str) -> list[ScheduleRecord]:
        schedules = m.schedules.c
        rows = await self._db.execute(
            select(m.schedules).where(schedules.user_id == user_id).order_by(schedules.is_default.desc(), schedules.id)
        )
        return [schedule_record(row._mapping) for row in rows]

    async def schedules_of(self, user_ids: Sequence[str]) -> list[ScheduleRecord]:
        schedules = m.schedules.c
        query = select(m.schedules).where(schedules.user_id.in_(list(user_ids)))
        rows = await self._db.execute(query.order_by(schedules.is_default.desc(), schedules.id))
        return [schedule_record(row._mapping) for row in rows]

    async def update_schedule(self, schedule: ScheduleRecord) -> None:
        schedules = m.schedules.c
        if schedule.is_default:
            await self._db.execute(
                update(m.schedules)
                .where(schedules.user_id == schedule.user_id, schedules.id != schedule.id, schedules.is_default)
                .values(is_default=False, version=schedules.version + 1)
            )
        await self._db.execute(
            update(m.schedules).where(schedules.id == schedule.id).values(**_schedule_values(schedule))
        )

    async def delete_schedule(self, org_id: str, schedule_id: str) -> None:
        schedules = m.schedules.c
        await self._db.execute(delete(m.schedules).where(schedules.id == schedule_id, schedules.org_id == org_id))

    async def schedule_in_use(self, schedule_id: str) -> bool:
        links = m.links.c
        query = select(links.id).where(links.schedule_id == schedule_id, links.deleted_at.is_(None)).limit(1)
        return await self._db.scalar(query) is not None

    async def add_time_off(self, time_off: TimeOff, now: int) -> None:
        await self._db.execute(
            insert(m.time_off).values(
                id=time_off.id,
                org_id=time_off.org_id,
                host_id=time_off.host_id,
                start_at=time_off.start,
                end_at=time_off.end,
                reason=time_off.reason,
                created_at=now,
            )
        )
        await self.bump([time_off.host_id])

    async def time_off(
        self, host_id: str, after: int, limit: int | None = None, behind: tuple[int, str] | None = None
    ) -> list[TimeOff]:
        away = m.time_off.c
        query = select(away.id, away.org_id, away.host_id, away.start_at, away.end_at, away.reason).where(
            and_(away.host_id == host_id, away.end_at > after)
        )
        if behind is not None:
            query = query.where(tuple_(away.start_at, away.id) > behind)
        rows = await self._db.execute(query.order_by(away.start_at, away.id).limit(limit))
        return [TimeOff(*row) for row in rows]

    async def delete_time_off(self, host_id: str, time_off_id: str) -> bool:
        away = m.time_off.c
        result = await self._db.execute(delete(m.time_off).where(away.id == time_off_id, away.host_id == host_id))
        await self.bump([host_id])
        return result.rowcount > 0


def _counting(now: int) -> list[ColumnElement[bool]]:
    """The bookings that limits count: all but cancelled ones, and but pending ones whose hold ran out, which are
    cancelled in all but the row. A session counts by its attendees' bookings alone."""
    bookings = m.bookings.c
    return [
        bookings.capacity.is_(None),
        bookings.status != "cancelled",
        or_(bookings.status != "pending", bookings.hold_expires_at.is_(None), bookings.hold_expires_at > now),
    ]


def schedule_record(row: Mapping[Any, Any], prefix: str = "") -> ScheduleRecord:
    """A schedule from a row, or from the part of a joined row whose labels begin with `prefix`."""
    return ScheduleRecord(**{name: row[prefix + name] for name in ScheduleRecord.__dataclass_fields__})


def _schedule_values(schedule: ScheduleRecord) -> dict[str, Any]:
    values = {name: getattr(schedule, name) for name in ScheduleRecord.__dataclass_fields__}
    return {**values, "overrides": list(schedule.overrides), "exclusions": list(schedule.exclusions)}
