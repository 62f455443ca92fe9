"""`/app/bookings`: what is coming, what was, and what can be done with one."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.booking_state import Step
from app.domain.bookings import Booking, BookingStatus
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
from app.domain.stays import LONGEST_CLAIM
from app.ports.bookings import BookingFilter
from app.use_cases.booking_changes import Actor
from app.use_cases.browse_times import browse_moves
from app.use_cases.change_booking import take_step
from app.use_cases.confirm_bookings import MOST as MOST_CONFIRMED
from app.use_cases.confirm_bookings import confirm_bookings
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
from app.web.pages.signed_in.booking_filters import choices, narrowed
from app.web.pages.signed_in.booking_views import booking_detail, day_rows
from app.web.pages.signed_in.day import back_to_day
from app.web.pages.signed_in.edits import edit_rows
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import LINK_ROLES, Member, app_page, done, ports_of, wording_of
from app.web.pages.signed_in.kept import kept_rows
from app.web.sessions import Caller
from app.web.times import rfc3339

PAGE = 50
LONGEST = LONGEST_CLAIM * 60  # what began earlier is over
_IS_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
OPEN: tuple[BookingStatus, ...] = ("pending", "confirmed", "in_progress")
PAST: tuple[BookingStatus, ...] = ("confirmed", "in_progress", "completed", "no_show")
CHANGED = "This booking was changed meanwhile. Please look at it again."

STEPS: dict[str, tuple[Step, str]] = {
    "confirm": ("confirm", "confirmed"),
    "start": ("start", "started"),
    "complete": ("complete", "completed"),
    "no-show": ("no_show", "missed"),
    "correct": ("correct", "corrected"),
}
"""The last part of an address: the step it takes, and what is said afterwards."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One of the lists: its address, its name, what is in it and what it says when nothing is."""

    name: str
    label: str
    where: BookingFilter
    empty: str
    quiet: frozenset[str] = frozenset()


def _listings(caller: Caller, now: int) -> tuple[Listing, ...]:
    """All lists, the one shown first at the front."""
    all_of = BookingFilter(caller.user.org_id, caller.scope)
    return (
        Listing(
            "upcoming",
            "Upcoming",
            replace(all_of, status=OPEN, start=now - LONGEST, ends_after=now),
            "No bookings ahead",
            frozenset({"confirmed"}),
        ),
        Listing(
            "pending",
            "To approve",
            replace(all_of, status=("pending",), start=now - LONGEST, ends_after=now),
            "Nothing to approve",
        ),
        Listing(
            "past",
            "Past",
            replace(all_of, status=PAST, end=now, ended_by=now, newest_first=True),
            "No past bookings",
            frozenset({"completed", "confirmed"}),
        ),
        Listing(
            "cancelled",
            "Cancelled",
            replace(all_of, status=("cancelled",), newest_first=True),
            "No cancelled bookings",
        ),
    )


@get("/bookings")
async def bookings_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """A list by local day; `view` names it, or what it is narrowed to; `cursor` goes on."""
    return await _list_page(request, caller)


async def _list_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    view: str = "",
    refused: Sequence[Refused] = (),
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    ports, wording = ports_of(request), wording_of(request)
    now = ports.clock()
    listings = _listings(caller, now)
    wanted, narrow = view or request.query_params.get("view", ""), narrowed(request, caller)
    listing = next((each for each in listings if each.name == wanted), listings[0])
    if narrow.is_asked:
        listing = Listing(
            "found", "Found", narrow.where or listings[0].where, "Nothing found", frozenset({"confirmed"})
        )
    async with ports.read() as work:
        found = await work.bookings.page(listing.where, PAGE, request.query_params.get("cursor"))
        pending = await work.bookings.page(listings[1].where, PAGE, None)
        edits = await edit_rows(work, caller.user, wording)
        kept = await kept_rows(work, caller.user, wording)
        choice = await choices(work, caller)
        conflicting = await work.bookings.conflicting([booking.id for booking in found.items])
    return app_page(
        request,
        caller,
        "bookings",
        refusal=refusal,
        refused=refused,
        narrow=narrow,
        choices=choice,
        edits=edits,
        kept=kept,
        listings=listings,
        listing=listing,
        days=day_rows(found.items, caller.user, wording, now, quiet=listing.quiet, conflicting=conflicting),
        pending=len(pending.items),
        cursor=found.cursor,
        is_continued="cursor" in request.query_params,
        zone=caller.user.timezone,
    )


@dataclass(frozen=True, slots=True)
class Refused:
    """A booking that could not be confirmed, and why."""

    name: str
    why: str


@post("/bookings/confirm")
async def confirm_chosen(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Confirm those that are ticked; each by itself, and what could not be confirmed is told."""
    form = await Form.posted(request)
    ids = [each for each in form.all("ids") if _IS_ID.fullmatch(each)][:MOST_CONFIRMED]
    found = await confirm_bookings(ports_of(request), caller.user, ids)
    wrong = [each for each in found if each.refusal is not None]
    if not wrong:
        return see_other(f"/app/bookings?view=pending&did={'confirmed-all' if found else 'none-chosen'}")
    refused = []
    async with ports_of(request).read() as work:
        for each in wrong:
            booking = await work.bookings.get(each.id) if not isinstance(each.refusal, NotFound) else None
            why = each.refusal.detail if each.refusal else ""
            refused.append(Refused(booking.recipient.name if booking else "A booking", why))
    return await _list_page(request, caller, "pending", refused, Conflict("Some could not be confirmed."))


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
    kept = {"notes": view.notes, "internal_notes": view.internal_notes, "guests": "\n".join(view.guests)}
    form = Form(Form.of(kept).values | form.values, form.errors) if form else Form.of(kept)
    return app_page(request, caller, "booking", refusal=refusal, view=view, form=form, problem=_words(refusal))


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
    if not view.can_cancel:
        return see_other(view.path)
    return app_page(request, caller, "booking_cancel", refusal=refusal, view=view, form=form)


@post("/bookings/{booking_id:uuid}/cancel")
async def cancel(request: Request[Any, Any, Any], caller: Member, booking_id: FromPath[UUID]) -> Response[Any]:
    """Cancel; twice is as good as once."""
    booking = await _booking(request, caller, booking_id)
    form = await Form.posted(request)
    if booking.status == "cancelled":
        return done(f"/app/bookings/{booking.id}", "cancelled")
    try:
        reason = form.text("reason", ShortReason, "Please keep the reason below 500 characters.")
        form.finish()
        await take_step(
            ports_of(request), booking.id, "cancel", _actor(caller), version=form.version, reason=reason or None
        )
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
    bookings_page,
    confirm_chosen,
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
