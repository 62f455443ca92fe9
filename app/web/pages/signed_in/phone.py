"""`/app/phone`: what a phone or a calendar program needs: the CalDAV address with app passwords, and secret feeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid
from app.domain.hours import local_date
from app.ports import Ports
from app.ports.storage import AppPassword, Feed
from app.use_cases import manage_tokens
from app.web.api.fields import Line
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller

FEED_KINDS = (
    ("schedule", "Everything: titles, names, places"),
    ("busy", "Busy times alone, to share with others"),
)


@dataclass(frozen=True, slots=True)
class PasswordRow:
    """One device's password, without the password."""

    id: str
    label: str
    made: str
    used: str


@dataclass(frozen=True, slots=True)
class FeedRow:
    """One feed. `webcal` opens the calendar program of most phones."""

    id: str
    label: str
    kind: str
    address: str
    webcal: str
    made: str


def _day(at: int, zone: str, wording: Wording) -> str:
    return wording.full_day(local_date(zone, at))


def _password_row(password: AppPassword, zone: str, wording: Wording) -> PasswordRow:
    used = _day(password.last_used_at, zone, wording) if password.last_used_at else ""
    return PasswordRow(password.id, password.label, _day(password.created_at, zone, wording), used)


def _feed_row(ports: Ports, feed: Feed, zone: str, wording: Wording) -> FeedRow:
    address = manage_tokens.feed_address(ports, feed)
    return FeedRow(
        feed.id,
        feed.label,
        "Busy times alone" if feed.kind == "busy" else "Everything",
        address,
        urlsplit(address)._replace(scheme="webcal").geturl(),
        _day(feed.created_at, zone, wording),
    )


@get("/phone")
async def phone_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The three fields to type, the passwords, the feeds."""
    return await _page(request, caller)


async def _page(
    request: Request[Any, Any, Any],
    caller: Caller,
    refusal: HalfpastError | None = None,
    made: tuple[str, str] | None = None,
    **refused: Form,
) -> Response[bytes]:
    ports, wording, user = ports_of(request), wording_of(request), caller.user
    async with ports.read() as work:
        passwords = await work.tokens.app_passwords(user.id)
        feeds = await work.tokens.feeds(user.id)
    return app_page(
        request,
        caller,
        "phone",
        refusal=refusal,
        server=f"{ports.base_url}/dav/",
        host=urlsplit(ports.base_url).netloc,
        handle=user.handle,
        email=user.email,
        is_secure=ports.base_url.startswith("https://"),
        passwords=[_password_row(password, user.timezone, wording) for password in passwords],
        feeds=[_feed_row(ports, feed, user.timezone, wording) for feed in feeds],
        kinds=FEED_KINDS,
        made=made,
        password_form=refused.get("password_form", Form()),
        feed_form=refused.get("feed_form", Form.of({"kind": "schedule"})),
    )


@post("/phone/passwords")
async def make_password(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a device's password. The answer itself shows it, since it is kept nowhere and never shown again."""
    form = await Form.posted(request)
    try:
        label = form.text("device", Line, "Please keep the name on one line, below 200 characters.")
        form.finish()
        password, secret = await manage_tokens.create_app_password(ports_of(request), caller.user, label)
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, refusal, password_form=form)
    return await _page(request, caller, made=(password.label, secret))


@post("/phone/passwords/{password_id:uuid}/revoke")
async def revoke_password(
    request: Request[Any, Any, Any], caller: Member, password_id: FromPath[UUID]
) -> Response[Any]:
    """Lock the device out."""
    await manage_tokens.delete_app_password(ports_of(request), caller.user, str(password_id))
    return done("/app/phone", "revoked")


@post("/phone/feeds")
async def make_feed(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a secret address."""
    form = await Form.posted(request)
    try:
        kinds = [kind for kind, _ in FEED_KINDS]
        kind = form.one_of("kind", kinds, "Please choose what the feed shows.")
        label = form.text("label", Line, "Please keep the name on one line, below 200 characters.")
        form.finish()
        await manage_tokens.create_feed(ports_of(request), caller.user, kind, label)
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, refusal, feed_form=form)
    return done("/app/phone", "made", "feeds")


@post("/phone/feeds/{feed_id:uuid}/revoke")
async def revoke_feed(request: Request[Any, Any, Any], caller: Member, feed_id: FromPath[UUID]) -> Response[Any]:
    """The address stops working."""
    await manage_tokens.delete_feed(ports_of(request), caller.user, str(feed_id))
    return done("/app/phone", "revoked", "feeds")


routes: Sequence[Any] = (phone_page, make_password, revoke_password, make_feed, revoke_feed)
