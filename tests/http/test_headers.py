"""Headers that every answer has, whoever made it."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings
from app.web.pages.rendering import CONTENT_SECURITY_POLICY
from tests.http.api import API, Api, client_of, running
from tests.http.workspace import Workspace, settings_for

pytestmark = pytest.mark.anyio

NO_PAGE = "default-src 'none'; frame-ancestors 'none'"
ANSWERS = (
    ("GET", "/api/v1/me", 401),
    ("GET", "/api/v1/public/acme.intro", 200),
    ("GET", "/api/v1/public/nobody.nothing", 404),
    ("GET", "/api/v1/nothing", 404),
    ("PUT", "/api/v1/links", 405),
    ("OPTIONS", "/api/v1/links", 204),
    ("GET", "/schema", 200),
    ("GET", "/schema/openapi.json", 200),
    ("GET", "/schema/nothing", 404),
    ("GET", "/health/live", 200),
    ("GET", "/health/ready", 200),
    ("GET", "/", 200),
    ("GET", "/acme/intro", 200),
    ("GET", "/acme/nothing", 404),
    ("GET", "/b/nothing", 404),
    ("GET", "/booking/nothing", 404),
    ("GET", "/favicon.ico", 200),
    ("GET", "/static/x/nothing.css", 404),
    ("GET", "/robots.txt", 200),
    ("GET", "/feeds/nothing.ics", 404),
    ("PROPFIND", "/dav/", 401),
    ("POST", "/dav/", 401),
)


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
async def test_every_answer_tells_the_browser_what_not_to_do(
    shared_api: Api, method: str, path: str, status: int
) -> None:
    client = client_of(shared_api.app)
    answer = await client.request(method, path)
    assert answer.status_code == status, answer.text
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["x-frame-options"] == "DENY"
    assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin", "strict-origin-when-cross-origin"}
    is_page = answer.headers.get("content-type", "").startswith("text/html")
    policy = answer.headers["content-security-policy"]
    assert policy == (CONTENT_SECURITY_POLICY if is_page else NO_PAGE)
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy, "no other origin"
    names = [name.lower() for name, _ in answer.headers.multi_items()]
    assert len(names) == len(set(names)) or names.count("set-cookie") > 1
    assert "server" not in names
    assert "strict-transport-security" not in names, "this is plain HTTP on loopback"
    if path.startswith("/api/"):
        assert answer.headers.get("cache-control") == "no-store"
    await client.aclose()


async def test_over_tls_browsers_are_told_to_stay_there(
    settings: Settings, workspace: Workspace, tmp_path: Path
) -> None:
    over_tls = settings_for(settings.database_url, tmp_path, BASE_URL="https://book.example.com")
    async with running(over_tls, workspace) as api:
        client = client_of(api.app)
        for path in (f"{API}/me", "/acme/intro", "/dav/", "/schema"):
            assert (await client.get(path)).headers["strict-transport-security"] == "max-age=31536000", path
        await client.aclose()


async def test_no_other_site_may_read_answers(shared_api: Api) -> None:
    """No CORS header, whoever asks, and a preflight is not granted."""
    client = client_of(shared_api.app)
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST"}
    for method in ("GET", "OPTIONS"):
        answer = await client.request(method, f"{API}/public/acme.intro", headers=headers)
        assert not [name for name in answer.headers if name.startswith("access-control-")]
    await client.aclose()
