"""HEAD is answered wherever GET is, with the same status and headers and nothing else."""

from __future__ import annotations

import httpx
import pytest
from litestar.routes import HTTPRoute

from tests.http.api import API, Api, client_of
from tests.http.endpoints import ENDPOINTS
from tests.http.signed_in import Visitor, addresses, enter
from tests.http.workspace import Company

pytestmark = pytest.mark.anyio

CHANGING = {"date", "set-cookie"}


def public_pages(api: Api, company: Company) -> list[str]:
    """Addresses of all GET routes that are neither the API's nor for those who are signed in."""
    values = {
        "{org:str}": company.organization.slug,
        "{slug:str}": company.link.slug,
        "{digest:str}/{name:path}": "0/app.css",
        "{signed:str}": "forged",
        "{path:str}": "nothing",
    }
    found = []
    for route in api.app.routes:
        if not isinstance(route, HTTPRoute) or "GET" not in route.methods:
            continue
        path = route.path
        if path.startswith(("/app", API)):
            continue
        for pattern, value in values.items():
            path = path.replace(pattern, value)
        token = company.one_time.token if path.startswith("/b/") else company.booking.token
        found.append(path.replace("{token:str}", token))
    return found


async def alike(client: httpx.AsyncClient, path: str, headers: dict[str, str] | None = None) -> None:
    """HEAD says what GET says. Pages made twice differ in form tokens alone, which are of one length."""
    headers = {**(headers or {}), "Accept-Encoding": "identity"}
    full, head = await client.get(path, headers=headers), await client.head(path, headers=headers)
    assert (path, head.status_code, head.content) == (path, full.status_code, b"")
    told, wanted = (
        {name: value for name, value in answer.headers.items() if name not in CHANGING} for answer in (head, full)
    )
    assert (path, told) == (path, wanted)


async def test_every_public_page_and_file(api: Api) -> None:
    paths = public_pages(api, api.acme)
    assert {"/", "/acme/intro", "/health/live", "/health/ready", "/favicon.ico", "/schema/openapi.json"} <= set(paths)
    assert not [path for path in paths if "{" in path]
    async with client_of(api.app) as client:
        for path in paths:
            await alike(client, path)


async def test_every_signed_in_page(api: Api) -> None:
    owner: Visitor = await enter(api, api.acme.owner)
    for _, path in addresses(api, "GET", api.acme):
        await alike(owner.client, path)


async def test_every_route_of_the_api(api: Api) -> None:
    async with client_of(api.app) as client:
        for endpoint in ENDPOINTS:
            if endpoint.method == "GET":
                query = "?" + "&".join(f"{name}={value}" for name, value in endpoint.query.items())
                headers = {"Authorization": f"Bearer {api.acme.owner.token}"}
                await alike(client, API + endpoint.at(api.acme) + query, headers)


async def test_where_there_is_no_get_there_is_no_head(api: Api) -> None:
    async with client_of(api.app) as client:
        for path, status in (("/nobody/nothing", 404), (f"{API}/public/acme.intro/book", 405)):
            answer = await client.head(path)
            assert (path, answer.status_code, answer.content) == (path, status, b"")


@pytest.mark.parametrize("method", ["OPTIONS", "PUT"])
async def test_the_methods_there_are_name_it(shared_api: Api, method: str) -> None:
    async with client_of(shared_api.app) as client:
        for path in ("/health/live", f"{API}/me"):
            allowed = (await client.request(method, path)).headers["allow"]
            assert {"GET", "HEAD"} <= set(allowed.split(", "))
        assert "HEAD" not in (await client.request(method, f"{API}/public/acme.intro/book")).headers["allow"]
