"""`/one-time-links`, and those of a link."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody
from msgspec import Meta

from app.domain import links as domain
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_links
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    MAKING,
    READING,
    Cursor,
    Email,
    Id,
    In,
    Length,
    Limit,
    Moment,
    SignedIn,
    address_text,
    ports_of,
    problems,
    uuid_text,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import epoch, optional_rfc3339, rfc3339


class PickedSlot(In):
    """A hand-picked time; `duration` in minutes."""

    start: Moment
    duration: Length


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


router = Router("/", route_handlers=[list_one_times, create_one_time, show_one_time, revoke_one_time], tags=["links"])
