"""`/app/people`: who belongs to the organization, and inviting more. For admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import AlreadyExists, HalfpastError, Invalid, NotFound, RateLimited
from app.ports.people import PeopleFilter, User
from app.use_cases.invite_to_connect import ask_to_connect
from app.use_cases.manage_people import NewUser, invite_user
from app.web.api.fields import Email, RequiredLine
from app.web.pages.rendering import see_other
from app.web.pages.signed_in.entry import limit_attempts
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_admin, ports_of
from app.web.pages.signed_in.roles import ROLES
from app.web.sessions import Caller

PAGE = 50
LONGEST_WORDS = 200


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One person of the list."""

    path: str
    name: str
    email: str
    roles: str
    state: str
    hours: str
    ask: str
    """Where to ask them to connect a calendar; empty when they are switched off."""


def _row(user: User) -> PersonRow:
    labels = {key: label for key, label, _ in ROLES}
    roles = ", ".join(labels.get(role, role) for role in user.roles)
    state = "" if user.is_active else "Switched off"
    if user.is_active and user.password_hash is None:
        state = "Invited"
    ask = f"/app/people/{user.id}/ask" if user.is_active else ""
    return PersonRow(
        f"/app/people/{user.id}", user.name, user.email, roles, state, f"/app/people/{user.id}/availability", ask
    )


@get("/people")
async def people_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """Everybody by pages, or those whom `q` finds, and the form to invite."""
    need_admin(caller)
    return await _page(request, caller, Form.of({"roles": ["employee"]}))


async def _page(
    request: Request[Any, Any, Any], caller: Caller, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    asked = request.query_params
    words = asked.get("q", "").replace("\0", "").strip()[:LONGEST_WORDS]
    async with ports_of(request).read() as work:
        found = await work.people.page(PeopleFilter(caller.user.org_id, words), PAGE, asked.get("cursor"))
    more = urlencode({name: text for name, text in (("q", words), ("cursor", found.cursor)) if text})
    return app_page(
        request,
        caller,
        "people",
        refusal=refusal,
        people=[_row(user) for user in found.items],
        roles=ROLES,
        form=form,
        words=words,
        more=f"/app/people?{more}" if found.cursor else "",
        is_part=bool(words or found.cursor or asked.get("cursor")),
    )


@post("/people")
async def invite(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a user and mail them the address at which they set their password."""
    need_admin(caller)
    form = await Form.posted(request)
    known = [role for role, _, _ in ROLES]
    try:
        name = form.text("name", RequiredLine, "Please enter the name, on one line.")
        email = form.text("email", Email, "Please enter an e-mail address such as name@example.com.")
        roles = tuple(role for role in known if role in form.all("roles"))
        if not roles:
            form.fail("roles", "Please choose at least one role.")
        form.finish()
        new = NewUser(caller.user.org_id, email, name, roles, caller.user.timezone)
        await invite_user(ports_of(request), new, caller.user)
    except AlreadyExists as refusal:
        form.fail("email", "Somebody with this e-mail address is here already.")
        return await _page(request, caller, form, refusal)
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, form, refusal)
    return done("/app/people", "invited")


@get("/people/{user_id:uuid}/availability")
async def hours_of(request: Request[Any, Any, Any], caller: Member, user_id: FromPath[UUID]) -> Response[Any]:
    """To the default schedule of somebody."""
    need_admin(caller)
    async with ports_of(request).read() as work:
        user = await work.people.user(str(user_id))
        schedules = await work.hosts.schedules(str(user_id))
    if user is None or user.org_id != caller.user.org_id or not schedules:
        raise NotFound("There is no such person.")
    return see_other(f"/app/availability/{schedules[0].id}")


@post("/people/{user_id:uuid}/ask")
async def ask(request: Request[Any, Any, Any], caller: Member, user_id: FromPath[UUID]) -> Response[Any]:
    """Mail somebody a link to connect a calendar. The answer itself shows it, to be handed over in another way too."""
    need_admin(caller)
    ports = ports_of(request)
    try:
        await limit_attempts(request, f"ask {user_id}")
        address = await ask_to_connect(ports, caller.user, str(user_id))
    except RateLimited as refusal:
        form = Form.of({"roles": ["employee"]})
        form.refuse(refusal)
        return await _page(request, caller, form, refusal)
    async with ports.read() as work:
        user = await work.people.user(str(user_id))
    return app_page(request, caller, "asked", person=user, address=address)


routes: Sequence[Any] = (people_page, invite, hours_of, ask)
