"""`/services/search` and `/services/{id}/wait-time`."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get
from litestar.params import QueryParameter

from app.domain.errors import Invalid
from app.domain.text_rules import LINE
from app.ports.services import ServiceSearch
from app.use_cases.search_services import search_services, wait_time
from app.web.api.fields import (
    DATE_PATTERN,
    LISTING,
    READING,
    Cursor,
    Id,
    Limit,
    ListZone,
    SignedIn,
    ports_of,
    problems,
    uuid_text,
)
from app.web.api.services import Services, service_out
from app.web.times import optional_rfc3339, parse_date

_PLACE = re.compile(r"(-?[0-9]{1,2}(?:\.[0-9]{1,9})?),(-?[0-9]{1,3}(?:\.[0-9]{1,9})?)")


class WaitTime(msgspec.Struct):
    """How long until the first free start: whole minutes, and the start itself in UTC. Both are null when there is none
    within 92 days."""

    minutes: int | None
    start: str | None


@get(
    "/services/search",
    responses=problems(*LISTING),
    summary="Find services",
    description="Active ones. `q` is part of name, category or description; `date` leaves those with a free start on "
    "that local date of `timezone`, of which a page may hold few or none while its cursor goes on. `near` is checked, "
    "but sorts nothing: services have no coordinates yet.",
)
async def find_services(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    q: Annotated[str | None, QueryParameter(max_length=200, pattern=LINE)] = None,
    category: Annotated[str | None, QueryParameter(max_length=100, pattern=LINE)] = None,
    near: Annotated[
        str | None, QueryParameter(max_length=40, description="Latitude and longitude, as 52.5,13.4.")
    ] = None,
    day: Annotated[str | None, QueryParameter(name="date", pattern=DATE_PATTERN)] = None,
    timezone: ListZone = None,
    sort: Annotated[Literal["name", "price", "newest"], QueryParameter()] = "name",
) -> Services:
    if near is not None:
        _check_place(near)
    where = ServiceSearch(caller.user.org_id, (q or "").strip(), (category or "").strip(), sort)
    dated = None if day is None else (parse_date(day, "date"), timezone or caller.user.timezone)
    ports = ports_of(request)
    page = await search_services(ports, where, limit, cursor, dated)
    async with ports.read() as work:
        needs = await work.services.needs_of([service.id for service in page.items])
    return Services([service_out(service, needs.get(service.id, [])) for service in page.items], page.cursor)


def _check_place(text: str) -> None:
    found = _PLACE.fullmatch(text)
    if found is None or abs(float(found[1])) > 90 or abs(float(found[2])) > 180:
        raise Invalid.field("near", "A place is latitude,longitude in degrees, such as 52.5,13.4.")


@get(
    "/services/{service_id:uuid}/wait-time",
    responses=problems(*READING),
    summary="How long until a service can be had",
    description="Of its shortest length, or of `duration`; as staff book it, without any notice.",
)
async def show_wait_time(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    service_id: Id,
    duration: Annotated[int | None, QueryParameter(ge=1, le=1440)] = None,
) -> WaitTime:
    ports = ports_of(request)
    start = await wait_time(ports, caller.user, uuid_text(service_id), duration)
    minutes = None if start is None else max(0, -(-(start - ports.clock()) // 60))
    return WaitTime(minutes, optional_rfc3339(start))


router = Router("/", route_handlers=[find_services, show_wait_time], tags=["services"])
