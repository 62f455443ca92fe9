"""The one way to addresses that users give: calendars, feeds, and the redirects and hrefs on the way to them.

A host is resolved once per connection, every address it has is judged, and the judged address is the one connected to
(TLS still proves the host's name). Private and special networks are refused unless the host is allowed. Redirects are
followed here, one judged hop at a time, and credentials never follow to another origin.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import httpcore2
import httpx2

from app.domain.errors import ProviderFailure

IpAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], Awaitable[list[str]]]

MAX_WAIT = 3600
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS", "PROPFIND", "REPORT"})
_NAT64 = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_V4_COMPATIBLE = ipaddress.IPv6Network("::/96")
_SPECIAL = (*_NAT64, ipaddress.IPv6Network("fec0::/10"), ipaddress.IPv6Network("2001::/32"), _V4_COMPATIBLE)


@dataclass(frozen=True, slots=True)
class OutwardPolicy:
    """What may be reached and how much may come of it. `allowed_private_hosts` holds lower-case host names or IP
    addresses that may be private and spoken to without TLS; `*` is all of them."""

    allowed_private_hosts: frozenset[str] = frozenset()
    connect_seconds: float = 5
    read_seconds: float = 15
    total_seconds: float = 30
    max_bytes: int = 20_000_000
    max_redirects: int = 5

    def may_be_private(self, host: str) -> bool:
        """Whether this host may be on a private network."""
        return "*" in self.allowed_private_hosts or _bare(host) in self.allowed_private_hosts


@dataclass(frozen=True, slots=True)
class OutwardResponse:
    """A whole answer; `url` is where it came from, after redirects."""

    status: int
    reason: str
    headers: httpx2.Headers
    content: bytes
    url: str


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open internet. Addresses that carry an IPv4 one (mapped, 6to4, NAT64,
    Teredo) are ways around, and never are."""
    ip: IpAddress = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour is not None or ip.teredo is not None or any(ip in network for network in _SPECIAL):
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved and not ip.is_unspecified


def origin(url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address."""
    parsed = _parse(url)
    return parsed.scheme, parsed.host.lower().rstrip("."), parsed.port or (443 if parsed.scheme == "https" else 80)


def same_origin(one: str, other: str) -> bool:
    """Whether credentials for the one address may be sent to the other."""
    return origin(one) == origin(other)


async def system_resolver(host: str, port: int) -> list[str]:
    """The addresses the system knows for a host."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class BasicOrDigest(httpx2.Auth):
    """Basic at once; Digest for servers that ask for it and not for Basic."""

    def __init__(self, username: str, password: str) -> None:
        self._basic = httpx2.BasicAuth(username, password)
        self._digest = httpx2.DigestAuth(username, password)
        self._wants_digest = False

    def auth_flow(self, request: httpx2.Request) -> Any:
        """Yield the request with credentials, again when the server asks for Digest."""
        if not self._wants_digest:
            response = yield from self._basic_flow(request)
            offered = " ".join(response.headers.get_list("www-authenticate")).lower()
            if response.status_code != 401 or "digest" not in offered or "basic" in offered:
                return
            self._wants_digest = True
            del request.headers["Authorization"]
        yield from self._digest.auth_flow(request)

    def _basic_flow(self, request: httpx2.Request) -> Any:
        return (yield next(self._basic.auth_flow(request)))


class OutwardHttp:
    """A small HTTP client with the guard built in. It keeps connections, but no cookies and no credentials: one
    instance serves all accounts."""

    def __init__(
        self,
        policy: OutwardPolicy | None = None,
        *,
        resolver: Resolver = system_resolver,
        ssl_context: ssl.SSLContext | None = None,
    ) -> None:
        self.policy = policy or OutwardPolicy()
        self._resolver = resolver
        self._ssl_context = ssl_context
        self._transports: dict[str, _Transport] = {}

    async def aclose(self) -> None:
        """Close the connections."""
        while self._transports:
            await self._transports.popitem()[1].aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        content: bytes | None = None,
        auth: httpx2.Auth | None = None,
    ) -> OutwardResponse:
        """Send a request and follow redirects; `auth` goes to the origin of `url` alone. Methods that write follow
        none to another origin. Raises `ProviderFailure`: refused, unreachable or protocol."""
        at = url
        for _ in range(self.policy.max_redirects + 1):
            credentials = auth if same_origin(at, url) else None
            answer = await self._once(method, at, headers or {}, content, credentials)
            target = answer.headers.get("location")
            if answer.status not in _REDIRECTS or not target:
                return answer
            at = _next_hop(at, target, method)
            if answer.status == 303 and method not in {"GET", "HEAD", "PROPFIND"}:
                method, content = "GET", None
        raise ProviderFailure("protocol", f"{_host(url)} redirects in circles.")

    async def _once(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes | None, auth: httpx2.Auth | None
    ) -> OutwardResponse:
        parsed = _parse(url)
        self._check_scheme(parsed)
        timeout = httpx2.Timeout(self.policy.read_seconds, connect=self.policy.connect_seconds)
        request = httpx2.Request(
            method,
            parsed,
            headers={"User-Agent": "Halfpast", "Accept-Encoding": "gzip", **headers},
            content=content,
            extensions={"timeout": timeout.as_dict()},
        )
        async with _told(parsed.host, self.policy.total_seconds):
            return await self._exchange(request, auth)

    async def _exchange(self, request: httpx2.Request, auth: httpx2.Auth | None) -> OutwardResponse:
        flow = (auth or httpx2.Auth()).async_auth_flow(request)
        try:
            following = await anext(flow)
            while True:
                answer, response = await self._read(following)
                try:
                    following = await flow.asend(response)
                except StopAsyncIteration:
                    return answer
        finally:
            await flow.aclose()

    async def _read(self, request: httpx2.Request) -> tuple[OutwardResponse, httpx2.Response]:
        response = await self._transport(request.url.scheme).handle_async_request(request)
        response.request = request
        try:
            content = await self._content(response)
        finally:
            await response.aclose()
        answer = OutwardResponse(
            response.status_code, response.reason_phrase, response.headers, content, str(request.url)
        )
        return answer, response

    def _transport(self, scheme: str) -> _Transport:
        if scheme not in self._transports:
            self._ssl_context = self._ssl_context or ssl.create_default_context()
            guard = _Guard(self.policy, self._resolver, only_private=scheme == "http")
            self._transports[scheme] = _Transport(guard, self._ssl_context)
        return self._transports[scheme]

    async def _content(self, response: httpx2.Response) -> bytes:
        parts = bytearray()
        async for part in response.aiter_bytes(65536):
            parts += part
            if len(parts) > self.policy.max_bytes:
                raise ProviderFailure("protocol", "The server's answer is too large.")
        return bytes(parts)

    def _check_scheme(self, url: httpx2.URL) -> None:
        if url.scheme == "http" and not self.policy.may_be_private(url.host):
            raise ProviderFailure("refused", f"The address of {url.host} must begin with https://.")


