"""A recipient's own booking, by its token: `/booking/{token}`, and below it `/move` and `/cancel`.

A GET only shows; moving and cancelling are POSTs from a page that says what will happen.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from litestar import Request, Response, Router, get, post
from litestar.params import FromPath

from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, Conflict, HalfpastError, Invalid, RateLimited
from app.domain.hours import local_date
from app.ports import Ports
from app.use_cases.booking_changes import Actor
from app.use_cases.browse_times import browse_moves
from app.use_cases.cancel_series import cancel_following
from app.use_cases.change_booking import take_step
from app.use_cases.reschedule_booking import Move, moved_end, reschedule_booking
from app.use_cases.zone_names import canonical_zone
from app.web.addresses import client_address
from app.web.api.fields import ShortReason
from app.web.api.public import booking_by_token, changeable
from app.web.limits import LimitByAddress
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.booking import TimeOffer, time_offers, wording_of
from app.web.pages.faces import When, when_of
from app.web.pages.manage_views import booking_path, booking_view
from app.web.pages.picker import picker_of, read_minutes, read_query, read_start
from app.web.pages.rendering import page, see_other
from app.web.pages.series_views import left_out
from app.web.problem import problem_of
from app.web.times import rfc3339

UNLINKED = {"Referrer-Policy": "no-referrer"}


@get("/", guards=[LimitByAddress("public")])
async def booking_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """The booking; `?did=` says what its recipient just did with it."""
    ports: Ports = request.app.state.ports
    booking = await booking_by_token(ports, token)
    did = request.query_params.get("did", "")
    wording = wording_of(request)
    view = await booking_view(ports, booking, wording, is_new=did == "booked")
    missing = left_out(request.query_params.get("left", ""), booking, wording)
    return page(request, "manage/booking.html", privacy="secret", view=view, did=did, missing=missing)


@get("/cancel", guards=[LimitByAddress("public")])
async def cancel_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[Any]:
    """Asks before cancelling."""
    booking = await booking_by_token(request.app.state.ports, token)
    return await _ask_to_cancel(request, booking)


async def _ask_to_cancel(
    request: Request[Any, Any, Any], booking: Booking, reason: str = "", refusal: HalfpastError | None = None
) -> Response[Any]:
    view = await booking_view(request.app.state.ports, booking, wording_of(request))
    if not view.can_cancel:
        return see_other(booking_path(booking), UNLINKED)
    status, headers = _outcome(refusal)
    error = refusal.detail if refusal else ""
    return page(
        request,
        "manage/cancel.html",
        status=status,
        privacy="secret",
        headers=headers,
        view=view,
        reason=reason,
        error=error,
    )


@post("/cancel")
async def cancel(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[Any]:
    """Cancel; twice is as good as once."""
    ports: Ports = request.app.state.ports
    booking = await booking_by_token(ports, token)
    form = await request.form()
    reason = str(form.get("reason") or "").replace("\r\n", "\n").strip()
    if booking.status == "cancelled":
        return see_other(f"{booking_path(booking)}?did=cancelled", UNLINKED)
    try:
        await request.app.state.limits.hit("booking", client_address(request))
        _check_reason(reason)
        actor = Actor("recipient", changeable(ports, booking).id)
        version = _version(form)
        if form.get("following"):
            await cancel_following(ports, booking.id, actor, version=version, reason=reason or None)
        else:
            await take_step(ports, booking.id, "cancel", actor, version=version, reason=reason or None)
    except (Invalid, RateLimited) as refusal:
        return await _ask_to_cancel(request, booking, reason, refusal)
    return see_other(f"{booking_path(booking)}?did=cancelled", UNLINKED)


def _check_reason(reason: str) -> None:
    try:
        msgspec.convert(reason, ShortReason)
    except msgspec.ValidationError as problem:
        raise Invalid.field("reason", "Please keep the reason below 500 characters.") from problem


def _version(form: Mapping[str, Any]) -> int | None:
    """The version the page was made from; a form without one is not held to any."""
    text = str(form.get("version") or "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None


@dataclass(frozen=True, slots=True)
class MoveView:
    """The question whether to take another time. `alternatives` take its place when it was taken meanwhile."""

    start: str
    duration: int
    timezone: str
    before: When
    after: When
    back: str
    problem: str = ""
    alternatives: tuple[TimeOffer, ...] = ()


@get("/move", guards=[LimitByAddress("public")])
async def move_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[Any]:
    """Other times; with `start` the question whether to take that one."""
    ports: Ports = request.app.state.ports
    booking, wording = await booking_by_token(ports, token), wording_of(request)
    view = await booking_view(ports, booking, wording)
    if not view.can_move:
        return see_other(view.path, UNLINKED)
    query = read_query(request, f"{view.path}/move")
    free = await browse_moves(ports, booking, query.wish())
    if query.start is not None and query.start in free.starts and query.start != booking.start:
        return await _ask_to_move(request, booking, query.start, free.duration, free.timezone)
    return page(
        request,
        "manage/move.html",
        privacy="secret",
        view=view,
        picker=picker_of(free, query, wording, ports.clock()),
        problem=_why_not(query.start, booking),
    )


def _why_not(start: int | None, booking: Booking) -> str:
    if start is None:
        return ""
    if start == booking.start:
        return "That is the time you have. Please choose another one."
    return "That time is not free any more. Please choose another one."


async def _ask_to_move(
    request: Request[Any, Any, Any],
    booking: Booking,
    start: int,
    duration: int,
    timezone: str,
    refusal: HalfpastError | None = None,
) -> Response[Any]:
    ports, wording = request.app.state.ports, wording_of(request)
    view = await booking_view(ports, booking, wording)
    if not view.can_move:
        return see_other(view.path, UNLINKED)
    status, headers = _outcome(refusal)
    day = local_date(timezone, start).isoformat()
    move = MoveView(
        start=rfc3339(start),
        duration=duration,
        timezone=timezone,
        before=when_of(booking.start, booking.end, timezone, wording),
        after=when_of(start, await moved_end(ports, booking, start, duration), timezone, wording),
        back=f"{view.path}/move?duration={duration}&day={day}&tz={timezone}",
        problem=refusal.detail if refusal else "",
        alternatives=time_offers(refusal, timezone, wording),
    )
    return page(
        request, "manage/confirm_move.html", status=status, privacy="secret", headers=headers, view=view, move=move
    )


@post("/move")
async def move(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[Any]:
    """Move; a second click finds the booking where the first one put it."""
    ports: Ports = request.app.state.ports
    booking = await booking_by_token(ports, token)
    form = await request.form()
    start, duration = read_start(str(form.get("start") or "")), read_minutes(str(form.get("duration") or ""))
    timezone = canonical_zone(str(form.get("tz") or booking.timezone), "tz")
    moved = f"{booking_path(booking)}?did=moved"
    if booking.is_active and (booking.start, booking.duration) == (start, duration):
        return see_other(moved, UNLINKED)
    try:
        await request.app.state.limits.hit("booking", client_address(request))
        actor = Actor("recipient", changeable(ports, booking).id)
        await reschedule_booking(ports, booking.id, Move(start, duration), actor, version=_version(form))
    except (Invalid, Conflict, CalendarUnavailable, RateLimited) as refusal:
        return await _ask_to_move(request, booking, start, duration, timezone, refusal)
    return see_other(moved, UNLINKED)


def _outcome(refusal: HalfpastError | None) -> tuple[int, dict[str, str]]:
    """Status and headers of a page that shows a refusal, if there is one."""
    if refusal is None:
        return 200, {}
    problem, headers = problem_of(refusal)
    return problem.status, headers


router = Router(
    "/booking/{token:str}",
    route_handlers=[booking_page, cancel_page, cancel, move_page, move],
    include_in_schema=False,
    opt=SKIP_COMPRESSION,
)
