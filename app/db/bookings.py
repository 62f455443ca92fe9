"""Bookings and their previous times."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, delete, func, insert, or_, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.quick import QuickStatement, given
from app.db.sessions import attendees_of
from app.domain.answers import Answered
from app.domain.bookings import ACTIVE, Attendee, Booking, CalendarEventState, HostRef, Recipient
from app.domain.calendars import BUILTIN
from app.domain.cursors import decode_cursor, encode_cursor
from app.domain.locations import Location
from app.ports.bookings import BookingFilter
from app.ports.page import Page
from app.ports.security import Vault
from app.use_cases.ids import new_id

_PLAIN = [
    name
    for name in Booking.__dataclass_fields__
    if name not in {"start", "end", "recipient", "guests", "answered", "location", "token", "hosts", "attendees"}
]

_STORED = [
    *_PLAIN, "start_at", "end_at", "recipient_name", "recipient_email", "recipient_phone", "guests", "answers",
    "answer_labels", "location",
]  # fmt: skip
READ = tuple(m.bookings.c[name] for name in _STORED)
"""What makes a booking, but for its token and its hosts."""
_BOOKING = select(*READ, m.bookings.c.token_sealed)
_NAMES = _BOOKING.selected_columns.keys()
_BY_ID = QuickStatement(_BOOKING.where(m.bookings.c.id == given("booking_id")), is_short=True)
_HOSTED = (
    select(m.booking_hosts.c.booking_id, m.hosts.c.id, m.hosts.c.kind, m.hosts.c.name)
    .join_from(m.booking_hosts, m.hosts, m.hosts.c.id == m.booking_hosts.c.host_id)
    .order_by(m.hosts.c.id)
)
_HOSTS_OF_ONE = QuickStatement(_HOSTED.where(m.booking_hosts.c.booking_id == given("booking_id")), is_short=True)
_INSERT = QuickStatement(insert(m.bookings), columns=[*_STORED, "token_lookup", "token_sealed"])
_INSERT_HOSTS = QuickStatement(insert(m.booking_hosts), columns=["booking_id", "host_id", "start_at", "booked_at"])
_TIMES_OF_HOST = QuickStatement(
    select(m.bookings.c.id, m.bookings.c.start_at, m.bookings.c.end_at)
    .join_from(m.booking_hosts, m.bookings, m.bookings.c.id == m.booking_hosts.c.booking_id)
    .where(
        m.booking_hosts.c.host_id == given("host_id"),
        m.booking_hosts.c.start_at < given("until"),
        m.booking_hosts.c.start_at > given("earliest"),
        m.bookings.c.end_at > given("since"),
        or_(*(m.bookings.c.status == status for status in sorted(ACTIVE))),
        m.bookings.c.occurrence_id == m.bookings.c.id,  # of a session's attendees the session speaks
    )
)


class SqlBookingStore:
    """`BookingStore` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def add(self, booking: Booking) -> None:
        token = {
            "token_lookup": self._vault.lookup(booking.token),
            "token_sealed": self._vault.seal(booking.token),
        }
        await _INSERT.run(self._db, {**_values(booking), **token})
        await self._add_hosts(booking)

    async def _add_hosts(self, booking: Booking) -> None:
        rows = [
            {
                "booking_id": booking.id,
                "host_id": host.id,
                "start_at": booking.start,
                "booked_at": 0 if booking.is_session else booking.created_at,  # it is no booking that fairness counts
            }
            for host in booking.hosts
        ]
        await _INSERT_HOSTS.run(self._db, *rows)

    async def get(self, booking_id: str, *, lock: bool = False) -> Booking | None:
        if lock and self._db.dialect.name != "sqlite":
            found = await self._read(_BOOKING.where(m.bookings.c.id == booking_id).with_for_update())
        else:
            row = await _BY_ID.first(self._db, booking_id=booking_id)
            found = await self._bookings([] if row is None else [dict(zip(_NAMES, row, strict=True))])
        return found[0] if found else None

    async def series(self, series_id: str, since: int = 0, *, lock: bool = False) -> list[Booking]:
        bookings = m.bookings.c
        query = _BOOKING.where(bookings.series_id == series_id, bookings.start_at >= since)
        query = query.order_by(bookings.start_at, bookings.id)
        return await self._read(query.with_for_update() if lock and self._db.dialect.name != "sqlite" else query)

    async def of_session(self, session_id: str, limit: int) -> list[Booking]:
        bookings = m.bookings.c
        query = _BOOKING.where(bookings.occurrence_id == session_id, bookings.id != session_id)
        return await self._read(query.order_by(bookings.updated_at.desc(), bookings.id).limit(limit))

    async def by_token(self, token: str) -> Booking | None:
        found = await self._read(_BOOKING.where(m.bookings.c.token_lookup.in_(self._vault.lookups(token))))
        return found[0] if found else None

    async def has_uid(self, uid: str) -> bool:
        return await self._db.scalar(select(m.bookings.c.id).where(m.bookings.c.uid == uid)) is not None

    async def update(self, booking: Booking, was_version: int) -> bool:
        bookings = m.bookings.c
        result = await self._db.execute(
            update(m.bookings)
            .where(bookings.id == booking.id, bookings.version == was_version)
            .values(**_changeable(booking))
        )
        return result.rowcount == 1

    async def replace_hosts(self, booking: Booking) -> None:
        await self._db.execute(delete(m.booking_hosts).where(m.booking_hosts.c.booking_id == booking.id))
        await self._add_hosts(booking)

    async def move_hosts(self, booking: Booking) -> None:
        hosted = m.booking_hosts.c
        await self._db.execute(
            update(m.booking_hosts).where(hosted.booking_id == booking.id).values(start_at=booking.start)
        )

    async def add_previous_time(self, booking: Booking, now: int) -> None:
        await self._db.execute(
            insert(m.previous_times).values(
                id=new_id(),
                org_id=booking.org_id,
                booking_id=booking.id,
                status="rescheduled",
                start_at=booking.start,
                end_at=booking.end,
                host_ids=[host.id for host in booking.hosts],
                replaced_at=now,
            )
        )

    async def previous_times(self, booking_id: str) -> list[Mapping[str, Any]]:
        previous = m.previous_times.c
        rows = await self._db.execute(
            select(previous.status, previous.start_at, previous.end_at, previous.host_ids, previous.replaced_at)
            .where(previous.booking_id == booking_id)
            .order_by(previous.id)
        )
        return [dict(row) for row in rows.mappings()]

    async def page(self, where: BookingFilter, limit: int, cursor: str | None) -> Page[Booking]:
        bookings, hosted = m.bookings.c, m.booking_hosts.c
        query = select(m.bookings).where(bookings.org_id == where.org_id)
        if where.user_id is not None:
            hosts_it = select(hosted.booking_id).where(hosted.host_id == where.user_id)
            own_it = [bookings.link_id.in_(_own_links(where.user_id, m.links.c.id))]
            if where.view == "sessions":
                own_it.append(bookings.service_id.in_(_own_links(where.user_id, m.links.c.service_id)))
            query = query.where(or_(bookings.id.in_(hosts_it), *own_it))
        if where.view == "bookings":
            query = query.where(bookings.capacity.is_(None))
        elif where.view == "sessions":
            query = query.where(bookings.capacity.is_not(None))
        else:
            query = query.where(bookings.occurrence_id == bookings.id)
        if where.status:
            query = query.where(bookings.status.in_(list(where.status)))
        if where.link_id is not None:
            query = query.where(bookings.link_id == where.link_id)
        if where.service_id is not None:
            query = query.where(bookings.service_id == where.service_id)
        if where.series_id is not None:
            query = query.where(bookings.series_id == where.series_id)
        if where.booking_id is not None:
            query = query.where(bookings.id == where.booking_id)
        if where.client_id is not None:
            query = query.where(bookings.client_id == where.client_id)
        if where.recipient is not None:
            query = query.where(bookings.recipient_email == where.recipient)
        if where.named is not None:
            query = query.where(_is_named(where.named))
        if where.host_id is not None:
            query = query.where(bookings.id.in_(select(hosted.booking_id).where(hosted.host_id == where.host_id)))
        if where.start is not None:
            query = query.where(bookings.start_at >= where.start)
        if where.end is not None:
            query = query.where(bookings.start_at < where.end)
        if where.ends_after is not None:
            query = query.where(bookings.end_at > where.ends_after)
        if where.ended_by is not None:
            query = query.where(bookings.end_at <= where.ended_by)
        if cursor is not None:
            start, last_id = decode_cursor(cursor, "number", "id")
            key, last = tuple_(bookings.start_at, bookings.id), (start, last_id)
            query = query.where(key < last if where.newest_first else key > last)
        order = (bookings.start_at, bookings.id)
        query = query.order_by(*(column.desc() for column in order) if where.newest_first else order)
        reader = where.user_id if where.view == "sessions" else None
        found = await self._bookings((await self._db.execute(query.limit(limit + 1))).mappings().all(), reader)
        items = tuple(found[:limit])
        more = len(found) > limit
        return Page(items, encode_cursor(items[-1].start, items[-1].id) if more else None)

    async def event_states(self, booking_ids: Sequence[str]) -> Mapping[str, list[CalendarEventState]]:
        if not booking_ids:
            return {}
        hosted, calendars, events, bookings = m.booking_hosts.c, m.calendars.c, m.calendar_events.c, m.bookings.c
        query = (
            select(hosted.booking_id, calendars.provider, calendars.account_id, calendars.id, m.calendar_events)
            .add_columns(bookings.status.label("booked"), bookings.version)
            .join_from(m.booking_hosts, m.calendars, (calendars.user_id == hosted.host_id) & calendars.is_write)
            .join(m.bookings, bookings.id == hosted.booking_id)
            .outerjoin(
                m.calendar_events, (events.booking_id == hosted.booking_id) & (events.calendar_id == calendars.id)
            )
            .where(hosted.booking_id.in_(list(booking_ids)), bookings.occurrence_id == bookings.id)
            .order_by(hosted.booking_id, hosted.host_id)
        )
        found: dict[str, list[CalendarEventState]] = {}
        for row in await self._db.execute(query):
            if row.booked != "cancelled" or row.provider == BUILTIN or row.state is not None:
                found.setdefault(row[0], []).append(_event_state(row))
        return found

    async def times_of_host(self, host_id: str, start: int, end: int) -> list[tuple[str, int, int]]:
        earliest = start - m.MAX_SPAN
        rows = await _TIMES_OF_HOST.rows(self._db, host_id=host_id, earliest=earliest, since=start, until=end)
        return [(row[0], row[1], row[2]) for row in rows]

    async def conflicting(self, booking_ids: Sequence[str]) -> frozenset[str]:
        if not booking_ids:
            return frozenset()
        bookings, hosted, calendars, busy = m.bookings.c, m.booking_hosts.c, m.calendars.c, m.busy_intervals.c
        lies_over = (
            (busy.calendar_id == calendars.id)
            & (busy.start_at < bookings.end_at)
            & (busy.start_at > bookings.start_at - m.MAX_SPAN)
            & (busy.end_at > bookings.start_at)
        )
        query = (
            select(bookings.id)
            .join_from(m.bookings, m.booking_hosts, hosted.booking_id == bookings.id)
            .join(m.calendars, (calendars.user_id == hosted.host_id) & calendars.is_conflict)
            .join(m.busy_intervals, lies_over)
            .where(bookings.id.in_(list(booking_ids)), bookings.status.in_(ACTIVE))
            .distinct()
        )
        return frozenset(await self._db.scalars(query))

    async def _read(self, query: Any) -> list[Booking]:
        return await self._bookings((await self._db.execute(query)).mappings().all())

    async def _bookings(self, rows: Sequence[Mapping[Any, Any]], reader: str | None = None) -> list[Booking]:
        """Those of rows of `_BOOKING`; of sessions that a `reader` does not host, with the names of those alone who
        came through links of theirs."""
        hosts = await self._hosts([row["id"] for row in rows])
        sessions = [row["id"] for row in rows if row["capacity"] is not None]
        attendees = await attendees_of(self._db, sessions, None if reader is None else _known_to(reader))
        return [
            booking_of(
                row, self._vault.open(row["token_sealed"]), hosts.get(row["id"], ()), attendees.get(row["id"], ())
            )
            for row in rows
        ]

    async def _hosts(self, booking_ids: Sequence[str]) -> Mapping[str, tuple[HostRef, ...]]:
        if not booking_ids:
            return {}
        rows: Sequence[Any]
        if len(booking_ids) == 1:
            rows = await _HOSTS_OF_ONE.rows(self._db, booking_id=booking_ids[0])
        else:
            rows = (await self._db.execute(_HOSTED.where(m.booking_hosts.c.booking_id.in_(list(booking_ids))))).all()
        found: dict[str, tuple[HostRef, ...]] = {}
        for booking_id, host_id, kind, name in rows:
            found[booking_id] = (*found.get(booking_id, ()), HostRef(host_id, kind, name))
        return found


