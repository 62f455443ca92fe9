"""`/slots`: sessions with seats, such as a class, an event or an opening."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, post
from litestar.params import JSONBody, QueryParameter
from msgspec import Meta

from app.domain import bookings as domain
from app.domain.text_rules import TEXT
from app.ports.bookings import BookingFilter
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.idempotency import Replay
from app.use_cases.manage_sessions import NewSession, create_session, found_session
from app.web.api.booking_shapes import HostOut, Status
from app.web.api.fields import (
    LISTING,
    MAKING,
    READING,
    REMOVING,
    Cursor,
    Duration,
    FirstDate,
    Id,
    IfMatch,
    In,
    LastDate,
    Limit,
    ListZone,
    Location,
    Moment,
    RequiredLine,
    Seats,
    SignedIn,
    line_text,
    need_admin,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import epoch, period, rfc3339

STANDING: tuple[Status, ...] = ("confirmed", "completed")


class SlotIn(In):
    """A session to set; `duration` in minutes. Without `capacity` and `title` those of its service. Without `host_ids`
    the rules choose who gives it, within their hours; those who are named may work outside theirs."""

    service_id: UUID
    start: Moment
    duration: Duration
    capacity: Seats | None = None
    host_ids: Annotated[list[UUID], Meta(max_length=50)] = []
    title: RequiredLine | None = None


class AttendeeOut(msgspec.Struct):
    """Who attends, by their booking."""

    booking_id: str
    name: str
    email: str
    seats: int
    status: Status


class SlotOut(msgspec.Struct):
    """A session; times in its zone. `is_explicit`: staff set it, so that it stays when nobody attends it any more."""

    id: str
    service_id: str | None
    title: str
    status: Status
    hosts: list[HostOut]
    start: str
    end: str
    duration: int
    timezone: str
    capacity: int
    seats_taken: int
    is_explicit: bool
    attendees: list[AttendeeOut]
    location: Location
    cancel_reason: str | None
    version: int
    created_at: str
    updated_at: str


class Slots(msgspec.Struct):
    """A page of sessions."""

    items: list[SlotOut]
    next_cursor: str | None


def slot_out(session: domain.Booking) -> SlotOut:
    """A session as the API shows it."""
    return SlotOut(
        id=session.id,
        service_id=session.service_id,
        title=session.title,
        status=session.status,
        hosts=[HostOut(host.id, host.kind, host.name) for host in session.hosts],
        start=rfc3339(session.start, session.timezone),
        end=rfc3339(session.end, session.timezone),
        duration=session.duration,
        timezone=session.timezone,
        capacity=session.capacity or 0,
        seats_taken=session.seats_taken,
        is_explicit=session.is_explicit,
        attendees=[
            AttendeeOut(each.booking_id, each.name, each.email, each.seats, each.status) for each in session.attendees
        ],
        location=Location(session.location.kind, session.location.value),
        cancel_reason=session.cancel_reason,
        version=session.version,
        created_at=rfc3339(session.created_at),
        updated_at=rfc3339(session.updated_at),
    )


async def _shown(_: UnitOfWork, session: domain.Booking) -> SlotOut:
    return slot_out(session)


@get(
    "/slots",
    responses=problems(*LISTING),
    summary="List sessions",
    description="By start; admins see all of them, others those they give, and those that links of theirs offer, with "
    "the names of those alone who came through these links. Cancelled ones are shown when `status` asks "
    "for them. `from` and `to` are local dates of `timezone` (one's own when it is missing), inclusive.",
)
async def list_slots(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    status: Annotated[list[Status] | None, QueryParameter(max_items=6)] = None,
    service: Annotated[UUID | None, QueryParameter()] = None,
    host: Annotated[UUID | None, QueryParameter()] = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> Slots:
    start, end = period(first, last, timezone or caller.user.timezone)
    where = BookingFilter(
        org_id=caller.user.org_id,
        user_id=caller.scope,
        status=status or STANDING,
        service_id=uuid_text(service) if service else None,
        host_id=uuid_text(host) if host else None,
        start=start,
        end=end,
        view="sessions",
    )
    async with ports_of(request).read() as work:
        page = await work.bookings.page(where, limit, cursor)
    return Slots([slot_out(session) for session in page.items], page.cursor)


@post(
    "/slots",
    responses=problems(*MAKING, 404, 409, 422, 503),
    summary="Set a session",
    description="For admins. Never over a booking or busy time: 409.",
)
async def create_slot(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[SlotIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[SlotOut]:
    need_admin(caller)
    wanted = NewSession(
        service_id=uuid_text(data.service_id),
        start=epoch(data.start, "start"),
        duration=data.duration,
        capacity=data.capacity,
        host_ids=tuple(uuid_text(each) for each in data.host_ids),
        title=None if data.title is None else line_text(data.title, "title"),
    )

    def act(replay: Replay[domain.Booking] | None) -> Awaitable[domain.Booking]:
        return create_session(ports_of(request), caller.user, wanted, replay)

    return await Post(caller.user.id, data, act, _shown).answer(request, idempotency_key)


@get("/slots/{slot_id:uuid}", responses=problems(*READING), summary="Show a session")
async def show_slot(request: Request[Any, Any, Any], caller: SignedIn, slot_id: Id) -> Response[SlotOut]:
    async with ports_of(request).read() as work:
        session = await found_session(work, caller.user, uuid_text(slot_id))
    return with_etag(slot_out(session), session.version)


@delete(
    "/slots/{slot_id:uuid}",
    status_code=200,
    responses=problems(*REMOVING, 422),
    summary="Cancel a session",
    description="With the bookings of all who attend it, who are told, with the `reason`.",
)
async def cancel_slot(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    slot_id: Id,
    reason: Annotated[str | None, QueryParameter(max_length=500, pattern=TEXT)] = None,
    if_match: IfMatch = None,
) -> Response[SlotOut]:
    ports = ports_of(request)
    async with ports.read() as work:
        session = await found_session(work, caller.user, uuid_text(slot_id), to_change=True)
    actor = Actor("user", caller.user.id)
    await take_step(ports, session.id, "cancel", actor, version=version_of(if_match), reason=reason)
    async with ports.read() as work:
        session = await found_session(work, caller.user, session.id)
    return with_etag(slot_out(session), session.version)


router = Router("/", route_handlers=[list_slots, create_slot, show_slot, cancel_slot], tags=["slots"])