class _Guard(httpcore2.AsyncNetworkBackend):
    """Resolves, judges, and connects to what was judged."""

    def __init__(self, policy: OutwardPolicy, resolver: Resolver, *, only_private: bool) -> None:
        self._policy = policy
        self._resolver = resolver
        self._only_private = only_private
        self._network = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's signature
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """Try the host's addresses in turn, after all of them passed."""
        addresses = await self._judged(host, port, timeout)
        failure: Exception = httpcore2.ConnectError(f"{host} has no address")
        for address in addresses[:4]:
            try:
                return await self._network.connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def _judged(self, host: str, port: int, seconds: float | None) -> list[str]:
        try:
            async with asyncio.timeout(seconds):
                addresses = await self._resolver(_bare(host), port)
        except TimeoutError as error:
            raise httpcore2.ConnectTimeout(f"{host} was not resolved in time") from error
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"{host} is not known") from error
        public = [is_public(address) for address in addresses]
        if not all(public) and not self._policy.may_be_private(host):
            raise ProviderFailure("refused", f"{host} is on a private network, which is not allowed here.")
        if self._only_private and any(public):
            raise ProviderFailure("refused", f"The address of {host} must begin with https://.")
        return addresses

    async def sleep(self, seconds: float) -> None:
        """Between the pool's own retries."""
        await asyncio.sleep(seconds)


class _Transport(httpx2.AsyncHTTPTransport):
    """The library's transport over a guarded pool."""

    def __init__(self, guard: _Guard, context: ssl.SSLContext) -> None:
        super().__init__(verify=context, trust_env=False)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=context,
            max_connections=100,
            max_keepalive_connections=20,
            keepalive_expiry=30,
            network_backend=guard,
        )


@asynccontextmanager
async def _told(host: str, seconds: float) -> AsyncIterator[None]:
    """Network trouble in this block becomes a `ProviderFailure` that a person can read."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except (TimeoutError, httpx2.TimeoutException) as error:
        raise ProviderFailure("unreachable", f"{host} did not answer in time.") from error
    except (httpx2.ProtocolError, httpx2.DecodingError) as error:
        raise ProviderFailure("protocol", f"{host} answers, but not in HTTP as it should be.") from error
    except (httpx2.TransportError, ssl.SSLError) as error:
        raise ProviderFailure("unreachable", f"{host} cannot be reached: {_reason(error)}.") from error


def _reason(error: BaseException) -> str:
    """The innermost cause, in few words."""
    chain = [error]
    while chain[-1].__cause__ is not None and len(chain) < 8:
        chain.append(chain[-1].__cause__)
    for cause in reversed(chain):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection was refused"
    return str(error)[:120] or type(error).__name__


def _next_hop(at: str, target: str, method: str) -> str:
    following = str(_parse(at).join(_relative(target)))
    if origin(following)[0] == "http" and origin(at)[0] == "https":
        raise ProviderFailure("refused", f"{_host(at)} redirects to an address without TLS.")
    if method not in _SAFE and not same_origin(at, following):
        raise ProviderFailure("refused", f"{_host(at)} redirects writing to {_host(following)}, which is not followed.")
    return following


def _relative(target: str) -> httpx2.URL:
    try:
        return httpx2.URL(target)
    except (httpx2.InvalidURL, UnicodeError) as error:
        raise ProviderFailure("protocol", "The server redirects to something that is no address.") from error


def _parse(url: str) -> httpx2.URL:
    try:
        parsed = httpx2.URL(url)
    except (httpx2.InvalidURL, UnicodeError, TypeError) as error:
        raise ProviderFailure("refused", "This is not a web address.") from error
    if parsed.scheme not in {"http", "https"} or not parsed.host:
        raise ProviderFailure("refused", "Addresses must begin with https://.")
    if parsed.userinfo:
        raise ProviderFailure("refused", "User name and password do not belong into the address.")
    return parsed


def retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds from a Retry-After header, in either form, at most an hour."""
    value = headers.get("retry-after", "").strip()
    if value.isdecimal():
        return min(int(value[:9]), MAX_WAIT)
    try:
        moment = parsedate_to_datetime(value)
        date = parsedate_to_datetime(headers.get("date", "")) if headers.get("date") else datetime.now(UTC)
        return max(0, min(int((moment - date).total_seconds()), MAX_WAIT))
    except (ValueError, TypeError):
        return None


def _host(url: str) -> str:
    return _parse(url).host


def _bare(host: str) -> str:
    return host.lower().strip("[]").rstrip(".")
