"""`/app/templates`: the questions that links ask, and the mail after a booking."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid, StaleVersion
from app.domain.template_library import LIBRARY
from app.domain.templates import Template
from app.use_cases import manage_links
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_link_role, ports_of
from app.web.pages.signed_in.template_form import (
    DELAY_UNITS,
    KINDS,
    blank_template,
    form_name,
    read_template,
    rearrange,
    rows_of,
    starter_form,
    template_form,
)
from app.web.sessions import Caller

PAGE = 50


@dataclass(frozen=True, slots=True)
class TemplateRow:
    """One template of the list."""

    path: str
    name: str
    questions: str
    has_followup: bool


def _row(template: Template) -> TemplateRow:
    count = len(template.questions)
    words = "No questions" if not count else "1 question" if count == 1 else f"{count} questions"
    return TemplateRow(f"/app/templates/{template.id}", template.name, words, template.email_followup_enabled)


@get("/templates")
async def templates_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """All templates of the organization."""
    need_link_role(caller)
    async with ports_of(request).read() as work:
        found = await work.links.templates(caller.user.org_id, PAGE, request.query_params.get("cursor"))
    return app_page(
        request,
        caller,
        "templates",
        templates=[_row(template) for template in found.items],
        cursor=found.cursor,
        library=LIBRARY,
    )


def _form_page(
    request: Request[Any, Any, Any],
    caller: Caller,
    form: Form,
    template: Template | None = None,
    refusal: HalfpastError | None = None,
    looked_at: int | None = None,
) -> Response[bytes]:
    return app_page(
        request,
        caller,
        "template_form",
        refusal=refusal,
        form=form,
        rows=rows_of(form),
        path=f"/app/templates/{template.id}" if template else "/app/templates/new",
        name=template.name if template else "",
        kinds=KINDS,
        units=list(DELAY_UNITS),
        looked_at=looked_at,
        is_stale=isinstance(refusal, StaleVersion),
    )


@get("/templates/new")
async def new_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The form of a new template, empty or begun from one of the library."""
    need_link_role(caller)
    starter = next((each for each in LIBRARY if each.id == request.query_params.get("from")), None)
    return _form_page(request, caller, starter_form(starter) if starter else blank_template())


@post("/templates/new")
async def create(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a template, or show the form with its questions rearranged."""
    need_link_role(caller)
    form = await Form.posted(request)
    looked_at = rearrange(form, form.get("action"))
    if looked_at is not None:
        return _form_page(request, caller, form, looked_at=looked_at)
    try:
        await manage_links.create_template(ports_of(request), caller.user, read_template(form))
    except Invalid as refusal:
        form.refuse(refusal, form_name)
        return _form_page(request, caller, form, refusal=refusal)
    return done("/app/templates", "made")


async def _own(request: Request[Any, Any, Any], caller: Caller, template_id: UUID) -> Template:
    need_link_role(caller)
    async with ports_of(request).read() as work:
        return await manage_links.found_template(work, caller.user, str(template_id))


@get("/templates/{template_id:uuid}")
async def template_page(
    request: Request[Any, Any, Any], caller: Member, template_id: FromPath[UUID]
) -> Response[bytes]:
    """The form of a template."""
    template = await _own(request, caller, template_id)
    return _form_page(request, caller, template_form(template), template)


@post("/templates/{template_id:uuid}")
async def save(request: Request[Any, Any, Any], caller: Member, template_id: FromPath[UUID]) -> Response[Any]:
    """Keep a template, or show the form with its questions rearranged."""
    template = await _own(request, caller, template_id)
    form = await Form.posted(request)
    looked_at = rearrange(form, form.get("action"))
    if looked_at is not None:
        return _form_page(request, caller, form, template, looked_at=looked_at)
    try:
        await manage_links.change_template(
            ports_of(request), caller.user, template.id, read_template(form), form.version
        )
    except StaleVersion as refusal:
        form.values["version"] = [str(template.version)]
        return _form_page(request, caller, form, template, refusal)
    except Invalid as refusal:
        form.refuse(refusal, form_name)
        return _form_page(request, caller, form, template, refusal)
    return done("/app/templates")


@get("/templates/{template_id:uuid}/delete")
async def delete_page(request: Request[Any, Any, Any], caller: Member, template_id: FromPath[UUID]) -> Response[bytes]:
    """Asks before deleting."""
    template = await _own(request, caller, template_id)
    return app_page(
        request,
        caller,
        "confirm",
        title="Delete this template?",
        what=template.name,
        text="Links that use it ask no questions from then on. Answers already given stay with their bookings.",
        action=f"/app/templates/{template.id}/delete",
        button="Delete template",
        back=f"/app/templates/{template.id}",
    )


@post("/templates/{template_id:uuid}/delete")
async def delete(request: Request[Any, Any, Any], caller: Member, template_id: FromPath[UUID]) -> Response[Any]:
    """Delete a template."""
    template = await _own(request, caller, template_id)
    await manage_links.delete_template(ports_of(request), caller.user, template.id)
    return done("/app/templates", "deleted")


routes: Sequence[Any] = (templates_page, new_page, create, template_page, save, delete_page, delete)
