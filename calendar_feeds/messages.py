"""Requests as the methods read them, answers as they give them, and refusals."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

XML_TYPE = "application/xml; charset=utf-8"
MAX_XML_BYTES = 4_000_000
MAX_DRAIN = 50_000_000


_TAG = re.compile(r'(?:W/)?"([^"]*)"')
_CODING = re.compile(r"(?:--?|;)gzip$")


def entity_tags(header: str | None) -> frozenset[str] | None:
    """The tags of If-Match or If-None-Match, quotes included, `*` as itself; None when not sent.

    Proxies that compress weaken a tag or add to it. Ours name the exact text, so one that was so altered still says
    which text the client has, and refusing it would be an endless 412.
    """
    if header is None:
        return None
    if header == "*":
        return frozenset({"*"})
    return frozenset(f'"{_CODING.sub("", tag)}"' for tag in _TAG.findall(header))


class Refusal(Exception):
    """An answer that is a no: `condition` is the XML of the precondition that failed, without a body when empty."""

    def __init__(
        self, status: int, condition: str = "", detail: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail or condition or str(status))
        self.status = status
        self.condition = condition
        self.detail = detail
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Answer:
    """What a method answers: a body, or `parts` of one that are made while it is sent."""

    status: int
    body: bytes = b""
    content_type: str = XML_TYPE
    headers: dict[str, str] = field(default_factory=dict)
    parts: AsyncIterator[bytes] | None = None

    async def send(self, send: Send, *, with_body: bool = True) -> None:
        """Give it to the server."""
        headers: list[tuple[bytes, bytes]] = []
        if self.parts is not None:
            headers.append((b"content-type", self.content_type.encode()))
        elif self.status not in {204, 304}:
            headers.append((b"content-length", str(len(self.body)).encode()))
            if self.body:
                headers.append((b"content-type", self.content_type.encode()))
        headers += [(name.encode(), value.encode("latin-1", "replace")) for name, value in self.headers.items()]
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if self.parts is not None:
            async for part in self.parts:
                await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": self.body if with_body else b""})


PLAIN_TYPE = "text/plain; charset=utf-8"


def sentence(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Answer:
    """An answer that is a sentence for people."""
    return Answer(status, f"{detail}\n".encode() if detail else b"", PLAIN_TYPE, dict(headers or {}))


class Request:
    """One HTTP request: method, path as it came over the wire, headers in lower case, body on demand."""

    __slots__ = ("_ahead", "_receive", "headers", "method", "raw_path", "scope")

    def __init__(self, scope: Scope, receive: Receive) -> None:
        self.scope = scope
        self.method: str = scope["method"]
        self.raw_path: bytes = scope.get("raw_path") or scope["path"].encode()
        self.headers: dict[bytes, bytes] = dict(scope["headers"])
        self._receive = receive
        self._ahead: bytes | None = None

    def header(self, name: str) -> str | None:
        """A header's value, its first and last spaces stripped."""
        value = self.headers.get(name.encode())
        return None if value is None else value.decode("latin-1").strip()

    async def body(self, limit: int) -> bytes | None:
        """The whole body, or None when it is longer than `limit`. What is too long is still read (up to `MAX_DRAIN`),
        since clients do not hear an answer while they are sending."""
        parts: list[bytes] = []
        length = 0
        while True:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise ConnectionAbortedError
            part: bytes = message.get("body", b"")
            length += len(part)
            if length <= limit:
                parts.append(part)
            else:
                parts.clear()
            if length > MAX_DRAIN or not message.get("more_body", False):
                return b"".join(parts) if length <= limit else None

    async def xml_body(self) -> bytes:
        """The body of a request that carries XML; too large is a 413."""
        if self._ahead is None:
            body = await self.body(MAX_XML_BYTES)
            if body is None:
                raise Refusal(413, detail=f"A request body may have {MAX_XML_BYTES} bytes.")
            self._ahead = body
        return self._ahead

    @property
    def depth(self) -> str | None:
        """0, 1 or infinity; None when not given. Anything else is a 400."""
        value = self.header("depth")
        if value is None:
            return None
        if value.lower() not in {"0", "1", "infinity"}:
            raise Refusal(400, detail="Depth is 0, 1 or infinity.")
        return value.lower()

    @property
    def origin(self) -> str:
        """Scheme and host that the client knows this server by; empty when it does not say."""
        host = self.header("host")
        return f"{self.scope.get('scheme', 'http')}://{host}" if host else ""

    def need_depth_zero(self) -> None:
        """400 for a report that is about one resource and was asked of several (RFC 3744 §9)."""
        if self.depth not in {None, "0"}:
            raise Refusal(400, detail="This report is asked with Depth 0.")

    @property
    def wants_representation(self) -> bool:
        """Whether a PUT is to be answered with what is kept now (RFC 8144 §3)."""
        return "return=representation" in (self.header("prefer") or "").replace(" ", "").lower()

    @property
    def wants_no_zones(self) -> bool:
        """Whether the client knows the zones of the IANA database by name (RFC 7809 §4.1)."""
        return self.headers.get(b"caldav-timezones", b"T").strip() == b"F"

    @property
    def wants_no_root(self) -> bool:
        """Whether members are to be answered without the collection they are in (RFC 8144 §4)."""
        return "depth-noroot" in (self.header("prefer") or "").replace(" ", "").lower()

    @property
    def wants_minimal(self) -> bool:
        """Whether properties that are not there need no mention (RFC 8144 §2.1; Brief is Microsoft's older word)."""
        prefer = (self.header("prefer") or "").replace(" ", "").lower()
        return "return=minimal" in prefer or (self.header("brief") or "").lower() == "t"
