"""HEAD wherever there is GET (RFC 9110 §9.1): the same answer without its content."""

from __future__ import annotations

from typing import cast

from litestar.enums import ScopeType
from litestar.types import ASGIApp, Message, Receive, Scope, Send

OWN_HEAD = ("/dav/", "/feeds/")
"""What is mounted there answers HEAD itself."""

_ASKED = "halfpast.head"


def was_head(scope: Scope) -> bool:
    """Whether a request that is answered as GET asked for the head alone."""
    return _ASKED in scope


def answering_head(app: ASGIApp) -> ASGIApp:
    """Wrap an application that knows GET. Its headers stay as they are: Content-Length tells what GET would send."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP or scope["method"] != "HEAD" or f"{scope['path']}/".startswith(OWN_HEAD):
            await app(scope, receive, send)
            return
        # A copy, for the server must still know that it was asked for HEAD.
        await app(cast("Scope", {**scope, "method": "GET", _ASKED: True}), receive, _without_content(send))

    return wrapped


def _without_content(send: Send) -> Send:
    is_over = False

    async def send_head(message: Message) -> None:
        nonlocal is_over
        if message["type"] == "http.response.start":
            await send(message)
        elif not is_over:
            is_over = True
            await send({"type": "http.response.body", "body": b"", "more_body": False})

    return send_head
