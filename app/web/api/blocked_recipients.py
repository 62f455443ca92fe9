"""`/blocked-recipients`: who cannot book."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody
from msgspec import Meta

from app.domain import clients as domain
from app.domain.text_rules import LINE
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import block_recipients
from app.use_cases.idempotency import Replay
from app.use_cases.manage_clients import scope_of
from app.web.api.fields import (
    MAKING,
    Cursor,
    Id,
    In,
    Limit,
    ShortReason,
    SignedIn,
    ports_of,
    problems,
    uuid_text,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import rfc3339


class BlockIn(In):
    """Whom to keep from booking: one e-mail address, a domain with all below it, or a phone number. A number is
    compared by its digits, in the form it was given: with or without its country."""

    kind: Literal["email", "domain", "phone"]
    value: Annotated[str, Meta(min_length=1, max_length=254, pattern=LINE)]
    reason: ShortReason | None = None


class BlockOut(msgspec.Struct):
    """One line of the block list; `value` as it is compared."""

    id: str
    kind: Literal["email", "domain", "phone"]
    value: str
    reason: str | None
    created_by: str | None
    created_at: str


class Blocks(msgspec.Struct):
    """A page of the block list."""

    items: list[BlockOut]
    next_cursor: str | None


def block_out(block: domain.Block) -> BlockOut:
    """A block as the API shows it."""
    return BlockOut(block.id, block.kind, block.value, block.reason, block.created_by, rfc3339(block.created_at))


async def _shown(_: UnitOfWork, block: domain.Block) -> BlockOut:
    return block_out(block)


@get("/blocked-recipients", responses=problems(401, 403), summary="List who cannot book")
async def list_blocks(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Blocks:
    scope_of(caller.user)
    async with ports_of(request).read() as work:
        page = await work.clients.blocks(caller.user.org_id, limit, cursor)
    return Blocks([block_out(block) for block in page.items], page.cursor)


@post(
    "/blocked-recipients",
    responses=problems(*MAKING, 409, 422),
    summary="Keep somebody from booking",
    description="Bookings that are there stay. For owners and admins; it counts in the whole organization.",
)
async def add_block(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[BlockIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[BlockOut]:
    ports, user = ports_of(request), caller.user
    scope_of(user)

    def act(replay: Replay[domain.Block] | None) -> Awaitable[domain.Block]:
        return block_recipients.add_block(ports, user, data.kind, data.value, data.reason, replay)

    return await Post(user.id, data, act, _shown).answer(request, idempotency_key)


@delete("/blocked-recipients/{block_id:uuid}", responses=problems(401, 403, 404), summary="Let somebody book again")
async def remove_block(request: Request[Any, Any, Any], caller: SignedIn, block_id: Id) -> None:
    scope_of(caller.user)
    await block_recipients.remove_block(ports_of(request), caller.user, uuid_text(block_id))


router = Router("/", route_handlers=[list_blocks, add_block, remove_block], tags=["clients"])
