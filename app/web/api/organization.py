"""`/organization`: what is decided for everybody in it."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from litestar import Request, Router, get, patch
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain.errors import NotFound
from app.ports.people import Organization
from app.use_cases.change_organization import (
    MAX_COMPLETE_AFTER_MINUTES,
    MAX_HOLD_MINUTES,
    MIN_HOLD_MINUTES,
    change_organization,
)
from app.web.api.fields import LISTING, In, RequiredLine, SignedIn, Unset, ports_of, problems
from app.web.sessions import Caller

CompleteAfter = Annotated[int, Meta(ge=0, le=MAX_COMPLETE_AFTER_MINUTES)]
Hold = Annotated[int, Meta(ge=MIN_HOLD_MINUTES, le=MAX_HOLD_MINUTES)]


class OrganizationPatch(In):
    """Any subset of what an admin decides; times in minutes."""

    name: RequiredLine | Unset = UNSET
    complete_after_minutes: CompleteAfter | Unset = UNSET
    hold_minutes: Hold | Unset = UNSET
    walk_ins: bool | Unset = UNSET


class OrganizationOut(msgspec.Struct):
    """The caller's organization. With `walk_ins`, an event that somebody adds to their schedule is a booking."""

    id: str
    slug: str
    name: str
    complete_after_minutes: int
    hold_minutes: int
    walk_ins: bool


async def _organization(request: Request[Any, Any, Any], caller: Caller) -> Organization:
    async with ports_of(request).read() as work:
        found = await work.people.organization(caller.user.org_id)
    if found is None:
        raise NotFound("The organization is gone.")
    return found


def _out(found: Organization) -> OrganizationOut:
    return OrganizationOut(**{name: getattr(found, name) for name in OrganizationOut.__struct_fields__})


@get("/organization", responses=problems(*LISTING), summary="The caller's organization")
async def show_organization(request: Request[Any, Any, Any], caller: SignedIn) -> OrganizationOut:
    return _out(await _organization(request, caller))


@patch("/organization", responses=problems(401, 403, 413), summary="Change the organization", description="For admins.")
async def patch_organization(
    request: Request[Any, Any, Any], caller: SignedIn, data: JSONBody[OrganizationPatch]
) -> OrganizationOut:
    found = await _organization(request, caller)
    names = ("name", "complete_after_minutes", "hold_minutes", "walk_ins")
    sent = {name: getattr(data, name) for name in names if getattr(data, name) is not UNSET}
    await change_organization(ports_of(request), caller.user, **{name: getattr(found, name) for name in names} | sent)
    return _out(await _organization(request, caller))


router = Router("/", route_handlers=[show_organization, patch_organization], tags=["organization"])
