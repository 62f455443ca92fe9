"""`/links` and `/one-time-links`."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain import links as domain
from app.domain.errors import Forbidden
from app.domain.text_rules import SLUG
from app.ports import Ports
from app.ports.storage import UnitOfWork
from app.use_cases import manage_links
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    CHANGING,
    LISTING,
    MAKING,
    READING,
    REMOVING,
    Buffer,
    Cursor,
    Duration,
    Email,
    Id,
    IfMatch,
    In,
    Limit,
    LocalDate,
    Location,
    LongText,
    Moment,
    RequiredLine,
    SignedIn,
    Unset,
    address_text,
    given,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.sessions import Caller
from app.web.times import epoch, optional_rfc3339, parse_date, rfc3339

Slug = Annotated[str, Meta(min_length=1, max_length=63, pattern=SLUG)]
Count = Annotated[int, Meta(ge=1, le=1000)]
Durations = Annotated[list[Duration], Meta(min_length=1, max_length=20)]
Notice = Annotated[int, Meta(ge=0, le=525600)]
Horizon = Annotated[int, Meta(ge=0, le=3650)]


class DateRange(In):
    """Local dates of the host's schedule, both inclusive."""

    first: LocalDate = msgspec.field(name="from")
    last: LocalDate = msgspec.field(name="to")


class LinkIn(In):
    """A link to make; durations, step, buffers and notice in minutes."""

    title: RequiredLine
    slug: Slug | None = None
    description: LongText = ""
    is_active: bool = True
    schedule_id: UUID | None = None
    template_id: UUID | None = None
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
    location: Location = msgspec.field(default_factory=Location)


class LinkPatch(In):
    """Any subset of a link's writable fields."""

    title: RequiredLine | Unset = UNSET
    slug: Slug | Unset = UNSET
    description: LongText | Unset = UNSET
    is_active: bool | Unset = UNSET
    schedule_id: UUID | Unset | None = UNSET
    template_id: UUID | Unset | None = UNSET
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
    location: Location
    version: int
    created_at: str
    updated_at: str


class Links(msgspec.Struct):
    """A page of links."""

    items: list[LinkOut]
    next_cursor: str | None


class PickedSlot(In):
    """A hand-picked time; `duration` in minutes."""

    start: Moment
    duration: Duration


class OneTimeIn(In):
    """A one-time link to make; without `slots` the recipient chooses freely."""

    recipient_email: Email | None = None
    slots: Annotated[list[PickedSlot], Meta(max_length=200)] = []
    expires_at: Moment | None = None


class PickedSlotOut(msgspec.Struct):
    """A hand-picked time."""

    start: str
    duration: int


class OneTimeOut(msgspec.Struct):
    """A one-time link."""

    id: str
    link_id: str
    token: str
    url: str
    recipient_email: str | None
    slots: list[PickedSlotOut]
    expires_at: str | None
    status: Literal["open", "used", "expired", "revoked"]
    booking_id: str | None
    created_at: str


class OneTimes(msgspec.Struct):
    """A page of one-time links."""

    items: list[OneTimeOut]
    next_cursor: str | None


def link_out(ports: Ports, link: domain.Link, org_slug: str) -> LinkOut:
    """A link as the API shows it."""
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
        location=Location(link.location.kind, link.location.value),
        version=link.version,
        created_at=rfc3339(link.created_at),
        updated_at=rfc3339(link.updated_at),
    )


def one_time_out(ports: Ports, one_time: domain.OneTimeLink) -> OneTimeOut:
    """A one-time link as the API shows it."""
    return OneTimeOut(
        id=one_time.id,
        link_id=one_time.link_id,
        token=one_time.token,
        url=f"{ports.base_url}/b/{one_time.token}",
        recipient_email=one_time.recipient_email,
        slots=[PickedSlotOut(rfc3339(start), duration) for start, duration in one_time.slots],
        expires_at=optional_rfc3339(one_time.expires_at),
        status=one_time.status_at(ports.clock()),
        booking_id=one_time.booking_id,
        created_at=rfc3339(one_time.created_at),
    )


