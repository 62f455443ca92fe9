"""What occupies hosts, by name: for explanations, which are rare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.domain.calendars import BUILTIN
from app.domain.event_notes import title_in
from app.domain.explain import Blocker

MOST = 50
_claims, _bookings, _away = m.claims.c, m.bookings.c, m.time_off.c
_busy, _calendars, _objects = m.busy_intervals.c, m.calendars.c, m.calendar_objects.c


async def blockers(
    connection: AsyncConnection, host_ids: Sequence[str], start: int, end: int, now: int
) -> list[Blocker]:
    """`HostStore.blockers`."""
    hosts = list(host_ids)
    booked = (
        select(_claims.host_id, _bookings.title, _claims.start_at, _claims.end_at)
        .join_from(m.claims, m.bookings, _bookings.id == _claims.occurrence_id)
        .where(
            _claims.host_id.in_(hosts),
            *_within(_claims, start, end),
            or_(_claims.hold_expires_at.is_(None), _claims.hold_expires_at > now),
        )
    )
    events = (
        select(_calendars.user_id, _objects.data, _calendars.display_name, _busy.start_at, _busy.end_at)
        .add_columns(_calendars.provider, _calendars.synced_at)
        .join_from(m.busy_intervals, m.calendars, _calendars.id == _busy.calendar_id)
        .join(m.calendar_objects, _objects.id == _busy.object_id)
        .where(_calendars.user_id.in_(hosts), _calendars.is_conflict, *_within(_busy, start, end))
    )
    off = select(_away.host_id, _away.reason, _away.start_at, _away.end_at).where(
        _away.host_id.in_(hosts), _away.end_at > start, _away.start_at < end
    )
    found = [
        Blocker(host_id, "booking", title, "", begin, until)
        for host_id, title, begin, until in await connection.execute(booked.limit(MOST))
    ]
    for host_id, data, calendar, begin, until, provider, synced_at in await connection.execute(events.limit(MOST)):
        read_at = None if provider == BUILTIN else synced_at
        found.append(Blocker(host_id, "event", title_in(data), calendar, begin, until, read_at))
    for host_id, reason, begin, until in await connection.execute(off.limit(MOST)):
        found.append(Blocker(host_id, "time_off", reason, "", begin, until))
    return sorted(found, key=lambda each: (each.start, each.end))


def _within(columns: Any, start: int, end: int) -> list[Any]:
    return [columns.start_at > start - m.MAX_SPAN, columns.start_at < end, columns.end_at > start]
