"""`/templates`: the questions of links, and the mail after a booking."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain import templates as domain
from app.domain.template_library import LIBRARY
from app.domain.text_rules import END
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_links
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    CHANGING,
    LISTING,
    MAKING,
    READING,
    REMOVING,
    Cursor,
    Id,
    IfMatch,
    In,
    Limit,
    Line,
    LongText,
    RequiredLine,
    SignedIn,
    Unset,
    given,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.links import need_link_role
from app.web.api.once import IdempotencyKey, Post


class QuestionBody(In):
    """One question."""

    id: Annotated[str, Meta(min_length=1, max_length=64, pattern=rf"^[A-Za-z0-9_-]+{END}")]
    label: RequiredLine
    kind: Literal["short", "long", "choice", "multi", "phone", "checkbox", "number", "date"] = "short"
    required: bool = False
    options: Annotated[list[RequiredLine], Meta(max_length=100)] = []
    help: Line = ""


class FollowupBody(In):
    """The mail after a booking's end."""

    subject: Line = ""
    body: LongText = ""
    delay_minutes: Annotated[int, Meta(ge=0, le=43200)] = 60


class TemplateIn(In):
    """A template to make."""

    name: RequiredLine
    questions: Annotated[list[QuestionBody], Meta(max_length=50)] = []
    email_followup_enabled: bool = False
    followup: FollowupBody = msgspec.field(default_factory=FollowupBody)


class TemplatePatch(In):
    """Any subset of a template's writable fields."""

    name: RequiredLine | Unset = UNSET
    questions: Annotated[list[QuestionBody], Meta(max_length=50)] | Unset = UNSET
    email_followup_enabled: bool | Unset = UNSET
    followup: FollowupBody | Unset = UNSET


class TemplateOut(msgspec.Struct):
    """A template."""

    id: str
    name: str
    questions: list[QuestionBody]
    email_followup_enabled: bool
    followup: FollowupBody
    version: int


class Templates(msgspec.Struct):
    """A page of templates."""

    items: list[TemplateOut]
    next_cursor: str | None


def question_bodies(questions: Sequence[domain.Question]) -> list[QuestionBody]:
    """Questions as the API shows them."""
    return [
        QuestionBody(
            id=question.id,
            label=question.label,
            kind=question.kind,
            required=question.required,
            options=list(question.options),
            help=question.help,
        )
        for question in questions
    ]


def _followup(followup: domain.Followup) -> FollowupBody:
    return FollowupBody(subject=followup.subject, body=followup.body, delay_minutes=followup.delay_minutes)


def template_out(template: domain.Template) -> TemplateOut:
    """A template as the API shows it."""
    return TemplateOut(
        id=template.id,
        name=template.name,
        questions=question_bodies(template.questions),
        email_followup_enabled=template.email_followup_enabled,
        followup=_followup(template.followup),
        version=template.version,
    )


def template_values(body: TemplateIn | TemplatePatch) -> dict[str, Any]:
    """The `Template` fields a body names."""
    values = given(body)
    questions: list[QuestionBody] | None = values.get("questions")
    if questions is not None:
        values["questions"] = tuple(
            domain.Question(**{**given(question), "options": tuple(question.options)}) for question in questions
        )
    if "followup" in values:
        values["followup"] = domain.Followup(**given(values["followup"]))
    return values


@get("/templates", responses=problems(*LISTING), summary="List templates")
async def list_templates(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Templates:
    async with ports_of(request).read() as work:
        page = await work.links.templates(caller.user.org_id, limit, cursor)
    return Templates([template_out(template) for template in page.items], page.cursor)


@post("/templates", responses=problems(*MAKING, 422), summary="Make a template")
async def create_template(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[TemplateIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[TemplateOut]:
    need_link_role(caller)
    values = template_values(data)

    def act(replay: Replay[domain.Template] | None) -> Awaitable[domain.Template]:
        return manage_links.create_template(ports_of(request), caller.user, values, replay)

    async def show(_: UnitOfWork, made: domain.Template) -> TemplateOut:
        return template_out(made)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key)


@get("/templates/{template_id:uuid}", responses=problems(*READING), summary="Show a template")
async def show_template(request: Request[Any, Any, Any], caller: SignedIn, template_id: Id) -> Response[TemplateOut]:
    async with ports_of(request).read() as work:
        template = await manage_links.found_template(work, caller.user, uuid_text(template_id))
    return with_etag(template_out(template), template.version)


@patch("/templates/{template_id:uuid}", responses=problems(*CHANGING), summary="Change a template")
async def change_template(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    template_id: Id,
    data: JSONBody[TemplatePatch],
    if_match: IfMatch = None,
) -> Response[TemplateOut]:
    need_link_role(caller)
    template = await manage_links.change_template(
        ports_of(request), caller.user, uuid_text(template_id), template_values(data), version_of(if_match)
    )
    return with_etag(template_out(template), template.version)


@delete("/templates/{template_id:uuid}", responses=problems(*REMOVING), summary="Delete a template")
async def delete_template(
    request: Request[Any, Any, Any], caller: SignedIn, template_id: Id, if_match: IfMatch = None
) -> None:
    need_link_role(caller)
    await manage_links.delete_template(ports_of(request), caller.user, uuid_text(template_id), version_of(if_match))


class StarterOut(msgspec.Struct):
    """A set of questions to begin with; its parts are those of a template to make."""

    id: str
    name: str
    about: str
    questions: list[QuestionBody]
    followup: FollowupBody


class Library(msgspec.Struct):
    """All there are."""

    items: list[StarterOut]
    next_cursor: str | None


@get("/template-library", responses=problems(*LISTING), summary="Templates to begin with", sync_to_thread=False)
def template_library(caller: SignedIn) -> Library:  # noqa: ARG001  # for whoever is signed in
    items = [
        StarterOut(each.id, each.name, each.about, question_bodies(each.questions), _followup(each.followup))
        for each in LIBRARY
    ]
    return Library(items, None)


router = Router(
    "/",
    route_handlers=[template_library, list_templates, create_template, show_template, change_template, delete_template],
    tags=["templates"],
)
