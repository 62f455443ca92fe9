"""Where a request comes from, for the audit log: worked out only when an entry is written."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Any

from litestar.connection import ASGIConnection

from app.domain.user_agents import agent_family
from app.ports.audit import ORIGIN, Origin
from app.web.addresses import address_behind

App = Callable[..., Awaitable[None]]
IPV4_PREFIX, IPV6_PREFIX = 24, 48
"""What is kept of an address: the network, so that it tells where from, and not who."""
_KINDS = (("/api/", "api"), ("/dav", "caldav"), ("/.well-known/caldav", "caldav"), ("/hooks/", "hook"))


def noting_origin(app: App, trusted: Sequence[str], via: str | None = None) -> App:
    """Wrap an application: what is changed by a request says whence. `via` is for what is mounted on a path."""

    async def wrapped(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] not in {"http", "websocket"}:
            await app(scope, receive, send)
            return
        token = ORIGIN.set(lambda: _origin(scope, trusted, via))
        try:
            await app(scope, receive, send)
        finally:
            ORIGIN.reset(token)

    return wrapped


def _origin(scope: Any, trusted: Sequence[str], via: str | None) -> Origin:
    connection: ASGIConnection[Any, Any, Any, Any] = ASGIConnection(scope)
    kind = via or next((kind for prefix, kind in _KINDS if scope["path"].startswith(prefix)), "page")
    address = network_of(address_behind(connection, trusted))
    return Origin(kind, address, agent_family(connection.headers.get("user-agent", "")))


def network_of(address: str) -> str | None:
    """The /24 of an IPv4 address, the /48 of an IPv6 one or of its /64; None for anything else."""
    try:
        host = ip_address(address.partition("/")[0])
    except ValueError:
        return None
    prefix = IPV4_PREFIX if isinstance(host, IPv4Address) else IPV6_PREFIX
    return str(ip_network((host, prefix), strict=False))
