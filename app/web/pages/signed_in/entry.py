"""The way in and out: first-run set-up, sign-in, sign-out. `/` shows what this server needs next."""

from __future__ import annotations

import re
from typing import Any

from litestar import Request, Response, get, post

from app.domain.errors import AlreadyExists, HalfpastError, Invalid, RateLimited, Unauthenticated
from app.ports.people import User
from app.use_cases.manage_people import first_user, sign_in
from app.use_cases.zone_names import canonical_zone, known_zone
from app.web.addresses import client_address
from app.web.api.fields import Email, RequiredLine
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.picker import ZONE_COOKIE
from app.web.pages.rendering import page, see_other
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import HOME, Member, home_of, notice_of, outcome, ports_of
from app.web.pages.zones import zone_groups
from app.web.sessions import Caller, check_origin, cookie_name, end_session, find_caller, start_session

_LOCAL = re.compile(r"/app(/[A-Za-z0-9/._~-]*)?(\?[A-Za-z0-9/._~=&%:+-]*)?")


def next_page(asked: str | None) -> str:
    """Where to go after signing in: a signed-in page of this program, whatever was asked for."""
    return asked if asked and _LOCAL.fullmatch(asked) else HOME


async def _caller(request: Request[Any, Any, Any]) -> Caller | None:
    """Whoever is signed in by a session."""
    caller = await find_caller(request)
    return caller if caller and caller.session else None


@get("/", include_in_schema=False, opt=SKIP_COMPRESSION)
async def home(request: Request[Any, Any, Any]) -> Response[Any]:
    """Set-up while there is no organization, else sign-in; who is signed in goes straight on."""
    if await _caller(request) is not None:
        return see_other(next_page(request.query_params.get("next")))
    async with ports_of(request).read() as work:
        is_set_up = await work.people.any_organization()
    if not is_set_up:
        zone = known_zone(request.cookies.get(ZONE_COOKIE)) or "UTC"
        return _set_up_page(request, Form.of({"timezone": zone}))
    return _sign_in_page(request, Form.of({"next": next_page(request.query_params.get("next"))}))


def _sign_in_page(request: Request[Any, Any, Any], form: Form, refusal: HalfpastError | None = None) -> Response[bytes]:
    status, headers = outcome(refusal)
    notice = notice_of(request)
    return page(request, "app/sign_in.html", status=status, headers=headers, form=form, notice=notice)


def _set_up_page(request: Request[Any, Any, Any], form: Form, refusal: HalfpastError | None = None) -> Response[bytes]:
    status, headers = outcome(refusal)
    zones = zone_groups(ports_of(request).clock())
    return page(request, "app/set_up.html", status=status, headers=headers, form=form, zones=zones)


@post("/", include_in_schema=False, opt=SKIP_COMPRESSION)
async def enter(request: Request[Any, Any, Any]) -> Response[Any]:
    """Sign in. Attempts are limited by address and by account; nothing tells which of the two fields was wrong."""
    ports = ports_of(request)
    check_origin(ports, request)
    form = await Form.posted(request)
    try:
        await limit_attempts(request, form.get("email"))
        user = await sign_in(ports, form.get("email"), form.secret("password"))
    except (Unauthenticated, RateLimited) as refusal:
        form.refuse(refusal)
        return _sign_in_page(request, form, refusal)
    where = next_page(form.get("next"))
    return await _entered(request, user, home_of(user) if where == HOME else where)


async def limit_attempts(request: Request[Any, Any, Any], account: str) -> None:
    """Count an attempt to get at an account, from one address and on one account."""
    await request.app.state.limits.hit("login", client_address(request))
    await request.app.state.limits.hit("login", f"account:{account.lower()[:254]}")


async def _entered(request: Request[Any, Any, Any], user: User, where: str) -> Response[Any]:
    ports = ports_of(request)
    response = see_other(where)
    await start_session(ports, user, response, request.cookies.get(cookie_name(ports)))
    return response


@post("/app/set-up", include_in_schema=False, opt=SKIP_COMPRESSION)
async def set_up(request: Request[Any, Any, Any]) -> Response[Any]:
    """Make the organization and its first user, who is signed in at once."""
    ports = ports_of(request)
    check_origin(ports, request)
    form = await Form.posted(request)
    try:
        organization = form.text("organization", RequiredLine, "Please name your organization, on one line.")
        name = form.text("name", RequiredLine, "Please enter your name, on one line.")
        email = form.text("email", Email, "Please enter an e-mail address such as name@example.com.")
        zone = canonical_zone(form.get("timezone"))
        form.finish()
        user = await first_user(ports, organization, email, name, form.secret("password"), zone)
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "organization" if field == "slug" else field)
        return _set_up_page(request, form, refusal)
    except AlreadyExists:
        return see_other("/")
    return await _entered(request, user, "/app/links")


@post("/sign-out")
async def sign_out(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """End this browser's session."""
    response = see_other("/?did=out")
    await end_session(ports_of(request), caller.session or "", response)
    return response
