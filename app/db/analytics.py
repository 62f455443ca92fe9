"""Views, and the figures of links and services, worked out by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.domain.local_parts import offsets
from app.ports.analytics import AnalyticsScope, Figures, Tally, View
from app.use_cases.ids import new_id

HOUR, DAY = 3600, 86400
EPOCH = date(1970, 1, 1)  # a Thursday
AHEAD = 2 * 366 * DAY
"""How far behind the period the clock changes of bookings' begins are known."""
MOST = 100
"""Links, services and referrers told apart."""


class SqlAnalytics:
    """`Analytics` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def note(self, views: Sequence[View]) -> None:
        await self._db.execute(insert(m.view_events), [{"id": new_id(), **asdict(view)} for view in views])

    async def forget_views(self, org_id: str, before: int, limit: int) -> int:
        views = m.view_events.c
        old = select(views.id).where(views.org_id == org_id, views.at < before).order_by(views.at).limit(limit)
        return int((await self._db.execute(delete(m.view_events).where(views.id.in_(old)))).rowcount)

    async def figures(self, scope: AnalyticsScope) -> Figures:
        booked, seen = _bookings(scope), _views(scope)
        lead = m.bookings.c.start_at - m.bookings.c.created_at
        totals = select(*_COUNTS, func.avg(lead)).where(booked)
        bookings, cancellations, no_shows, mean = (await self._db.execute(totals)).one()
        views = await self._db.scalar(select(func.count()).select_from(m.view_events).where(seen)) or 0
        return Figures(
            total=Tally("", "", views, bookings, cancellations or 0, no_shows or 0),
            lead_median=await self._median(booked, lead, bookings),
            lead_mean=None if mean is None else round(float(mean) / 60),
            days=await self._days(scope, booked, seen),
            hours=await self._hours(scope, booked),
            referrers=await self._referrers(seen),
            links=await self._of(m.links, m.links.c.title, "link_id", booked, seen),
            services=await self._of(m.services, m.services.c.name, "service_id", booked, seen),
        )

    async def _median(self, where: ColumnElement[bool], lead: ColumnElement[int], count: int) -> int | None:
        """Minutes; of an even number the middle between the two in the middle."""
        if not count:
            return None
        middle = select(lead).where(where).order_by(lead).offset((count - 1) // 2).limit(2 - count % 2)
        found = list(await self._db.scalars(middle))
        return round(sum(found) / len(found) / 60)

    async def _days(self, scope: AnalyticsScope, booked: ColumnElement[bool], seen: ColumnElement[bool]) -> list[Tally]:
        day_made = (_local(m.bookings.c.created_at, scope, scope.end) // DAY).label("day")
        made = select(day_made, *_COUNTS).where(booked).group_by("day")
        of_bookings = {row[0]: row[1:] for row in await self._db.execute(made)}
        day_seen = (_local(m.view_events.c.at, scope, scope.end) // DAY).label("day")
        looked = select(day_seen, func.count()).where(seen).group_by("day")
        of_views = {row[0]: row[1] for row in await self._db.execute(looked)}
        return [
            Tally(str(EPOCH + timedelta(days=day)), "", of_views.get(day, 0), *of_bookings.get(day, (0, 0, 0)))
            for day in sorted({*of_bookings, *of_views})
        ]

    async def _hours(self, scope: AnalyticsScope, booked: ColumnElement[bool]) -> list[tuple[int, int, int]]:
        hour = (_local(m.bookings.c.start_at, scope, scope.end + AHEAD) // HOUR % (7 * 24)).label("hour")
        rows = await self._db.execute(select(hour, func.count()).where(booked).group_by("hour"))
        found = [((row[0] // 24 + 3) % 7, row[0] % 24, row[1]) for row in rows]
        return sorted(found)

    async def _referrers(self, seen: ColumnElement[bool]) -> list[tuple[str | None, int]]:
        host, count = m.view_events.c.referrer, func.count().label("views")
        query = select(host, count).where(seen).group_by(host).order_by(count.desc(), host).limit(MOST)
        return [(row[0], row[1]) for row in await self._db.execute(query)]

    async def _of(
        self, table: Any, name: Any, column: str, booked: ColumnElement[bool], seen: ColumnElement[bool]
    ) -> list[Tally]:
        """By link, or by service; the most booked first."""
        made, looked = m.bookings.c[column], m.view_events.c[column]
        rows = await self._db.execute(select(made, *_COUNTS).where(booked, made.is_not(None)).group_by(made))
        of_bookings = {row[0]: tuple(row[1:]) for row in rows}
        rows = await self._db.execute(select(looked, func.count()).where(seen, looked.is_not(None)).group_by(looked))
        of_views = {row[0]: row[1] for row in rows}
        keys = sorted({*of_bookings, *of_views}, key=lambda key: _rank(key, of_bookings, of_views))[:MOST]
        named = await self._db.execute(select(table.c.id, name).where(table.c.id.in_(keys)))
        names = {row[0]: row[1] for row in named}
        return [Tally(key, names.get(key, ""), of_views.get(key, 0), *of_bookings.get(key, (0, 0, 0))) for key in keys]


def _rank(key: str, of_bookings: Mapping[str, tuple[int, ...]], of_views: Mapping[str, int]) -> tuple[int, int, str]:
    return (-of_bookings.get(key, (0,))[0], -of_views.get(key, 0), key)


def _counted(status: str) -> ColumnElement[int]:
    return func.coalesce(func.sum(case((m.bookings.c.status == status, 1), else_=0)), 0)


_COUNTS = (func.count(), _counted("cancelled"), _counted("no_show"))
"""Bookings, and how many of them were cancelled or missed."""


def _bookings(scope: AnalyticsScope) -> ColumnElement[bool]:
    """Those made in the period; the row of a session is none."""
    made = m.bookings.c
    when = [made.org_id == scope.org_id, made.created_at >= scope.start, made.created_at < scope.end]
    return and_(*when, made.capacity.is_(None), *_narrowed(scope, made.link_id, made.service_id))


def _views(scope: AnalyticsScope) -> ColumnElement[bool]:
    views = m.view_events.c
    when = [views.org_id == scope.org_id, views.at >= scope.start, views.at < scope.end]
    return and_(*when, *_narrowed(scope, views.link_id, views.service_id))


def _narrowed(scope: AnalyticsScope, link_id: Any, service_id: Any) -> list[ColumnElement[bool]]:
    found = []
    if scope.link_id is not None:
        found.append(link_id == scope.link_id)
    if scope.service_id is not None:
        found.append(service_id == scope.service_id)
    if scope.owner_id is not None:
        found.append(link_id.in_(select(m.links.c.id).where(m.links.c.owner_id == scope.owner_id)))
    return found


def _local(instant: Any, scope: AnalyticsScope, until: int) -> Any:
    """The instant as if the clock of the zone were UTC."""
    *earlier, last = offsets(scope.timezone, scope.start, until)
    if not earlier:
        return instant + last[1]
    return instant + case(*((instant < change, offset) for change, offset in earlier), else_=last[1])
