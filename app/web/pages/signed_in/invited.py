"""`/app/connect/{signed}`: somebody who was asked to connect a calendar does so, without a password here.

Nobody is signed in by it, and nothing of the person's is shown: the link may have gone astray.
"""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import HalfpastError, NotFound, RateLimited
from app.use_cases.invite_to_connect import Invitation, begin_invited, read_invitation
from app.use_cases.provider_trip import STATE_SECONDS
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.rendering import page
from app.web.pages.signed_in.connection_cards import SIGN_INS
from app.web.pages.signed_in.entry import limit_attempts
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import NOTICES, outcome, ports_of
from app.web.sessions import check_origin, start_trip


@get("/app/connect/{signed:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def invited_page(request: Request[Any, Any, Any], signed: FromPath[str]) -> Response[bytes]:
    """Who asks, for what, and where to sign in; afterwards what came of it."""
    try:
        invitation = await read_invitation(ports_of(request), signed)
    except NotFound as gone:
        return _gone(request, gone)
    did = request.query_params.get("did", "")
    if did == "connected":
        organization = invitation.organization.name
        return page(request, "app/invited_done.html", privacy="secret", organization=organization)
    trouble = NOTICES.get(did, "") if did.startswith("sign-in-") else ""
    return _page(request, invitation, trouble)


def _page(
    request: Request[Any, Any, Any], invitation: Invitation, trouble: str, refusal: HalfpastError | None = None
) -> Response[bytes]:
    status, headers = outcome(refusal)
    names = ports_of(request).sign_ins
    return page(
        request,
        "app/invited.html",
        status=status,
        headers=headers,
        privacy="secret",
        trouble=trouble,
        asker=invitation.asker.name,
        organization=invitation.organization.name,
        sign_ins=[(name, SIGN_INS.get(name, name.title())) for name in names],
    )


def _gone(request: Request[Any, Any, Any], gone: NotFound) -> Response[bytes]:
    status, headers = outcome(gone)
    return page(request, "app/invited_gone.html", status=status, headers=headers, privacy="secret")


@post("/app/connect/{signed:str}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def go(request: Request[Any, Any, Any], signed: FromPath[str]) -> Response[bytes]:
    """On to the provider. A page in between takes the browser there: a form of ours may lead to no other site."""
    ports = ports_of(request)
    check_origin(ports, request)
    form = await Form.posted(request)
    try:
        invitation = await read_invitation(ports, signed)
        await limit_attempts(request, f"connect {invitation.user.id}")
        browser = ports.vault.new_token()
        address = await begin_invited(ports, signed, browser, form.get("provider"))
    except NotFound as gone:
        return _gone(request, gone)
    except RateLimited as refusal:
        return _page(request, invitation, refusal.detail, refusal)
    label = SIGN_INS.get(form.get("provider"), form.get("provider").title())
    headers = {"Refresh": f"0; url={address}"}
    shown = page(request, "app/invited_going.html", privacy="secret", headers=headers, address=address, label=label)
    start_trip(ports, shown, browser, STATE_SECONDS)
    return shown


routes = (invited_page, go)
