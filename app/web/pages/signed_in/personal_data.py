"""`/app/settings/data`: what is known of people who book: take it away, forget it, and for how long it is kept. For
admins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from litestar import Request, Response, get, post
from litestar.response import Stream

from app.domain.errors import HalfpastError, Invalid, NotFound, StillMember
from app.ports.personal_data import Keeping
from app.use_cases.erase_person import erase_as_admin
from app.use_cases.export_person import export_text, knows
from app.use_cases.keep_data import keep_data
from app.web.api.fields import Email
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, need_admin, ports_of
from app.web.sessions import Caller

PATH = "/app/settings/data"
NO_ADDRESS = "Please enter an e-mail address such as name@example.com."
NO_NUMBER = "Please enter a number of days, or nothing to keep it for good."


@get("/settings/data")
async def data_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The forms."""
    need_admin(caller)
    return await _page(request, caller)


async def _page(
    request: Request[Any, Any, Any], caller: Caller, refusal: HalfpastError | None = None, **refused: Form
) -> Response[bytes]:
    async with ports_of(request).read() as work:
        keeping = await work.personal_data.keeping(caller.user.org_id)
    kept = Form.of({"retention_days": _days(keeping.recipients), "audit_days": _days(keeping.audit)})
    return app_page(
        request,
        caller,
        "personal_data",
        refusal=refusal,
        keeping=refused.get("keeping") or kept,
        export=refused.get("export") or Form(),
        erase=refused.get("erase") or Form(),
    )


def _days(days: int | None) -> str:
    return "" if days is None else str(days)


@post("/settings/data")
async def save_keeping(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Keep how long things are kept."""
    need_admin(caller)
    form = await Form.posted(request)
    try:
        recipients = form.optional_number("retention_days", int, NO_NUMBER)
        audit = form.optional_number("audit_days", int, NO_NUMBER)
        form.finish()
        await keep_data(ports_of(request), caller.user, Keeping(recipients, audit))
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, refusal, keeping=form)
    return done(PATH)


@post("/settings/data/export")
async def export(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """All that is known of somebody, as a file. By POST: addresses stay out of histories and logs."""
    need_admin(caller)
    form = await Form.posted(request)
    try:
        email = form.text("email", Email, NO_ADDRESS)
        form.finish()
        if not await knows(ports_of(request), caller.user.org_id, email):
            raise NotFound("Nothing is known of this address.")
    except (Invalid, NotFound) as refusal:
        form.refuse(refusal)
        return await _page(request, caller, refusal, export=form)
    pieces = export_text(ports_of(request), caller.user.org_id, email)
    headers = {"Content-Disposition": 'attachment; filename="person.json"', "Cache-Control": "no-store"}
    return Stream(pieces, media_type="application/json", headers=headers)


@post("/settings/data/erase")
async def erase(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Forget somebody, once it is ticked that this is meant."""
    need_admin(caller)
    form = await Form.posted(request)
    try:
        email = form.text("email", Email, NO_ADDRESS)
        if not form.flag("sure"):
            form.fail("sure", "Please tick that this is meant: it cannot be undone.")
        form.finish()
        erased = await erase_as_admin(ports_of(request), caller.user, email)
    except (Invalid, StillMember) as refusal:
        form.refuse(refusal)
        return await _page(request, caller, refusal, erase=form)
    if not (erased.bookings or erased.guest_of or erased.others or erased.is_user):
        return done(PATH, "unknown-person")
    return done(PATH, "erased-but-contacts" if erased.contacts_left else "erased")


routes: Sequence[Any] = (data_page, save_keeping, export, erase)
