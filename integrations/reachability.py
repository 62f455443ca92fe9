"""Asking at an address as a phone would: is it in DNS, is its certificate good, does the CalDAV server answer there?"""

from __future__ import annotations

import asyncio
import socket
import ssl
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

MAX_HEAD = 20_000


class Unreachable(Exception):
    """A phone cannot use the address; the message says why, and the mend."""


@dataclass(frozen=True, slots=True)
class Reached:
    """The address works from here. `is_private`: just for devices in the same network, going by its IP addresses."""

    is_private: bool


async def reach(base_url: str, context: ssl.SSLContext | None = None) -> Reached:
    """Look the host up, shake hands and ask for CalDAV. `Unreachable` when one of these fails; it may take as long as
    the network lets it."""
    site = urlsplit(base_url)
    host, port = site.hostname or "", site.port or 443
    addresses = await _look_up(host, port)
    head = await _ask(host, port, site.netloc, context or ssl.create_default_context())
    fields = dict(line.lower().partition(b":")[::2] for line in head.split(b"\r\n")[1:])
    if b"calendar-access" not in fields.get(b"dav", b""):
        raise Unreachable(
            f"what answers at {site.netloc} to OPTIONS /dav/ is no CalDAV server: the proxy must pass every method and "
            "path on to halfpast (docs/reverse-proxy)"
        )
    return Reached(all(ip_address(each).is_private for each in addresses))


async def _look_up(host: str, port: int) -> set[str]:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError as problem:
        raise Unreachable(f"{host} is not in DNS: give it an A or AAAA record") from problem
    return {str(address[0]).partition("%")[0] for *_, address in found}


async def _ask(host: str, port: int, netloc: str, context: ssl.SSLContext) -> bytes:
    """The head of the answer to OPTIONS."""
    try:
        reader, writer = await asyncio.open_connection(host, port, ssl=context, limit=MAX_HEAD)
    except ssl.SSLCertVerificationError as problem:
        raise Unreachable(
            f"the certificate of {netloc} is not accepted ({problem.verify_message}): phones refuse it; get one that "
            "is publicly trusted, and serve its whole chain"
        ) from problem
    except ssl.SSLError as problem:
        raise Unreachable(f"{netloc} does not speak TLS ({problem.reason})") from problem
    except OSError as problem:
        raise Unreachable(f"nothing answers at {netloc}: start halfpast, and look at the proxy before it") from problem
    try:
        writer.write(f"OPTIONS /dav/ HTTP/1.1\r\nHost: {netloc}\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        return await reader.readuntil(b"\r\n\r\n")
    except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as problem:
        raise Unreachable(f"{netloc} does not answer OPTIONS /dav/: look at the proxy before halfpast") from problem
    finally:
        writer.close()
