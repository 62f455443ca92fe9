"""`/calendar-accounts/{google,microsoft}/connect` and `/callback`: to the provider's sign-in page, and back.

Both are opened by a browser that is signed in here; they answer with redirects, and what went wrong is told on the page
of the connections.
"""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, Router, get
from litestar.params import QueryParameter
from litestar.status_codes import HTTP_303_SEE_OTHER

from app.domain.errors import Invalid, ProviderFailure
from app.domain.text_rules import LINE
from app.use_cases.sign_in_calendar import begin_sign_in, finish_sign_in
from app.web.api.fields import SignedIn, ports_of, problems
from app.web.api.strict import ANY_QUERY

PROVIDERS = ("google", "microsoft")
CONNECTIONS = "/app/connections"
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
    account: Annotated[str, QueryParameter(max_length=36, pattern=r"^[0-9a-f-]*$")] = "",
) -> Response[None]:
    address = begin_sign_in(ports_of(request), caller.user, caller.session, _provider(request), login_hint, account)
    return _to(address)


@get(
    [f"/calendar-accounts/{name}/callback" for name in PROVIDERS],
    status_code=HTTP_303_SEE_OTHER,
    responses=problems(401, 403, 404),
    summary="Come back from the provider's sign-in page",
    opt={ANY_QUERY: True},
)
async def callback(request: Request[Any, Any, Any], caller: SignedIn) -> Response[None]:
    answer = {name: value for name, value in request.query_params.items() if isinstance(value, str)}
    try:
        await finish_sign_in(ports_of(request), caller.user, caller.session, _provider(request), answer)
    except Invalid as refusal:
        other = any(error.field == "account" for error in refusal.errors)
        return _back("sign-in-other-account" if other else "sign-in-stale")
    except ProviderFailure as failure:
        return _back(_FAILED.get(failure.kind, "sign-in-failed"))
    return _back("connected")


def _provider(request: Request[Any, Any, Any]) -> str:
    return request.url.path.rsplit("/", 2)[1]


def _back(did: str) -> Response[None]:
    return _to(f"{CONNECTIONS}?did={did}")


def _to(address: str) -> Response[None]:
    headers = {"Location": address, "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
    return Response(None, status_code=HTTP_303_SEE_OTHER, headers=headers)


router = Router("/", route_handlers=[connect, callback], tags=["calendars"])
