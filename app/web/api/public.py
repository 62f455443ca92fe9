"""`/public`: what recipients do, with a link's token or a booking's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import JSONBody, PathParameter, QueryParameter
from msgspec import Meta

from app.domain import bookings as domain
from app.domain.booking_state import is_held_out
from app.domain.errors import NotFound, NotModifiable
from app.domain.event_text import calendar_text
from app.domain.languages import negotiated
from app.domain.policies import Policy
from app.domain.stays import wall_time
from app.domain.text_rules import LINE
from app.ports import Ports
from app.ports.links import LinkContext
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_series import Series, book_series
from app.use_cases.book_slot import BookingRequest, book_slot
from app.use_cases.booking_changes import Actor
from app.use_cases.cancel_series import cancel_following
from app.use_cases.change_booking import take_step
from app.use_cases.find_slots import SlotQuestion, all_durations
from app.use_cases.host_states import open_context
from app.use_cases.idempotency import Replay
from app.use_cases.offered_hosts import choices, people_of, policy_of
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.view_booking import recipient_event
from app.web.api.availability import Answers, availability_text
from app.web.api.booking_shapes import BookingOut, CancelIn, RepeatIn, RescheduleIn, add_series, booking_out
from app.web.api.fields import (
    DATE_PATTERN,
    LONGEST_STAY,
    ZONE_PATTERN,
    Answer,
    Email,
    IfMatch,
    In,
    Language,
    Length,
    Location,
    LongText,
    Moment,
    Phone,
    RequiredLine,
    Seats,
    Zone,
    address_text,
    addresses_text,
    line_text,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.api.one_time_links import PickedSlotOut
from app.web.api.policies import BookingPolicy, OfferPolicy, booking_policy, offer_policy
from app.web.api.strict import OptionalBody
from app.web.api.templates import QuestionBody, question_bodies
from app.web.limits import LimitByAddress
from app.web.times import epoch, optional_rfc3339, parse_date, rfc3339
from app.web.views import note_view

Token = Annotated[str, PathParameter(max_length=200)]
LINK = (404, 410, 429)


class PersonOut(msgspec.Struct):
    """Somebody a recipient may choose."""

    id: str
    name: str


class PublicLink(msgspec.Struct):
    """What a recipient is shown of a link. One by the night has its lengths in minutes too, 1440 each, and begins at
    `check_in`, by the clock of `timezone`."""

    title: str
    description: str
    organization: str
    hosts: list[str]
    people: list[PersonOut]
    durations: list[int]
    timezone: str
    location: Location
    questions: list[QuestionBody]
    requires_approval: bool
    capacity: int
    max_repeats: int | None
    unit: Literal["minutes", "nights"]
    check_in: str | None
    check_out: str | None
    price: int | None
    deposit: int | None
    currency: str | None
    policy: OfferPolicy
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
    """A booking to make; `duration` in minutes. `language` is what its mails and texts are in, such as `de-AT`: that of
    Accept-Language when it is missing."""

    start: Moment
    duration: Length
    timezone: Zone
    name: RequiredLine
    email: Email
    phone: Phone | None = None
    answers: dict[Annotated[str, Meta(max_length=64)], Answer] = {}
    guests: Annotated[list[Email], Meta(max_length=20)] = []
    notes: LongText | None = None
    host: UUID | None = None
    seats: Seats = 1
    repeat: RepeatIn | None = None
    language: Language | None = None
    challenge: Annotated[str, Meta(max_length=5000, pattern=LINE)] | None = None


class PublicBooking(BookingOut):
    """A booking as its recipient sees it; the token manages it without an account."""

    booking_token: str = ""
    manage_url: str = ""


class ManagedBooking(PublicBooking, kw_only=True):
    """The same with what its recipient may do with it."""

    policy: BookingPolicy


def public_booking(ports: Ports, booking: domain.Booking) -> PublicBooking:
    """A booking for its recipient: how far it is in the staff's calendars is not theirs."""
    shown = booking_out(booking, [])
    fields = {name: getattr(shown, name) for name in BookingOut.__struct_fields__}
    return PublicBooking(**fields, booking_token=booking.token, manage_url=f"{ports.base_url}/booking/{booking.token}")


async def managed_booking(ports: Ports, work: UnitOfWork, booking: domain.Booking) -> ManagedBooking:
    """A booking with the rules for changing it."""
    now, shown = ports.clock(), public_booking(ports, booking)
    fields = {name: getattr(shown, name) for name in PublicBooking.__struct_fields__}
    policy = await policy_of(work, booking)
    return ManagedBooking(**fields, policy=booking_policy(policy, booking, now, is_open=is_changeable(booking, now)))


@get("/public/{token:str}", responses=problems(*LINK), summary="Show a link")
async def show_link(request: Request[Any, Any, Any], token: Token) -> PublicLink:
    ports = ports_of(request)
    async with ports.read() as work:
        context = open_context(await work.links.context(token), ports.clock())
    note_view(request, context)
    return _public_link(context)