def _own_links(user_id: str, column: Any) -> Select[Any]:
    """A column of the links of somebody; without what is missing."""
    return select(column).where(m.links.c.owner_id == user_id, column.is_not(None))


def _known_to(user_id: str) -> ColumnElement[bool]:
    """Attendees of sessions that somebody hosts, and those who came through their links."""
    bookings, hosted = m.bookings.c, m.booking_hosts.c
    hosts_it = select(hosted.booking_id).where(hosted.host_id == user_id)
    return or_(bookings.occurrence_id.in_(hosts_it), bookings.link_id.in_(_own_links(user_id, m.links.c.id)))


def _is_named(text: str) -> ColumnElement[bool]:
    """What the first or a further name or the e-mail address begins with."""
    name, lower = func.lower(m.bookings.c.recipient_name), text.strip().lower()
    return or_(
        name.startswith(lower, autoescape=True),
        name.contains(f" {lower}", autoescape=True),
        m.bookings.c.recipient_email.startswith(lower, autoescape=True),
    )


def _event_state(row: Any) -> CalendarEventState:
    booking_id, provider, account_id, calendar_id = row[:4]
    if provider == BUILTIN:
        # The built-in calendar is written in the booking's own transaction.
        return CalendarEventState(account_id, calendar_id, f"{booking_id}.ics", None, "written", None)
    is_behind = row.state == "written" and row.written_version != row.version
    state: Any = "pending" if is_behind else row.state or "pending"
    return CalendarEventState(account_id, calendar_id, row.event_key, row.html_link, state, row.error)


