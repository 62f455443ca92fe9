"""Style sheets, modules and pictures under addresses that change with their content.

One digest over all files names a folder, `/static/{digest}/booking.js`, so that modules can import their neighbours by
relative names and everything may be cached for good. Files are few and small: they are read once and kept, plain and
compressed.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from litestar import Request, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

FOLDER = Path(__file__).parents[2] / "static"
MEDIA_TYPES = {
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}
FOR_GOOD = "public, max-age=31536000, immutable"
SKIP_COMPRESSION = {"skip_compression": True}
"""The `opt` of routes that compress for themselves; what compresses responses for the whole program leaves them out."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One file as it goes out."""

    media_type: str
    plain: bytes
    zipped: bytes


@dataclass(frozen=True, slots=True)
class Assets:
    """All files by name, and the digest over them."""

    digest: str
    files: Mapping[str, Asset]

    def address(self, name: str) -> str:
        """Where a page finds a file; KeyError for a name that is not there."""
        self.files[name]
        return f"/static/{self.digest}/{name}"


@cache
def assets() -> Assets:
    """The files of `app/static`, read once."""
    return read_assets(FOLDER)


def read_assets(folder: Path) -> Assets:
    """Every file of a known kind below a folder."""
    found: dict[str, Asset] = {}
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        media_type = MEDIA_TYPES.get(path.suffix)
        if media_type is None or not path.is_file():
            continue
        name, content = path.relative_to(folder).as_posix(), path.read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
        found[name] = Asset(media_type, content, gzip.compress(content, mtime=0))
    return Assets(digest.hexdigest()[:12], found)


def accepts_gzip(request: Request[Any, Any, Any]) -> bool:
    """Whether the client takes gzip (RFC 9110 §12.5.3); `gzip;q=0` says no."""
    accepted = request.headers.get("accept-encoding", "").replace(" ", "").lower().split(",")
    return any(item.partition(";")[0] == "gzip" and not item.endswith(("q=0", "q=0.0")) for item in accepted)


@get("/static/{digest:str}/{name:path}", include_in_schema=False, opt=SKIP_COMPRESSION)
async def static_file(request: Request[Any, Any, Any], digest: FromPath[str], name: FromPath[str]) -> Response[bytes]:
    """A file. Under an old digest (a page from before an update) the present one, not to be kept."""
    known = assets()
    asset = known.files.get(name.lstrip("/"))
    if asset is None:
        raise NotFoundException("There is no such file.")
    return _answer(request, asset, FOR_GOOD if digest == known.digest else "no-cache")


@get("/favicon.ico", include_in_schema=False, opt=SKIP_COMPRESSION)
async def favicon(request: Request[Any, Any, Any]) -> Response[bytes]:
    """For those who ask without reading the page."""
    return _answer(request, assets().files["favicon.svg"], "public, max-age=86400")


@get("/robots.txt", include_in_schema=False, media_type="text/plain", cache_control=None)
async def robots() -> str:
    """Secret addresses and signed-in pages are nobody's to crawl."""
    return "User-agent: *\nDisallow: /app/\nDisallow: /api/\nDisallow: /b/\nDisallow: /booking/\nDisallow: /feeds/\n"


def _answer(request: Request[Any, Any, Any], asset: Asset, cache_control: str) -> Response[bytes]:
    headers = {"Cache-Control": cache_control, "Vary": "Accept-Encoding", "X-Content-Type-Options": "nosniff"}
    if accepts_gzip(request):
        return Response(asset.zipped, media_type=asset.media_type, headers={**headers, "Content-Encoding": "gzip"})
    return Response(asset.plain, media_type=asset.media_type, headers=headers)
