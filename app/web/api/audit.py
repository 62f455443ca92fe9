"""`/audit`: who changed what from where. For admins."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

import msgspec
from litestar import Request, Router, get
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import QueryParameter
from litestar.response import Stream

from app.domain.text_rules import END
from app.ports import Ports
from app.ports.audit import AuditFilter, AuditRow
from app.web.api.fields import (
    Cursor,
    FirstDate,
    LastDate,
    Limit,
    ListZone,
    SignedIn,
    need_admin,
    ports_of,
    problems,
)
from app.web.csv_text import CSV, download, lines
from app.web.sessions import Caller
from app.web.times import period, rfc3339

CHUNK = 200
WORD = rf"^[a-z_]{{1,32}}(\.[a-z_]{{1,40}})?{END}"
Word = Annotated[str | None, QueryParameter(pattern=WORD)]
ById = Annotated[UUID | None, QueryParameter()]
COLUMNS = (
    "id", "at", "actor_kind", "actor_id", "actor_name", "action", "entity", "entity_id", "via", "address", "agent",
    "changes",
)  # fmt: skip


class ActorOut(msgspec.Struct):
    """Who acted: a user, a recipient (by the id of their booking), a device, the system, or a stranger. The name is as
    it is now, null for who is gone or erased."""

    kind: str
    id: str | None
    name: str | None


class OriginOut(msgspec.Struct):
    """From where: api, page, caldav, calendar, mail, hook, command or system; the network, and the family of the
    program."""

    via: str
    address: str | None
    agent: str | None


class AuditOut(msgspec.Struct):
    """One entry; `changes` maps fields to [before, after], or to what was set."""

    id: str
    at: str
    actor: ActorOut
    action: str
    entity: str
    entity_id: str
    changes: dict[str, Any]
    origin: OriginOut | None


class AuditPage(msgspec.Struct):
    """A page of entries, newest first."""

    items: list[AuditOut]
    next_cursor: str | None


def _out(row: AuditRow) -> AuditOut:
    origin = row.origin
    return AuditOut(
        id=row.id,
        at=rfc3339(row.at),
        actor=ActorOut(row.actor_kind, row.actor_id, row.actor_name),
        action=row.action,
        entity=row.entity,
        entity_id=row.entity_id,
        changes=dict(row.changes),
        origin=None if origin is None else OriginOut(origin.via, origin.address, origin.agent),
    )


def audit_filter(
    caller: Caller,
    actor: UUID | str | None = None,
    action: str | None = None,
    entity: str | None = None,
    entity_id: UUID | str | None = None,
    first: str | None = None,
    last: str | None = None,
    timezone: str | None = None,
) -> AuditFilter:
    """What to list of the caller's organization; `Invalid` for dates that are none."""
    start, end = period(first, last, timezone or caller.user.timezone)
    ids = [None if each is None else str(each) for each in (actor, entity_id)]
    return AuditFilter(caller.user.org_id, ids[0], action, entity, ids[1], start, end)


@get(
    "/audit",
    responses=problems(401, 403),
    summary="The audit log",
    description="Newest first, for admins. `from` and `to` are local dates of `timezone`, inclusive.",
)
async def list_audit(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    limit: Limit = 50,
    cursor: Cursor = None,
    actor: ById = None,
    action: Word = None,
    entity: Word = None,
    entity_id: ById = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> AuditPage:
    need_admin(caller)
    where = audit_filter(caller, actor, action, entity, entity_id, first, last, timezone)
    async with ports_of(request).read() as work:
        page = await work.audit.page(where, limit, cursor)
    return AuditPage([_out(row) for row in page.items], page.cursor)


@get(
    "/audit.csv",
    responses={
        **problems(401, 403),
        200: ResponseSpec(str, description="The log as a table", media_type=CSV, generate_examples=False),
    },
    summary="The audit log as CSV",
    description="All that the filter finds, newest first, for admins.",
)
async def audit_csv(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    actor: ById = None,
    action: Word = None,
    entity: Word = None,
    entity_id: ById = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> Stream:
    need_admin(caller)
    where = audit_filter(caller, actor, action, entity, entity_id, first, last, timezone)
    return download(audit_lines(ports_of(request), where), "audit.csv")


async def audit_lines(ports: Ports, where: AuditFilter) -> AsyncIterator[bytes]:
    """The whole log of a filter, page by page: no connection is held while somebody reads slowly."""
    yield lines([COLUMNS])
    cursor: str | None = None
    while True:
        async with ports.read() as work:
            page = await work.audit.page(where, CHUNK, cursor)
        yield lines(_cells(row) for row in page.items)
        cursor = page.cursor
        if cursor is None:
            return


def _cells(row: AuditRow) -> list[Any]:
    origin = row.origin
    return [
        row.id,
        rfc3339(row.at),
        row.actor_kind,
        row.actor_id,
        row.actor_name,
        row.action,
        row.entity,
        row.entity_id,
        *((None, None, None) if origin is None else (origin.via, origin.address, origin.agent)),
        msgspec.json.encode(row.changes).decode(),
    ]


router = Router("/", route_handlers=[list_audit, audit_csv], tags=["audit"])
