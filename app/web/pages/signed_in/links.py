"""`/app/links`: the list, making and changing links, switching, copying and deleting them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import AlreadyExists, HalfpastError, Invalid, StaleVersion
from app.domain.links import Link
from app.domain.services import Service
from app.ports import Ports
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_links
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_link_role, ports_of
from app.web.pages.signed_in.link_form import (
    LOCATIONS,
    USUAL_MINUTES,
    blank_link,
    form_name,
    link_form,
    minutes_list,
    read_link,
)
from app.web.pages.signed_in.reminder_form import REMINDER_CHOICES, reminder_field, reminder_rows
from app.web.sessions import Caller

PAGE = 50
MOST_TEMPLATES = 200


@dataclass(frozen=True, slots=True)
class LinkRow:
    """One link of the list. `owner` is empty where it is the reader."""

    id: str
    path: str
    title: str
    address: str
    public_path: str
    durations: str
    owner: str
    is_active: bool
    needs_approval: bool


async def organization_slug(work: UnitOfWork, user: User) -> str:
    """The first part of the public addresses of this user's organization."""
    organization = await work.people.organization(user.org_id)
    return organization.slug if organization else ""


def link_row(ports: Ports, link: Link, slug: str, owner: str = "") -> LinkRow:
    """A link as lists and headings show it."""
    return LinkRow(
        id=link.id,
        path=f"/app/links/{link.id}",
        title=link.title,
        address=f"{ports.base_url}/{slug}/{link.slug}",
        public_path=f"/{slug}/{link.slug}",
        durations=minutes_list(link.durations),
        owner=owner,
        is_active=link.is_active,
        needs_approval=link.requires_approval,
    )


@get("/links")
async def links_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """One's own links; for admins all of the organization."""
    need_link_role(caller)
    ports = ports_of(request)
    async with ports.read() as work:
        found = await work.links.page(caller.user.org_id, caller.scope, PAGE, request.query_params.get("cursor"))
        slug = await organization_slug(work, caller.user)
        owners = await work.people.named(caller.user.org_id, {link.owner_id for link in found.items})
    names = {user.id: user.name for user in owners}
    names[caller.user.id] = ""
    rows = [link_row(ports, link, slug, names.get(link.owner_id, "")) for link in found.items]
    return app_page(request, caller, "links", links=rows, cursor=found.cursor)


@get("/links/new")
async def new_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The form of a new link."""
    need_link_role(caller)
    return await _form_page(request, caller, blank_link())


async def _form_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    form: Form,
    link: Link | None = None,
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    ports = ports_of(request)
    owner_id = link.owner_id if link else caller.user.id
    async with ports.read() as work:
        schedules = await work.hosts.schedules(owner_id)
        templates = await work.links.templates(caller.user.org_id, MOST_TEMPLATES, None)
        services = await work.services.page(caller.user.org_id, MOST_TEMPLATES, None)
        slug = await organization_slug(work, caller.user)
    return app_page(
        request,
        caller,
        "link_form",
        refusal=refusal,
        form=form,
        link=link_row(ports, link, slug) if link else None,
        prefix=f"{ports.base_url}/{slug}/",
        usual=USUAL_MINUTES,
        locations=LOCATIONS,
        reminder_rows=reminder_rows(form),
        reminder_choices=REMINDER_CHOICES,
        meeting_rooms=urlsplit(ports.jitsi_url).netloc,
        schedules=[(schedule.id, schedule.name) for schedule in schedules],
        services=[(service.id, service.name) for service in services.items],
        sessions=_sessions_of(link, services.items),
        templates=[(template.id, template.name) for template in templates.items],
        is_stale=isinstance(refusal, StaleVersion),
    )


def _sessions_of(link: Link | None, services: Sequence[Service]) -> str:
    """Where the sessions are of the class that a link offers."""
    of_class = {service.id for service in services if service.capacity > 1 or service.is_scheduled}
    return f"/app/services/{link.service_id}/slots" if link and link.service_id in of_class else ""


@post("/links/new")
async def create(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a link; without a slug its address is made from the title."""
    need_link_role(caller)
    form = await Form.posted(request)
    try:
        link = await manage_links.create_link(ports_of(request), caller.user, read_link(form))
    except (Invalid, AlreadyExists) as refusal:
        _refuse(form, refusal)
        return await _form_page(request, caller, form, refusal=refusal)
    return done(f"/app/links/{link.id}", "link-made")


def _refuse(form: Form, refusal: HalfpastError) -> None:
    if isinstance(refusal, AlreadyExists):
        form.fail("slug", "Another link of your organization has this address.")
    else:
        form.refuse(refusal, lambda field: reminder_field(form, field) or form_name(field))


async def own_link(request: Request[Any, Any, Any], caller: Caller, link_id: UUID) -> Link:
    """The link, if the caller may manage it."""
    need_link_role(caller)
    async with ports_of(request).read() as work:
        return await manage_links.owned_link(work, caller.user, str(link_id))


@get("/links/{link_id:uuid}")
async def link_page(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[bytes]:
    """The form of a link."""
    link = await own_link(request, caller, link_id)
    return await _form_page(request, caller, link_form(link), link)


@post("/links/{link_id:uuid}")
async def save(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[Any]:
    """Change a link. When somebody else changed it meanwhile the form is kept, and the next try replaces theirs."""
    link = await own_link(request, caller, link_id)
    form = await Form.posted(request)
    try:
        if not form.get("slug"):
            form.fail("slug", "Please enter the address of the link.")
        await manage_links.change_link(ports_of(request), caller.user, link.id, read_link(form), form.version)
    except StaleVersion as refusal:
        form.values["version"] = [str(link.version)]
        return await _form_page(request, caller, form, link, refusal)
    except (Invalid, AlreadyExists) as refusal:
        _refuse(form, refusal)
        return await _form_page(request, caller, form, link, refusal)
    return done(f"/app/links/{link.id}")


@post("/links/{link_id:uuid}/switch")
async def switch(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[Any]:
    """On or off, as the button said; a second click changes nothing."""
    link = await own_link(request, caller, link_id)
    form = await Form.posted(request)
    wanted = form.get("to") == "on"
    if wanted != link.is_active:
        await manage_links.change_link(ports_of(request), caller.user, link.id, {"is_active": wanted})
    where = f"/app/links/{link.id}" if form.get("from") == "link" else "/app/links"
    return done(where, "on" if wanted else "off")


@post("/links/{link_id:uuid}/duplicate")
async def duplicate(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[Any]:
    """A copy, switched off."""
    link = await own_link(request, caller, link_id)
    copy = await manage_links.duplicate_link(ports_of(request), caller.user, link.id)
    return done(f"/app/links/{copy.id}", "copied")


@get("/links/{link_id:uuid}/delete")
async def delete_page(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[bytes]:
    """Asks before deleting."""
    link = await own_link(request, caller, link_id)
    return app_page(
        request,
        caller,
        "confirm",
        title="Delete this link?",
        what=link.title,
        text="Whoever opens it will be told that there is nothing. Its bookings stay; its one-time links stop working.",
        action=f"/app/links/{link.id}/delete",
        button="Delete link",
        back=f"/app/links/{link.id}",
    )


@post("/links/{link_id:uuid}/delete")
async def delete(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[Any]:
    """Delete a link."""
    link = await own_link(request, caller, link_id)
    await manage_links.delete_link(ports_of(request), caller.user, link.id)
    return done("/app/links", "deleted")


routes: Sequence[Any] = (links_page, new_page, create, link_page, save, switch, duplicate, delete_page, delete)
