"""`/public`: what recipients do, with a link's token or a booking's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from app.domain import bookings as domain
from app.domain.booking_state import is_held_out
from app.domain.errors import NotFound, NotModifiable
from app.domain.event_text import calendar_text
from app.domain.text_rules import LINE, TEXT
from app.ports import Ports
from app.ports.storage import LinkContext, UnitOfWork
from app.use_cases.book_slot import BookingRequest, book_slot
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.find_slots import SlotQuestion
from app.use_cases.host_states import open_context
from app.use_cases.idempotency import Replay
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.view_booking import recipient_event
from app.web.api.availability import Answers, availability_text
from app.web.api.booking_shapes import BookingOut, CancelIn, RescheduleIn, booking_out
from app.web.api.fields import (
    DATE_PATTERN,
    ZONE_PATTERN,
    Duration,
    Email,
    IfMatch,
    In,
    Location,
    LongText,
    Moment,
    Phone,
    RequiredLine,
    Zone,
    address_text,
    line_text,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.links import PickedSlotOut
from app.web.api.once import IdempotencyKey, Post
from app.web.api.strict import OptionalBody
from app.web.api.templates import QuestionBody
from app.web.limits import LimitByAddress
from app.web.times import epoch, optional_rfc3339, parse_date, rfc3339

Token = Annotated[str, PathParameter(max_length=200)]
LINK = (404, 410, 429)

LARGEST_NUMBER = 2**53
Answer = (
    Annotated[str, Meta(max_length=5000, pattern=TEXT)]
    | bool
    | Annotated[int, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
    | Annotated[float, Meta(ge=-LARGEST_NUMBER, le=LARGEST_NUMBER)]
    | Annotated[list[RequiredLine], Meta(max_length=100)]
    | None
)


class PublicLink(msgspec.Struct):
    """What a recipient is shown of a link."""

    title: str
    description: str
    organization: str
    hosts: list[str]
    durations: list[int]
    timezone: str
    location: Location
    questions: list[QuestionBody]
    requires_approval: bool
    slots: list[PickedSlotOut]
    recipient_email: str | None
    expires_at: str | None


class SlotOut(msgspec.Struct):
    """A free time."""

    start: str
    end: str
    seats_left: int


class DayOut(msgspec.Struct):
    """A local date that has free times."""

    date: str
    slots: list[SlotOut]


class Availability(msgspec.Struct):
    """Free times by local date of `timezone`."""

    timezone: str
    duration: int
    days: list[DayOut]


class BookIn(In):
    """A booking to make; `duration` in minutes."""

    start: Moment
    duration: Duration
    timezone: Zone
    name: RequiredLine
    email: Email
    phone: Phone | None = None
    answers: dict[Annotated[str, Meta(max_length=64)], Answer] = {}
    guests: Annotated[list[Email], Meta(max_length=20)] = []
    notes: LongText | None = None
    challenge: Annotated[str, Meta(max_length=5000, pattern=LINE)] | None = None


class PublicBooking(BookingOut):
    """A booking as its recipient sees it; the token manages it without an account."""

    booking_token: str = ""
    manage_url: str = ""


def public_booking(ports: Ports, booking: domain.Booking) -> PublicBooking:
    """A booking for its recipient: how far it is in the staff's calendars is not theirs."""
    shown = booking_out(booking, [])
    fields = {name: getattr(shown, name) for name in BookingOut.__struct_fields__}
    return PublicBooking(**fields, booking_token=booking.token, manage_url=f"{ports.base_url}/booking/{booking.token}")


@get("/public/{token:str}", responses=problems(*LINK), summary="Show a link")
async def show_link(request: Request[Any, Any, Any], token: Token) -> PublicLink:
    ports = ports_of(request)
    async with ports.read() as work:
        context = open_context(await work.links.context(token), ports.clock())
    return _public_link(context)


def _public_link(context: LinkContext) -> PublicLink:
    link, one_time = context.link, context.one_time
    schedule = context.hosts[0].schedule
    questions = context.template.questions if context.template else ()
    return PublicLink(
        title=link.title,
        description=link.description,
        organization=context.organization.name,
        hosts=[host.name for host in context.hosts],
        durations=list(link.durations),
        timezone=schedule.timezone if schedule else "UTC",
        location=Location(link.location.kind, link.location.value if link.location.kind == "address" else ""),
        questions=[
            QuestionBody(
                id=question.id,
                label=question.label,
                kind=question.kind,
                required=question.required,
                options=list(question.options),
                help=question.help,
            )
            for question in questions
        ],
        requires_approval=link.requires_approval,
        slots=[PickedSlotOut(rfc3339(start), duration) for start, duration in one_time.slots] if one_time else [],
        recipient_email=one_time.recipient_email if one_time else None,
        expires_at=optional_rfc3339(one_time.expires_at) if one_time else None,
    )


@get(
    "/public/{token:str}/availability",
    responses={
        **problems(*LINK, 503),
        200: ResponseSpec(Availability, description="Free times", generate_examples=False),
    },
    summary="Free times",
    description="Local dates of `timezone`, both inclusive, at most 92 days; only days that have free times.",
)
async def availability(
    request: Request[Any, Any, Any],
    token: Token,
    first: Annotated[str, QueryParameter(name="from", pattern=DATE_PATTERN)],
    last: Annotated[str, QueryParameter(name="to", pattern=DATE_PATTERN)],
    duration: Annotated[int, QueryParameter(ge=1, le=1440)],
    timezone: Annotated[str, QueryParameter(pattern=ZONE_PATTERN)],
) -> Response[bytes]:
    answers: Answers = request.app.state.answers
    question = SlotQuestion(parse_date(first, "from"), parse_date(last, "to"), duration, timezone)
    text = await availability_text(ports_of(request), answers, token, question)
    return Response(text, media_type="application/json")


