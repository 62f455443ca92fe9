"""`/app/settings/assistants`: who may read or change one's calendars from their own calendar app."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

from litestar import Request, Response, get, post

from app.domain.errors import HalfpastError, Invalid
from app.use_cases.choose_assistants import ProxyAccess, let_in
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of
from app.web.sessions import Caller

ACCESS = (("read", "see all your calendars"), ("write", "see and change them"))
MOST_COLLEAGUES = 1_000
_PAGE = "/app/settings/assistants"


@dataclass(frozen=True, slots=True)
class Assistant:
    """Somebody who is let in, or lets one in; `access` in words."""

    name: str
    email: str
    access: str


@get("/settings/assistants")
async def assistants_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """Who is let in, and whose calendars one may see."""
    return await _page(request, caller, Form.of({"access": "read"}))


async def _page(
    request: Request[Any, Any, Any], caller: Caller, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    user = caller.user
    async with ports_of(request).read() as work:
        rights = await work.calendars.delegations(user.id)
        members = {each.handle: each for each in await work.calendars.members(user.org_id, MOST_COLLEAGUES)}
    words = dict(ACCESS)

    def people(pairs: Sequence[tuple[str, str]]) -> list[Assistant]:
        found = [(members[handle], access) for handle, access in pairs if handle in members]
        return [Assistant(each.name, each.email, words[access]) for each, access in found]

    return app_page(
        request,
        caller,
        "assistants",
        refusal=refusal,
        form=form,
        choices=ACCESS,
        assistants=people([(each.delegate, each.access) for each in rights if each.owner == user.handle]),
        lets_in=people([(each.owner, each.access) for each in rights if each.delegate == user.handle]),
        colleagues=[each for each in members.values() if each.id != user.id],
    )


@post("/settings/assistants")
async def add_assistant(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Let somebody in."""
    form = await Form.posted(request)
    access = form.get("access")
    try:
        if access not in dict(ACCESS):
            form.fail("access", "Please choose one.")
        form.finish()
        await let_in(ports_of(request), caller.user, form.get("email"), cast("ProxyAccess", access))
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, form, refusal)
    return done(_PAGE, "let-in")


@post("/settings/assistants/remove")
async def remove_assistant(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Let somebody out."""
    form = await Form.posted(request)
    try:
        await let_in(ports_of(request), caller.user, form.get("email"), None)
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, form, refusal)
    return done(_PAGE, "let-out")


routes: Sequence[Any] = (assistants_page, add_assistant, remove_assistant)
