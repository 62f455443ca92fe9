"""`/resources`: rooms, chairs and equipment."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain import services as domain
from app.domain.text_rules import END, LINE
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_resources
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    CHANGING,
    LISTING,
    MAKING,
    READING,
    REMOVING,
    Cursor,
    Id,
    IfMatch,
    In,
    Limit,
    LongText,
    SignedIn,
    Unset,
    given,
    need_admin,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import rfc3339

Kind = Literal["room", "chair", "equipment", "other"]
Name = Annotated[str, Meta(min_length=1, max_length=180, pattern=LINE)]
Color = Annotated[str, Meta(pattern=rf"^#[0-9a-fA-F]{{6}}{END}")]
Quantity = Annotated[int, Meta(ge=1, le=manage_resources.MAX_QUANTITY)]


class ResourceIn(In):
    """A resource to make."""

    name: Name
    kind: Kind = "room"
    description: LongText = ""
    color: Color | None = None
    quantity: Quantity = 1


class ResourcePatch(In):
    """Any subset of a resource's writable fields."""

    name: Name | Unset = UNSET
    kind: Kind | Unset = UNSET
    description: LongText | Unset = UNSET
    color: Color | Unset | None = UNSET
    quantity: Quantity | Unset = UNSET


class ResourceOut(msgspec.Struct):
    """A resource; there are `quantity` of it, all alike."""

    id: str
    name: str
    kind: Kind
    description: str
    color: str | None
    quantity: int
    version: int
    created_at: str
    updated_at: str


class Resources(msgspec.Struct):
    """A page of resources."""

    items: list[ResourceOut]
    next_cursor: str | None


def resource_out(resource: domain.Resource) -> ResourceOut:
    """A resource as the API shows it."""
    return ResourceOut(
        id=resource.id,
        name=resource.name,
        kind=resource.kind,
        description=resource.description,
        color=resource.color,
        quantity=resource.quantity,
        version=resource.version,
        created_at=rfc3339(resource.created_at),
        updated_at=rfc3339(resource.updated_at),
    )


@get("/resources", responses=problems(*LISTING), summary="List resources")
async def list_resources(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Resources:
    async with ports_of(request).read() as work:
        page = await work.services.resources(caller.user.org_id, limit, cursor)
    return Resources([resource_out(resource) for resource in page.items], page.cursor)


@post("/resources", responses=problems(*MAKING, 422), summary="Make a resource", description="For admins.")
async def create_resource(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[ResourceIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[ResourceOut]:
    need_admin(caller)

    def act(replay: Replay[domain.Resource] | None) -> Awaitable[domain.Resource]:
        return manage_resources.create_resource(ports_of(request), caller.user, given(data), replay)

    async def show(_: UnitOfWork, made: domain.Resource) -> ResourceOut:
        return resource_out(made)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key)


@get("/resources/{resource_id:uuid}", responses=problems(*READING), summary="Show a resource")
async def show_resource(request: Request[Any, Any, Any], caller: SignedIn, resource_id: Id) -> Response[ResourceOut]:
    async with ports_of(request).read() as work:
        resource = await manage_resources.found_resource(work, caller.user, uuid_text(resource_id))
    return with_etag(resource_out(resource), resource.version)


@patch(
    "/resources/{resource_id:uuid}",
    responses=problems(*CHANGING),
    summary="Change a resource",
    description="For admins. There cannot be fewer than a service needs; bookings of units that go keep them.",
)
async def change_resource(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    resource_id: Id,
    data: JSONBody[ResourcePatch],
    if_match: IfMatch = None,
) -> Response[ResourceOut]:
    need_admin(caller)
    resource = await manage_resources.change_resource(
        ports_of(request), caller.user, uuid_text(resource_id), given(data), version_of(if_match)
    )
    return with_etag(resource_out(resource), resource.version)


@delete(
    "/resources/{resource_id:uuid}",
    responses=problems(*REMOVING, 409),
    summary="Delete a resource",
    description="For admins. One that a service needs stays: 409.",
)
async def delete_resource(
    request: Request[Any, Any, Any], caller: SignedIn, resource_id: Id, if_match: IfMatch = None
) -> None:
    need_admin(caller)
    await manage_resources.delete_resource(ports_of(request), caller.user, uuid_text(resource_id), version_of(if_match))


router = Router(
    "/",
    route_handlers=[list_resources, create_resource, show_resource, change_resource, delete_resource],
    tags=["resources"],
)