def _public_link(context: LinkContext) -> PublicLink:
    link, one_time, price = context.link, context.one_time, context.price
    schedule = next((host.schedule for host in context.hosts if host.schedule), None)
    questions = context.template.questions if context.template else ()
    return PublicLink(
        title=link.title,
        description=link.description,
        organization=context.organization.name,
        hosts=[host.name for host in people_of(context)],
        people=[PersonOut(host.host_id, host.name) for host in choices(context)],
        durations=sorted(all_durations(context)),
        timezone=schedule.timezone if schedule else "UTC",
        location=Location(link.location.kind, link.location.value if link.location.kind == "address" else ""),
        questions=question_bodies(questions),
        requires_approval=link.requires_approval,
        capacity=context.capacity,
        max_repeats=(link.max_repeats or None) if one_time is None else None,
        unit="minutes" if link.stay is None else "nights",
        check_in=None if link.stay is None else wall_time(link.stay.check_in),
        check_out=None if link.stay is None else wall_time(link.stay.check_out),
        price=price.amount if price else None,
        deposit=price.deposit if price else None,
        currency=price.currency if price else None,
        policy=offer_policy(Policy.of(link)),
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
    duration: Annotated[int, QueryParameter(ge=1, le=LONGEST_STAY)],
    timezone: Annotated[str, QueryParameter(pattern=ZONE_PATTERN)],
    host: Annotated[UUID | None, QueryParameter(description="The person who was chosen.")] = None,
) -> Response[bytes]:
    answers: Answers = request.app.state.answers
    person = uuid_text(host) if host else None
    question = SlotQuestion(parse_date(first, "from"), parse_date(last, "to"), duration, timezone, person)
    text = await availability_text(ports_of(request), answers, token, question)
    return Response(text, media_type="application/json")


@post(
    "/public/{token:str}/book",
    responses=problems(403, *LINK, 409, 413, 422, 503),
    summary="Book a free time",
    description="`repeat` books a weekly set, as far as `max_repeats` of the link lets one; the answer is its first "
    "booking with the others in `series`, and 409 tells the `taken` starts.",
)
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
        guests=addresses_text(data.guests, "guests"),
        notes=data.notes,
        host_id=uuid_text(data.host) if data.host else None,
        seats=data.seats,
        repeat=data.repeat.meant() if data.repeat else None,
        language=data.language or negotiated(request.headers.get("accept-language")),
    )
    if data.repeat is not None:
        all_of_it = Post(None, data, lambda replay: book_series(ports, token, wanted, replay), _shown_series(ports))
        return await all_of_it.answer(request, idempotency_key)
    made = Post(None, data, lambda replay: book_slot(ports, token, wanted, replay), _shown(ports))
    return await made.answer(request, idempotency_key)


def _managed(ports: Ports) -> Callable[[UnitOfWork, domain.Booking], Awaitable[ManagedBooking]]:
    async def show(work: UnitOfWork, booking: domain.Booking) -> ManagedBooking:
        return await managed_booking(ports, work, booking)

    return show


def _shown(ports: Ports) -> Callable[[UnitOfWork, domain.Booking], Awaitable[PublicBooking]]:
    async def show(_: UnitOfWork, booking: domain.Booking) -> PublicBooking:
        return public_booking(ports, booking)

    return show


def _shown_series(ports: Ports) -> Callable[[UnitOfWork, Series], Awaitable[PublicBooking]]:
    async def show(_: UnitOfWork, series: Series) -> PublicBooking:
        shown = public_booking(ports, series.first)
        add_series(shown, series)
        return shown

    return show


async def booking_by_token(ports: Ports, token: str) -> domain.Booking:
    """The booking a recipient manages."""
    async with ports.read() as work:
        booking = await work.bookings.by_token(token)
    if booking is None:
        raise NotFound("There is no such booking.")
    return booking


def _managed_series(ports: Ports) -> Callable[[UnitOfWork, Series], Awaitable[ManagedBooking]]:
    async def show(work: UnitOfWork, series: Series) -> ManagedBooking:
        shown = await managed_booking(ports, work, series.first)
        add_series(shown, series)
        return shown

    return show


def is_changeable(booking: domain.Booking, now: int) -> bool:
    """Whether its state lets its recipient cancel or move it."""
    return booking.status in {"pending", "confirmed"} and booking.end > now and not is_held_out(booking, now)


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
async def show_booking(request: Request[Any, Any, Any], token: Token) -> Response[ManagedBooking]:
    ports = ports_of(request)
    booking = await booking_by_token(ports, token)
    if is_held_out(booking, ports.clock()):
        booking = replace(booking, status="cancelled", cancel_reason="expired", hold_expires_at=None)
    async with ports.read() as work:
        return with_etag(await managed_booking(ports, work, booking), booking.version)


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
) -> Response[ManagedBooking]:
    ports = ports_of(request)
    version = version_of(if_match)
    booking = await booking_by_token(ports, token)
    actor, reason = Actor("recipient", booking.id), data.reason if data else None

    async def act(replay: Replay[domain.Booking] | None) -> domain.Booking:
        seen = changeable(ports, booking)
        return await take_step(ports, seen.id, "cancel", actor, version=version, reason=reason, replay=replay)

    async def act_on_all(replay: Replay[Series] | None) -> Series:
        seen = changeable(ports, booking)
        return await cancel_following(ports, seen.id, actor, version=version, reason=reason, replay=replay)

    if data is not None and data.following:
        return await Post(None, data, act_on_all, _managed_series(ports)).answer(request, idempotency_key, 200)
    return await Post(None, data, act, _managed(ports)).answer(request, idempotency_key, 200)


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
) -> Response[ManagedBooking]:
    ports = ports_of(request)
    version = version_of(if_match)
    move = Move(epoch(data.start, "start"), data.duration, uuid_text(data.host) if data.host else None)
    booking = await booking_by_token(ports, token)
    actor = Actor("recipient", booking.id)

    async def act(replay: Replay[domain.Booking] | None) -> domain.Booking:
        seen = changeable(ports, booking)
        return await reschedule_booking(ports, seen.id, move, actor, version=version, replay=replay)

    return await Post(None, data, act, _managed(ports)).answer(request, idempotency_key, 200)


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
