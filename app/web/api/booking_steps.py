"""`/bookings/{id}/...`: what staff do with one booking."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any
from uuid import UUID

from litestar import Request, Response, Router, delete, post
from litestar.params import JSONBody

from app.domain import bookings as domain
from app.domain.booking_state import Step
from app.use_cases.book_series import Series
from app.use_cases.cancel_series import cancel_following
from app.use_cases.change_booking import take_step
from app.use_cases.idempotency import Replay
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.web.api.booking_shapes import (
    CancelIn,
    ReassignIn,
    StaffBooking,
    StaffRescheduleIn,
)
from app.web.api.bookings import actor_of, shown, shown_series, visible_booking
from app.web.api.fields import (
    CHANGING,
    REMOVING,
    Id,
    IfMatch,
    SignedIn,
    ports_of,
    problems,
    uuid_text,
    version_of,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.api.strict import OptionalBody
from app.web.sessions import Caller
from app.web.times import epoch


@delete(
    "/bookings/{booking_id:uuid}",
    status_code=200,
    responses=problems(*REMOVING, 422),
    summary="Cancel",
    description="Nothing is erased by it: the booking stays, cancelled.",
)
async def delete_booking(
    request: Request[Any, Any, Any], caller: SignedIn, booking_id: Id, if_match: IfMatch = None
) -> Response[StaffBooking]:
    return await _step(request, caller, booking_id, "cancel", if_match)


@post(
    "/bookings/{booking_id:uuid}/cancel",
    status_code=200,
    responses=problems(*CHANGING, 422),
    summary="Cancel",
    operation_class=OptionalBody,
)
async def cancel_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    data: JSONBody[CancelIn | None] = None,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    return await _step(request, caller, booking_id, "cancel", if_match, idempotency_key, data)


@post(
    "/bookings/{booking_id:uuid}/confirm",
    status_code=200,
    responses=problems(*REMOVING, 409, 422),
    summary="Confirm a pending booking",
    description="One that was completed or missed is set back to confirmed, for 24 hours after its end.",
)
async def confirm_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    return await _step(request, caller, booking_id, "confirm", if_match, idempotency_key)


@post("/bookings/{booking_id:uuid}/start", status_code=200, responses=problems(*REMOVING, 422), summary="Start")
async def start_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    return await _step(request, caller, booking_id, "start", if_match, idempotency_key)


@post("/bookings/{booking_id:uuid}/complete", status_code=200, responses=problems(*REMOVING, 422), summary="Complete")
async def complete_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    return await _step(request, caller, booking_id, "complete", if_match, idempotency_key)


@post(
    "/bookings/{booking_id:uuid}/no-show",
    status_code=200,
    responses=problems(*REMOVING, 422),
    summary="The recipient did not come",
)
async def no_show(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    return await _step(request, caller, booking_id, "no_show", if_match, idempotency_key)


async def _step(
    request: Request[Any, Any, Any],
    caller: Caller,
    booking_id: UUID,
    step: Step,
    if_match: str | None,
    key: str | None = None,
    data: CancelIn | None = None,
) -> Response[StaffBooking]:
    ports = ports_of(request)
    version = version_of(if_match)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
    actor, reason = actor_of(caller), data.reason if data else None

    def act(replay: Replay[domain.Booking] | None) -> Awaitable[domain.Booking]:
        return take_step(ports, booking.id, step, actor, version=version, reason=reason, replay=replay)

    def act_on_all(replay: Replay[Series] | None) -> Awaitable[Series]:
        return cancel_following(ports, booking.id, actor, version=version, reason=reason, replay=replay)

    if data is not None and data.following:
        return await Post(caller.user.id, data, act_on_all, shown_series).answer(request, key, 200)
    return await Post(caller.user.id, data, act, shown).answer(request, key, 200)


@post(
    "/bookings/{booking_id:uuid}/reschedule",
    status_code=200,
    responses=problems(*CHANGING, 409, 422, 503),
    summary="Move a booking",
)
async def reschedule(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    data: JSONBody[StaffRescheduleIn],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    ports = ports_of(request)
    version = version_of(if_match)
    host_id = uuid_text(data.host) if data.host else None
    move = Move(epoch(data.start, "start"), data.duration, host_id, override=data.override)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))

    def act(replay: Replay[domain.Booking] | None) -> Awaitable[domain.Booking]:
        return reschedule_booking(ports, booking.id, move, actor_of(caller), version=version, replay=replay)

    return await Post(caller.user.id, data, act, shown).answer(request, idempotency_key, 200)


@post(
    "/bookings/{booking_id:uuid}/reassign",
    status_code=200,
    responses=problems(*CHANGING, 409, 422, 503),
    summary="Give a booking to another host",
    description="To one of those among whom its link or service chooses, if they are free then; notice does not count.",
)
async def reassign(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    data: JSONBody[ReassignIn],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    ports, version = ports_of(request), version_of(if_match)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
    move = Move(booking.start, host_id=uuid_text(data.host), reassigned=True)

    def act(replay: Replay[domain.Booking] | None) -> Awaitable[domain.Booking]:
        return reschedule_booking(ports, booking.id, move, actor_of(caller), version=version, replay=replay)

    return await Post(caller.user.id, data, act, shown).answer(request, idempotency_key, 200)


router = Router(
    "/",
    route_handlers=[
        delete_booking,
        cancel_booking,
        confirm_booking,
        start_booking,
        complete_booking,
        no_show,
        reschedule,
        reassign,
    ],
    tags=["bookings"],
)
