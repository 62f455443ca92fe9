"""One-time links of a link: the list, withdrawing, and making one with free choice or with times picked by hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid, LinkUsed
from app.domain.hours import local_date
from app.domain.links import Link, OneTimeLink
from app.domain.stays import nights_words
from app.ports.people import User
from app.use_cases import manage_links
from app.use_cases.browse_times import offered_durations
from app.use_cases.find_slots import SlotQuestion, find_slots
from app.web.api.fields import Email
from app.web.pages.picker import minutes_label, read_minutes, read_start
from app.web.pages.signed_in.booking_views import Mark
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of, wording_of
from app.web.pages.signed_in.links import link_row, organization_slug, own_link
from app.web.pages.signed_in.wall_time import day_end, local_input, read_local
from app.web.pages.wording import Wording
from app.web.sessions import Caller
from app.web.times import parse_date, rfc3339

PAGE = 50
SHOWN_DAYS = 14
MARKS = {
    "open": Mark("Open", "ok"),
    "used": Mark("Used", "accent"),
    "expired": Mark("Expired"),
    "revoked": Mark("Withdrawn"),
}


@dataclass(frozen=True, slots=True)
class OneTimeRow:
    """One one-time link of the list; `booking` is the address of the booking it brought."""

    id: str
    address: str
    recipient: str
    times: str
    expires: str
    mark: Mark
    is_open: bool
    booking: str


@dataclass(frozen=True, slots=True)
class Pick:
    """A time that can be picked: its value in the form, and in words."""

    value: str
    label: str


@dataclass(frozen=True, slots=True)
class PickDay:
    """The free times of one local date."""

    label: str
    picks: tuple[Pick, ...]


def _row(one_time: OneTimeLink, base_url: str, user: User, wording: Wording, now: int) -> OneTimeRow:
    status = one_time.status_at(now)
    expires = one_time.expires_at
    zone = user.timezone
    return OneTimeRow(
        id=one_time.id,
        address=f"{base_url}/b/{one_time.token}",
        recipient=one_time.recipient_email or "",
        times=_times_words(len(one_time.slots)),
        expires=f"{wording.short_day(local_date(zone, expires))}, {wording.time(expires, zone)}" if expires else "",
        mark=MARKS[status],
        is_open=status == "open",
        booking=f"/app/bookings/{one_time.booking_id}" if one_time.booking_id else "",
    )


def _times_words(count: int) -> str:
    if not count:
        return "Free choice"
    return "1 picked time" if count == 1 else f"{count} picked times"


@get("/links/{link_id:uuid}/one-time")
async def one_time_page(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[bytes]:
    """The one-time links of a link, the newest first."""
    link = await own_link(request, caller, link_id)
    return await _list_page(request, caller, link)


async def _list_page(
    request: Request[Any, Any, Any], caller: Caller, link: Link, refusal: HalfpastError | None = None
) -> Response[bytes]:
    ports, wording = ports_of(request), wording_of(request)
    now = ports.clock()
    async with ports.read() as work:
        cursor = request.query_params.get("cursor")
        found = await work.links.one_times(link.id, PAGE, cursor, newest_first=True)
        slug = await organization_slug(work, caller.user)
    rows = [_row(one_time, ports.base_url, caller.user, wording, now) for one_time in found.items]
    return app_page(
        request,
        caller,
        "one_time",
        refusal=refusal,
        link=link_row(ports, link, slug),
        rows=rows,
        cursor=found.cursor,
        problem=refusal.detail if refusal else "",
    )


@post("/links/{link_id:uuid}/one-time/{one_time_id:uuid}/revoke")
async def revoke(
    request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID], one_time_id: FromPath[UUID]
) -> Response[Any]:
    """Withdraw one that is open."""
    link = await own_link(request, caller, link_id)
    try:
        await manage_links.revoke_one_time(ports_of(request), caller.user, str(one_time_id))
    except LinkUsed as refusal:
        return await _list_page(request, caller, link, refusal)
    return done(f"/app/links/{link.id}/one-time", "revoked")


@get("/links/{link_id:uuid}/one-time/new")
async def new_page(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[bytes]:
    """The form of a new one."""
    link = await own_link(request, caller, link_id)
    now = ports_of(request).clock()
    expiry = day_end(caller.user.timezone, local_date(caller.user.timezone, now) + timedelta(days=14))
    form = Form.of({"choice": "free", "expires": "until", "expires_at": local_input(expiry, caller.user.timezone)})
    return await _form_page(request, caller, link, form)


async def _form_page(
    request: Request[Any, Any, Any], caller: Caller, link: Link, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    ports, wording, zone = ports_of(request), wording_of(request), caller.user.timezone
    now = ports.clock()
    async with ports.read() as work:
        slug = await organization_slug(work, caller.user)
        context = await work.links.context_of(link.id)
    lengths = offered_durations(context, now) if context else link.durations
    by_night = context is not None and context.link.stay is not None
    days: tuple[PickDay, ...] = ()
    first, minutes = _shown(form, lengths, local_date(zone, now))
    trouble = ""
    if form.get("choice") == "picked":
        try:
            days = await _free_days(request, f"{slug}.{link.slug}", first, minutes, zone)
        except HalfpastError as problem:
            trouble = problem.detail
    offered = {pick.value for day in days for pick in day.picks}
    chosen = [value for value in sorted(dict.fromkeys(form.all("slots"))) if value not in offered]
    return app_page(
        request,
        caller,
        "one_time_form",
        refusal=refusal,
        form=form,
        link=link_row(ports, link, slug),
        durations=[(str(each), _length_label(each, by_night=by_night)) for each in lengths],
        minutes=str(minutes),
        first=first.isoformat(),
        following=(first + timedelta(days=SHOWN_DAYS)).isoformat(),
        last_label=wording.short_day(first + timedelta(days=SHOWN_DAYS - 1)),
        first_label=wording.short_day(first),
        days=days,
        elsewhere=[Pick(value, _pick_words(value, zone, wording, by_night=by_night)) for value in chosen],
        trouble=trouble,
        zone=zone,
    )


def _length_label(minutes: int, *, by_night: bool) -> str:
    return nights_words(minutes) if by_night else minutes_label(minutes)


def _shown(form: Form, lengths: Sequence[int], today: date) -> tuple[date, int]:
    """The first day and the length whose free times are shown."""
    try:
        first = max(today, parse_date(form.get("shown_from"), "shown_from"))
    except Invalid:
        first = today
    typed = form.get("shown_minutes")
    minutes = int(typed) if typed.isascii() and typed.isdecimal() else 0
    return first, minutes if minutes in lengths else lengths[0]


async def _free_days(
    request: Request[Any, Any, Any], token: str, first: date, minutes: int, zone: str
) -> tuple[PickDay, ...]:
    ports, wording = ports_of(request), wording_of(request)
    question = SlotQuestion(first, first + timedelta(days=SHOWN_DAYS - 1), minutes, zone)
    slots = await find_slots(ports, token, question, ports.clock())
    found: dict[date, list[Pick]] = {}
    for start, _ in slots.starts:
        pick = Pick(f"{rfc3339(start)}/{minutes}", wording.time(start, zone))
        found.setdefault(local_date(zone, start), []).append(pick)
    return tuple(PickDay(wording.day(day), tuple(picks)) for day, picks in found.items())


def _pick_words(value: str, zone: str, wording: Wording, *, by_night: bool) -> str:
    try:
        start, minutes = _read_pick(value)
    except Invalid:
        return value
    length = _length_label(minutes, by_night=by_night)
    return f"{wording.short_day(local_date(zone, start))}, {wording.time(start, zone)} ({length})"


def _read_pick(value: str) -> tuple[int, int]:
    start, _, minutes = value.partition("/")
    return read_start(start), read_minutes(minutes)


@post("/links/{link_id:uuid}/one-time/new")
async def create(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[Any]:
    """Make one, or just show other times to pick from (`action` is show)."""
    link = await own_link(request, caller, link_id)
    form = await Form.posted(request)
    if form.get("action") in {"show", "later"}:
        if form.get("action") == "later":
            form.values["shown_from"] = form.all("following")
        return await _form_page(request, caller, link, form)
    try:
        recipient, slots, expires_at = _read(form, caller.user)
        await manage_links.create_one_time(
            ports_of(request), caller.user, link.id, recipient_email=recipient, slots=slots, expires_at=expires_at
        )
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "recipient" if field == "recipient_email" else field.partition(".")[0])
        return await _form_page(request, caller, link, form, refusal)
    return done(f"/app/links/{link.id}/one-time", "one-time-made")


def _read(form: Form, user: User) -> tuple[str | None, list[tuple[int, int]], int | None]:
    recipient = form.get("recipient").lower()
    if recipient:
        form.checked("recipient", recipient, Email, "Please enter an e-mail address such as name@example.com.")
    slots: list[tuple[int, int]] = []
    if form.one_of("choice", ("free", "picked"), "Please choose what is offered.") == "picked":
        slots = _slots(form)
    expires_at: int | None = None
    if form.one_of("expires", ("until", "never"), "Please choose how long it is good.") == "until":
        expires_at = read_local(form, "expires_at", user.timezone, "Please enter the day and time it expires.")
    form.finish()
    return recipient or None, slots, expires_at


def _slots(form: Form) -> list[tuple[int, int]]:
    found = []
    for value in dict.fromkeys(form.all("slots")):
        try:
            found.append(_read_pick(value))
        except Invalid:
            form.fail("slots", "One of the times makes no sense. Please pick again.")
    if not found:
        form.fail("slots", "Please pick at least one time.")
    return found


routes: Sequence[Any] = (one_time_page, new_page, create, revoke)
