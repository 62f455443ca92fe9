"""Mounts what we publish: the CalDAV server and the feeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar import asgi
from litestar.connection import ASGIConnection
from litestar.handlers import ASGIRouteHandler
from litestar.types import Receive, Scope, Send

from app.web.addresses import address_behind
from app.web.origin import noting_origin
from app.wiring import Parts
from calendar_feeds.caldav.app import caldav_app
from calendar_feeds.ics import feeds_app

App = Callable[..., Awaitable[None]]

# ETags stand for the octets that were stored: nobody may compress these answers on the way (feeds do it themselves).
OPTIONS = {"skip_compression": True}


def published(parts: Parts) -> list[ASGIRouteHandler]:
    """`/dav` and `/feeds`."""
    return [_mount("/dav", caldav(parts)), _mount("/feeds", feeds_app(parts.ports, _counter(parts)))]


def caldav(parts: Parts) -> App:
    """The CalDAV server by itself."""
    app = caldav_app(parts.ports, _counter(parts))
    return noting_origin(app, parts.settings.trusted_proxies, "caldav")


def _counter(parts: Parts) -> Callable[[Any], Awaitable[None]]:
    """Failed sign-ins and unknown feed addresses count against the sign-in limit."""

    trusted = parts.settings.trusted_proxies

    async def count_failure(scope: Any) -> None:
        await parts.limits.hit("login", address_behind(ASGIConnection(scope), trusted))

    return count_failure


def _mount(path: str, app: App) -> ASGIRouteHandler:
    @asgi(path, is_mount=True, copy_scope=True, opt=OPTIONS)
    async def mounted(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return mounted
