"""`/calendar-accounts/{google,microsoft}/connect` and `/callback`: to the provider's sign-in page, and back.

Both are opened by a browser; they answer with redirects, and what went wrong is told on the page where the trip began.
The callback serves every trip there is: of whoever is signed in, for themselves or as an admin for the organization,
and of somebody who was invited and need not be signed in. The state says which it was.
"""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote
from uuid import UUID

from litestar import Request, Response, Router, get
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_303_SEE_OTHER

from app.domain.errors import AlreadyExists, Invalid, NotFound, ProviderFailure
from app.domain.text_rules import LINE
from app.use_cases.connect_organization import consent_step, continue_consent, finish_consent
from app.use_cases.invite_to_connect import finish_invited, invitation_of_answer, is_by_invitation
from app.use_cases.sign_in_calendar import SwitchedOn, begin_sign_in, finish_sign_in
from app.web.api.fields import SignedIn, ports_of, problems, uuid_text
from app.web.api.strict import ANY_QUERY
from app.web.sessions import Caller, end_trip, provide_caller, trip_cookie_name

PROVIDERS = ("google", "microsoft")
CONNECTIONS = "/app/connections"
ORGANIZATION = "/app/people/calendars"
INVITED = "/app/connect"
_TOLD = {None: "connected", True: "connected-contacts", False: "contacts-refused"}
_FAILED = {"auth": "sign-in-refused", "unreachable": "sign-in-unreachable", "busy": "sign-in-unreachable"}


@get(
    [f"/calendar-accounts/{name}/connect" for name in PROVIDERS],
    status_code=HTTP_303_SEE_OTHER,
    responses=problems(401, 403, 404),
    summary="Connect an account at its provider's sign-in page",
)
async def connect(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    login_hint: Annotated[str, QueryParameter(max_length=254, pattern=LINE)] = "",
    account: Annotated[UUID | None, QueryParameter(description="The account to connect anew.")] = None,
    contacts: Annotated[
        SwitchedOn | None, QueryParameter(description="Ask for its contacts too, and use them for this.")
    ] = None,
) -> Response[None]:
    account_id = "" if account is None else uuid_text(account)
    address = await begin_sign_in(
        ports_of(request), caller.user, caller.session, _provider(request), login_hint, account_id, contacts
    )
    return _to(address)


@get(
    [f"/calendar-accounts/{name}/callback" for name in PROVIDERS],
    status_code=HTTP_303_SEE_OTHER,
    responses=problems(401, 403, 404),
    summary="Come back from the provider's sign-in page",
    opt={ANY_QUERY: True},
)
async def callback(request: Request[Any, Any, Any]) -> Response[None]:
    ports = ports_of(request)
    answer = {name: value for name, value in request.query_params.items() if isinstance(value, str)}
    if is_by_invitation(ports, answer):
        return await _invited(request, answer)
    caller = await provide_caller(request)
    if consent_step(ports, answer):
        return await _organization(request, caller, answer)
    try:
        done = await finish_sign_in(ports, caller.user, caller.session, _provider(request), answer)
    except (Invalid, ProviderFailure) as refusal:
        return _back(CONNECTIONS, _why(refusal))
    return _back(CONNECTIONS, _TOLD[done.contacts])


async def _invited(request: Request[Any, Any, Any], answer: dict[str, str]) -> Response[None]:
    """Back to the page of the invitation, whoever is signed in in this browser."""
    ports = ports_of(request)
    try:
        invitation = await invitation_of_answer(ports, answer)
    except NotFound:
        return _to(f"{INVITED}/gone")
    page = f"{INVITED}/{quote(invitation.signed)}"
    browser = request.cookies.get(trip_cookie_name(ports))
    try:
        await finish_invited(ports, invitation, browser, _provider(request), answer)
    except (Invalid, ProviderFailure) as refusal:
        return _back(page, _why(refusal))
    done = _back(page, "connected")
    end_trip(ports, done)
    return done


async def _organization(request: Request[Any, Any, Any], caller: Caller, answer: dict[str, str]) -> Response[None]:
    """An admin shows which organization they are of, is sent to agree for it, and comes back from that."""
    ports, provider = ports_of(request), _provider(request)
    try:
        if consent_step(ports, answer) == "tenant":
            return _to(await continue_consent(ports, caller.user, caller.session, provider, answer))
        await finish_consent(ports, caller.user, caller.session, provider, answer)
    except AlreadyExists:
        return _back(ORGANIZATION, "grant-taken")
    except (Invalid, ProviderFailure) as refusal:
        return _back(ORGANIZATION, _why(refusal))
    return _back(ORGANIZATION, "grant-given")


def _why(refusal: Invalid | ProviderFailure) -> str:
    """Which notice tells of it."""
    if isinstance(refusal, ProviderFailure):
        return _FAILED.get(refusal.kind, "sign-in-failed")
    fields = {error.field for error in refusal.errors}
    return "sign-in-other-account" if "account" in fields else "sign-in-stale"


def _provider(request: Request[Any, Any, Any]) -> str:
    return request.url.path.rsplit("/", 2)[1]


def _back(page: str, did: str) -> Response[None]:
    return _to(f"{page}?did={did}")


def _to(address: str) -> Response[None]:
    headers = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(None, status_code=HTTP_303_SEE_OTHER, headers=headers)


router = Router("/", route_handlers=[connect], tags=["calendars"])
returning = Router("/", route_handlers=[callback], tags=["calendars"], security=[{"session": []}])
"""Stands outside of what needs a session."""
