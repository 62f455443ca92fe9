"""`/export`, `/erase` and `/retention`: what is known of people who book, and for how long. For admins."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, get, patch, post
from litestar.params import JSONBody, QueryParameter
from litestar.response import Stream
from msgspec import UNSET, Meta

from app.ports.personal_data import Keeping
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.erase_person import Erasure, erase_as_admin
from app.use_cases.export_person import checked_address, export_text
from app.use_cases.idempotency import Replay
from app.use_cases.keep_data import LEAST_AUDIT_DAYS, LEAST_DAYS, MOST_DAYS, keep_data
from app.web.api.fields import Email, In, SignedIn, Unset, need_admin, ports_of, problems
from app.web.api.once import IdempotencyKey, Post

Days = Annotated[int, Meta(ge=LEAST_DAYS, le=MOST_DAYS)]
AuditDays = Annotated[int, Meta(ge=LEAST_AUDIT_DAYS, le=MOST_DAYS)]


class EraseIn(In):
    """Whom to forget."""

    email: Email


class Erased(msgspec.Struct):
    """How many bookings were theirs, of how many others they were a guest, and how many other entries are gone.
    `is_user`: somebody signed in with the address, whose account is gone. `contacts_left`: ids of users who had the
    person in their address book before we would have added them; only they can take them out."""

    bookings: int
    guest_of: int
    others: int
    is_user: bool
    contacts_left: list[str]


class RetentionOut(msgspec.Struct):
    """Days after their end for which bookings know their recipients, and for which the audit log is kept; null is for
    good."""

    retention_days: int | None
    audit_days: int | None


class RetentionPatch(In):
    """Any subset of the settings."""

    retention_days: Days | Unset | None = UNSET
    audit_days: AuditDays | Unset | None = UNSET


@get(
    "/export",
    responses=problems(401, 403),
    summary="All that is known of a person",
    description="In the caller's organization: as recipient, guest, client and user. Instants are epoch seconds. "
    "`schema_version` rises with any change that could trouble who reads it; lists are written page by page.",
)
async def export_data(
    request: Request[Any, Any, Any], caller: SignedIn, email: Annotated[str, QueryParameter(max_length=254)]
) -> Stream:
    need_admin(caller)
    checked_address(email)
    pieces = export_text(ports_of(request), caller.user.org_id, email)
    return Stream(pieces, media_type="application/json", headers={"Cache-Control": "no-store"})


@post(
    "/erase",
    status_code=200,
    responses=problems(401, 403, 409, 413, 422),
    summary="Forget a person",
    description="Their bookings stay without a name; those to come are cancelled, which their hosts are told. An "
    "account with the address goes too, and past bookings show a neutral name; it has to be switched off, and its "
    "links and coming bookings handed over, first (`STILL_MEMBER`). It cannot be undone.",
)
async def erase_data(
    request: Request[Any, Any, Any], caller: SignedIn, data: JSONBody[EraseIn], idempotency_key: IdempotencyKey = None
) -> Response[Erased]:
    need_admin(caller)
    ports = ports_of(request)

    def act(replay: Replay[Erasure] | None) -> Awaitable[Erasure]:
        return erase_as_admin(ports, caller.user, data.email, replay)

    return await Post(caller.user.id, data, act, _erased).answer(request, idempotency_key, 200)


async def _erased(_: UnitOfWork, erasure: Erasure) -> Erased:
    left = list(erasure.contacts_left)
    return Erased(erasure.bookings, erasure.guest_of, erasure.others, erasure.is_user, left)


@get("/retention", responses=problems(401, 403), summary="How long data is kept")
async def show_retention(request: Request[Any, Any, Any], caller: SignedIn) -> RetentionOut:
    need_admin(caller)
    async with ports_of(request).read() as work:
        keeping = await work.personal_data.keeping(caller.user.org_id)
    return RetentionOut(keeping.recipients, keeping.audit)


@patch("/retention", responses=problems(401, 403, 413), summary="Change how long data is kept")
async def change_retention(
    request: Request[Any, Any, Any], caller: SignedIn, data: JSONBody[RetentionPatch]
) -> RetentionOut:
    need_admin(caller)
    ports = ports_of(request)
    async with ports.read() as work:
        before = await work.personal_data.keeping(caller.user.org_id)
    keeping = Keeping(
        before.recipients if data.retention_days is UNSET else data.retention_days,
        before.audit if data.audit_days is UNSET else data.audit_days,
    )
    await keep_data(ports, caller.user, keeping)
    return RetentionOut(keeping.recipients, keeping.audit)


router = Router("/", route_handlers=[export_data, erase_data, show_retention, change_retention], tags=["personal data"])
