"""`/links/{id}/hand-over`: a link changes hands."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, post
from litestar.params import JSONBody

from app.domain.links import Link
from app.use_cases.hand_over_links import hand_over_link
from app.use_cases.idempotency import Replay
from app.web.api.fields import CHANGING, Id, IfMatch, In, SignedIn, ports_of, problems, uuid_text, version_of
from app.web.api.links import LinkOut, link_shown
from app.web.api.once import IdempotencyKey, Post


class LinkOwner(In):
    """Who gets a link, and by which of their schedules it goes (null: their usual hours)."""

    owner_id: UUID
    schedule_id: UUID | None = None


@post(
    "/links/{link_id:uuid}/hand-over",
    status_code=200,
    responses=problems(*CHANGING, 422),
    summary="Hand a link over",
    description="For its owner and for admins. Its addresses and bookings stay; both are told by mail.",
)
async def hand_over_to(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link_id: Id,
    data: JSONBody[LinkOwner],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[LinkOut]:
    ports, version = ports_of(request), version_of(if_match)
    owner_id = uuid_text(data.owner_id)
    schedule_id = uuid_text(data.schedule_id) if data.schedule_id else None

    def act(replay: Replay[Link] | None) -> Awaitable[Link]:
        link = uuid_text(link_id)
        return hand_over_link(ports, caller.user, link, owner_id, schedule_id, version=version, replay=replay)

    return await Post(caller.user.id, data, act, link_shown(ports, caller)).answer(request, idempotency_key, 200)


router = Router("/", route_handlers=[hand_over_to], tags=["links"])
