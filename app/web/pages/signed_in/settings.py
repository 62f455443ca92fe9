"""`/app/settings`: one's own name, zone and password, the browsers that are signed in, and the organization."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get, post

from app.domain.errors import HalfpastError, Invalid, RateLimited
from app.ports.people import Organization
from app.use_cases.change_organization import change_organization
from app.use_cases.change_own_account import change_password, change_profile, sign_out_everywhere
from app.use_cases.manage_people import MIN_PASSWORD
from app.use_cases.zone_names import canonical_zone
from app.web.api.fields import RequiredLine
from app.web.pages.signed_in.entry import limit_attempts
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of
from app.web.pages.zones import zone_groups
from app.web.sessions import Caller, start_session


@get("/settings")
async def settings_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The forms."""
    return await _page(request, caller)


async def _page(
    request: Request[Any, Any, Any], caller: Caller, refusal: HalfpastError | None = None, **refused: Form
) -> Response[bytes]:
    user = caller.user
    async with ports_of(request).read() as work:
        organization = await work.people.organization(user.org_id) if caller.is_admin else None
    return app_page(
        request,
        caller,
        "settings",
        refusal=refusal,
        profile=refused.get("profile") or Form.of({"name": user.name, "timezone": user.timezone}),
        password=refused.get("password") or Form(),
        organization=refused.get("organization") or (_organization_form(organization) if organization else None),
        zones=zone_groups(ports_of(request).clock()),
        least=MIN_PASSWORD,
    )


def _organization_form(organization: Organization) -> Form:
    return Form.of(
        {
            "organization_name": organization.name,
            "complete_after_minutes": organization.complete_after_minutes,
            "hold_minutes": organization.hold_minutes,
            "walk_ins": "yes" if organization.walk_ins else "",
        }
    )


@post("/settings")
async def save_profile(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Keep name and zone."""
    form = await Form.posted(request)
    try:
        name = form.text("name", RequiredLine, "Please enter your name, on one line.")
        zone = canonical_zone(form.get("timezone"))
        form.finish()
        await change_profile(ports_of(request), caller.user, name, zone)
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, refusal, profile=form)
    return done("/app/settings")


@post("/settings/password")
async def save_password(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Change the password; only this browser stays signed in, by a fresh session."""
    form = await Form.posted(request)
    try:
        await limit_attempts(request, caller.user.email)
        await change_password(ports_of(request), caller.user, form.secret("old_password"), form.secret("new_password"))
    except (Invalid, RateLimited) as refusal:
        form.refuse(refusal, lambda field: "new_password" if field == "password" else field)
        return await _page(request, caller, refusal, password=form)
    response = done("/app/settings", "password-changed")
    await start_session(ports_of(request), caller.user, response, caller.session)
    return response


@post("/settings/organization")
async def save_organization(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Keep what the organization decides."""
    form = await Form.posted(request)
    try:
        name = form.text("organization_name", RequiredLine, "Please enter a name, on one line.")
        complete_after = form.number("complete_after_minutes", int, "Please enter a number of minutes.")
        hold = form.number("hold_minutes", int, "Please enter a number of minutes.")
        form.finish()
        await change_organization(
            ports_of(request),
            caller.user,
            name=name,
            complete_after_minutes=complete_after,
            hold_minutes=hold,
            walk_ins=form.flag("walk_ins"),
        )
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "organization_name" if field == "name" else field)
        return await _page(request, caller, refusal, organization=form)
    return done("/app/settings")


@post("/settings/sign-out-everywhere")
async def leave_everywhere(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """End all other sessions; this browser gets a fresh one."""
    await sign_out_everywhere(ports_of(request), caller.user)
    response = done("/app/settings", "elsewhere")
    await start_session(ports_of(request), caller.user, response, caller.session)
    return response


routes: Sequence[Any] = (settings_page, save_profile, save_password, save_organization, leave_everywhere)
