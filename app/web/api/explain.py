"""`/links/{id}/explain`: why a start is offered or not."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from litestar import Request, Router, get
from litestar.params import QueryParameter

from app.use_cases.explain_start import explain_start
from app.web.api.fields import LONGEST_STAY, READING, Id, SignedIn, ports_of, problems, uuid_text
from app.web.times import parse_moment


class FindingOut(msgspec.Struct):
    """What one rule says."""

    rule: str
    ok: bool
    text: str


class HostFindingsOut(msgspec.Struct):
    """What the rules say of one host."""

    id: str
    name: str
    role: Literal["fixed", "pool", "unit"]
    free: bool
    rules: list[FindingOut]


class ExplanationOut(msgspec.Struct):
    """Whether a start is offered, and why or why not."""

    offered: bool
    reasons: list[str]
    hosts: list[HostFindingsOut]


@get(
    "/links/{link_id:uuid}/explain",
    responses=problems(*READING),
    summary="Why a start is offered or not",
    description="Each rule's verdict in words, host by host.",
)
async def explain(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    link_id: Id,
    start: Annotated[str, QueryParameter(max_length=40, description="RFC 3339, with an offset.")],
    duration: Annotated[int, QueryParameter(ge=1, le=LONGEST_STAY)],
) -> ExplanationOut:
    instant = parse_moment(start, "start")
    found = await explain_start(ports_of(request), caller.user, uuid_text(link_id), instant, duration)
    hosts = [
        HostFindingsOut(
            each.host.host_id,
            each.host.name,
            each.host.role,
            each.is_free,
            [FindingOut(finding.rule, finding.ok, finding.text) for finding in each.findings],
        )
        for each in found.hosts
    ]
    return ExplanationOut(found.is_offered, list(found.reasons), hosts)


router = Router("/", route_handlers=[explain], tags=["links"])
