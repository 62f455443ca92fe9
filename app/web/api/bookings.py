"""`/bookings`: what staff see and do."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET

from app.domain import bookings as domain
from app.domain.booking_state import Step
from app.domain.errors import NotFound
from app.domain.text_rules import LINE
from app.ports import Ports
from app.ports.storage import BookingFilter, UnitOfWork
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import check_version, edit_notes, take_step
from app.use_cases.idempotency import Replay
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.web.api.booking_shapes import (
    BookingOut,
    BookingPatch,
    Bookings,
    CancelIn,
    History,
    HistoryEntry,
    PreviousTime,
    RescheduleIn,
    Status,
    booking_out,
)
from app.web.api.fields import (
    CHANGING,
    LISTING,
    READING,
    REMOVING,
    Cursor,
    FirstDate,
    Id,
    IfMatch,
    LastDate,
    Limit,
    ListZone,
    SignedIn,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.api.strict import OptionalBody
from app.web.sessions import Caller
from app.web.times import epoch, period, rfc3339


async def visible_booking(work: UnitOfWork, caller: Caller, booking_id: str) -> domain.Booking:
    """A booking the caller hosts or whose link they own; for admins any of the organization."""
    booking = await work.bookings.get(booking_id)
    if booking is None or booking.org_id != caller.user.org_id or not await _may_see(work, caller, booking):
        raise NotFound("There is no such booking.")
    return booking


async def _may_see(work: UnitOfWork, caller: Caller, booking: domain.Booking) -> bool:
    if caller.is_admin or caller.user.id in {host.id for host in booking.hosts}:
        return True
    link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
    return link is not None and link.owner_id == caller.user.id


async def _answer(ports: Ports, booking: domain.Booking) -> Response[BookingOut]:
    async with ports.read() as work:
        return with_etag(await _shown(work, booking), booking.version)


async def bookings_page(ports: Ports, where: BookingFilter, limit: int, cursor: str | None) -> Bookings:
    """One page of bookings as the API shows them; four statements whatever its length."""
    async with ports.read() as work:
        page = await work.bookings.page(where, limit, cursor)
        ids = [booking.id for booking in page.items]
        events, conflicting = await work.bookings.event_states(ids), await work.bookings.conflicting(ids)
    items = [
        booking_out(booking, events.get(booking.id, []), has_conflict=booking.id in conflicting)
        for booking in page.items
    ]
    return Bookings(items, page.cursor)


@get(
    "/bookings",
    responses=problems(*LISTING),
    summary="List bookings",
    description="By start. `from` and `to` are local dates of `timezone` (one's own when it is missing), inclusive.",
)
async def list_bookings(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: Annotated[list[Status] | None, QueryParameter(max_items=6)] = None,
    link: Annotated[UUID | None, QueryParameter()] = None,
    host: Annotated[UUID | None, QueryParameter()] = None,
    recipient: Annotated[str | None, QueryParameter(max_length=254, pattern=LINE)] = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> Bookings:
    start, end = period(first, last, timezone or caller.user.timezone)
    where = BookingFilter(
        org_id=caller.user.org_id,
        user_id=caller.scope,
        status=status or (),
        link_id=uuid_text(link) if link else None,
        host_id=uuid_text(host) if host else None,
        recipient=recipient.strip().lower() if recipient else None,
        start=start,
        end=end,
    )
    return await bookings_page(ports_of(request), where, limit, cursor)


@get("/bookings/{booking_id:uuid}", responses=problems(*READING), summary="Show a booking")
async def show_booking(request: Request[Any, Any, Any], caller: SignedIn, booking_id: Id) -> Response[BookingOut]:
    ports = ports_of(request)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
    return await _answer(ports, booking)


@patch("/bookings/{booking_id:uuid}", responses=problems(*CHANGING), summary="Change a booking's notes")
async def change_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    data: JSONBody[BookingPatch],
    if_match: IfMatch = None,
) -> Response[BookingOut]:
    ports = ports_of(request)
    version = version_of(if_match)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
    check_version(booking, version)
    if data.notes is not UNSET:
        booking = await edit_notes(ports, booking.id, data.notes, _actor(caller), version=version)
    return await _answer(ports, booking)


@delete(
    "/bookings/{booking_id:uuid}",
    status_code=200,
    responses=problems(*REMOVING, 422),
    summary="Cancel",
    description="Nothing is erased by it: the booking stays, cancelled.",
)
async def delete_booking(
    request: Request[Any, Any, Any], caller: SignedIn, booking_id: Id, if_match: IfMatch = None
) -> Response[BookingOut]:
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
) -> Response[BookingOut]:
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
) -> Response[BookingOut]:
    return await _step(request, caller, booking_id, "confirm", if_match, idempotency_key)


@post("/bookings/{booking_id:uuid}/start", status_code=200, responses=problems(*REMOVING, 422), summary="Start")
async def start_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[BookingOut]:
    return await _step(request, caller, booking_id, "start", if_match, idempotency_key)


@post("/bookings/{booking_id:uuid}/complete", status_code=200, responses=problems(*REMOVING, 422), summary="Complete")
async def complete_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[BookingOut]:
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
) -> Response[BookingOut]:
    return await _step(request, caller, booking_id, "no_show", if_match, idempotency_key)


async def _step(
    request: Request[Any, Any, Any],
    caller: Caller,
    booking_id: UUID,
    step: Step,
    if_match: str | None,
    key: str | None = None,
    data: CancelIn | None = None,
) -> Response[BookingOut]:
    ports = ports_of(request)
    version = version_of(if_match)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
    actor, reason = _actor(caller), data.reason if data else None

    def act(replay: Replay[domain.Booking] | None) -> Awaitable[domain.Booking]:
        return take_step(ports, booking.id, step, actor, version=version, reason=reason, replay=replay)

    return await Post(caller.user.id, data, act, _shown).answer(request, key, 200)


async def _shown(work: UnitOfWork, booking: domain.Booking) -> BookingOut:
    events = await work.bookings.event_states([booking.id])
    conflicting = await work.bookings.conflicting([booking.id])
    return booking_out(booking, events.get(booking.id, []), has_conflict=booking.id in conflicting)


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
    data: JSONBody[RescheduleIn],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[BookingOut]:
    ports = ports_of(request)
    version = version_of(if_match)
    move = Move(epoch(data.start, "start"), data.duration, uuid_text(data.host) if data.host else None)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))

    def act(replay: Replay[domain.Booking] | None) -> Awaitable[domain.Booking]:
        return reschedule_booking(ports, booking.id, move, _actor(caller), version=version, replay=replay)

    return await Post(caller.user.id, data, act, _shown).answer(request, idempotency_key, 200)


@get("/bookings/{booking_id:uuid}/history", responses=problems(*READING), summary="What happened to a booking")
async def booking_history(request: Request[Any, Any, Any], caller: SignedIn, booking_id: Id) -> History:
    async with ports_of(request).read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
        entries = await work.audit.of_entity(booking.org_id, booking.id)
        previous = await work.bookings.previous_times(booking.id)
    return History(
        [
            HistoryEntry(
                rfc3339(entry["at"]), entry["actor_kind"], entry["actor_id"], entry["action"], entry["changes"]
            )
            for entry in entries
        ],
        [
            PreviousTime(
                time["status"],
                rfc3339(time["start_at"], booking.timezone),
                rfc3339(time["end_at"], booking.timezone),
                time["host_ids"],
                rfc3339(time["replaced_at"]),
            )
            for time in previous
        ],
    )


def _actor(caller: Caller) -> Actor:
    return Actor("user", caller.user.id)


router = Router(
    "/",
    route_handlers=[
        list_bookings,
        show_booking,
        change_booking,
        delete_booking,
        cancel_booking,
        confirm_booking,
        start_booking,
        complete_booking,
        no_show,
        reschedule,
        booking_history,
    ],
    tags=["bookings"],
)
