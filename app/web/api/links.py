"""`/links`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain import links as domain
from app.domain import locations
from app.domain.errors import Forbidden
from app.domain.repeats import LEAST_TIMES, MOST_TIMES
from app.domain.services import Service
from app.domain.text_rules import SLUG
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_links
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    CHANGING,
    LISTING,
    MAKING,
    READING,
    REMOVING,
    Ahead,
    Buffer,
    Currency,
    Cursor,
    Duration,
    Id,
    IfMatch,
    In,
    Limit,
    LocalDate,
    Location,
    LongText,
    Money,
    Moves,
    RequiredLine,
    SignedIn,
    Unset,
    given,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.api.reminders import Reminder, Reminders, reminder_values, reminders_out
from app.web.sessions import Caller
from app.web.times import parse_date, rfc3339

Slug = Annotated[str, Meta(min_length=1, max_length=63, pattern=SLUG)]
Count = Annotated[int, Meta(ge=1, le=1000)]
Repeats = Annotated[int, Meta(ge=LEAST_TIMES, le=MOST_TIMES)]
LinkRepeats = Annotated[int, Meta(ge=0, le=MOST_TIMES)]
"""0: never, whatever the service says."""
Durations = Annotated[list[Duration], Meta(min_length=1, max_length=20)]
Notice = Annotated[int, Meta(ge=0, le=525600)]
Horizon = Annotated[int, Meta(ge=0, le=3650)]


class DateRange(In):
    """Local dates of the host's schedule, both inclusive."""

    first: LocalDate = msgspec.field(name="from")
    last: LocalDate = msgspec.field(name="to")


class LinkIn(In):
    """A link to make; durations, step, buffers and notice in minutes. One that offers a service has its durations,
    buffers and people, and its place and questions unless it has some of its own."""

    title: RequiredLine
    slug: Slug | None = None
    description: LongText = ""
    is_active: bool = True
    schedule_id: UUID | None = None
    template_id: UUID | None = None
    service_id: UUID | None = None
    durations: Durations = msgspec.field(default_factory=lambda: [30])
    step: Duration | None = None
    buffer_before: Buffer = 0
    buffer_after: Buffer = 0
    minimum_notice: Notice = 120
    horizon_days: Horizon | None = 60
    date_range: DateRange | None = None
    max_per_day: Count | None = None
    max_per_week: Count | None = None
    requires_approval: bool = False
    cancel_on_decline: bool = False
    hand_back: bool = False
    max_repeats: LinkRepeats | None = None
    cancel_until: Ahead | None = None
    reschedule_until: Ahead | None = None
    max_reschedules: Moves | None = None
    cancel_fee: Money | None = None
    fee_currency: Currency | None = None
    reminders: Reminders | None = None
    location: Location = msgspec.field(default_factory=Location)


class LinkPatch(In):
    """Any subset of a link's writable fields."""

    title: RequiredLine | Unset = UNSET
    slug: Slug | Unset = UNSET
    description: LongText | Unset = UNSET
    is_active: bool | Unset = UNSET
    schedule_id: UUID | Unset | None = UNSET
    template_id: UUID | Unset | None = UNSET
    service_id: UUID | Unset | None = UNSET
    durations: Durations | Unset = UNSET
    step: Duration | Unset | None = UNSET
    buffer_before: Buffer | Unset = UNSET
    buffer_after: Buffer | Unset = UNSET
    minimum_notice: Notice | Unset = UNSET
    horizon_days: Horizon | Unset | None = UNSET
    date_range: DateRange | Unset | None = UNSET
    max_per_day: Count | Unset | None = UNSET
    max_per_week: Count | Unset | None = UNSET
    requires_approval: bool | Unset = UNSET
    cancel_on_decline: bool | Unset = UNSET
    hand_back: bool | Unset = UNSET
    max_repeats: LinkRepeats | Unset | None = UNSET
    cancel_until: Ahead | Unset | None = UNSET
    reschedule_until: Ahead | Unset | None = UNSET
    max_reschedules: Moves | Unset | None = UNSET
    cancel_fee: Money | Unset | None = UNSET
    fee_currency: Currency | Unset | None = UNSET
    reminders: Reminders | Unset | None = UNSET
    location: Location | Unset = UNSET


