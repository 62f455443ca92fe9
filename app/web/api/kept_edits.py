"""`/me/kept-edits`: what one's devices sent and could not be taken, to keep as a copy or to forget."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

import msgspec
from litestar import Request, Response, Router, delete, get, post

from app.domain.calendars import PERSONAL, CalendarObject
from app.domain.cursors import cut
from app.domain.errors import NotFound
from app.ports.kept_edits import KeptEdit
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.copy_kept_edit import copy_kept_edit
from app.use_cases.idempotency import Replay
from app.use_cases.keep_edits import MOST, dismiss_edit, title_of
from app.web.api.fields import LISTING, READING, Cursor, Id, Limit, SignedIn, ports_of, problems, uuid_text
from app.web.api.once import IdempotencyKey, Post
from app.web.times import rfc3339


class KeptEditOut(msgspec.Struct):
    """What a `device` sent for the object `name` of a calendar, and why it was refused. `data` is the iCalendar text,
    in lists null; a deletion has none."""

    id: str
    calendar_id: str
    name: str
    title: str
    is_deletion: bool
    device: str
    reason: str
    kept_at: str
    data: str | None = None


class KeptEdits(msgspec.Struct):
    """What is kept for the caller."""

    items: list[KeptEditOut]
    next_cursor: str | None


class CopyOut(msgspec.Struct):
    """Where the copy is."""

    uid: str
    url: str


@get(
    "/me/kept-edits",
    responses=problems(*LISTING),
    summary="List what devices sent and could not be taken",
    description=f"Of one person the latest {MOST} are kept.",
)
async def list_kept_edits(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> KeptEdits:
    async with ports_of(request).read() as work:
        kept = await work.kept_edits.of_user(caller.user.id, MOST)
    page, next_cursor = cut(kept, lambda edit: edit.id, limit, cursor)
    return KeptEdits([_out(edit) for edit in page], next_cursor)


@get("/me/kept-edits/{edit_id:uuid}", responses=problems(*READING), summary="Show what a device sent")
async def show_kept_edit(request: Request[Any, Any, Any], caller: SignedIn, edit_id: Id) -> KeptEditOut:
    async with ports_of(request).read() as work:
        found = await work.kept_edits.get(caller.user.id, uuid_text(edit_id))
    if found is None:
        raise NotFound("There is no such edit.")
    return _out(found, found.data or None)


def _out(edit: KeptEdit, data: str | None = None) -> KeptEditOut:
    return KeptEditOut(
        id=edit.id,
        calendar_id=edit.calendar_id,
        name=edit.name,
        title=title_of(edit),
        is_deletion=not edit.data,
        device=edit.device,
        reason=edit.reason,
        kept_at=rfc3339(edit.kept_at),
        data=data,
    )


@post(
    "/me/kept-edits/{edit_id:uuid}/copy",
    responses=problems(401, 403, 404, 422),
    summary="Keep it as an object of its own",
    description="In the calendar `personal`, under another UID, and with nobody invited. It is listed no more.",
)
async def keep_copy(
    request: Request[Any, Any, Any], caller: SignedIn, edit_id: Id, idempotency_key: IdempotencyKey = None
) -> Response[CopyOut]:
    def act(replay: Replay[CalendarObject] | None) -> Awaitable[CalendarObject]:
        return copy_kept_edit(ports_of(request), caller.user, uuid_text(edit_id), replay)

    async def show(_: UnitOfWork, copy: CalendarObject) -> CopyOut:
        home = f"{ports_of(request).base_url}/dav/calendars/{caller.user.handle}"
        return CopyOut(copy.uid, f"{home}/{PERSONAL}/{copy.name}")

    return await Post(caller.user.id, None, act, show).answer(request, idempotency_key)


@delete("/me/kept-edits/{edit_id:uuid}", responses=problems(401, 403, 404), summary="Forget what a device sent")
async def forget_kept_edit(request: Request[Any, Any, Any], caller: SignedIn, edit_id: Id) -> None:
    await dismiss_edit(ports_of(request), caller.user, uuid_text(edit_id))


router = Router("/", route_handlers=[list_kept_edits, show_kept_edit, keep_copy, forget_kept_edit], tags=["me"])
