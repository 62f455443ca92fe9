"""`/app/bookings/new`: staff book for a client.

One address carries the whole way: without `offer` it asks what is booked, with it it shows the free times, and with
`start` (or `own`, for a time that is typed) the form.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode
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
from app.domain.languages import LANGUAGES
from app.ports.clients import ClientFilter
from app.ports.links import LinkContext
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_clients
from app.use_cases.book_for_client import ClientBooking, book_for_client, client_offer
from app.use_cases.book_series import Series, book_series_for_client
from app.use_cases.browse_times import browse_for_client, offered_durations
from app.use_cases.idempotency import Replay, once
from app.use_cases.offered_hosts import pool_of
from app.web.pages.faces import link_face
from app.web.pages.picker import Query, picker_of, read_query
from app.web.pages.rendering import see_other
from app.web.pages.series_views import left_part
from app.web.pages.signed_in.book_form import (
    LINK,
    SERVICE,
    blank_booking,
    form_name,
    offer_ids,
    read_booking,
)
from app.web.pages.signed_in.book_views import Pairs, details_of
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import LINK_ROLES, Member, app_page, ports_of, wording_of
from app.web.pages.signed_in.wall_time import local_input
from app.web.pages.wording import language_name
from app.web.sessions import Caller

PATH = "/app/bookings/new"
MOST = 200
FOUND = 10
MOST_SEGMENTS = 8
"""So many people are buttons, more are a list."""


@dataclass(frozen=True, slots=True)
class Found:
    """A client that a search found."""

    address: str
    words: str


@dataclass(frozen=True, slots=True)
class Search:
    """Looking for a client; `kept` is what the address says besides."""

    words: str
    found: tuple[Found, ...]
    kept: Pairs


@get("/bookings/new")
async def new_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The next step of the way; `client` fills in somebody, `q` looks for them."""
    ports, asked = ports_of(request), request.query_params
    async with ports.read() as work:
        client = await _client(work, caller, asked.get("client", ""))
        offers = await _offers(work, caller)
    offer = asked.get("offer", "") or (offers[0][0] if len(offers) == 1 else "")
    link_id, service_id = offer_ids(offer)
    kept = (("offer", offer), *((("client", client.id),) if client else ()))
    query = replace(read_query(request, PATH), detected=caller.user.timezone, kept=kept)
    if link_id is None and service_id is None:
        return await _what_page(request, caller, offers, client)
    if "own" in asked:
        async with ports.read() as work:
            context = await client_offer(work, caller.user, link_id, service_id)
        length = query.duration or offered_durations(context, ports.clock())[0]
        return await _form_page(request, caller, _blank(caller, context, query, client, None, length), context)
    try:
        free = await browse_for_client(ports, caller.user, link_id, service_id, query.wish())
    except CalendarUnavailable as refusal:
        async with ports.read() as work:
            context = await client_offer(work, caller.user, link_id, service_id)
        length = query.duration or offered_durations(context, ports.clock())[0]
        form = _blank(caller, context, query, client, None, length)
        form.refuse(refusal)
        return await _form_page(request, caller, form, context, refusal)
    if query.start is not None and query.start in free.starts:
        form = _blank(caller, free.context, query, client, query.start, free.duration)
        return await _form_page(request, caller, form, free.context, people=free.people)
    return app_page(
        request,
        caller,
        "booking_new_times",
        face=link_face(free.context, wording_of(request)),
        picker=picker_of(free, query, wording_of(request), ports.clock()),
        client=client,
        what=_address(client=client.id if client else None) if len(offers) > 1 else "",
        own=query.address(own="yes"),
        people=free.people,
        host=query.host_id or "",
        most_segments=MOST_SEGMENTS,
        kept=[(name, value) for name, value in (*kept, ("duration", free.duration), ("tz", query.timezone)) if value],
        problem="" if query.start is None else "That time is not free any more. Please choose another one.",
    )


def _blank(
    caller: Caller, context: LinkContext, query: Query, client: Client | None, start: int | None, duration: int
) -> Form:
    offer, host = dict(query.kept)["offer"], query.host_id or ""
    return blank_booking(caller.user, context, client, offer=offer, start=start, duration=duration, host=host)


def _address(**parts: str | None) -> str:
    given = {name: value for name, value in parts.items() if value}
    return f"{PATH}?{urlencode(given, safe='/:')}" if given else PATH


async def _client(work: UnitOfWork, caller: Caller, text: str) -> Client | None:
    try:
        return await manage_clients.found_client(work, caller.user, str(UUID(text)))
    except (ValueError, NotFound, Forbidden):
        return None


async def _what_page(
    request: Request[Any, Any, Any], caller: Caller, offers: Pairs, client: Client | None
) -> Response[bytes]:
    """What can be booked."""
    who = client.id if client else None
    return app_page(
        request,
        caller,
        "booking_new_what",
        links=[(_address(offer=value, client=who), words) for value, words in offers if value.startswith(LINK)],
        services=[(_address(offer=value, client=who), words) for value, words in offers if value.startswith(SERVICE)],
        client=client,
        search=await _search(request, caller),
    )


