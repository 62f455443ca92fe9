"""`/app/bookings/{id}`: one booking, and what can be done with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.booking_state import Step
from app.domain.bookings import Booking
from app.domain.errors import (
    CalendarUnavailable,
    Conflict,
    FieldError,
    HalfpastError,
    Invalid,
    NotFound,
    NotModifiable,
    StaleVersion,
)
from app.domain.hours import local_date
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_changes import Actor
from app.use_cases.browse_times import browse_moves
from app.use_cases.cancel_series import cancel_following
from app.use_cases.change_booking import take_step
from app.use_cases.edit_booking import edit_booking
from app.use_cases.reschedule_booking import Move, moved_end, reschedule_booking
from app.use_cases.zone_names import canonical_zone
from app.web.api.bookings import visible_booking
from app.web.api.fields import LongText, ShortReason
from app.web.pages.booking import time_offers
from app.web.pages.booking_form import read_guests
from app.web.pages.faces import when_of
from app.web.pages.manage import MoveView
from app.web.pages.picker import picker_of, read_minutes, read_query, read_start
from app.web.pages.rendering import see_other
from app.web.pages.series_views import SeriesTime, left_out, staff_series
from app.web.pages.signed_in.booking_views import booking_detail
from app.web.pages.signed_in.day import back_to_day
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import LINK_ROLES, Member, app_page, done, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller
from app.web.times import rfc3339

CHANGED = "This booking was changed meanwhile. Please look at it again."

STEPS: dict[str, tuple[Step, str]] = {
    "confirm": ("confirm", "confirmed"),
    "start": ("start", "started"),
    "complete": ("complete", "completed"),
    "no-show": ("no_show", "missed"),
    "correct": ("correct", "corrected"),
}
"""The last part of an address: the step it takes, and what is said afterwards."""


async def _booking(request: Request[Any, Any, Any], caller: Caller, booking_id: UUID) -> Booking:
    async with ports_of(request).read() as work:
        return await visible_booking(work, caller, str(booking_id))


@get("/bookings/{booking_id:uuid}")
async def booking_page(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """One booking."""
    if (await _booking(request, caller, booking_id)).is_session:
        return see_other(f"/app/slots/{booking_id}")
    return await _booking_page(request, caller, booking_id)


async def _booking_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    booking_id: UUID,
    refusal: HalfpastError | None = None,
    form: Form | None = None,
) -> Response[bytes]:
    ports = ports_of(request)
    may_retry = bool(LINK_ROLES & set(caller.user.roles))
    async with ports.read() as work:
        booking = await visible_booking(work, caller, str(booking_id))
        view = await booking_detail(work, booking, caller.user, wording_of(request), ports.clock(), with_work=may_retry)
        series = await _series(work, booking, caller, wording_of(request))
    missing = left_out(request.query_params.get("left", ""), booking, wording_of(request), caller.user.timezone)
    kept = {"notes": view.notes, "internal_notes": view.internal_notes, "guests": "\n".join(view.guests)}
    form = Form(Form.of(kept).values | form.values, form.errors) if form else Form.of(kept)
    return app_page(
        request,
        caller,
        "booking",
        refusal=refusal,
        view=view,
        form=form,
        problem=_words(refusal),
        series=series,
        missing=missing,
    )


async def _series(work: UnitOfWork, booking: Booking, caller: Caller, wording: Wording) -> tuple[SeriesTime, ...]:
    """The set it belongs to, if to any."""
    found = await work.bookings.series(booking.series_id) if booking.series_id else []
    return staff_series(booking, found, wording, caller.user.timezone)


def _words(refusal: HalfpastError | None) -> str:
    if refusal is None or isinstance(refusal, Invalid):
        return ""
    return CHANGED if isinstance(refusal, StaleVersion) else refusal.detail


@post("/bookings/{booking_id:uuid}/{step_name:str}")
async def step(
    request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID], step_name: FromPath[str]
) -> Response[Any]:
    """Take one of the steps that need no more than a click."""
    if step_name not in STEPS:
        raise NotFound("There is nothing at this address.")
    booking = await _booking(request, caller, booking_id)
    form = await Form.posted(request)
    taken, did = STEPS[step_name]
    try:
        await take_step(ports_of(request), booking.id, taken, _actor(caller), version=form.version)
    except (StaleVersion, NotModifiable, Conflict) as refusal:
        return await _booking_page(request, caller, booking_id, refusal)
    return back_to_day(form.get("back"), did, booking.occurrence_id) or done(f"/app/bookings/{booking.id}", did)


def _actor(caller: Caller) -> Actor:
    return Actor("user", caller.user.id)


@post("/bookings/{booking_id:uuid}/notes")
async def save_notes(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """Change the note."""
    booking = await _booking(request, caller, booking_id)
    form = await Form.posted(request)
    try:
        notes = form.text("notes", LongText, "Please keep the note below 5000 characters.")
        form.finish()
        values = {"notes": notes or None}
        await edit_booking(ports_of(request), booking.id, values, _actor(caller), version=form.version)
    except (Invalid, StaleVersion) as refusal:
        return await _booking_page(request, caller, booking_id, refusal, form)
    return done(f"/app/bookings/{booking.id}")


@post("/bookings/{booking_id:uuid}/internal-notes")
async def save_internal_notes(
    request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]
) -> Response[Any]:
    """Change the note for staff alone."""
    booking = await _booking(request, caller, booking_id)
    form = await Form.posted(request)
    try:
        notes = form.text("internal_notes", LongText, "Please keep the note below 5000 characters.")
        form.finish()
        values = {"internal_notes": notes or None}
        await edit_booking(ports_of(request), booking.id, values, _actor(caller), version=form.version)
    except (Invalid, StaleVersion) as refusal:
        return await _booking_page(request, caller, booking_id, refusal, form)
    return done(f"/app/bookings/{booking.id}")


@post("/bookings/{booking_id:uuid}/guests")
async def save_guests(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """Say who comes besides: all of them."""
    booking = await _booking(request, caller, booking_id)
    form = await Form.posted(request)
    try:
        errors: list[FieldError] = []
        guests = read_guests(errors, form.get("guests"))
        for wrong in errors:
            form.fail(wrong.field, wrong.message)
        form.finish()
        await edit_booking(ports_of(request), booking.id, {"guests": guests}, _actor(caller), version=form.version)
    except (Invalid, StaleVersion, NotModifiable) as refusal:
        return await _booking_page(request, caller, booking_id, refusal, form)
    return done(f"/app/bookings/{booking.id}", "guests")


@get("/bookings/{booking_id:uuid}/cancel")
async def cancel_page(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """Asks before cancelling."""
    return await _cancel_page(request, caller, booking_id, Form())


async def _cancel_page(
    request: Request[Any, Any, Any], caller: Caller, booking_id: UUID, form: Form, refusal: Invalid | None = None
) -> Response[Any]:
    ports = ports_of(request)
    async with ports.read() as work:
        booking = await visible_booking(work, caller, str(booking_id))
        view = await booking_detail(work, booking, caller.user, wording_of(request), ports.clock(), with_work=False)
        series = await _series(work, booking, caller, wording_of(request))
    if not view.can_cancel:
        return see_other(view.path)
    later = [each for each in series if each.is_later]
    return app_page(request, caller, "booking_cancel", refusal=refusal, view=view, form=form, later=later)


@post("/bookings/{booking_id:uuid}/cancel")
async def cancel(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """Cancel, alone or with the later ones of its set; twice is as good as once."""
    booking = await _booking(request, caller, booking_id)
    form = await Form.posted(request)
    ports, actor = ports_of(request), _actor(caller)
    if booking.status == "cancelled":
        return done(f"/app/bookings/{booking.id}", "cancelled")
    try:
        reason = form.text("reason", ShortReason, "Please keep the reason below 500 characters.")
        form.finish()
        if form.flag("following"):
            await cancel_following(ports, booking.id, actor, version=form.version, reason=reason or None)
            return done(f"/app/bookings/{booking.id}", "cancelled-all")
        await take_step(ports, booking.id, "cancel", actor, version=form.version, reason=reason or None)
    except Invalid as refusal:
        return await _cancel_page(request, caller, booking_id, form, refusal)
    except (StaleVersion, NotModifiable) as refusal:
        return await _booking_page(request, caller, booking_id, refusal)
    return done(f"/app/bookings/{booking.id}", "cancelled")


@get("/bookings/{booking_id:uuid}/move")
async def move_page(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """The free times of the booking's link; with `start` the question whether to take that one."""
    ports, wording = ports_of(request), wording_of(request)
    booking = await _booking(request, caller, booking_id)
    if booking.status not in {"pending", "confirmed"}:
        return see_other(f"/app/bookings/{booking.id}")
    query = replace(read_query(request, f"/app/bookings/{booking.id}/move"), detected=caller.user.timezone)
    try:
        free = await browse_moves(ports, booking, query.wish())
    except (Invalid, CalendarUnavailable) as refusal:
        return await _booking_page(request, caller, booking_id, Conflict(refusal.detail))
    if query.start is not None and query.start in free.starts and query.start != booking.start:
        return await _ask_to_move(request, caller, booking, Move(query.start, free.duration), free.timezone)
    return app_page(
        request,
        caller,
        "booking_move",
        booking=booking,
        picker=picker_of(free, query, wording, ports.clock()),
        now_at=when_of(booking.start, booking.end, free.timezone, wording),
        problem="" if query.start is None else "That time cannot be taken. Please choose another one.",
    )


