"""Headers that every answer has, whoever made it: pages, the API, feeds, CalDAV, errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from litestar.types import Message, Scope

from app.web.pages.rendering import CONTENT_SECURITY_POLICY

Header = tuple[bytes, bytes]
_ALWAYS: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
_HTTPS: Header = (b"strict-transport-security", b"max-age=31536000")
_PAGE: Header = (b"content-security-policy", CONTENT_SECURITY_POLICY.encode())
# What is no page of ours runs nothing, loads nothing and is framed nowhere, whatever a browser takes it for.
_NO_PAGE: Header = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_PRIVATE: Header = (b"cache-control", b"no-store")


def naming_head(header: Header) -> Header:
    """The router's list of methods knows nothing of the HEAD that is answered wherever GET is."""
    name, value = header
    methods = value.split(b", ")
    if name.lower() != b"allow" or b"GET" not in methods or b"HEAD" in methods:
        return header
    return name, value + b", HEAD"


def default_headers(*, https: bool) -> Callable[[Message, Scope], Awaitable[None]]:
    """A `before_send` hook that adds what an answer does not say for itself. Answers of the API are kept by nobody."""
    everywhere = (*_ALWAYS, _HTTPS) if https else _ALWAYS
    pages, others, api = (*everywhere, _PAGE), (*everywhere, _NO_PAGE), (*everywhere, _NO_PAGE, _PRIVATE)

    async def add(message: Message, scope: Scope) -> None:
        if message["type"] != "http.response.start":
            return
        headers: Any = message.setdefault("headers", [])
        present = {name.lower(): value for name, value in headers}
        if b"allow" in present:
            headers = [naming_head(header) for header in headers]
        if scope["path"].startswith("/api/"):
            wanted = api
        else:
            wanted = pages if present.get(b"content-type", b"").startswith(b"text/html") else others
        message["headers"] = [*headers, *(pair for pair in wanted if pair[0] not in present)]

    return add
