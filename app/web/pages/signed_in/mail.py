"""`/app/mail`: the mails that were kept in the local folder, since no mail server is set. For admins."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from litestar import Request, Response, get
from litestar.params import FromPath

from app.domain.errors import Forbidden, NotFound
from app.domain.hours import local_date
from app.ports.mail_folder import MailFolder, StoredMail
from app.web.pages.rendering import CONTENT_SECURITY_POLICY, html
from app.web.pages.signed_in.frame import Member, app_page, need_admin, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller

SHOWN = 100
FRAMED = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; base-uri 'none'; "
    "form-action 'none'; sandbox allow-popups allow-popups-to-escape-sandbox"
)
"""A mail is somebody else's HTML: no scripts, nothing from elsewhere, an origin of its own."""


@dataclass(frozen=True, slots=True)
class MailRow:
    """One mail of the list, and the head of one that is open."""

    path: str
    subject: str
    to: str
    sender: str
    at: str


async def _folder(request: Request[Any, Any, Any], caller: Caller) -> MailFolder:
    """The folder, which is the whole server's: where organizations share one, none may look into the others' mail."""
    need_admin(caller)
    folder: MailFolder | None = request.app.state.mail_folder
    if folder is None:
        raise NotFound("Mail goes to a server; nothing is kept here.")
    async with ports_of(request).read() as work:
        only = await work.people.only_organization()
    if only is None or only.id != caller.user.org_id:
        raise Forbidden("Several organizations share this server, and their mail is kept together. Set a mail server.")
    return folder


def _row(mail: StoredMail, zone: str, wording: Wording) -> MailRow:
    at = f"{wording.short_day(local_date(zone, mail.stored_at))}, {wording.time(mail.stored_at, zone)}"
    return MailRow(f"/app/mail/{quote(mail.name, safe='')}", mail.subject, mail.to, mail.sender, at)


async def _mail(request: Request[Any, Any, Any], caller: Caller, name: str) -> StoredMail:
    mail = await (await _folder(request, caller)).read_mail(name)
    if mail is None:
        raise NotFound("There is no such mail.")
    return mail


@get("/mail")
async def mails_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The newest mails."""
    mails = await (await _folder(request, caller)).list_mails(SHOWN)
    rows = [_row(mail, caller.user.timezone, wording_of(request)) for mail in mails]
    return app_page(request, caller, "mails", mails=rows, shown=SHOWN)


@get("/mail/{name:str}")
async def mail_page(request: Request[Any, Any, Any], caller: Member, name: FromPath[str]) -> Response[bytes]:
    """One mail: as HTML in a frame, as text, and its invitation."""
    mail = await _mail(request, caller, name)
    return app_page(
        request,
        caller,
        "mail",
        headers={"Content-Security-Policy": f"{CONTENT_SECURITY_POLICY}; frame-src 'self'"},
        mail=mail,
        head=_row(mail, caller.user.timezone, wording_of(request)),
    )


@get("/mail/{name:str}/html")
async def mail_html(request: Request[Any, Any, Any], caller: Member, name: FromPath[str]) -> Response[bytes]:
    """The HTML part, for the frame alone."""
    mail = await _mail(request, caller, name)
    headers = {"Content-Security-Policy": FRAMED, "X-Frame-Options": "SAMEORIGIN", "Referrer-Policy": "no-referrer"}
    # Links open beside the frame: inside it nothing of ours may be shown.
    return html(request, mail.html.replace("<head>", '<head><base target="_blank">', 1), headers=headers)


@get("/mail/{name:str}/raw")
async def mail_raw(request: Request[Any, Any, Any], caller: Member, name: FromPath[str]) -> Response[bytes]:
    """The message as it would have been sent."""
    raw = await (await _folder(request, caller)).raw_mail(name)
    if raw is None:
        raise NotFound("There is no such mail.")
    headers = {
        "Content-Disposition": 'attachment; filename="mail.eml"',
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(raw, media_type="message/rfc822", headers=headers)


routes: Sequence[Any] = (mails_page, mail_page, mail_html, mail_raw)
