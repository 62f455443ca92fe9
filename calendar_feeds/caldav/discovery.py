"""How clients find the CalDAV server from nothing but a host name (RFC 6764 §5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from calendar_feeds.caldav.resources import ROOT, SITE
from calendar_feeds.messages import Receive, Scope, Send

WELL_KNOWN = "/.well-known/caldav"
_ASKING = frozenset({"PROPFIND", "REPORT"})

App = Callable[[Any, Any, Any], Awaitable[None]]


async def to_caldav(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  # the shape of ASGI
    """Send a client to `/dav/`, whatever its method; no credentials are asked for on the way."""
    headers = [(b"location", ROOT.encode()), (b"content-length", b"0"), (b"cache-control", b"public, max-age=3600")]
    await send({"type": "http.response.start", "status": 301, "headers": headers})
    await send({"type": "http.response.body", "body": b""})


def with_discovery(app: App, caldav: App) -> App:
    """Wrap the whole application: `/.well-known/caldav` leads to `/dav/`, and WebDAV requests for `/` are answered by
    the CalDAV server. Routers of web frameworks do not know these methods, so this stands before them."""

    async def wrapped(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path: str = scope["path"]
            if path.rstrip("/") == WELL_KNOWN:
                await to_caldav(scope, receive, send)
                return
            if path == SITE and scope["method"] in _ASKING:
                await caldav(scope, receive, send)
                return
        await app(scope, receive, send)

    return wrapped