async def _form_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    form: Form,
    context: LinkContext | None,
    refusal: HalfpastError | None = None,
    people: Pairs | None = None,
) -> Response[bytes]:
    """The form; without a `context`, since the offer is gone or nonsense, with the choice of another."""
    offers: Pairs = ()
    if context is None:
        async with ports_of(request).read() as work:
            offers = await _offers(work, caller)
    pool = pool_of(context) if people is None and context else people or ()
    return app_page(
        request,
        caller,
        "booking_new",
        refusal=refusal,
        form=form,
        offers=offers,
        people=pool[:MOST],
        languages=[(tag, language_name(tag)) for tag in LANGUAGES],
        view=details_of(form, caller.user, context, pool, wording_of(request)) if context else None,
        search=await _search(request, caller) if request.method == "GET" else None,
        zone=caller.user.timezone,
        alternatives=_alternatives(request, refusal, caller.user, context),
    )


async def _offers(work: UnitOfWork, caller: Caller) -> Pairs:
    """The links one manages, and the services one may book: all for admins, those one is qualified for."""
    user = caller.user
    links = (await work.links.page(user.org_id, caller.scope, MOST, None)).items
    services = (await work.services.page(user.org_id, MOST, None)).items
    employee = await work.employees.get(user.org_id, user.id)
    own = set(employee.service_ids) if employee else set()
    return [
        *((LINK + link.id, link.title) for link in links if link.is_active),
        *(
            (SERVICE + each.id, each.name)
            for each in services
            if each.is_active and (caller.is_admin or each.id in own)
        ),
    ]


async def _search(request: Request[Any, Any, Any], caller: Caller) -> Search | None:
    """None for those who see no clients."""
    user = caller.user
    if not LINK_ROLES & set(user.roles):
        return None
    asked = request.query_params
    words = asked.get("q", "").replace("\0", "").strip()[:MOST]
    kept = [(name, asked[name]) for name in ("offer", "duration", "start", "tz", "with", "own") if asked.get(name)]
    if not words:
        return Search(words, (), kept)
    where = ClientFilter(user.org_id, manage_clients.scope_of(user), words)
    async with ports_of(request).read() as work:
        clients = (await work.clients.page(where, FOUND, None)).items
    found = tuple(
        Found(
            _address(**{**dict(kept), "client": client.id}),
            ", ".join(text for text in (client.name, client.email, client.phone) if text),
        )
        for client in clients
    )
    return Search(words, found, kept)


def _alternatives(
    request: Request[Any, Any, Any], refusal: HalfpastError | None, user: User, context: LinkContext | None
) -> Pairs:
    """The nearest free times that came with a refusal, a stay's in the zone of its house; another start does not mend
    a set."""
    if not isinstance(refusal, Conflict) or refusal.taken:
        return ()
    wording = wording_of(request)
    zone = context.link.stay.timezone if context and context.link.stay else user.timezone
    return [
        (local_input(start, zone), f"{wording.day(local_date(zone, start))}, {wording.time(start, zone)}")
        for start in refusal.alternatives
    ]


@post("/bookings/new")
async def book(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Book; a form that is sent twice books once."""
    form = await Form.posted(request)
    context: LinkContext | None = None
    try:
        context = await _offer(request, caller, form)
        if nearer := form.get("alternative"):
            _take(form, nearer, context)
        wanted = read_booking(form, caller.user, context)
        address = await _submit(request, caller.user, form.get("key"), wanted)
    except (Invalid, Conflict, CalendarUnavailable, Forbidden, NotFound, NotModifiable) as refusal:
        form.refuse(refusal, form_name)
        return await _form_page(request, caller, form, context, refusal)
    return see_other(address)


async def _offer(request: Request[Any, Any, Any], caller: Caller, form: Form) -> LinkContext:
    link_id, service_id = offer_ids(form.get("offer"))
    if link_id is None and service_id is None:
        raise Invalid.field("offer", "Please choose what is booked.")
    async with ports_of(request).read() as work:
        return await client_offer(work, caller.user, link_id, service_id)


def _take(form: Form, nearer: str, context: LinkContext) -> None:
    """One of the near times that were offered takes the place of the one that is taken."""
    if context.link.stay is None:
        form.values["start"] = [nearer]
    else:
        form.values["day"] = [nearer[:10]]


async def _submit(request: Request[Any, Any, Any], user: User, key: str, wanted: ClientBooking) -> str:
    """The address of the (first) booking this form made, now or when it was first sent."""
    ports = ports_of(request)
    scope = f"page|{PATH}|{user.id}|{key}"
    body = hashlib.sha256(msgspec.json.encode(wanted, order="sorted")).hexdigest()
    if wanted.request.repeat is None:
        one = Replay(scope, body, _address_of)
        return await once(ports, one, lambda: book_for_client(ports, user, wanted, one))
    all_of_them = Replay(scope, body, _address_of_first)
    return await once(ports, all_of_them, lambda: book_series_for_client(ports, user, wanted, all_of_them))


async def _address_of(_: UnitOfWork, booking: Booking) -> str:
    return f"/app/bookings/{booking.id}?did=booked"


async def _address_of_first(work: UnitOfWork, series: Series) -> str:
    """With what was left out of the set."""
    address, left = await _address_of(work, series.first), left_part(series)
    return f"{address}&left={left}" if left else address


routes: Sequence[Any] = (new_page, book)
