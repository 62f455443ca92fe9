"""Whose request it is: the client's address, through trusted proxies only."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from litestar.connection import ASGIConnection

IPV6_PREFIX = 64
"""What one customer usually gets: whoever has one address of it has them all."""


def client_address(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Whom a request counts against: the peer's address; behind trusted proxies the nearest one they forwarded that is
    not a proxy itself. IPv6 addresses stand for their /64."""
    return address_behind(connection, connection.app.state.trusted_proxies)


def address_behind(connection: ASGIConnection[Any, Any, Any, Any], trusted: Sequence[str]) -> str:
    """The same where these proxies are trusted, for requests that never come to the application."""
    peer = connection.client.host if connection.client else "unknown"
    forwarded = connection.headers.get("x-forwarded-for", "") if trusted else ""
    return nearest_client(peer, forwarded, tuple(trusted))


def nearest_client(peer: str, forwarded: str, trusted: tuple[str, ...]) -> str:
    """Walk the chain from the peer outwards while the hops are trusted; what is no address is believed by nobody."""
    nearest = peer
    for hop in (part.strip() for part in reversed(forwarded.split(","))):
        if not _is_trusted(nearest, trusted) or _address(hop) is None:
            break
        nearest = hop
    return _party(nearest)


@lru_cache(maxsize=4096)
def _is_trusted(text: str, networks: tuple[str, ...]) -> bool:
    address = _address(text)
    return address is not None and any(address in ip_network(network, strict=False) for network in networks)


@lru_cache(maxsize=4096)
def _party(text: str) -> str:
    address = _address(text)
    if isinstance(address, IPv6Address):
        return str(ip_network((address, IPV6_PREFIX), strict=False))
    return text if address is None else str(address)


def _address(text: str) -> IPv4Address | IPv6Address | None:
    """The address of `192.0.2.1`, `192.0.2.1:443`, `2001:db8::1` or `[2001:db8::1]:443`."""
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
