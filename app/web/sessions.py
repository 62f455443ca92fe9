"""Who is calling: a session cookie with a CSRF token for what changes something, or a bearer token.

Handlers that need a caller ask for the `caller` dependency; forgetting it leaves them without a user, not without a
check.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Any

from litestar import Request, Response
from litestar.connection import ASGIConnection
from litestar.datastructures import Cookie
from litestar.handlers import BaseRouteHandler

from app.domain.errors import Forbidden, Unauthenticated
from app.ports import Ports
from app.ports.people import User
from app.ports.tokens import TokenUser

SESSION_SECONDS = 14 * 86400
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
CSRF_FIELD = "csrf"
CSRF_PURPOSE = "csrf "
CSRF_LENGTH = 43
CSRF_HEADER = "x-csrf-token"


@dataclass(frozen=True, slots=True)
class Caller:
    """The signed-in user and the session they came by (None: a bearer token)."""

    user: User
    session: str | None

    @property
    def is_admin(self) -> bool:
        """Whether the caller runs the organization."""
        return "admin" in self.user.roles

    @property
    def scope(self) -> str | None:
        """The user whose things the caller is limited to; None for admins, who see the whole organization."""
        return None if self.is_admin else self.user.id


def cookie_name(ports: Ports) -> str:
    """The session cookie of this server."""
    return cookie_of(ports.base_url)


def cookie_of(base_url: str) -> str:
    """`__Host-` where browsers accept it: host-only, secure, for the whole site (RFC 6265bis §4.1.3)."""
    return "__Host-halfpast" if base_url.startswith("https://") else "halfpast"


async def find_caller(request: Request[Any, Any, Any]) -> Caller | None:
    """The caller, if any; `Unauthenticated` for credentials that are wrong, `Forbidden` without the CSRF token."""
    ports: Ports = request.app.state.ports
    authorization = request.headers.get("authorization", "")
    if authorization:
        return await _bearer(ports, authorization)
    session = request.cookies.get(cookie_name(ports))
    if not session:
        return None
    async with ports.read() as work:
        found = await work.tokens.session_user(session, ports.clock())
    if found is None:
        return None
    await _move_to_first_key(ports, session, found)
    if request.method not in SAFE_METHODS:
        await _check_csrf(ports, request, session)
    return Caller(found.user, session)


async def _bearer(ports: Ports, authorization: str) -> Caller:
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        async with ports.read() as work:
            found = await work.tokens.api_token_user(token.strip())
        if found is not None:
            await _move_to_first_key(ports, token.strip(), found)
            return Caller(found.user, None)
    raise Unauthenticated("This token is not known.")


async def _move_to_first_key(ports: Ports, token: str, found: TokenUser) -> None:
    """Only its owner has the token, so this is when its hash can be made anew and the older key come out of use."""
    if found.under_older_key:
        async with ports.unit_of_work() as work:
            await work.tokens.move_to_first_key(token)
            await work.commit()


async def require_caller(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
    """The guard of the API's signed-in part: nothing of a request is read before its caller is known, and a route that
    forgets to ask for its caller is not open to all."""
    assert isinstance(connection, Request)  # noqa: S101  # guards of HTTP routes are given the request
    if connection.method != "OPTIONS":  # which tells nothing but the methods there are
        connection.state.caller = await provide_caller(connection)


def guarded_caller(request: Request[Any, Any, Any]) -> Caller:
    """The dependency `caller` behind `require_caller`."""
    caller: Caller = request.state.caller
    return caller


async def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """The dependency of everything else that needs a signed-in user."""
    caller = await find_caller(request)
    if caller is None:
        raise Unauthenticated("Please sign in.")
    return caller


def csrf_token(ports: Ports, session: str) -> str:
    """Bound to the session; for the hidden field of forms and the `X-CSRF-Token` header."""
    return ports.vault.lookup(CSRF_PURPOSE + session)[:CSRF_LENGTH]


async def _check_csrf(ports: Ports, request: Request[Any, Any, Any], session: str) -> None:
    sent = request.headers.get(CSRF_HEADER)
    content_type = request.headers.get("content-type", "")
    if sent is None and content_type.startswith(("application/x-www-form-urlencoded", "multipart/form-data")):
        field = (await request.form()).get(CSRF_FIELD)
        sent = field if isinstance(field, str) else None
    if sent is None or not any(
        hmac.compare_digest(sent.encode(), known[:CSRF_LENGTH].encode())
        for known in ports.vault.lookups(CSRF_PURPOSE + session)
    ):
        raise Forbidden("The form is too old or came from another page. Please reload and try again.")


def check_origin(ports: Ports, request: Request[Any, Any, Any]) -> None:
    """For forms sent before there is a session (sign-in): refuse what another site's page sent."""
    site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if site in {"cross-site", "same-site"} or (
        site is None and origin not in (None, "null", ports.base_url, str(request.base_url).rstrip("/"))
    ):
        raise Forbidden("This form was sent from another site.")


async def start_session(ports: Ports, user: User, response: Response[Any], old_session: str | None = None) -> None:
    """A fresh session (never one that existed before signing in); the old one ends."""
    now = ports.clock()
    token = ports.vault.new_token()
    async with ports.unit_of_work() as work:
        if old_session:
            await work.tokens.end_session(old_session)
        await work.tokens.add_session(token, user, now, now + SESSION_SECONDS)
        await work.commit()
    response.set_cookie(_cookie(ports, token, SESSION_SECONDS))


async def end_session(ports: Ports, session: str, response: Response[Any]) -> None:
    """Sign out."""
    async with ports.unit_of_work() as work:
        await work.tokens.end_session(session)
        await work.commit()
    response.set_cookie(_cookie(ports, "", 0))


def trip_cookie_name(ports: Ports) -> str:
    """The cookie that binds a trip to a provider to the browser where nobody need be signed in."""
    return f"{cookie_name(ports)}-trip"


def start_trip(ports: Ports, response: Response[Any], secret: str, seconds: int) -> None:
    """Give this browser the secret of a trip."""
    response.set_cookie(_cookie(ports, secret, seconds, trip_cookie_name(ports)))


def end_trip(ports: Ports, response: Response[Any]) -> None:
    """Take it back."""
    response.set_cookie(_cookie(ports, "", 0, trip_cookie_name(ports)))


def _cookie(ports: Ports, value: str, max_age: int, name: str = "") -> Cookie:
    """Also to end it: browsers take nothing named `__Host-` without these attributes."""
    return Cookie(
        key=name or cookie_name(ports),
        value=value,
        max_age=max_age,
        httponly=True,
        secure=ports.base_url.startswith("https://"),
        samesite="lax",
        path="/",
    )
