"""`/bookings/confirm`: many requests at once."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, post
from litestar.params import JSONBody
from msgspec import Meta

from app.ports.unit_of_work import UnitOfWork
from app.use_cases.confirm_bookings import MOST, Confirmation, confirm_bookings
from app.use_cases.idempotency import Replay
from app.web.api.fields import MAKING, In, SignedIn, ports_of, problems, uuid_text
from app.web.api.once import IdempotencyKey, Post


class ConfirmIn(In):
    """The bookings to confirm."""

    ids: Annotated[list[UUID], Meta(min_length=1, max_length=MOST)]


class ConfirmationOut(msgspec.Struct):
    """What became of one: `code` and `detail` say why it was not confirmed."""

    id: str
    confirmed: bool
    status: str | None = None
    code: str | None = None
    detail: str | None = None


class Confirmations(msgspec.Struct):
    """What became of each, in the order asked."""

    items: list[ConfirmationOut]


@post(
    "/bookings/confirm",
    status_code=200,
    responses=problems(*MAKING, 422),
    summary="Confirm many pending bookings",
    description="Each by itself; the answer tells of each whether it is confirmed, and why not.",
)
async def confirm_many(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[ConfirmIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[Confirmations]:
    ports, ids = ports_of(request), [uuid_text(each) for each in data.ids]

    def act(replay: Replay[Sequence[Confirmation]] | None) -> Awaitable[Sequence[Confirmation]]:
        return confirm_bookings(ports, caller.user, ids, replay)

    async def show(_: UnitOfWork, found: Sequence[Confirmation]) -> Confirmations:
        return Confirmations([_out(each) for each in found])

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key, 200)


def _out(found: Confirmation) -> ConfirmationOut:
    if found.refusal is not None:
        return ConfirmationOut(found.id, False, code=found.refusal.code, detail=found.refusal.detail)
    return ConfirmationOut(found.id, True, found.booking.status if found.booking else None)


router = Router("/", route_handlers=[confirm_many], tags=["bookings"])