class LinkOut(msgspec.Struct):
    """A link."""

    id: str
    slug: str
    url: str
    token: str
    title: str
    description: str
    is_active: bool
    owner_id: str
    service_id: str | None
    schedule_id: str | None
    template_id: str | None
    durations: list[int]
    step: int | None
    buffer_before: int
    buffer_after: int
    minimum_notice: int
    horizon_days: int | None
    date_range: DateRange | None
    max_per_day: int | None
    max_per_week: int | None
    requires_approval: bool
    cancel_on_decline: bool
    hand_back: bool
    max_repeats: int | None
    cancel_until: int | None
    reschedule_until: int | None
    max_reschedules: int | None
    cancel_fee: int | None
    fee_currency: str | None
    reminders: list[Reminder] | None
    location: Location
    version: int
    created_at: str
    updated_at: str


class Links(msgspec.Struct):
    """A page of links."""

    items: list[LinkOut]
    next_cursor: str | None


def link_out(ports: Ports, link: domain.Link, org_slug: str, service: Service | None) -> LinkOut:
    """A link as the API shows it: the lengths and buffers are those of the service it offers."""
    if service is not None:
        link = replace(
            link,
            durations=service.durations,
            buffer_before=service.buffer_before,
            buffer_after=service.buffer_after,
        )
    return LinkOut(
        id=link.id,
        slug=link.slug,
        url=f"{ports.base_url}/{org_slug}/{link.slug}",
        token=f"{org_slug}.{link.slug}",
        title=link.title,
        description=link.description,
        is_active=link.is_active,
        owner_id=link.owner_id,
        service_id=link.service_id,
        schedule_id=link.schedule_id,
        template_id=link.template_id,
        durations=list(link.durations),
        step=link.step,
        buffer_before=link.buffer_before,
        buffer_after=link.buffer_after,
        minimum_notice=link.minimum_notice,
        horizon_days=link.horizon_days,
        date_range=DateRange(first=link.date_range[0].isoformat(), last=link.date_range[1].isoformat())
        if link.date_range
        else None,
        max_per_day=link.max_per_day,
        max_per_week=link.max_per_week,
        requires_approval=link.requires_approval,
        cancel_on_decline=link.cancel_on_decline,
        hand_back=link.hand_back,
        max_repeats=link.max_repeats,
        cancel_until=link.cancel_until,
        reschedule_until=link.reschedule_until,
        max_reschedules=link.max_reschedules,
        cancel_fee=link.cancel_fee,
        fee_currency=link.fee_currency,
        reminders=reminders_out(link.reminders),
        location=Location(link.location.kind, link.location.value),
        version=link.version,
        created_at=rfc3339(link.created_at),
        updated_at=rfc3339(link.updated_at),
    )


def link_values(body: LinkIn | LinkPatch) -> dict[str, Any]:
    """The `Link` fields a body names."""
    values = given(body)
    if "reminders" in values:
        values["reminders"] = reminder_values(values["reminders"])
    if "durations" in values:
        values["durations"] = tuple(values["durations"])
    if isinstance(values.get("location"), Location):
        values["location"] = locations.Location(values["location"].kind, values["location"].value)
    if isinstance(values.get("date_range"), DateRange):
        dates: DateRange = values["date_range"]
        values["date_range"] = (
            parse_date(dates.first, "date_range.from"),
            parse_date(dates.last, "date_range.to"),
        )
    for name in ("schedule_id", "template_id", "service_id"):
        if values.get(name) is not None:
            values[name] = uuid_text(values[name])
    return values


async def _org_slug(work: UnitOfWork, caller: Caller) -> str:
    organization = await work.people.organization(caller.user.org_id)
    if organization is None:
        raise Forbidden("The organization is gone.")
    return organization.slug


async def _all_out(ports: Ports, work: UnitOfWork, caller: Caller, links: Sequence[domain.Link]) -> list[LinkOut]:
    slug = await _org_slug(work, caller)
    services = await work.services.some(caller.user.org_id, {link.service_id for link in links if link.service_id})
    return [link_out(ports, link, slug, services.get(link.service_id or "")) for link in links]


