"""`/app/phone`: what a phone or a calendar program needs: a link that sets it up, the CalDAV address with app
passwords, and secret feeds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import msgspec
from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, Invalid, NotFound
from app.domain.feeds import FeedOptions
from app.domain.set_up_links import caldav_link
from app.ports import Ports
from app.use_cases import manage_tokens
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars
from app.use_cases.set_up_phone import SetUp, offer_set_up
from app.web.api.fields import Line
from app.web.pages.signed_in.feed_form import LABEL, choices_for, feed_form, read_options
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of, wording_of
from app.web.pages.signed_in.kept import kept_rows
from app.web.pages.signed_in.phone_set_up import set_up_address
from app.web.pages.signed_in.phone_views import (
    chosen_kind,
    device,
    feed_row,
    kind_choices,
    own_calendars,
    qr_code,
)
from app.web.sessions import Caller

_KEPT_SHOWN = 3


@get("/phone")
async def phone_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The link to set up a phone, the three fields to type elsewhere, the devices, the feeds."""
    return await _page(request, caller)


async def _page(
    request: Request[Any, Any, Any],
    caller: Caller,
    refusal: HalfpastError | None = None,
    made: tuple[str, str] | None = None,
    offer: SetUp | None = None,
    **refused: Form,
) -> Response[bytes]:
    ports, wording, user = ports_of(request), wording_of(request), caller.user
    async with ports.read() as work:
        passwords = await work.tokens.app_passwords(user.id)
        feeds = await work.tokens.feeds(user.id)
        calendars = await work.calendars.calendars_of(user.id)
        subjects = await work.feeds.subjects(user.org_id, user.id, for_admin=caller.is_admin)
        kept = await kept_rows(work, user, wording)
    address = set_up_address(ports, offer.token) if offer else ""
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
        caldav=caldav_link(ports.base_url, user.handle),
        devices=[device(password, user, wording, ports.clock()) for password in passwords],
        calendars=own_calendars(calendars),
        feeds=[feed_row(feed, manage_tokens.feed_address(ports, feed), user.timezone, wording) for feed in feeds],
        kinds=kind_choices(subjects, for_admin=caller.is_admin),
        choices=choices_for(FeedOptions()),
        kept=kept[:_KEPT_SHOWN],
        more_kept=len(kept[_KEPT_SHOWN:]),
        made=made,
        offer=offer,
        offer_address=address,
        picture=qr_code(address) if offer else "",
        phone_form=refused.get("phone_form", Form()),
        password_form=refused.get("password_form", Form()),
        feed_form=refused.get("feed_form", feed_form("schedule", "", FeedOptions())),
    )


@get("/phone/devices")
async def devices_seen(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The devices as JSON, so that an open page tells when one has synced."""
    ports, wording = ports_of(request), wording_of(request)
    async with ports.read() as work:
        passwords = await work.tokens.app_passwords(caller.user.id)
    shown = [asdict(device(password, caller.user, wording, ports.clock())) for password in passwords]
    headers = {"Cache-Control": "no-store"}
    return Response(msgspec.json.encode(shown), media_type="application/json", headers=headers)


@post("/phone/set-up")
async def offer_link(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a link that sets up a phone. The answer itself shows it: it is good once, and soon over."""
    form = await Form.posted(request)
    try:
        label = form.text("phone", Line, LABEL)
        form.finish()
        offer = await offer_set_up(ports_of(request), caller.user, label)
    except Invalid as refusal:
        form.refuse(refusal)
        return await _page(request, caller, refusal, phone_form=form)
    return await _page(request, caller, offer=offer)


@post("/phone/passwords")
async def make_password(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a device's password. The answer itself shows it, since it is kept nowhere and never shown again."""
    form = await Form.posted(request)
    try:
        label = form.text("device", Line, LABEL)
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


@post("/phone/calendars")
async def choose_blocking(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Which of the person's own calendars block their time: those that are ticked."""
    form = await Form.posted(request)
    ports, ticked = ports_of(request), set(form.all("blocks"))
    async with ports.read() as work:
        found = await work.calendars.calendars_of(caller.user.id)
    shown = set(form.all("shown"))  # one that came meanwhile was not asked about
    own = [each for each in own_calendars(found) if each.id in shown]
    if not ticked <= {each.id for each in own}:
        raise NotFound("There is no such calendar.")
    accounts = {each.id: each.account_id for each in found}
    choices = [CalendarChoice(each.id, is_conflict=each.id in ticked) for each in own]
    if choices:
        await choose_calendars(ports, caller.user, accounts[choices[0].calendar_id], choices)
    return done("/app/phone", "saved", "calendars")


@post("/phone/feeds")
async def make_feed(request: Request[Any, Any, Any], caller: Member) -> Response[Any]:
    """Make a secret address."""
    form = await Form.posted(request)
    try:
        await _make_feed(ports_of(request), caller, form)
    except Invalid as refusal:
        form.refuse(refusal, lambda name: "kind" if name == "subject_id" else name)
        return await _page(request, caller, refusal, feed_form=form)
    return done("/app/phone", "made", "feeds")


async def _make_feed(ports: Ports, caller: Caller, form: Form) -> None:
    async with ports.read() as work:
        subjects = await work.feeds.subjects(caller.user.org_id, caller.user.id, for_admin=caller.is_admin)
    kinds = [kind for kind, _ in kind_choices(subjects, for_admin=caller.is_admin)]
    kind, subject_id = chosen_kind(form.one_of("kind", kinds, "Please choose what the feed shows."))
    label = form.text("label", Line, LABEL)
    options = read_options(form)
    await manage_tokens.create_feed(ports, caller.user, kind, label, subject_id=subject_id, options=options)


@post("/phone/feeds/{feed_id:uuid}/revoke")
async def revoke_feed(request: Request[Any, Any, Any], caller: Member, feed_id: FromPath[UUID]) -> Response[Any]:
    """The address stops working."""
    await manage_tokens.delete_feed(ports_of(request), caller.user, str(feed_id))
    return done("/app/phone", "revoked", "feeds")


routes: Sequence[Any] = (
    phone_page,
    devices_seen,
    offer_link,
    make_password,
    revoke_password,
    choose_blocking,
    make_feed,
    revoke_feed,
)
