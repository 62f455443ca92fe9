"""`/services/{id}/employees`: who is qualified for a service."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, get, put
from litestar.params import JSONBody
from msgspec import Meta

from app.domain import services as domain
from app.use_cases import manage_services
from app.web.api.fields import (
    CHANGING,
    READING,
    Id,
    IfMatch,
    In,
    SignedIn,
    need_admin,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.services import Lengths

Priority = Annotated[int, Meta(ge=-1000, le=1000)]


class Assignment(In):
    """Somebody who is qualified: `durations` are those they take, `schedule_id` their hours for this service (null:
    all, and the usual ones). `is_fixed` counts in the mode `fixed_pool` alone."""

    employee_id: UUID
    is_fixed: bool = False
    priority: Priority = 0
    schedule_id: UUID | None = None
    durations: Lengths | None = None


class AssignmentsIn(In):
    """All who are qualified for a service."""

    items: Annotated[list[Assignment], Meta(max_length=manage_services.MAX_HOSTS)]


class AssignmentOut(msgspec.Struct):
    """Somebody who is qualified for a service."""

    employee_id: str
    is_fixed: bool
    priority: int
    schedule_id: str | None
    durations: list[int] | None


class Assignments(msgspec.Struct):
    """All who are qualified for a service; its version is in the ETag."""

    items: list[AssignmentOut]
    next_cursor: str | None


def _assignments(hosts: list[domain.ServiceHost]) -> Assignments:
    items = [
        AssignmentOut(
            host.host_id,
            host.is_fixed,
            host.priority,
            host.schedule_id,
            None if host.durations is None else list(host.durations),
        )
        for host in hosts
    ]
    return Assignments(items, None)


@get("/services/{service_id:uuid}/employees", responses=problems(*READING), summary="List who is qualified")
async def list_qualified(request: Request[Any, Any, Any], caller: SignedIn, service_id: Id) -> Response[Assignments]:
    async with ports_of(request).read() as work:
        service = await manage_services.found_service(work, caller.user, uuid_text(service_id))
        hosts = await work.services.hosts(service.id)
    return with_etag(_assignments(hosts), service.version)


@put(
    "/services/{service_id:uuid}/employees",
    responses=problems(*CHANGING),
    summary="Say who is qualified",
    description="For admins. These people and no others.",
)
async def assign_qualified(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    service_id: Id,
    data: JSONBody[AssignmentsIn],
    if_match: IfMatch = None,
) -> Response[Assignments]:
    need_admin(caller)
    hosts = [
        domain.ServiceHost(
            uuid_text(each.employee_id),
            each.is_fixed,
            each.priority,
            None if each.schedule_id is None else uuid_text(each.schedule_id),
            None if each.durations is None else tuple(each.durations),
        )
        for each in data.items
    ]
    ports = ports_of(request)
    service = await manage_services.change_service(
        ports, caller.user, uuid_text(service_id), {}, hosts=hosts, version=version_of(if_match)
    )
    async with ports.read() as work:
        kept = await work.services.hosts(service.id)
    return with_etag(_assignments(kept), service.version)


router = Router("/", route_handlers=[list_qualified, assign_qualified], tags=["services"])
