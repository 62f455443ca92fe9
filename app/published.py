"""What we publish: the CalDAV server and the feeds."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.connection import ASGIConnection

from app.web.addresses import address_behind
from app.web.origin import noting_origin
from app.wiring import Parts
from calendar_feeds.caldav.app import caldav_app
from calendar_feeds.ics import feeds_app

App = Callable[..., Awaitable[None]]


def caldav(parts: Parts) -> App:
    """The CalDAV server by itself."""
    app = caldav_app(parts.ports, _counter(parts))
    return noting_origin(app, parts.settings.trusted_proxies, "caldav")


def feeds(parts: Parts) -> App:
    """The feeds."""
    return feeds_app(parts.ports, _counter(parts))


def _counter(parts: Parts) -> Callable[[Any], Awaitable[None]]:
    """Failed sign-ins and unknown feed addresses count against the sign-in limit."""

    trusted = parts.settings.trusted_proxies

    async def count_failure(scope: Any) -> None:
        await parts.limits.hit("login", address_behind(ASGIConnection(scope), trusted))

    return count_failure
