"""Sessions of a class: the list of a service with the form to set one, and one session with all who attend it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.bookings import Attendee, Booking
from app.domain.errors import CalendarUnavailable, Conflict, HalfpastError, Invalid, NotModifiable, StaleVersion
from app.domain.services import Service
from app.domain.stays import LONGEST_CLAIM
from app.ports.bookings import BookingFilter
from app.ports.people import User
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_services import found_service
from app.use_cases.manage_sessions import NewSession, create_session, found_session, may_change
from app.use_cases.open_session import MOST_SEATS
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.web.api.fields import RequiredLine, Seats, ShortReason
from app.web.pages.faces import When, join_names, when_of
from app.web.pages.picker import minutes_label
from app.web.pages.rendering import see_other
from app.web.pages.signed_in.booking_views import Mark, mark_of
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import (
    LINK_ROLES,
    Member,
    app_page,
    done,
    need_admin,
    need_link_role,
    ports_of,
    wording_of,
)
from app.web.pages.signed_in.wall_time import local_input, read_local
from app.web.pages.wording import Wording
from app.web.sessions import Caller
from app.web.times import rfc3339

PAGE = 50
LONGEST = LONGEST_CLAIM * 60
CHANGED = "Somebody attends it or left it meanwhile. Please look again."
NO_TIME = "Please enter a day and a time."


@dataclass(frozen=True, slots=True)
class SlotRow:
    """One session of the list."""

    path: str
    when: str
    hosts: str
    seats: str


@dataclass(frozen=True, slots=True)
class AttendeeRow:
    """Who attends; `path` is empty for those whom the reader may not know."""

    path: str
    name: str
    email: str
    seats: int
    mark: Mark


@dataclass(frozen=True, slots=True)
class SlotView:
    """One session."""

    path: str
    title: str
    when: When
    duration: str
    hosts: str
    seats: str
    mark: Mark
    reason: str
    attendees: tuple[AttendeeRow, ...]
    is_open: bool
    may_change: bool
    version: int
    service: str
    book: str
    """Where to book a seat, empty where that cannot be."""


def _seats(session: Booking) -> str:
    return f"{session.seats_taken} of {session.capacity} seats taken"


def _row(session: Booking, user: User, wording: Wording) -> SlotRow:
    return SlotRow(
        f"/app/slots/{session.id}",
        wording.moment(session.start, user.timezone),
        join_names(host.name for host in session.hosts),
        _seats(session),
    )


async def _own(request: Request[Any, Any, Any], caller: Caller, service_id: UUID) -> Service:
    need_admin(caller)
    return await _service(request, caller, service_id)


async def _service(request: Request[Any, Any, Any], caller: Caller, service_id: UUID) -> Service:
    async with ports_of(request).read() as work:
        return await found_service(work, caller.user, str(service_id))


@get("/services/{service_id:uuid}/slots")
async def slots_page(request: Request[Any, Any, Any], caller: Member, service_id: FromPath[UUID]) -> Response[bytes]:
    """What is to come of a service, as far as the reader may see it, and for admins the form to set another session."""
    need_link_role(caller)
    service = await _service(request, caller, service_id)
    form = Form.of({"duration": service.durations[0], "capacity": service.capacity})
    return await _slots_page(request, caller, service, form)


async def _slots_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    service: Service,
    form: Form,
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    ports, wording = ports_of(request), wording_of(request)
    now = ports.clock()
    where = BookingFilter(
        caller.user.org_id,
        caller.scope,
        status=("confirmed",),
        service_id=service.id,
        start=now - LONGEST,
        ends_after=now,
        view="sessions",
    )
    async with ports.read() as work:
        found = await work.bookings.page(where, PAGE, request.query_params.get("cursor"))
        qualified = {host.host_id for host in await work.services.hosts(service.id)}
        people = await work.people.named(caller.user.org_id, qualified) if caller.is_admin else []
    return app_page(
        request,
        caller,
        "slots",
        refusal=refusal,
        service=service,
        may_set=caller.is_admin,
        path=f"/app/services/{service.id}/slots",
        rows=[_row(session, caller.user, wording) for session in found.items],
        cursor=found.cursor,
        form=form,
        people=[person for person in people if person.is_active],
        durations=[(str(minutes), minutes_label(minutes)) for minutes in service.durations],
        zone=caller.user.timezone,
    )


@post("/services/{service_id:uuid}/slots")
async def create(request: Request[Any, Any, Any], caller: Member, service_id: FromPath[UUID]) -> Response[Any]:
    """Set a session."""
    service = await _own(request, caller, service_id)
    form = await Form.posted(request)
    try:
        wanted = _read(form, service, caller.user)
        form.finish()
        session = await create_session(ports_of(request), caller.user, wanted)
    except (Invalid, Conflict, CalendarUnavailable) as refusal:
        form.refuse(refusal, lambda field: {"host_ids": "people", "service_id": "capacity"}.get(field, field))
        return await _slots_page(request, caller, service, form, refusal)
    return done(f"/app/slots/{session.id}", "made")


def _read(form: Form, service: Service, user: User) -> NewSession:
    minutes = form.one_of("duration", [str(each) for each in service.durations], "Please choose a length.")
    title = form.get("title")
    if title:
        form.checked("title", title, RequiredLine, "Please keep the title on one line, below 200 characters.")
    return NewSession(
        service_id=service.id,
        start=read_local(form, "start", user.timezone, NO_TIME),
        duration=int(minutes) if minutes.isdecimal() else 0,
        capacity=form.number("capacity", Seats, f"Please enter 1 to {MOST_SEATS} seats."),
        host_ids=tuple(_ids(form)),
        title=title or None,
    )


def _ids(form: Form) -> list[str]:
    found = []
    for text in form.all("people"):
        try:
            found.append(str(UUID(text)))
        except ValueError:
            form.fail("people", "This is nobody to choose.")
    return found


async def _session(
    request: Request[Any, Any, Any], caller: Caller, slot_id: UUID, *, to_change: bool = False
) -> Booking:
    async with ports_of(request).read() as work:
        return await found_session(work, caller.user, str(slot_id), to_change=to_change)


@get("/slots/{slot_id:uuid}")
async def slot_page(request: Request[Any, Any, Any], caller: Member, slot_id: FromPath[UUID]) -> Response[bytes]:
    """One session with those who attend it."""
    return await _slot_page(request, caller, await _session(request, caller, slot_id))


async def _slot_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    session: Booking,
    form: Form | None = None,
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    view = _view(session, caller, wording_of(request), ports_of(request).clock())
    form = form or Form.of({"start": local_input(session.start, caller.user.timezone)})
    return app_page(request, caller, "slot", refusal=refusal, view=view, form=form, zone=caller.user.timezone)


def _view(session: Booking, caller: Caller, wording: Wording, now: int) -> SlotView:
    is_open = session.status == "confirmed" and session.end > now
    may_book = is_open and session.start > now and may_change(session, caller.user) and session.service_id
    seat = {"offer": f"service:{session.service_id}", "duration": session.duration, "start": rfc3339(session.start)}
    return SlotView(
        path=f"/app/slots/{session.id}",
        title=session.title,
        when=when_of(session.start, session.end, caller.user.timezone, wording),
        duration=minutes_label(session.duration),
        hosts=join_names(host.name for host in session.hosts),
        seats=_seats(session),
        mark=mark_of(session, now),
        reason=session.cancel_reason or "",
        attendees=tuple(_attendee(each) for each in session.attendees),
        is_open=is_open,
        may_change=may_change(session, caller.user),
        version=session.version,
        service=f"/app/services/{session.service_id}/slots" if LINK_ROLES & set(caller.user.roles) else "",
        book=f"/app/bookings/new?{urlencode(seat, safe=':')}" if may_book else "",
    )


def _attendee(attendee: Attendee) -> AttendeeRow:
    words = {
        "pending": Mark("Waits for approval", "warn"),
        "confirmed": Mark("Confirmed", "ok"),
        "in_progress": Mark("Here", "accent"),
        "completed": Mark("Came"),
        "no_show": Mark("Missed", "bad"),
    }
    address = f"/app/bookings/{attendee.booking_id}" if attendee.name else ""
    name = attendee.name or "Somebody through another link"
    return AttendeeRow(address, name, attendee.email, attendee.seats, words[attendee.status])


@post("/slots/{slot_id:uuid}/move")
async def move(request: Request[Any, Any, Any], caller: Member, slot_id: FromPath[UUID]) -> Response[Any]:
    """Move it with all who attend it, wherever its hosts are free."""
    session = await _session(request, caller, slot_id, to_change=True)
    form = await Form.posted(request)
    try:
        start = read_local(form, "start", caller.user.timezone, NO_TIME)
        form.finish()
        wanted = Move(start, anywhere=True, override=form.flag("override"))
        actor = Actor("user", caller.user.id)
        await reschedule_booking(ports_of(request), session.id, wanted, actor, version=form.version)
    except StaleVersion as refusal:
        form.problem = CHANGED
        return await _slot_page(request, caller, session, form, refusal)
    except (Invalid, Conflict, CalendarUnavailable, NotModifiable) as refusal:
        form.refuse(refusal)
        return await _slot_page(request, caller, session, form, refusal)
    return done(f"/app/slots/{session.id}", "moved")


@get("/slots/{slot_id:uuid}/cancel")
async def cancel_page(request: Request[Any, Any, Any], caller: Member, slot_id: FromPath[UUID]) -> Response[Any]:
    """Asks before cancelling."""
    session = await _session(request, caller, slot_id, to_change=True)
    view = _view(session, caller, wording_of(request), ports_of(request).clock())
    if not view.is_open:
        return see_other(view.path)
    return app_page(request, caller, "slot_cancel", view=view, form=Form())


@post("/slots/{slot_id:uuid}/cancel")
async def cancel(request: Request[Any, Any, Any], caller: Member, slot_id: FromPath[UUID]) -> Response[Any]:
    """Cancel it with all who attend it; twice is as good as once."""
    session = await _session(request, caller, slot_id, to_change=True)
    form = await Form.posted(request)
    if session.status == "cancelled":
        return done(f"/app/slots/{session.id}", "cancelled")
    try:
        reason = form.text("reason", ShortReason, "Please keep the reason below 500 characters.")
        form.finish()
        actor = Actor("user", caller.user.id)
        await take_step(ports_of(request), session.id, "cancel", actor, version=form.version, reason=reason or None)
    except Invalid as refusal:
        view = _view(session, caller, wording_of(request), ports_of(request).clock())
        return app_page(request, caller, "slot_cancel", refusal=refusal, view=view, form=form)
    except (StaleVersion, NotModifiable) as refusal:
        form.problem = CHANGED if isinstance(refusal, StaleVersion) else refusal.detail
        return await _slot_page(request, caller, session, form, refusal)
    return done(f"/app/slots/{session.id}", "cancelled")


routes: Sequence[Any] = (slots_page, create, slot_page, move, cancel_page, cancel)
