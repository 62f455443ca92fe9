"""`/bookings`: what staff see and do."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any
from uuid import UUID

from litestar import Request, Response, Router, get, patch, post
from litestar.params import JSONBody, QueryParameter

from app.domain import bookings as domain
from app.domain.errors import Invalid, NotFound
from app.domain.text_rules import LINE
from app.ports import Ports
from app.ports.bookings import BookingFilter
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_series import Series, book_series_for_client
from app.use_cases.book_slot import BookingRequest
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import check_version
from app.use_cases.edit_booking import edit_booking
from app.use_cases.idempotency import Replay
from app.web.api.booking_shapes import (
    BookingPatch,
    Bookings,
    History,
    HistoryEntry,
    PreviousTime,
    StaffBookIn,
    StaffBooking,
    Status,
    add_series,
    staff_booking,
)
from app.web.api.fields import (
    CHANGING,
    LISTING,
    MAKING,
    READING,
    Cursor,
    FirstDate,
    Id,
    IfMatch,
    LastDate,
    Limit,
    ListZone,
    SignedIn,
    address_text,
    addresses_text,
    given,
    line_text,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
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


async def _answer(ports: Ports, booking: domain.Booking) -> Response[StaffBooking]:
    async with ports.read() as work:
        return with_etag(await shown(work, booking), booking.version)


async def bookings_page(ports: Ports, where: BookingFilter, limit: int, cursor: str | None) -> Bookings:
    """One page of bookings as the API shows them; four statements whatever its length."""
    async with ports.read() as work:
        page = await work.bookings.page(where, limit, cursor)
        ids = [booking.id for booking in page.items]
        events, conflicting = await work.bookings.event_states(ids), await work.bookings.conflicting(ids)
    items = [
        staff_booking(booking, events.get(booking.id, []), has_conflict=booking.id in conflicting)
        for booking in page.items
    ]
    return Bookings(items, page.cursor)


@get(
    "/bookings",
    responses=problems(*LISTING),
    summary="List bookings",
    description="By start. `from` and `to` are local dates of `timezone` (one's own when it is missing), inclusive. "
    "`q` is what the recipient's name or e-mail address begins with.",
)
async def list_bookings(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: Annotated[list[Status] | None, QueryParameter(max_items=6)] = None,
    link: Annotated[UUID | None, QueryParameter()] = None,
    service: Annotated[UUID | None, QueryParameter()] = None,
    host: Annotated[UUID | None, QueryParameter()] = None,
    series: Annotated[UUID | None, QueryParameter(description="The first booking of a recurring set.")] = None,
    recipient: Annotated[str | None, QueryParameter(max_length=254, pattern=LINE)] = None,
    client: Annotated[UUID | None, QueryParameter()] = None,
    q: Annotated[str | None, QueryParameter(min_length=1, max_length=254, pattern=LINE)] = None,
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
        service_id=uuid_text(service) if service else None,
        host_id=uuid_text(host) if host else None,
        series_id=uuid_text(series) if series else None,
        recipient=recipient.strip().lower() if recipient else None,
        client_id=uuid_text(client) if client else None,
        named=q,
        start=start,
        end=end,
    )
    return await bookings_page(ports_of(request), where, limit, cursor)


@post(
    "/bookings",
    responses=problems(*MAKING, 404, 409, 422, 503),
    summary="Book for a client",
    description="Through a link one manages or, for admins and those who are qualified, as a service. It is confirmed. "
    "`repeat` books a weekly set; the answer is its first booking with the others in `series`.",
)
async def book_for_a_client(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[StaffBookIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[StaffBooking]:
    ports = ports_of(request)
    if (data.link is None) == (data.service is None):
        raise Invalid.field("link", "Either a link or a service is needed.")
    client = data.recipient
    email = address_text(client.email, "recipient.email") if client.email else ""
    wanted = ClientBooking(
        BookingRequest(
            start=epoch(data.start, "start"),
            duration=data.duration,
            timezone=data.timezone or caller.user.timezone,
            recipient=domain.Recipient(line_text(client.name, "recipient.name"), email, client.phone),
            answers=data.answers,
            guests=addresses_text(data.guests, "guests"),
            notes=data.notes,
            host_id=uuid_text(data.host) if data.host else None,
            seats=data.seats,
            repeat=data.repeat.meant() if data.repeat else None,
            language=data.language,
        ),
        link_id=uuid_text(data.link) if data.link else None,
        service_id=uuid_text(data.service) if data.service else None,
        override=data.override,
    )

    def act(replay: Replay[domain.Booking] | None) -> Awaitable[domain.Booking]:
        return book_for_client(ports, caller.user, wanted, replay)

    def act_on_all(replay: Replay[Series] | None) -> Awaitable[Series]:
        return book_series_for_client(ports, caller.user, wanted, replay)

    if data.repeat is not None:
        return await Post(caller.user.id, data, act_on_all, shown_series).answer(request, idempotency_key)
    return await Post(caller.user.id, data, act, shown).answer(request, idempotency_key)


@get("/bookings/{booking_id:uuid}", responses=problems(*READING), summary="Show a booking")
async def show_booking(request: Request[Any, Any, Any], caller: SignedIn, booking_id: Id) -> Response[StaffBooking]:
    ports = ports_of(request)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
    return await _answer(ports, booking)


@patch("/bookings/{booking_id:uuid}", responses=problems(*CHANGING, 422), summary="Change what a booking says")
async def change_booking(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    booking_id: Id,
    data: JSONBody[BookingPatch],
    if_match: IfMatch = None,
) -> Response[StaffBooking]:
    ports = ports_of(request)
    version = version_of(if_match)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, uuid_text(booking_id))
    check_version(booking, version)
    values = given(data)
    if "guests" in values:
        values["guests"] = addresses_text(values["guests"], "guests")
    if values:
        booking = await edit_booking(ports, booking.id, values, actor_of(caller), version=version)
    return await _answer(ports, booking)


async def shown(work: UnitOfWork, booking: domain.Booking) -> StaffBooking:
    events = await work.bookings.event_states([booking.id])
    conflicting = await work.bookings.conflicting([booking.id])
    return staff_booking(booking, events.get(booking.id, []), has_conflict=booking.id in conflicting)


async def shown_series(work: UnitOfWork, series: Series) -> StaffBooking:
    first = await shown(work, series.first)
    add_series(first, series)
    return first


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


def actor_of(caller: Caller) -> Actor:
    return Actor("user", caller.user.id)


router = Router(
    "/",
    route_handlers=[
        list_bookings,
        book_for_a_client,
        show_booking,
        change_booking,
        booking_history,
    ],
    tags=["bookings"],
)
