"""`/analytics` and `/links/{id}/analytics`: what was looked at, and what came of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream

from app.ports.analytics import Tally
from app.use_cases.read_analytics import AnalyticsQuestion, Answer, read_analytics
from app.use_cases.schedule_rules import check_timezone
from app.web.api.fields import FirstDate, Id, LastDate, ListZone, SignedIn, ports_of, problems, uuid_text
from app.web.csv_text import CSV, download, lines
from app.web.sessions import Caller
from app.web.times import parse_date

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
ById = Annotated[UUID | None, QueryParameter()]
COLUMNS = ("kind", "key", "name", "views", "bookings", "conversion", "cancellations", "no_shows")
DESCRIPTION = (
    "Views in, and bookings made in, the local dates `from` to `to` of `timezone`, both inclusive; at most 366 days, "
    "the last 30 when they are missing. Owners see their links, admins everything."
)
FILE = {
    **problems(401, 404),
    200: ResponseSpec(str, description="The figures as a table", media_type=CSV, generate_examples=False),
}


class LeadTime(msgspec.Struct):
    """Minutes between booking and begin; null without bookings."""

    median: int | None
    mean: int | None


class DayFigures(msgspec.Struct):
    """A local date on which something happened."""

    date: str
    views: int
    bookings: int


class HourFigures(msgspec.Struct):
    """Bookings that begin in this hour of this weekday."""

    weekday: str
    hour: int
    bookings: int


class ReferrerFigures(msgspec.Struct):
    """The host people came from; null: none was told."""

    host: str | None
    views: int


class ThingFigures(msgspec.Struct):
    """A link or a service. `conversion` is bookings for each view, null when nobody looked."""

    id: str
    name: str
    views: int
    bookings: int
    conversion: float | None
    cancellations: int
    no_shows: int


class AnalyticsOut(msgspec.Struct, rename={"first": "from", "last": "to"}):
    """Figures of a period; cancellations and no-shows are those of the bookings made in it."""

    first: str
    last: str
    timezone: str
    views: int
    bookings: int
    conversion: float | None
    cancellations: int
    no_shows: int
    lead_time: LeadTime
    days: list[DayFigures]
    hours: list[HourFigures]
    referrers: list[ReferrerFigures]
    links: list[ThingFigures]
    services: list[ThingFigures]


def _thing(tally: Tally) -> ThingFigures:
    counts = (tally.views, tally.bookings, tally.conversion, tally.cancellations, tally.no_shows)
    return ThingFigures(tally.key, tally.name, *counts)


def _out(answer: Answer) -> AnalyticsOut:
    figures, total = answer.figures, answer.figures.total
    return AnalyticsOut(
        first=answer.first.isoformat(),
        last=answer.last.isoformat(),
        timezone=answer.timezone,
        views=total.views,
        bookings=total.bookings,
        conversion=total.conversion,
        cancellations=total.cancellations,
        no_shows=total.no_shows,
        lead_time=LeadTime(figures.lead_median, figures.lead_mean),
        days=[DayFigures(day.key, day.views, day.bookings) for day in figures.days],
        hours=[HourFigures(WEEKDAYS[day], hour, bookings) for day, hour, bookings in figures.hours],
        referrers=[ReferrerFigures(host, views) for host, views in figures.referrers],
        links=[_thing(each) for each in figures.links],
        services=[_thing(each) for each in figures.services],
    )


def question_of(
    caller: Caller,
    first: str | None,
    last: str | None,
    timezone: str | None,
    link_id: str | None = None,
    service_id: str | None = None,
) -> AnalyticsQuestion:
    """What is asked for; `Invalid` for dates and zones that are none."""
    zone = timezone or caller.user.timezone
    check_timezone(zone)
    return AnalyticsQuestion(
        zone,
        parse_date(first, "from") if first is not None else None,
        parse_date(last, "to") if last is not None else None,
        link_id,
        service_id,
    )


@get("/analytics", responses=problems(401, 404), summary="Figures of links and services", description=DESCRIPTION)
async def organization_analytics(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link: ById = None,
    service: ById = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> AnalyticsOut:
    ids = (uuid_text(link) if link else None, uuid_text(service) if service else None)
    return _out(await read_analytics(ports_of(request), caller.user, question_of(caller, first, last, timezone, *ids)))


@get("/analytics.csv", responses=FILE, summary="Figures of links and services as CSV", description=DESCRIPTION)
async def organization_analytics_csv(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link: ById = None,
    service: ById = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> Stream:
    ids = (uuid_text(link) if link else None, uuid_text(service) if service else None)
    question = question_of(caller, first, last, timezone, *ids)
    return download(_chunks(await read_analytics(ports_of(request), caller.user, question)), "analytics.csv")


@get("/links/{link_id:uuid}/analytics", responses=problems(401, 404), summary="Figures of a link")
async def link_analytics(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link_id: Id,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> AnalyticsOut:
    question = question_of(caller, first, last, timezone, uuid_text(link_id))
    return _out(await read_analytics(ports_of(request), caller.user, question))


async def _chunks(answer: Answer) -> AsyncIterator[bytes]:
    yield lines([COLUMNS, *_rows(answer)])


def _rows(answer: Answer) -> Iterator[list[Any]]:
    """One kind of figure after the other, in the same columns."""
    figures = answer.figures
    yield ["total", f"{answer.first}/{answer.last}", answer.timezone, *_cells(figures.total)]
    for kind, tallies in (("link", figures.links), ("service", figures.services), ("day", figures.days)):
        for each in tallies:
            yield [kind, each.key, each.name, *_cells(each)]
    for weekday, hour, bookings in figures.hours:
        yield ["hour", f"{WEEKDAYS[weekday]} {hour:02}:00", "", None, bookings, None, None, None]
    for host, views in figures.referrers:
        yield ["referrer", host or "", "", views, None, None, None, None]


def _cells(tally: Tally) -> list[Any]:
    return [tally.views, tally.bookings, tally.conversion, tally.cancellations, tally.no_shows]


router = Router(
    "/",
    route_handlers=[organization_analytics, organization_analytics_csv, link_analytics],
    tags=["analytics"],
)
