"""What a member's devices sent and could not be taken: shown above the bookings and beside
the devices, to keep as a copy or to dismiss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from litestar import Request, Response, post
from litestar.params import FromPath

from app.domain.errors import Invalid, NotFound
from app.domain.hours import local_date
from app.ports.kept_edits import KeptEdit
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.copy_kept_edit import copy_kept_edit
from app.use_cases.keep_edits import MOST, dismiss_edit, title_of
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, done, ports_of
from app.web.pages.wording import Wording

_BACK = {"bookings": "/app/bookings", "phone": "/app/phone"}
"""Where the answer was given."""


@dataclass(frozen=True, slots=True)
class KeptRow:
    """One refused edit: what it was about, why and when it was refused, and the address of the two answers."""

    what: str
    why: str
    answer_path: str
    can_copy: bool


async def kept_rows(work: UnitOfWork, user: User, wording: Wording) -> list[KeptRow]:
    """What is kept for this user, the newest first."""
    return [_row(edit, user, wording) for edit in await work.kept_edits.of_user(user.id, MOST)]


def _row(edit: KeptEdit, user: User, wording: Wording) -> KeptRow:
    title = title_of(edit) or ("Something without a title" if edit.data else "A deletion")
    when = f"{wording.short_day(local_date(user.timezone, edit.kept_at))}, {wording.time(edit.kept_at, user.timezone)}"
    return KeptRow(title, f"{edit.device}, {when}: {edit.reason}", f"/app/kept/{edit.id}", bool(edit.data))


@post("/kept/{edit_id:uuid}")
async def answer(request: Request[Any, Any, Any], caller: Member, edit_id: FromPath[UUID]) -> Response[Any]:
    """Keep a copy in the personal calendar, or forget it."""
    form = await Form.posted(request)
    wanted = form.get("answer")
    if wanted == "copy":
        try:
            await copy_kept_edit(ports_of(request), caller.user, str(edit_id))
        except Invalid as refusal:
            raise NotFound(refusal.detail) from refusal
    elif wanted == "dismiss":
        await dismiss_edit(ports_of(request), caller.user, str(edit_id))
    else:
        raise NotFound("There is nothing at this address.")
    path = _BACK.get(form.get("back"), "/app/bookings")
    return done(path, "kept" if wanted == "copy" else "dismissed")


routes: Sequence[Any] = (answer,)