def link_shown(ports: Ports, caller: Caller) -> Callable[[UnitOfWork, domain.Link], Awaitable[LinkOut]]:
    """How a link is shown, from within a unit of work."""

    async def show(work: UnitOfWork, link: domain.Link) -> LinkOut:
        return (await _all_out(ports, work, caller, [link]))[0]

    return show


async def _answer(ports: Ports, caller: Caller, link: domain.Link) -> Response[LinkOut]:
    async with ports.read() as work:
        return with_etag(await link_shown(ports, caller)(work, link), link.version)


def need_link_role(caller: Caller) -> None:
    """Links and templates are for owners and admins."""
    if not {"owner", "admin"} & set(caller.user.roles):
        raise Forbidden("Only owners and admins have links.")


@get("/links", responses=problems(*LISTING), summary="List links")
async def list_links(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Links:
    ports = ports_of(request)
    async with ports.read() as work:
        page = await work.links.page(caller.user.org_id, caller.scope, limit, cursor)
        return Links(await _all_out(ports, work, caller, page.items), page.cursor)


@post(
    "/links",
    responses=problems(*MAKING, 409, 422),
    summary="Make a link",
    description="Without a slug one is made from the title.",
)
async def create_link(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[LinkIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[LinkOut]:
    ports = ports_of(request)
    need_link_role(caller)
    values = link_values(data)

    def act(replay: Replay[domain.Link] | None) -> Awaitable[domain.Link]:
        return manage_links.create_link(ports, caller.user, values, replay)

    return await Post(caller.user.id, data, act, link_shown(ports, caller)).answer(request, idempotency_key)


@get("/links/{link_id:uuid}", responses=problems(*READING), summary="Show a link")
async def show_link(request: Request[Any, Any, Any], caller: SignedIn, link_id: Id) -> Response[LinkOut]:
    ports = ports_of(request)
    async with ports.read() as work:
        link = await manage_links.owned_link(work, caller.user, uuid_text(link_id))
    return await _answer(ports, caller, link)


@patch("/links/{link_id:uuid}", responses=problems(*CHANGING, 409), summary="Change a link")
async def change_link(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link_id: Id,
    data: JSONBody[LinkPatch],
    if_match: IfMatch = None,
) -> Response[LinkOut]:
    ports = ports_of(request)
    version = version_of(if_match)
    link = await manage_links.change_link(ports, caller.user, uuid_text(link_id), link_values(data), version)
    return await _answer(ports, caller, link)


@delete("/links/{link_id:uuid}", responses=problems(*REMOVING), summary="Delete a link", description="Bookings stay.")
async def delete_link(request: Request[Any, Any, Any], caller: SignedIn, link_id: Id, if_match: IfMatch = None) -> None:
    await manage_links.delete_link(ports_of(request), caller.user, uuid_text(link_id), version_of(if_match))


@post(
    "/links/{link_id:uuid}/duplicate", responses=problems(401, 403, 404, 409, 422), summary="Copy a link, switched off"
)
async def duplicate_link(
    request: Request[Any, Any, Any], caller: SignedIn, link_id: Id, idempotency_key: IdempotencyKey = None
) -> Response[LinkOut]:
    ports = ports_of(request)

    def act(replay: Replay[domain.Link] | None) -> Awaitable[domain.Link]:
        return manage_links.duplicate_link(ports, caller.user, uuid_text(link_id), replay)

    return await Post(caller.user.id, None, act, link_shown(ports, caller)).answer(request, idempotency_key)


@post("/links/{link_id:uuid}/toggle", status_code=200, responses=problems(*REMOVING, 422), summary="Switch on or off")
async def toggle_link(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link_id: Id,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[LinkOut]:
    ports, version = ports_of(request), version_of(if_match)

    def act(replay: Replay[domain.Link] | None) -> Awaitable[domain.Link]:
        return manage_links.toggle_link(ports, caller.user, uuid_text(link_id), version, replay)

    return await Post(caller.user.id, None, act, link_shown(ports, caller)).answer(request, idempotency_key, 200)


router = Router(
    "/",
    route_handlers=[
        list_links,
        create_link,
        show_link,
        change_link,
        delete_link,
        duplicate_link,
        toggle_link,
    ],
    tags=["links"],
)
