"""The pages a recipient books on: `/{org}/{slug}` and `/b/{token}`.

One address carries the whole way: without `start` it shows free times, with it the details form; a POST books and
sends the browser on to the booking's own page.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, Conflict, Forbidden, HalfpastError, Invalid, NotFound, RateLimited
from app.domain.hours import local_date
from app.domain.languages import negotiated
from app.ports import Ports
from app.ports.links import LinkContext
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_series import Series, book_series
from app.use_cases.book_slot import book_slot
from app.use_cases.browse_times import browse_link
from app.use_cases.host_states import open_context
from app.use_cases.idempotency import Replay, once
from app.use_cases.zone_names import canonical_zone
from app.web.addresses import client_address
from app.web.limits import LimitByAddress
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.booking_form import (
    FormField,
    Typed,
    blank_form,
    body_hash,
    check_form,
    form_fields,
    more_fields,
    read_form,
    repeat_fields,
)
from app.web.pages.faces import When, link_face, when_of
from app.web.pages.picker import Query, length_words, picker_of, read_minutes, read_query, read_start
from app.web.pages.rendering import page, see_other
from app.web.pages.series_views import left_part
from app.web.pages.wording import Wording, wording_for
from app.web.problem import problem_of
from app.web.times import rfc3339
from app.web.views import note_view


@dataclass(frozen=True, slots=True)
class TimeOffer:
    """A free time to choose instead of one that was taken."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class DetailsView:
    """The details form. `alternatives` take the place of the chosen time when it was taken; `problem` is what went
    wrong besides single fields."""

    action: str
    typed: Typed
    when: When | None
    duration: str
    fields: tuple[FormField, ...]
    more: tuple[FormField, ...]
    back: str
    problem: str = ""
    alternatives: tuple[TimeOffer, ...] = ()
    repeat: tuple[FormField, ...] = ()

    @property
    def errors(self) -> tuple[FormField, ...]:
        """The fields to mend."""
        return tuple(found for found in (*self.fields, *self.repeat, *self.more) if found.error)

    @property
    def shows_repeat(self) -> bool:
        """Whether the fields of a weekly set are open."""
        return any(found.error or found.value for found in self.repeat)

    @property
    def shows_more(self) -> bool:
        """Whether guests and notes are open."""
        return any(found.error or found.value for found in self.more)


@get("/{org:str}/{slug:str}", guards=[LimitByAddress("public")], include_in_schema=False, opt=SKIP_COMPRESSION)
async def evergreen_page(request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]) -> Response[bytes]:
    """Free times, or the details form, of an evergreen link."""
    return await _show(request, f"{org}.{slug}", _path(org, slug), is_secret=False)


