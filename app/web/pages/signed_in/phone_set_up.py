"""`/app/phone/set-up/{token}`: what a phone opens that scanned the code of `/app/phone`. Nobody is signed in by it.

Looking changes nothing: whoever follows links on their own does no harm. The button uses up the link, and what comes of
it is shown or downloaded (see `app.use_cases.set_up_phone`).
"""

from __future__ import annotations

import asyncio
from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.apple_profile import PROFILE_TYPE, Account, apple_profile
from app.domain.errors import NotFound
from app.domain.set_up_links import caldav_link, davx5_link
from app.ports import Ports
from app.use_cases.set_up_phone import SetUp, offered_set_up, take_set_up, taken_set_up
from app.web.addresses import client_address
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.rendering import page, see_other
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import outcome, ports_of
from app.web.sessions import check_origin

PROFILE_NAME = "halfpast.mobileconfig"


def set_up_address(ports: Ports, token: str) -> str:
    """Where a phone goes to be set up."""
    return f"{ports.base_url}/app/phone/set-up/{token}"


@get("/app/phone/set-up/{token:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def set_up_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """Whose calendars they are, and a button for each kind of device."""
    try:
        offer = await offered_set_up(ports_of(request), token)
    except NotFound as gone:
        return await _gone(request, gone)
    secure = ports_of(request).base_url.startswith("https://")
    return page(request, "app/phone_set_up.html", privacy="secret", name=offer.user.name, is_secure=secure)


@post("/app/phone/set-up/{token:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def set_up(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[Any]:
    """Use up the link: on to the profile of an Apple device, or show what others need."""
    ports = ports_of(request)
    check_origin(ports, request)
    is_apple = (await Form.posted(request)).get("device") == "apple"
    try:
        taken = await take_set_up(ports, token)
    except NotFound as gone:
        return await _gone(request, gone)
    if is_apple:
        return see_other(f"/app/phone/profile/{taken.token}/{PROFILE_NAME}")
    handle, password = taken.user.handle, taken.password
    return page(
        request,
        "app/phone_fields.html",
        privacy="secret",
        label=taken.label,
        davx5=davx5_link(ports.base_url, handle, password),
        caldav=caldav_link(ports.base_url, handle),
        server=f"{ports.base_url}/dav/",
        handle=handle,
        password=password,
    )


@get(f"/app/phone/profile/{{token:str}}/{PROFILE_NAME}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def profile(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """The profile for an iPhone, an iPad or a Mac, signed if the server has a certificate."""
    ports = ports_of(request)
    try:
        taken = await taken_set_up(ports, token)
    except NotFound as gone:
        return await _gone(request, gone)
    headers = {
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{PROFILE_NAME}"',
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
    }
    return Response(await _profile(ports, taken), media_type=PROFILE_TYPE, headers=headers)


async def _profile(ports: Ports, taken: SetUp) -> bytes:
    user = taken.user
    text = apple_profile(Account(ports.base_url, user.handle, taken.password, user.name, taken.profile_id))
    return text if ports.sign_profile is None else await asyncio.to_thread(ports.sign_profile, text)


async def _gone(request: Request[Any, Any, Any], gone: NotFound) -> Response[bytes]:
    """Guesses count like failed sign-ins."""
    await request.app.state.limits.hit("login", client_address(request))
    status, headers = outcome(gone)
    return page(request, "app/phone_gone.html", status=status, headers=headers, privacy="secret")


routes = (set_up_page, set_up, profile)
