"""`/app/links/{id}/hand-over`: a link gets another owner."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid, StaleVersion
from app.domain.links import Link
from app.use_cases.hand_over_links import hand_over_link
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of
from app.web.pages.signed_in.links import own_link
from app.web.pages.signed_in.people_choice import LINK_OWNERS, chosen_person, people_choice
from app.web.sessions import Caller


@get("/links/{link_id:uuid}/hand-over")
async def hand_over_page(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[bytes]:
    """Who gets it."""
    link = await own_link(request, caller, link_id)
    return await _page(request, caller, link, Form.of({"version": link.version}))


async def _page(
    request: Request[Any, Any, Any], caller: Caller, link: Link, form: Form, refusal: HalfpastError | None = None
) -> Response[bytes]:
    async with ports_of(request).read() as work:
        owner = await work.people.user(link.owner_id)
        successors = await people_choice(work, link.org_id, without=link.owner_id, roles=LINK_OWNERS)
    return app_page(
        request,
        caller,
        "link_owner",
        refusal=refusal,
        form=form,
        link=link,
        path=f"/app/links/{link.id}",
        owner="You" if link.owner_id == caller.user.id else owner.name if owner else "",
        successors=successors,
    )


@post("/links/{link_id:uuid}/hand-over")
async def hand_over(request: Request[Any, Any, Any], caller: Member, link_id: FromPath[UUID]) -> Response[Any]:
    """Hand it over; to the list, since it may be out of one's hands afterwards."""
    link = await own_link(request, caller, link_id)
    form, ports = await Form.posted(request), ports_of(request)
    try:
        async with ports.read() as work:
            owner = await chosen_person(work, form, "owner", link.org_id, without=link.owner_id, roles=LINK_OWNERS)
        form.finish()
        await hand_over_link(ports, caller.user, link.id, owner, version=form.version)
    except StaleVersion as refusal:
        form.values["version"] = [str(link.version)]
        form.problem = "The link was changed meanwhile, in another window or by somebody else. Please look again."
        return await _page(request, caller, link, form, refusal)
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "owner" if field == "owner_id" else field)
        return await _page(request, caller, link, form, refusal)
    return done("/app/links", "link-over")


routes: Sequence[Any] = (hand_over_page, hand_over)
