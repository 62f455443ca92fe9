"""`/app/bookings/new`: staff book for a client."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post

from app.domain.bookings import Booking
from app.domain.clients import Client
from app.domain.errors import (
    CalendarUnavailable,
    Conflict,
    Forbidden,
    HalfpastError,
    Invalid,
    NotFound,
    NotModifiable,
)
from app.domain.hours import local_date
from app.ports.clients import ClientFilter
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_clients
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_series import Series, book_series_for_client
from app.use_cases.idempotency import Replay, once
from app.web.pages.signed_in.book_form import LINK, SERVICE, blank_booking, form_name, read_booking
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import LINK_ROLES, Member, app_page, done, ports_of, wording_of
from app.web.pages.signed_in.wall_time import local_input
from app.web.sessions import Caller

MOST = 200
FOUND = 10
HOUR = 3600
Pairs = Sequence[tuple[str, str]]
"""Values and words of a choice."""


@dataclass(frozen=True, slots=True)
class Found:
    """A client that a search found."""

    address: str
    words: str


@get("/bookings/new")
async def new_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The form; `client` fills in somebody, `q` looks for them."""
    ports, query = ports_of(request), request.query_params
    async with ports.read() as work:
        client = await _client(work, caller, query.get("client", ""))
    soon = (ports.clock() // HOUR + 1) * HOUR
    form = blank_booking(client, start=local_input(soon, caller.user.timezone), offer=query.get("offer", ""))
    return await _page(request, caller, form)


async def _client(work: UnitOfWork, caller: Caller, text: str) -> Client | None:
    try:
        return await manage_clients.found_client(work, caller.user, str(UUID(text)))
    except (ValueError, NotFound, Forbidden):
        return None


async def _page(
    request: Request[Any, Any, Any], caller: Caller, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    ports, user = ports_of(request), caller.user
    words = request.query_params.get("q", "").replace("\0", "").strip()[:MOST]
    async with ports.read() as work:
        offers, people = await _offers(work, caller), await work.people.users(user.org_id)
        found = await _search(work, caller, words)
    return app_page(
        request,
        caller,
        "booking_new",
        refusal=refusal,
        form=form,
        offers=offers,
        people=[(person.id, person.name) for person in people if person.is_active],
        words=words,
        found=found,
        may_search=bool(LINK_ROLES & set(user.roles)),
        zone=user.timezone,
        alternatives=_alternatives(request, refusal, user),
    )


async def _offers(work: UnitOfWork, caller: Caller) -> Pairs:
    """The links one manages, and the services one may book: all for admins, those one is qualified for."""
    user = caller.user
    links = (await work.links.page(user.org_id, caller.scope, MOST, None)).items
    services = (await work.services.page(user.org_id, MOST, None)).items
    employee = await work.employees.get(user.org_id, user.id)
    own = set(employee.service_ids) if employee else set()
    return [
        *((LINK + link.id, f"{link.title} (link)") for link in links if link.is_active),
        *(
            (SERVICE + each.id, each.name)
            for each in services
            if each.is_active and (caller.is_admin or each.id in own)
        ),
    ]


async def _search(work: UnitOfWork, caller: Caller, words: str) -> Sequence[Found]:
    user = caller.user
    if not words or not LINK_ROLES & set(user.roles):
        return ()
    where = ClientFilter(user.org_id, manage_clients.scope_of(user), words)
    clients = (await work.clients.page(where, FOUND, None)).items
    return [
        Found(
            f"/app/bookings/new?client={client.id}",
            ", ".join(text for text in (client.name, client.email, client.phone) if text),
        )
        for client in clients
    ]


def _alternatives(request: Request[Any, Any, Any], refusal: HalfpastError | None, user: User) -> Pairs:
    """The nearest free times that came with a refusal."""
    if not isinstance(refusal, Conflict):
        return ()
    wording, zone = wording_of(request), user.timezone
    return [
        (local_input(start, zone), f"{wording.day(local_date(zone, start))}, {wording.time(start, zone)}")
        for start in refusal.alternatives
    ]


@post("/bookings/new")
async def book(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Book; a form that is sent twice books once."""
    form = await Form.posted(request)
    if nearer := form.get("alternative"):
        form.values["start"] = [nearer]
    try:
        wanted = read_booking(form, caller.user)
        booking_id = await _submit(request, caller.user, form.get("key"), wanted)
    except (Invalid, Conflict, CalendarUnavailable, Forbidden, NotFound, NotModifiable) as refusal:
        form.refuse(refusal, form_name)
        return await _page(request, caller, form, refusal)
    return done(f"/app/bookings/{booking_id}", "booked")


async def _submit(request: Request[Any, Any, Any], user: User, key: str, wanted: ClientBooking) -> str:
    """The id of the (first) booking this form made, now or when it was first sent."""
    ports = ports_of(request)
    scope = f"page|/app/bookings/new|{user.id}|{key}"
    body = hashlib.sha256(msgspec.json.encode(wanted, order="sorted")).hexdigest()
    if wanted.request.repeat is None:
        one = Replay(scope, body, _id_of)
        return await once(ports, one, lambda: book_for_client(ports, user, wanted, one))
    all_of_them = Replay(scope, body, _first_of)
    return await once(ports, all_of_them, lambda: book_series_for_client(ports, user, wanted, all_of_them))


async def _id_of(_: UnitOfWork, booking: Booking) -> str:
    return booking.id


async def _first_of(_: UnitOfWork, series: Series) -> str:
    return series.first.id


routes: Sequence[Any] = (new_page, book)