def booking_of(
    row: Mapping[Any, Any], token: str, hosts: tuple[HostRef, ...], attendees: tuple[Attendee, ...] = ()
) -> Booking:
    """A booking from a row of the columns `READ`."""
    return Booking(
        **{name: row[name] for name in _PLAIN},
        start=row["start_at"],
        end=row["end_at"],
        recipient=Recipient(row["recipient_name"], row["recipient_email"], row["recipient_phone"]),
        guests=tuple(row["guests"]),
        answered=Answered(row["answers"], row["answer_labels"]),
        location=Location(**row["location"]),
        token=token,
        hosts=hosts,
        attendees=attendees,
    )


def _changeable(booking: Booking) -> dict[str, Any]:
    """What a change of a booking writes: under which client it is filed is decided elsewhere."""
    return {name: value for name, value in _values(booking).items() if name != "client_id"}


def _values(booking: Booking) -> dict[str, Any]:
    return {
        **{name: getattr(booking, name) for name in _PLAIN},
        "start_at": booking.start,
        "end_at": booking.end,
        "recipient_name": booking.recipient.name,
        "recipient_email": booking.recipient.email,
        "recipient_phone": booking.recipient.phone,
        "guests": list(booking.guests),
        "answers": dict(booking.answered.values),
        "answer_labels": dict(booking.answered.labels),
        "location": {"kind": booking.location.kind, "value": booking.location.value},
    }