@post("/{org:str}/{slug:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def evergreen_book(request: Request[Any, Any, Any], org: FromPath[str], slug: FromPath[str]) -> Response[Any]:
    """Book through an evergreen link."""
    return await _book(request, f"{org}.{slug}", _path(org, slug), is_secret=False)


@get("/b/{token:str}", guards=[LimitByAddress("public")], include_in_schema=False, opt=SKIP_COMPRESSION)
async def one_time_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """The same for a one-time link."""
    return await _show(request, _one_time(token), _path("b", token), is_secret=True)


@post("/b/{token:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def one_time_book(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[Any]:
    """Book through a one-time link."""
    return await _book(request, _one_time(token), _path("b", token), is_secret=True)


def _path(*parts: str) -> str:
    """The page's own path, made anew so that no odd spelling of it (`//host/..`) gets into links."""
    return "/" + "/".join(quote(part, safe="") for part in parts)


def _one_time(token: str) -> str:
    """Tokens have no dot; with one, `/b/org.slug` would be a second address of an evergreen link."""
    return token.replace(".", "")


async def _show(request: Request[Any, Any, Any], token: str, path: str, *, is_secret: bool) -> Response[bytes]:
    ports: Ports = request.app.state.ports
    query, wording = read_query(request, path), wording_of(request)
    free = await browse_link(ports, token, query.wish())
    note_view(request, free.context)
    if query.start is not None and query.start in free.starts:
        typed = blank_form(free.context)
        typed = replace(
            typed,
            start=rfc3339(query.start),
            duration=str(free.duration),
            timezone=free.timezone,
            person=query.host_id or "",
        )
        view = details_view(typed, free.context, query, wording)
        return _details_page(request, view, free.context, is_secret=is_secret)
    return page(
        request,
        "booking/times.html",
        privacy="secret" if is_secret else "public",
        face=link_face(free.context, wording),
        picker=picker_of(free, query, wording, ports.clock()),
        problem="" if query.start is None else "That time is not free any more. Please choose another one.",
        is_secret=is_secret,
        canonical=f"{ports.base_url}{path}",
    )


def _details_page(
    request: Request[Any, Any, Any],
    view: DetailsView,
    context: LinkContext,
    *,
    is_secret: bool,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    ports: Ports = request.app.state.ports
    return page(
        request,
        "booking/details.html",
        status=status,
        privacy="secret" if is_secret else "form",
        headers=headers,
        face=link_face(context, wording_of(request)),
        view=view,
        is_secret=is_secret,
        canonical=f"{ports.base_url}{view.action}",
    )


async def _book(request: Request[Any, Any, Any], token: str, path: str, *, is_secret: bool) -> Response[Any]:
    ports: Ports = request.app.state.ports
    async with ports.read() as work:
        context = await work.links.context(token)
    if context is None:
        raise NotFound("There is no such link.")
    typed = read_form(await request.form(), context.template.questions if context.template else ())
    try:
        await request.app.state.limits.hit("booking", client_address(request))
        address = await _submit(ports, token, typed, context, request.headers.get("accept-language"))
    except (Invalid, Conflict, CalendarUnavailable, Forbidden, RateLimited) as refusal:
        open_context(context, ports.clock())  # what the link itself refuses comes before what is wrong with a form
        problem, headers = problem_of(refusal)
        view = details_view(typed, context, Query(path), wording_of(request), refusal)
        return _details_page(request, view, context, is_secret=is_secret, status=problem.status, headers=headers)
    return see_other(address, {"Referrer-Policy": "no-referrer"})


async def _submit(ports: Ports, token: str, typed: Typed, context: LinkContext, languages: str | None) -> str:
    """The address of the booking this form made, now or when it was first sent. `languages`: what the browser accepts,
    which is no part of the form."""
    wanted = check_form(typed, context)
    scope, body = f"page|{token}|{typed.key}", body_hash(wanted)
    wanted = replace(wanted, language=negotiated(languages))
    if wanted.repeat is not None:
        all_of_it = Replay(scope, body, _address_of_series)
        return await once(ports, all_of_it, lambda: book_series(ports, token, wanted, all_of_it))
    replay = Replay(scope, body, _address_of)
    return await once(ports, replay, lambda: book_slot(ports, token, wanted, replay))


async def _address_of_series(work: UnitOfWork, series: Series) -> str:
    """The first one's page knows what was left out from its address alone."""
    address = await _address_of(work, series.first)
    left = left_part(series)
    return f"{address}&left={left}" if left else address


async def _address_of(_: UnitOfWork, booking: Booking) -> str:
    return f"/booking/{quote(booking.token, safe='')}?did=booked"


def wording_of(request: Request[Any, Any, Any]) -> Wording:
    """How this reader wants dates told."""
    return wording_for(request.headers.get("accept-language"))


def details_view(
    typed: Typed, context: LinkContext, query: Query, wording: Wording, refusal: HalfpastError | None = None
) -> DetailsView:
    """The form as typed, with what stands against it."""
    errors = {wrong.field: wrong.message for wrong in refusal.errors} if isinstance(refusal, Invalid) else {}
    fields, more = form_fields(typed, context, errors), more_fields(typed, errors)
    repeat = repeat_fields(typed, context, errors)
    chosen = _chosen(typed)
    return DetailsView(
        action=query.path,
        typed=typed,
        when=_when(chosen, context, wording),
        duration=length_words(chosen[1], by_night=context.link.stay is not None) if chosen else "",
        fields=fields,
        more=more,
        back=_back(query, chosen, typed.person),
        problem=_taken_days(refusal, wording)
        or _problem(refusal, errors, {found.name for found in (*fields, *repeat, *more)}),
        alternatives=time_offers(refusal, chosen[2], wording) if chosen else (),
        repeat=repeat,
    )


def _problem(refusal: HalfpastError | None, errors: Mapping[str, str], shown: Set[str]) -> str:
    """What is wrong besides the fields that are shown: they say it themselves."""
    hidden = [message for name, message in errors.items() if name not in shown]
    if refusal is None or (errors and not hidden):
        return ""
    return " ".join(hidden) or refusal.detail


def _taken_days(refusal: HalfpastError | None, wording: Wording) -> str:
    """Of a weekly set, the days that are not free."""
    if not isinstance(refusal, Conflict) or not refusal.taken:
        return ""
    days = "; ".join(wording.day(local_date(refusal.timezone, start)) for start in refusal.taken)
    return f"Nothing was booked, since these days are not free: {days}."


def _chosen(typed: Typed) -> tuple[int, int, str] | None:
    """The start, length and zone of a form; None when they make no sense."""
    try:
        return read_start(typed.start), read_minutes(typed.duration), canonical_zone(typed.timezone)
    except Invalid:
        return None


def _when(chosen: tuple[int, int, str] | None, context: LinkContext, wording: Wording) -> When | None:
    if chosen is None:
        return None
    start, duration, timezone = chosen
    return when_of(start, context.link.rules().end(start, duration), timezone, wording)


def _back(query: Query, chosen: tuple[int, int, str] | None, person: str) -> str:
    """To the times of the chosen day."""
    if chosen is None:
        return query.path
    start, duration, timezone = chosen
    day = local_date(timezone, start).isoformat()
    return query.address(duration=duration, tz=timezone, day=day, **{"with": person or None})


def time_offers(refusal: HalfpastError | None, timezone: str, wording: Wording) -> tuple[TimeOffer, ...]:
    """The nearest free times that came with a refusal; another start does not mend a weekly set."""
    if not isinstance(refusal, Conflict) or refusal.taken:
        return ()
    return tuple(
        TimeOffer(rfc3339(start), f"{wording.day(local_date(timezone, start))}, {wording.time(start, timezone)}")
        for start in refusal.alternatives
    )
