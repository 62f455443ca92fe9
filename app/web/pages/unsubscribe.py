"""`/unsubscribe/{token}`: a GET asks, a POST stops the mails; mail programs send it by themselves (RFC 8058)."""

from __future__ import annotations

from typing import Any

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.ports import Ports
from app.use_cases.unsubscribe import Kind, kind_of_token, unsubscribe
from app.web.limits import LimitByAddress
from app.web.pages.assets import SKIP_COMPRESSION
from app.web.pages.rendering import page

_PATH = "/unsubscribe/{token:str}"


@get(_PATH, guards=[LimitByAddress("public")], include_in_schema=False, opt=SKIP_COMPRESSION)
async def unsubscribe_page(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """The question. Programs that look at addresses in mails change nothing by it."""
    ports: Ports = request.app.state.ports
    return _page(request, kind_of_token(ports, token), is_done=False)


@post(_PATH, status_code=200, guards=[LimitByAddress("public")], include_in_schema=False, opt=SKIP_COMPRESSION)
async def unsubscribe_now(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
    """Done; the token is all it takes."""
    return _page(request, await unsubscribe(request.app.state.ports, token), is_done=True)


def _page(request: Request[Any, Any, Any], kind: Kind, *, is_done: bool) -> Response[bytes]:
    return page(request, "booking/unsubscribe.html", privacy="secret", kind=kind, is_done=is_done)
