"""`/services` and who is qualified for them."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta

from app.domain import locations
from app.domain import services as domain
from app.domain.text_rules import END, LINE
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_services
from app.use_cases.find_slots import SlotQuestion, service_slots
from app.use_cases.idempotency import Replay
from app.web.api.availability import render
from app.web.api.fields import (
    CHANGING,
    DATE_PATTERN,
    LISTING,
    LONGEST_STAY,
    MAKING,
    READING,
    REMOVING,
    ZONE_PATTERN,
    Ahead,
    Buffer,
    Currency,
    Cursor,
    Duration,
    Id,
    IfMatch,
    In,
    Length,
    Limit,
    Location,
    LongText,
    Money,
    Moves,
    RequiredLine,
    Seats,
    SignedIn,
    Unset,
    WallTime,
    given,
    need_admin,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.links import Repeats
from app.web.api.once import IdempotencyKey, Post
from app.web.api.public import Availability
from app.web.api.reminders import Reminder, Reminders, reminder_values, reminders_out
from app.web.api.resources import Color, Quantity
from app.web.times import parse_date, rfc3339

Lengths = Annotated[list[Length], Meta(min_length=1, max_length=20)]
Mode = Literal["chosen", "pool", "collective", "fixed_pool"]
Picture = Annotated[str, Meta(max_length=2000, pattern=rf"^https://[!-~]+{END}")]
Category = Annotated[str, Meta(max_length=100, pattern=LINE)]


class NeedBody(In):
    """So many units of a resource a booking takes."""

    resource_id: UUID
    units: Quantity = 1


Needs = Annotated[list[NeedBody], Meta(max_length=manage_services.MAX_NEEDS)]


class ServiceIn(In):
    """A service to make; durations, step and buffers in minutes, money in minor units of the currency. `capacity` is
    how many seats a session has; with `is_scheduled` nothing but the sessions of `/slots` is offered."""

    name: RequiredLine
    description: LongText = ""
    category: Category = ""
    color: Color | None = None
    image_url: Picture | None = None
    durations: Lengths = msgspec.field(default_factory=lambda: [30])
    step: Duration | None = None
    buffer_before: Buffer = 0
    buffer_after: Buffer = 0
    mode: Mode = "pool"
    price: Money | None = None
    deposit: Money | None = None
    currency: Currency | None = None
    location: Location = msgspec.field(default_factory=Location)
    template_id: UUID | None = None
    schedule_id: UUID | None = None
    is_active: bool = True
    hand_back: bool = False
    check_in: WallTime | None = None
    check_out: WallTime | None = None
    capacity: Seats = 1
    is_scheduled: bool = False
    reminders: Reminders | None = None
    max_repeats: Repeats | None = None
    requires_approval: bool = False
    cancel_until: Ahead | None = None
    reschedule_until: Ahead | None = None
    max_reschedules: Moves | None = None
    cancel_fee: Money | None = None
    resources: Needs = []


class ServicePatch(In):
    """Any subset of a service's writable fields."""

    name: RequiredLine | Unset = UNSET
    description: LongText | Unset = UNSET
    category: Category | Unset = UNSET
    color: Color | Unset | None = UNSET
    image_url: Picture | Unset | None = UNSET
    durations: Lengths | Unset = UNSET
    step: Duration | Unset | None = UNSET
    buffer_before: Buffer | Unset = UNSET
    buffer_after: Buffer | Unset = UNSET
    mode: Mode | Unset = UNSET
    price: Money | Unset | None = UNSET
    deposit: Money | Unset | None = UNSET
    currency: Currency | Unset | None = UNSET
    location: Location | Unset = UNSET
    template_id: UUID | Unset | None = UNSET
    schedule_id: UUID | Unset | None = UNSET
    is_active: bool | Unset = UNSET
    hand_back: bool | Unset = UNSET
    check_in: WallTime | Unset | None = UNSET
    check_out: WallTime | Unset | None = UNSET
    capacity: Seats | Unset = UNSET
    is_scheduled: bool | Unset = UNSET
    reminders: Reminders | Unset | None = UNSET
    max_repeats: Repeats | Unset | None = UNSET
    requires_approval: bool | Unset = UNSET
    cancel_until: Ahead | Unset | None = UNSET
    reschedule_until: Ahead | Unset | None = UNSET
    max_reschedules: Moves | Unset | None = UNSET
    cancel_fee: Money | Unset | None = UNSET
    resources: Needs | Unset = UNSET


class NeedOut(msgspec.Struct):
    """So many units of a resource."""

    resource_id: str
    units: int


class ServiceOut(msgspec.Struct):
    """A service."""

    id: str
    name: str
    description: str
    category: str
    color: str | None
    image_url: str | None
    durations: list[int]
    step: int | None
    buffer_before: int
    buffer_after: int
    mode: Mode
    price: int | None
    deposit: int | None
    currency: str | None
    location: Location
    template_id: str | None
    schedule_id: str | None
    is_active: bool
    hand_back: bool
    check_in: str | None
    check_out: str | None
    capacity: int
    is_scheduled: bool
    reminders: list[Reminder] | None
    max_repeats: int | None
    requires_approval: bool
    cancel_until: int | None
    reschedule_until: int | None
    max_reschedules: int | None
    cancel_fee: int | None
    resources: list[NeedOut]
    version: int
    created_at: str
    updated_at: str


