"""`/app/services/resources`: rooms, chairs and equipment that services need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import AlreadyExists, HalfpastError, Invalid, StaleVersion
from app.domain.services import Resource
from app.use_cases import manage_resources
from app.web.api.fields import LongText
from app.web.api.resources import Name, Quantity
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_admin, ports_of
from app.web.sessions import Caller

KINDS = (("room", "Room"), ("chair", "Chair"), ("equipment", "Equipment"), ("other", "Something else"))


def _form(resource: Resource) -> Form:
    return Form.of(
        {
            "name": resource.name,
            "kind": resource.kind,
            "quantity": resource.quantity,
            "description": resource.description,
            "version": resource.version,
        }
    )


def _read(form: Form) -> dict[str, Any]:
    values = {
        "name": form.text("name", Name, "Please enter a name, on one line."),
        "kind": form.one_of("kind", [kind for kind, _ in KINDS], "Please choose what it is."),
        "quantity": form.number("quantity", Quantity, f"Please enter 1 to {manage_resources.MAX_QUANTITY}."),
        "description": form.text("description", LongText, "Please keep the description below 5000 characters."),
    }
    form.finish()
    return values


def _form_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    form: Form,
    resource: Resource | None = None,
    refusal: HalfpastError | None = None,
) -> Response[bytes]:
    return app_page(
        request,
        caller,
        "resource_form",
        refusal=refusal,
        form=form,
        path=f"/app/services/resources/{resource.id}" if resource else "/app/services/resources/new",
        name=resource.name if resource else "",
        kinds=KINDS,
        is_stale=isinstance(refusal, StaleVersion),
    )


@get("/services/resources/new")
async def new_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The form of a new resource."""
    need_admin(caller)
    return _form_page(request, caller, Form.of({"kind": "room", "quantity": 1}))


@post("/services/resources/new")
async def create(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a resource."""
    need_admin(caller)
    form = await Form.posted(request)
    try:
        await manage_resources.create_resource(ports_of(request), caller.user, _read(form))
    except Invalid as refusal:
        form.refuse(refusal)
        return _form_page(request, caller, form, refusal=refusal)
    return done("/app/services", "made")


async def _own(request: Request[Any, Any, Any], caller: Caller, resource_id: UUID) -> Resource:
    need_admin(caller)
    async with ports_of(request).read() as work:
        return await manage_resources.found_resource(work, caller.user, str(resource_id))


@get("/services/resources/{resource_id:uuid}")
async def resource_page(
    request: Request[Any, Any, Any], caller: Member, resource_id: FromPath[UUID]
) -> Response[bytes]:
    """The form of a resource."""
    resource = await _own(request, caller, resource_id)
    return _form_page(request, caller, _form(resource), resource)


@post("/services/resources/{resource_id:uuid}")
async def save(request: Request[Any, Any, Any], caller: Member, resource_id: FromPath[UUID]) -> Response[Any]:
    """Keep a resource."""
    resource = await _own(request, caller, resource_id)
    form = await Form.posted(request)
    try:
        values = _read(form)
        await manage_resources.change_resource(ports_of(request), caller.user, resource.id, values, form.version)
    except StaleVersion as refusal:
        form.values["version"] = [str(resource.version)]
        return _form_page(request, caller, form, resource, refusal)
    except Invalid as refusal:
        form.refuse(refusal)
        return _form_page(request, caller, form, resource, refusal)
    return done("/app/services")


@get("/services/resources/{resource_id:uuid}/delete")
async def delete_page(request: Request[Any, Any, Any], caller: Member, resource_id: FromPath[UUID]) -> Response[bytes]:
    """Asks before deleting."""
    resource = await _own(request, caller, resource_id)
    return app_page(
        request,
        caller,
        "confirm",
        title="Delete this resource?",
        what=resource.name,
        text="No service can need it any more. Bookings keep it.",
        action=f"/app/services/resources/{resource.id}/delete",
        button="Delete resource",
        back=f"/app/services/resources/{resource.id}",
    )


@post("/services/resources/{resource_id:uuid}/delete")
async def delete(request: Request[Any, Any, Any], caller: Member, resource_id: FromPath[UUID]) -> Response[Any]:
    """Delete a resource that no service needs."""
    resource = await _own(request, caller, resource_id)
    try:
        await manage_resources.delete_resource(ports_of(request), caller.user, resource.id)
    except AlreadyExists as refusal:
        form = _form(resource)
        form.refuse(refusal)
        return _form_page(request, caller, form, resource, refusal)
    return done("/app/services", "deleted")


routes: Sequence[Any] = (new_page, create, resource_page, save, delete_page, delete)
