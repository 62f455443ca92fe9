"""Which requests are somebody looking at a link. Nothing is set and nothing is kept of who it was: no cookie, no
address, no fingerprint; of where they came from the host alone.

Left out are robots and tools by their User-Agent, HEAD, what browsers fetch in advance (Sec-Purpose), and going on
within our own pages (Sec-Fetch-Site, or the Referer where that is not sent).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from litestar import Request

from app.domain.user_agents import is_robot
from app.ports.analytics import View
from app.ports.links import LinkContext
from app.use_cases.note_views import ViewBuffer
from app.web.head import was_head

LONGEST_HOST = 253


def note_view(request: Request[Any, Any, Any], context: LinkContext) -> None:
    """Count it, if it is one."""
    if _is_view(request):
        link = context.link
        now, buffer = request.app.state.ports.clock(), request.app.state.views
        assert isinstance(buffer, ViewBuffer)  # noqa: S101  # for the types
        buffer.add(View(link.org_id, link.id, link.service_id, now, _referrer(request)))


def _is_view(request: Request[Any, Any, Any]) -> bool:
    headers = request.headers
    if was_head(request.scope) or is_robot(headers.get("user-agent", "")):
        return False
    if "prefetch" in f"{headers.get('sec-purpose', '')} {headers.get('purpose', '')} {headers.get('x-moz', '')}":
        return False
    site = headers.get("sec-fetch-site")
    return site != "same-origin" if site is not None else _host(headers.get("referer", "")) != request.url.hostname


def _referrer(request: Request[Any, Any, Any]) -> str | None:
    host = _host(request.headers.get("referer", ""))
    return None if host == request.url.hostname else host


def _host(address: str) -> str | None:
    """The host of a web address, if it is one that can be told."""
    try:
        parts = urlsplit(address)
        host = parts.hostname
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"} or not host or len(host) > LONGEST_HOST:
        return None
    return host if host.isascii() and host.isprintable() and " " not in host else None
