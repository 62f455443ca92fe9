"""From a template and a view to a response: Jinja's environment, the security headers, caching and compression."""

from __future__ import annotations

import gzip
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from litestar import Request, Response

from app.ports import Ports
from app.web.pages.assets import accepts_gzip, assets

TEMPLATES = Path(__file__).parents[2] / "templates"
_ZIP_FROM = 800  # bytes; below it compressing costs more than it saves

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)

Privacy = Literal["public", "form", "private", "secret"]
"""Whose page it is: `public` everybody's, `form` everybody's with what one person typed, `private` a signed-in user's,
`secret` for whoever has the address."""

_CACHING: Mapping[Privacy, Mapping[str, str]] = {
    "public": {"Cache-Control": "private, no-cache", "Referrer-Policy": "strict-origin-when-cross-origin"},
    "form": {"Cache-Control": "no-store", "Referrer-Policy": "strict-origin-when-cross-origin"},
    "private": {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"},
    "secret": {
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Robots-Tag": "noindex, nofollow, noarchive",
    },
}


@cache
def environment() -> Environment:
    """Escapes everything, and a name that a view lacks is an error instead of a gap."""
    found = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["asset"] = assets().address
    found.globals["lang"] = "en"
    found.globals["dir"] = "ltr"
    return found


def render(template: str, **context: Any) -> str:
    """The text of a template."""
    return environment().get_template(template).render(**context)


def page(
    request: Request[Any, Any, Any],
    template: str,
    *,
    status: int = 200,
    privacy: Privacy = "private",
    headers: Mapping[str, str] | None = None,
    **context: Any,
) -> Response[bytes]:
    """A page from a template; see `html` for what `privacy` brings."""
    return html(request, render(template, **context), status=status, privacy=privacy, headers=headers)


def html(
    request: Request[Any, Any, Any],
    text: str,
    *,
    status: int = 200,
    privacy: Privacy = "private",
    headers: Mapping[str, str] | None = None,
) -> Response[bytes]:
    """HTML with the headers every page has.

    `private` pages stay uncompressed: a stranger's page can make a signed-in browser ask for them, with text of its
    choice, and the compressed length would betray the CSRF token in them (BREACH). The others hold no secret that a
    stranger could make the browser ask for.
    """
    body = text.encode()
    sent = {**security_headers(request), **_CACHING[privacy], "Vary": "Accept-Encoding, Accept-Language, Cookie"}
    if privacy != "private" and len(body) >= _ZIP_FROM and accepts_gzip(request):
        body = gzip.compress(body, compresslevel=6, mtime=0)
        sent["Content-Encoding"] = "gzip"
    return Response(body, status_code=status, media_type="text/html", headers={**sent, **(headers or {})})


def security_headers(request: Request[Any, Any, Any]) -> dict[str, str]:
    """What every page tells the browser not to do."""
    headers = {
        "Content-Security-Policy": CONTENT_SECURITY_POLICY,
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    }
    ports: Ports = request.app.state.ports
    if ports.base_url.startswith("https://"):
        # Browsers ignore both over plain HTTP, the latter with a complaint on the console.
        headers["Strict-Transport-Security"] = "max-age=31536000"
        headers["Cross-Origin-Opener-Policy"] = "same-origin"
    return headers


def see_other(address: str, headers: Mapping[str, str] | None = None) -> Response[None]:
    """Post, redirect, get: where to look at what was done. `address` is a path of this program."""
    return Response(
        None, status_code=303, headers={"Location": address, "Cache-Control": "no-store", **(headers or {})}
    )