class Services(msgspec.Struct):
    """A page of services."""

    items: list[ServiceOut]
    next_cursor: str | None


def service_out(service: domain.Service, needs: list[domain.Need]) -> ServiceOut:
    """A service as the API shows it."""
    plain = {name: getattr(service, name) for name in ServiceOut.__struct_fields__ if hasattr(service, name)}
    return ServiceOut(
        **{
            **plain,
            "durations": list(service.durations),
            "location": Location(service.location.kind, service.location.value),
            "resources": [NeedOut(need.resource_id, need.units) for need in needs],
            "reminders": reminders_out(service.reminders),
            "created_at": rfc3339(service.created_at),
            "updated_at": rfc3339(service.updated_at),
        }
    )


def _values(body: ServiceIn | ServicePatch) -> tuple[dict[str, Any], list[domain.Need] | None]:
    """The `Service` fields a body names, and what it needs."""
    values = given(body)
    needs: list[NeedBody] | None = values.pop("resources", None)
    if "reminders" in values:
        values["reminders"] = reminder_values(values["reminders"])
    if "durations" in values:
        values["durations"] = tuple(values["durations"])
    if isinstance(values.get("location"), Location):
        values["location"] = locations.Location(values["location"].kind, values["location"].value)
    for name in ("template_id", "schedule_id"):
        if values.get(name) is not None:
            values[name] = uuid_text(values[name])
    if needs is None:
        return values, None
    return values, [domain.Need(uuid_text(need.resource_id), need.units) for need in needs]


async def _shown(work: UnitOfWork, service: domain.Service) -> ServiceOut:
    return service_out(service, await work.services.needs(service.id))


@get("/services", responses=problems(*LISTING), summary="List services")
async def list_services(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Services:
    async with ports_of(request).read() as work:
        page = await work.services.page(caller.user.org_id, limit, cursor)
        needs = await work.services.needs_of([service.id for service in page.items])
    return Services([service_out(service, needs.get(service.id, [])) for service in page.items], page.cursor)


@post("/services", responses=problems(*MAKING, 422), summary="Make a service", description="For admins.")
async def create_service(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[ServiceIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[ServiceOut]:
    need_admin(caller)
    values, needs = _values(data)

    def act(replay: Replay[domain.Service] | None) -> Awaitable[domain.Service]:
        return manage_services.create_service(ports_of(request), caller.user, values, needs or (), replay=replay)

    return await Post(caller.user.id, data, act, _shown).answer(request, idempotency_key)


@get("/services/{service_id:uuid}", responses=problems(*READING), summary="Show a service")
async def show_service(request: Request[Any, Any, Any], caller: SignedIn, service_id: Id) -> Response[ServiceOut]:
    async with ports_of(request).read() as work:
        service = await manage_services.found_service(work, caller.user, uuid_text(service_id))
        shown = await _shown(work, service)
    return with_etag(shown, service.version)


@patch(
    "/services/{service_id:uuid}",
    responses=problems(*CHANGING),
    summary="Change a service",
    description="For admins. `resources` replaces all that a booking takes.",
)
async def change_service(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    service_id: Id,
    data: JSONBody[ServicePatch],
    if_match: IfMatch = None,
) -> Response[ServiceOut]:
    need_admin(caller)
    values, needs = _values(data)
    ports = ports_of(request)
    service = await manage_services.change_service(
        ports, caller.user, uuid_text(service_id), values, needs=needs, version=version_of(if_match)
    )
    async with ports.read() as work:
        return with_etag(await _shown(work, service), service.version)


@delete(
    "/services/{service_id:uuid}",
    responses=problems(*REMOVING, 409),
    summary="Delete a service",
    description="For admins. One that a link offers stays: 409. Bookings stay.",
)
async def delete_service(
    request: Request[Any, Any, Any], caller: SignedIn, service_id: Id, if_match: IfMatch = None
) -> None:
    need_admin(caller)
    await manage_services.delete_service(ports_of(request), caller.user, uuid_text(service_id), version_of(if_match))


@get(
    "/services/{service_id:uuid}/availability",
    responses={
        **problems(*READING, 503),
        200: ResponseSpec(Availability, description="Free times", generate_examples=False),
    },
    summary="Free times of a service",
    description="As for a link, without any notice: for staff who book for a client.",
)
async def availability(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    service_id: Id,
    first: Annotated[str, QueryParameter(name="from", pattern=DATE_PATTERN)],
    last: Annotated[str, QueryParameter(name="to", pattern=DATE_PATTERN)],
    duration: Annotated[int, QueryParameter(ge=1, le=LONGEST_STAY)],
    timezone: Annotated[str, QueryParameter(pattern=ZONE_PATTERN)],
) -> Response[bytes]:
    ports = ports_of(request)
    question = SlotQuestion(parse_date(first, "from"), parse_date(last, "to"), duration, timezone)
    slots = await service_slots(ports, caller.user, uuid_text(service_id), question, ports.clock())
    return Response(render(slots, question), media_type="application/json")


router = Router(
    "/",
    route_handlers=[
        list_services,
        create_service,
        show_service,
        change_service,
        delete_service,
        availability,
    ],
    tags=["services"],
)