@post("/public/{token:str}/book", responses=problems(*LINK, 409, 413, 422, 503), summary="Book a free time")
async def book(
    request: Request[Any, Any, Any], token: Token, data: JSONBody[BookIn], idempotency_key: IdempotencyKey = None
) -> Response[PublicBooking]:
    ports = ports_of(request)
    wanted = BookingRequest(
        start=epoch(data.start, "start"),
        duration=data.duration,
        timezone=data.timezone,
        recipient=domain.Recipient(line_text(data.name, "name"), address_text(data.email, "email"), data.phone),
        answers=data.answers,
        guests=tuple(dict.fromkeys(address_text(guest, f"guests.{index}") for index, guest in enumerate(data.guests))),
        notes=data.notes,
    )

    made = Post(None, data, lambda replay: book_slot(ports, token, wanted, replay), _shown(ports))
    return await made.answer(request, idempotency_key)


def _shown(ports: Ports) -> Callable[[UnitOfWork, domain.Booking], Awaitable[PublicBooking]]:
    async def show(_: UnitOfWork, booking: domain.Booking) -> PublicBooking:
        return public_booking(ports, booking)

    return show


async def booking_by_token(ports: Ports, token: str) -> domain.Booking:
    """The booking a recipient manages."""
    async with ports.read() as work:
        booking = await work.bookings.by_token(token)
    if booking is None:
        raise NotFound("There is no such booking.")
    return booking


def changeable(ports: Ports, booking: domain.Booking) -> domain.Booking:
    """A recipient changes what is still to come."""
    now = ports.clock()
    if booking.end <= now or is_held_out(booking, now):
        raise NotModifiable("This booking is over.")
    return booking


@get(
    "/public/bookings/{token:str}",
    responses=problems(404, 429),
    summary="Show one's booking",
    description="One whose hold ran out is shown as what it will be: cancelled.",
)
async def show_booking(request: Request[Any, Any, Any], token: Token) -> Response[PublicBooking]:
    ports = ports_of(request)
    booking = await booking_by_token(ports, token)
    if is_held_out(booking, ports.clock()):
        booking = replace(booking, status="cancelled", cancel_reason="expired", hold_expires_at=None)
    return with_etag(public_booking(ports, booking), booking.version)


@post(
    "/public/bookings/{token:str}/cancel",
    status_code=200,
    responses=problems(404, 412, 413, 422, 429),
    summary="Cancel one's booking",
    operation_class=OptionalBody,
)
async def cancel(
    request: Request[Any, Any, Any],
    token: Token,
    data: JSONBody[CancelIn | None] = None,
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[PublicBooking]:
    ports = ports_of(request)
    version = version_of(if_match)
    booking = await booking_by_token(ports, token)
    actor, reason = Actor("recipient", booking.id), data.reason if data else None

    async def act(replay: Replay[domain.Booking] | None) -> domain.Booking:
        seen = changeable(ports, booking)
        return await take_step(ports, seen.id, "cancel", actor, version=version, reason=reason, replay=replay)

    return await Post(None, data, act, _shown(ports)).answer(request, idempotency_key, 200)


@post(
    "/public/bookings/{token:str}/reschedule",
    status_code=200,
    responses=problems(404, 409, 412, 413, 422, 429, 503),
    summary="Move one's booking",
)
async def reschedule(
    request: Request[Any, Any, Any],
    token: Token,
    data: JSONBody[RescheduleIn],
    if_match: IfMatch = None,
    idempotency_key: IdempotencyKey = None,
) -> Response[PublicBooking]:
    ports = ports_of(request)
    version = version_of(if_match)
    move = Move(epoch(data.start, "start"), data.duration, uuid_text(data.host) if data.host else None)
    booking = await booking_by_token(ports, token)
    actor = Actor("recipient", booking.id)

    async def act(replay: Replay[domain.Booking] | None) -> domain.Booking:
        seen = changeable(ports, booking)
        return await reschedule_booking(ports, seen.id, move, actor, version=version, replay=replay)

    return await Post(None, data, act, _shown(ports)).answer(request, idempotency_key, 200)


@get(
    "/public/bookings/{token:str}/calendar.ics",
    responses={
        **problems(404, 429),
        200: ResponseSpec(str, description="The booking's event", media_type="text/calendar", generate_examples=False),
    },
    summary="One's booking as an iCalendar file",
)
async def calendar_file(request: Request[Any, Any, Any], token: Token) -> Response[bytes]:
    ports = ports_of(request)
    booking = await booking_by_token(ports, token)
    event = await recipient_event(ports, booking)
    return Response(
        calendar_text(event).encode(),
        media_type="text/calendar",
        headers={"Content-Disposition": 'attachment; filename="booking.ics"'},
    )


reading = Router(
    "/",
    route_handlers=[show_link, availability, show_booking, calendar_file],
    guards=[LimitByAddress("public")],
    tags=["public"],
)
acting = Router("/", route_handlers=[book, cancel, reschedule], guards=[LimitByAddress("booking")], tags=["public"])
