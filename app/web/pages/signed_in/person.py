"""`/app/people/{id}`: one person: roles, limits, links, coming bookings; switching them off and on. For admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import AlreadyExists, HalfpastError, Invalid
from app.domain.hours import local_date
from app.use_cases.change_person import change_person
from app.use_cases.hand_over_bookings import BookingPlan, Outcomes, hand_over_bookings
from app.use_cases.hand_over_links import hand_over_links
from app.use_cases.view_person import PersonView, view_person
from app.web.api.fields import RequiredLine, ShortReason
from app.web.api.links import Count
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_admin, ports_of, wording_of
from app.web.pages.signed_in.people_choice import LINK_OWNERS, chosen_person, people_choice
from app.web.pages.signed_in.roles import ROLES
from app.web.pages.wording import Wording
from app.web.sessions import Caller

MOST_LINKS = 100
FATES = (
    ("others", "Others who take such bookings get them, where they are free"),
    ("person", "One person gets them"),
    ("cancel", "They are cancelled, and the recipients are told why"),
    ("leave", "They stay for now, and are seen to later"),
)


@dataclass(frozen=True, slots=True)
class ComingRow:
    """A booking that is still to begin; `why` says why it was left, after an attempt to hand it over."""

    address: str
    when: str
    name: str
    title: str
    why: str = ""


def _when(start: int, caller: Caller, wording: Wording) -> str:
    zone = caller.user.timezone
    return f"{wording.short_day(local_date(zone, start))}, {wording.time(start, zone)}"


def _form_of(view: PersonView) -> Form:
    person = view.person
    kept = {"name": person.name, "roles": person.roles, "fate": "others"}
    return Form.of({**kept, "max_per_day": person.max_per_day, "max_per_week": person.max_per_week})


async def _view(request: Request[Any, Any, Any], caller: Caller, user_id: UUID) -> PersonView:
    need_admin(caller)
    ports = ports_of(request)
    async with ports.read() as work:
        return await view_person(work, caller.user, str(user_id), ports.clock())


async def _page(
    request: Request[Any, Any, Any],
    caller: Caller,
    user_id: UUID,
    form: Form | None = None,
    refusal: HalfpastError | None = None,
    outcomes: Outcomes | None = None,
) -> Response[bytes]:
    view, wording = await _view(request, caller, user_id), wording_of(request)
    org_id, person_id = caller.user.org_id, view.person.id
    async with ports_of(request).read() as work:
        others = await people_choice(work, org_id, without=person_id)
        successors = await people_choice(work, org_id, without=person_id, roles=LINK_OWNERS)
    why = {each.booking.id: each.detail for each in outcomes.items} if outcomes else {}
    coming = [
        ComingRow(
            f"/app/bookings/{booking.id}",
            _when(booking.start, caller, wording),
            booking.recipient.name or booking.title,
            booking.title,
            why.get(booking.id, ""),
        )
        for booking in view.coming
    ]
    kept = _form_of(view)
    if form is not None:
        kept.values |= form.values
        kept.errors, kept.problem = form.errors, form.problem
    return app_page(
        request,
        caller,
        "person",
        refusal=refusal,
        view=view,
        person=view.person,
        path=f"/app/people/{view.person.id}",
        coming=coming,
        counts=_counts(outcomes),
        roles=ROLES,
        fates=FATES,
        form=kept,
        others=others,
        successors=successors,
        links=view.links[:MOST_LINKS],
        is_self=view.person.id == caller.user.id,
    )


def _counts(outcomes: Outcomes | None) -> dict[str, int]:
    """How many bookings came to which end."""
    kinds = [each.kind for each in outcomes.items] if outcomes else []
    return {kind: kinds.count(kind) for kind in ("reassigned", "cancelled", "left") if kind in kinds}


@get("/people/{user_id:uuid}")
async def person_page(request: Request[Any, Any, Any], caller: Member, user_id: FromPath[UUID]) -> Response[bytes]:
    """Somebody."""
    return await _page(request, caller, user_id)


@post("/people/{user_id:uuid}")
async def save(request: Request[Any, Any, Any], caller: Member, user_id: FromPath[UUID]) -> Response[Any]:
    """Their name, roles and limits."""
    view = await _view(request, caller, user_id)
    form = await Form.posted(request)
    try:
        values = _read(form)
        form.finish()
        await change_person(ports_of(request), caller.user, view.person.id, values)
    except (Invalid, AlreadyExists) as refusal:
        form.refuse(refusal)
        form.values.setdefault("roles", [])
        return await _page(request, caller, user_id, form, refusal)
    return done(f"/app/people/{view.person.id}")


def _read(form: Form) -> dict[str, Any]:
    roles = [role for role, _, _ in ROLES if role in form.all("roles")]
    if not roles:
        form.fail("roles", "Please choose at least one role.")
    most = "Please enter a whole number, or nothing."
    return {
        "name": form.text("name", RequiredLine, "Please enter the name, on one line."),
        "roles": roles,
        "max_per_day": form.optional_number("max_per_day", Count, most),
        "max_per_week": form.optional_number("max_per_week", Count, most),
    }


@post("/people/{user_id:uuid}/switch")
async def switch(request: Request[Any, Any, Any], caller: Member, user_id: FromPath[UUID]) -> Response[Any]:
    """Off, with what becomes of their bookings, or on again. What could not be handed over is told and stays listed."""
    view = await _view(request, caller, user_id)
    form = await Form.posted(request)
    ports, path = ports_of(request), f"/app/people/{view.person.id}"
    wants_on = form.get("to") == "on"
    try:
        plan = None if wants_on else await _plan(request, caller, form, view)
        form.finish()
        await change_person(ports, caller.user, view.person.id, {"is_active": wants_on})
        if plan is None or plan.to == "leave":
            return done(path, "person-on" if wants_on else "person-off")
        outcomes = await hand_over_bookings(ports, caller.user, view.person.id, plan)
    except (Invalid, AlreadyExists) as refusal:
        form.refuse(refusal)
        return await _page(request, caller, user_id, form, refusal)
    return await _told(request, caller, user_id, outcomes, "person-off")


@post("/people/{user_id:uuid}/bookings")
async def hand_over(request: Request[Any, Any, Any], caller: Member, user_id: FromPath[UUID]) -> Response[Any]:
    """Hand over what is still theirs."""
    view = await _view(request, caller, user_id)
    form = await Form.posted(request)
    try:
        plan = await _plan(request, caller, form, view)
        form.finish()
        outcomes = await hand_over_bookings(ports_of(request), caller.user, view.person.id, plan)
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, user_id, form, refusal)
    return await _told(request, caller, user_id, outcomes, "bookings-over")


async def _plan(request: Request[Any, Any, Any], caller: Caller, form: Form, view: PersonView) -> BookingPlan:
    fate = form.one_of("fate", [fate for fate, _ in FATES], "Please choose what becomes of the bookings.")
    reason = form.text("reason", ShortReason, "Please keep the reason below 500 characters.")
    match fate:
        case "person":
            async with ports_of(request).read() as work:
                person = await chosen_person(work, form, "host", caller.user.org_id, without=view.person.id)
            return BookingPlan("person", person)
        case "cancel":
            return BookingPlan("cancel", reason=reason or None)
        case "leave":
            return BookingPlan("leave")
    return BookingPlan("others")


async def _told(
    request: Request[Any, Any, Any], caller: Caller, user_id: UUID, outcomes: Outcomes, did: str
) -> Response[Any]:
    """Back to the page, or straight to it with the reasons when something was left."""
    if outcomes.more or any(each.kind == "left" for each in outcomes.items):
        return await _page(request, caller, user_id, outcomes=outcomes)
    return done(f"/app/people/{user_id}", did)


@post("/people/{user_id:uuid}/links")
async def give_links(request: Request[Any, Any, Any], caller: Member, user_id: FromPath[UUID]) -> Response[Any]:
    """All their links get another owner."""
    view = await _view(request, caller, user_id)
    form = await Form.posted(request)
    try:
        async with ports_of(request).read() as work:
            owner = await chosen_person(
                work, form, "owner", caller.user.org_id, without=view.person.id, roles=LINK_OWNERS
            )
        form.finish()
        await hand_over_links(ports_of(request), caller.user, view.person.id, owner)
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "owner" if field == "owner_id" else field)
        return await _page(request, caller, user_id, form, refusal)
    return done(f"/app/people/{view.person.id}", "links-over")


routes: Sequence[Any] = (person_page, save, switch, hand_over, give_links)
