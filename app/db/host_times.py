"""What occupies hosts in a window: their claims, time off, and the busy time of their conflict calendars.

The hottest read there is. The statements are built once, the intervals of a host come as one text, and a single host
(nearly every link) goes straight to the driver.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, bindparam, func, null, or_, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.quick import QuickStatement, given
from app.db.rows import pairs_text, parse_pairs
from app.ports.hosts import HostTimes

NOBODY = "00000000-0000-0000-0000-000000000000"

_claims, _calendars, _busy, _away = m.claims.c, m.calendars.c, m.busy_intervals.c, m.time_off.c


def _statement(of_hosts: Callable[[ColumnElement[Any]], ColumnElement[bool]]) -> Select[Any]:
    """`of_hosts` narrows a host column; the window is [window_from, window_to), `earliest` is `MAX_SPAN` before it."""
    claimed = select(_claims.host_id, _claims.start_at, _claims.end_at, _claims.hold_expires_at).where(
        of_hosts(_claims.host_id),
        _claims.start_at > given("earliest"),
        _claims.start_at < given("window_to"),
        _claims.end_at > given("window_from"),
        or_(_claims.hold_expires_at.is_(None), _claims.hold_expires_at > given("now")),
        _claims.occurrence_id != given("without"),
    )
    blocked = (
        select(_calendars.user_id, _busy.start_at, _busy.end_at, null())
        .join_from(m.calendars, m.busy_intervals, _busy.calendar_id == _calendars.id)
        .where(
            of_hosts(_calendars.user_id),
            _calendars.is_conflict,
            _busy.start_at > given("earliest"),
            _busy.start_at < given("window_to"),
            _busy.end_at > given("window_from"),
        )
    )
    off = select(_away.host_id, _away.start_at, _away.end_at, null()).where(
        of_hosts(_away.host_id), _away.end_at > given("window_from"), _away.start_at < given("window_to")
    )
    times = union_all(claimed, blocked, off).subquery().c
    return select(times.host_id, pairs_text(times.start_at, times.end_at), func.min(times.hold_expires_at)).group_by(
        times.host_id
    )


_OF_ONE = QuickStatement(_statement(lambda host: host == given("host_id")))
_OF_SEVERAL = _statement(lambda host: host.in_(bindparam("host_ids", expanding=True)))


async def host_times(
    connection: AsyncConnection, host_ids: Sequence[str], start: int, end: int, now: int, without: str | None
) -> Mapping[str, HostTimes]:
    """`HostStore.times`."""
    values: dict[str, Any] = {
        "window_from": start,
        "window_to": end,
        "earliest": start - m.MAX_SPAN,
        "now": now,
        "without": without or NOBODY,
    }
    rows: Sequence[Any]
    if len(host_ids) == 1:
        rows = await _OF_ONE.rows(connection, host_id=host_ids[0], **values)
    else:
        rows = (await connection.execute(_OF_SEVERAL, {"host_ids": list(host_ids), **values})).all()
    return {host: HostTimes(parse_pairs(text), expiry) for host, text, expiry in rows}
