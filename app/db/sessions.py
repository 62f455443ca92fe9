"""The seats of sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Text, and_, case, cast, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.host_times import NOBODY
from app.db.quick import QuickStatement, given
from app.domain.bookings import ACTIVE, Attendee
from app.domain.rules import Along
from app.domain.seats import OpenSession

_sessions, _claims, _hosted = m.bookings.c, m.claims.c, m.booking_hosts.c
_SEATS = m.bookings.alias("seats")
_seats = _SEATS.c


_RUN_OUT = and_(_seats.status == "pending", _seats.hold_expires_at.is_not(None), _seats.hold_expires_at <= given("now"))
_ATTENDS = and_(
    _seats.occurrence_id == _sessions.id, _seats.id != _sessions.id, _seats.status != "cancelled", ~_RUN_OUT
)
_HOLDS = and_(_ATTENDS, _seats.id != given("without"), or_(*(_seats.status == status for status in sorted(ACTIVE))))
_TAKEN = select(func.coalesce(func.sum(_seats.seats), 0)).where(_HOLDS).correlate(m.bookings).scalar_subquery()
_EXPIRY = select(func.min(_seats.hold_expires_at)).where(_HOLDS).correlate(m.bookings).scalar_subquery()
_IS_LEFT = ~select(_seats.id).where(_ATTENDS).correlate(m.bookings).exists()
"""Nobody attends it: one that was opened for attendees is about to end."""
_HOST_IDS = (
    select(func.aggregate_strings(cast(_hosted.host_id, Text), ","))
    .where(_hosted.booking_id == _sessions.id)
    .correlate(m.bookings)
    .scalar_subquery()
)
_OPEN = QuickStatement(
    select(_sessions.id, _sessions.start_at, _sessions.end_at, _sessions.buffer_before, _sessions.buffer_after)
    .add_columns(_sessions.capacity - _TAKEN, _EXPIRY, _HOST_IDS, _sessions.capacity)
    .where(
        _sessions.service_id == given("service_id"),
        _sessions.capacity.is_not(None),
        _sessions.start_at >= given("first"),
        _sessions.start_at < given("last"),
        _sessions.duration == given("duration"),
        _sessions.status == "confirmed",
        _sessions.id != given("through"),
        or_(_sessions.is_explicit, ~_IS_LEFT),
    )
    .order_by(_sessions.start_at, _sessions.id)
)


class SqlSessionStore:
    """`SessionStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def open_ones(
        self,
        service_id: str,
        window: tuple[int, int],
        duration: int,
        now: int,
        without: str | None = None,
        through: str | None = None,
    ) -> list[OpenSession]:
        rows = await _OPEN.rows(
            self._db,
            service_id=service_id,
            first=window[0],
            last=window[1],
            duration=duration,
            now=now,
            without=without or NOBODY,
            through=through or NOBODY,
        )
        return [_open_session(row) for row in rows]

    async def along(self, session_id: str, now: int) -> tuple[Along, ...]:
        links = m.links.c
        query = (
            select(_seats.link_id, func.count(), links.max_per_day, links.max_per_week)
            .select_from(_SEATS.outerjoin(m.links, links.id == _seats.link_id))
            .where(
                _seats.occurrence_id == session_id,
                _seats.id != session_id,
                _seats.status.in_(sorted(ACTIVE)),
                or_(_seats.status != "pending", _seats.hold_expires_at.is_(None), _seats.hold_expires_at > now),
            )
            .group_by(_seats.link_id, links.max_per_day, links.max_per_week)
            .order_by(_seats.link_id)
        )
        return tuple(Along(*row) for row in await self._db.execute(query))

    async def take(self, session_id: str, seats: int) -> bool:
        result = await self._db.execute(
            update(m.claims)
            .where(_claims.occurrence_id == session_id, _claims.seats_taken + seats <= _claims.capacity)
            .values(seats_taken=_claims.seats_taken + seats)
        )
        return result.rowcount > 0

    async def give_back(self, session_id: str, seats: int) -> None:
        await self._db.execute(
            update(m.claims).where(_claims.occurrence_id == session_id).values(seats_taken=_claims.seats_taken - seats)
        )

    async def hold_until(self, session_id: str, expires_at: int | None) -> None:
        await self._db.execute(
            update(m.claims).where(_claims.occurrence_id == session_id).values(hold_expires_at=expires_at)
        )


def _open_session(row: Sequence[Any]) -> OpenSession:
    session_id, start, end, before, after, left, expiry, hosts, capacity = row
    claim = start - before * 60, end + after * 60
    return OpenSession(str(session_id), start, end, claim, frozenset(hosts.split(",")), int(left), expiry, capacity)


async def attendees_of(
    connection: AsyncConnection,
    session_ids: Sequence[str],
    named: ColumnElement[bool] | None = None,
    given_values: Mapping[str, Any] | None = None,
) -> Mapping[str, tuple[Attendee, ...]]:
    """Who is to come, or came, by session; one SELECT, none for none. The others than those `named` count, without name
    and address."""
    if not session_ids:
        return {}
    query = (
        select(_sessions.occurrence_id, _sessions.id, *(_shown(column, named) for column in _PERSONAL))
        .add_columns(_sessions.seats, _sessions.status, _sessions.hold_expires_at)
        .where(
            _sessions.occurrence_id.in_(list(session_ids)),
            _sessions.capacity.is_(None),
            _sessions.status != "cancelled",
        )
        .order_by(_sessions.id)
    )
    found: dict[str, tuple[Attendee, ...]] = {}
    for session_id, *attendee in await connection.execute(query, given_values):
        found[session_id] = (*found.get(session_id, ()), Attendee(*attendee))
    return found


_PERSONAL = (_sessions.recipient_name, _sessions.recipient_email)


def _shown(column: Column[Any], named: ColumnElement[bool] | None) -> ColumnElement[Any]:
    return column if named is None else case((named, column), else_="")