async def _ask_to_move(
    request: Request[Any, Any, Any],
    caller: Caller,
    booking: Booking,
    move: Move,
    timezone: str,
    refusal: HalfpastError | None = None,
) -> Response[Any]:
    wording, minutes = wording_of(request), move.duration or booking.duration
    path = f"/app/bookings/{booking.id}"
    view = MoveView(
        start=rfc3339(move.start),
        duration=minutes,
        timezone=timezone,
        before=when_of(booking.start, booking.end, timezone, wording),
        after=when_of(move.start, await moved_end(ports_of(request), booking, move.start, minutes), timezone, wording),
        back=f"{path}/move?duration={minutes}&day={local_date(timezone, move.start).isoformat()}&tz={timezone}",
        problem=refusal.detail if refusal else "",
        alternatives=time_offers(refusal, timezone, wording),
    )
    return app_page(request, caller, "booking_confirm_move", refusal=refusal, booking=booking, path=path, move=view)


@post("/bookings/{booking_id:uuid}/move")
async def move(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """Move; a second click finds the booking where the first one put it."""
    booking = await _booking(request, caller, booking_id)
    form = await Form.posted(request)
    wanted = Move(read_start(form.get("start")), read_minutes(form.get("duration")))
    timezone = canonical_zone(form.get("tz") or caller.user.timezone, "tz")
    if booking.is_active and (booking.start, booking.duration) == (wanted.start, wanted.duration):
        return done(f"/app/bookings/{booking.id}", "moved")
    try:
        await reschedule_booking(ports_of(request), booking.id, wanted, _actor(caller), version=form.version)
    except (Invalid, Conflict, CalendarUnavailable) as refusal:
        return await _ask_to_move(request, caller, booking, wanted, timezone, refusal)
    except (StaleVersion, NotModifiable) as refusal:
        return await _booking_page(request, caller, booking_id, refusal)
    return done(f"/app/bookings/{booking.id}", "moved")


routes: Sequence[Any] = (
    booking_page,
    step,
    save_notes,
    save_internal_notes,
    save_guests,
    cancel_page,
    cancel,
    move_page,
    move,
)