def link_values(body: LinkIn | LinkPatch) -> dict[str, Any]:
    """The `Link` fields a body names."""
    values = given(body)
    if "durations" in values:
        values["durations"] = tuple(values["durations"])
    if isinstance(values.get("location"), Location):
        values["location"] = domain.Location(values["location"].kind, values["location"].value)
    if isinstance(values.get("date_range"), DateRange):
        dates: DateRange = values["date_range"]
        values["date_range"] = (
            parse_date(dates.first, "date_range.from"),
            parse_date(dates.last, "date_range.to"),
        )
    for name in ("schedule_id", "template_id"):
        if values.get(name) is not None:
            values[name] = uuid_text(values[name])
    return values


async def _org_slug(work: UnitOfWork, caller: Caller) -> str:
    organization = await work.people.organization(caller.user.org_id)
    if organization is None:
        raise Forbidden("The organization is gone.")
    return organization.slug


def _shown(ports: Ports, caller: Caller) -> Callable[[UnitOfWork, domain.Link], Awaitable[LinkOut]]:
    async def show(work: UnitOfWork, link: domain.Link) -> LinkOut:
        return link_out(ports, link, await _org_slug(work, caller))

    return show


async def _answer(ports: Ports, caller: Caller, link: domain.Link) -> Response[LinkOut]:
    async with ports.read() as work:
        slug = await _org_slug(work, caller)
    return with_etag(link_out(ports, link, slug), link.version)


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
        slug = await _org_slug(work, caller)
        page = await work.links.page(caller.user.org_id, caller.scope, limit, cursor)
    return Links([link_out(ports, link, slug) for link in page.items], page.cursor)


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

    return await Post(caller.user.id, data, act, _shown(ports, caller)).answer(request, idempotency_key)


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

    return await Post(caller.user.id, None, act, _shown(ports, caller)).answer(request, idempotency_key)


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

    return await Post(caller.user.id, None, act, _shown(ports, caller)).answer(request, idempotency_key, 200)


@get("/links/{link_id:uuid}/one-time", responses=problems(*READING), summary="List one-time links")
async def list_one_times(
    request: Request[Any, Any, Any], caller: SignedIn, link_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> OneTimes:
    ports = ports_of(request)
    async with ports.read() as work:
        link = await manage_links.owned_link(work, caller.user, uuid_text(link_id))
        page = await work.links.one_times(link.id, limit, cursor)
    return OneTimes([one_time_out(ports, one_time) for one_time in page.items], page.cursor)


@post("/links/{link_id:uuid}/one-time", responses=problems(*MAKING, 404, 422), summary="Make a one-time link")
async def create_one_time(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link_id: Id,
    data: JSONBody[OneTimeIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[OneTimeOut]:
    ports = ports_of(request)
    recipient = data.recipient_email and address_text(data.recipient_email, "recipient_email")
    slots = [(epoch(slot.start, f"slots.{index}.start"), slot.duration) for index, slot in enumerate(data.slots)]
    expires_at = None if data.expires_at is None else epoch(data.expires_at, "expires_at")

    def act(replay: Replay[domain.OneTimeLink] | None) -> Awaitable[domain.OneTimeLink]:
        return manage_links.create_one_time(
            ports,
            caller.user,
            uuid_text(link_id),
            recipient_email=recipient,
            slots=slots,
            expires_at=expires_at,
            replay=replay,
        )

    async def show(_: UnitOfWork, made: domain.OneTimeLink) -> OneTimeOut:
        return one_time_out(ports, made)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key)


@get("/one-time-links/{one_time_id:uuid}", responses=problems(*READING), summary="Show a one-time link")
async def show_one_time(request: Request[Any, Any, Any], caller: SignedIn, one_time_id: Id) -> OneTimeOut:
    ports = ports_of(request)
    async with ports.read() as work:
        return one_time_out(ports, await manage_links.owned_one_time(work, caller.user, uuid_text(one_time_id)))


@delete(
    "/one-time-links/{one_time_id:uuid}",
    responses=problems(401, 403, 404, 410),
    summary="Withdraw a one-time link",
    description="One that was used stays with its booking: 410.",
)
async def revoke_one_time(request: Request[Any, Any, Any], caller: SignedIn, one_time_id: Id) -> None:
    await manage_links.revoke_one_time(ports_of(request), caller.user, uuid_text(one_time_id))


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
        list_one_times,
        create_one_time,
        show_one_time,
        revoke_one_time,
    ],
    tags=["links"],
)
