"""The CalDAV server and the feeds as parts of the whole program."""

from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from app.config import load_settings
from app.main import create_app
from app.use_cases.manage_tokens import create_app_password, create_feed
from calendar_feeds.caldav.discovery import with_discovery
from tests.support.clock import Clock
from tests.support.dav_server import basic
from tests.support.ical import ics
from tests.support.workspace import environment, make_workspace, opened

pytestmark = pytest.mark.anyio
PASSWORD = "a-password-for-tests"


class Mounted:
    """The program with one user `owner`."""

    def __init__(self, client: httpx.AsyncClient, feed: str) -> None:
        self.client = client
        self.feed = feed

    async def dav(self, method: str, path: str, content: str = "", **more: str) -> httpx.Response:
        """A request with the user's credentials, and `more` headers."""
        headers = {"Authorization": basic("owner", PASSWORD), "Depth": "0", "Accept-Encoding": "gzip", **more}
        return await self.client.request(method, path, headers=headers, content=content.encode())


@pytest.fixture
async def mounted(sqlite_url: str, tmp_path: Path) -> AsyncIterator[Mounted]:
    clock = Clock()
    async with opened(sqlite_url, tmp_path, clock) as parts:
        workspace = await make_workspace(parts, clock)
        await create_app_password(parts.ports, workspace.owner, "Phone", PASSWORD)
        feed = (await create_feed(parts.ports, workspace.owner)).token
    app = create_app(load_settings(environment(sqlite_url, tmp_path)), with_worker=False, clock=clock)
    transport = httpx.ASGITransport(with_discovery(app, app.state["caldav"]), client=("203.0.113.7", 5000))
    async with app.lifespan(), httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8000") as client:
        yield Mounted(client, f"/feeds/{feed}.ics")


async def test_clients_find_it_from_the_host_name(mounted: Mounted) -> None:
    led = await mounted.client.request("PROPFIND", "/.well-known/caldav")
    assert (led.status_code, led.headers["Location"]) == (301, "/dav/")
    assert (await mounted.client.request("PROPFIND", "/")).status_code == 401
    wrong = {"Authorization": basic("owner", "a-wrong-password")}
    assert (await mounted.client.request("PROPFIND", "/", headers=wrong)).status_code == 401
    asked = '<propfind xmlns="DAV:"><prop><current-user-principal/></prop></propfind>'
    assert "/dav/principals/owner/" in (await mounted.dav("PROPFIND", "/", content=asked)).text
    assert (await mounted.client.get("/")).status_code != 401  # a page


async def test_every_method_reaches_it_and_names_keep_their_encoding(mounted: Mounted) -> None:
    path = "/dav/calendars/owner/personal/a%20%25%C3%BC@b.ics"
    text = ics("a", "DESCRIPTION:" + "words " * 200)
    created = await mounted.dav("PUT", path, content=text)
    assert created.status_code == 201
    read = await mounted.dav("GET", path)
    assert read.content == text.encode()
    assert read.headers["ETag"] == created.headers["ETag"]
    assert "Content-Encoding" not in read.headers
    for method in ("OPTIONS", "HEAD"):
        assert (await mounted.dav(method, path)).status_code == 200
    found = await mounted.dav("REPORT", "/dav/calendars/owner/personal/", content='<D:sync-collection xmlns:D="DAV:">'
        "<D:sync-token/><D:prop><D:getetag/></D:prop></D:sync-collection>")  # fmt: skip
    assert path in found.text
    assert (await mounted.dav("PROPPATCH", "/dav/calendars/owner/schedule/", content="<x/>")).status_code == 400
    assert (await mounted.dav("MKCALENDAR", "/dav/calendars/owner/new/")).status_code == 201
    there = "/dav/calendars/owner/new/a.ics"
    assert (await mounted.dav("COPY", path, Destination=there)).status_code == 201
    assert (await mounted.dav("GET", there)).content == text.encode()
    assert (await mounted.dav("DELETE", "/dav/calendars/owner/new/")).status_code == 204
    assert (await mounted.dav("POST", "/dav/")).status_code == 405
    assert (await mounted.dav("DELETE", path)).status_code == 204


async def test_feeds_are_compressed_once_and_unchanged_ones_are_304(mounted: Mounted) -> None:
    packed = await mounted.client.get(mounted.feed, headers={"Accept-Encoding": "gzip"})
    plain = await mounted.client.get(mounted.feed, headers={"Accept-Encoding": "identity"})
    assert (packed.status_code, packed.text) == (200, plain.text)
    assert packed.headers["Content-Encoding"] == "gzip"
    assert "Content-Encoding" not in plain.headers
    assert packed.headers["ETag"] == plain.headers["ETag"]
    unchanged = await mounted.client.get(mounted.feed, headers={"If-None-Match": packed.headers["ETag"]})
    assert (unchanged.status_code, unchanged.content) == (304, b"")


async def test_failed_sign_ins_and_guessed_feeds_are_limited(mounted: Mounted) -> None:
    wrong = {"Authorization": basic("owner", "wrong-wrong-wrong-wrong"), "Depth": "0"}
    statuses = [(await mounted.client.request("PROPFIND", "/dav/", headers=wrong)).status_code for _ in range(12)]
    assert statuses[0] == 401
    assert statuses[-1] == 429
    assert (await mounted.client.get("/feeds/guess.ics")).status_code == 429
    assert (await mounted.dav("PROPFIND", "/dav/")).status_code == 207  # the device with its password goes on
