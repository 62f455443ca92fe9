"""The API in process: requests go through the whole ASGI application, without a socket."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import httpx
from litestar import Litestar
from litestar.datastructures import State

from app.config import Settings
from app.db.engine import Database, connect
from app.main import furnish, routed
from tests.http.workspace import NOW, Member, Workspace
from tests.support.clock import Clock

API = "/api/v1"
_UNUSED: defaultdict[tuple[object, ...], list[Litestar]] = defaultdict(list)


class Api:
    """A running application with its clock, and eyes on its database."""

    def __init__(self, app: Litestar, database: Database, clock: Clock, workspace: Workspace) -> None:
        self.app = app
        self.database = database
        self.clock = clock
        self.acme = workspace.acme
        self.umbrella = workspace.umbrella
        self._client = client_of(app)

    async def call(
        self, method: str, path: str, who: Member | None = None, headers: dict[str, str] | None = None, **sent: Any
    ) -> httpx.Response:
        """One request to `path` below `/api/v1`, as `who` by their token."""
        sent_headers = {"Authorization": f"Bearer {who.token}"} if who else {}
        return await self._client.request(method, API + path, headers={**sent_headers, **(headers or {})}, **sent)

    async def get(self, path: str, who: Member | None = None, **sent: Any) -> httpx.Response:
        return await self.call("GET", path, who, **sent)

    async def post(self, path: str, who: Member | None = None, **sent: Any) -> httpx.Response:
        return await self.call("POST", path, who, **sent)

    async def patch(self, path: str, who: Member | None = None, **sent: Any) -> httpx.Response:
        return await self.call("PATCH", path, who, **sent)

    async def delete(self, path: str, who: Member | None = None, **sent: Any) -> httpx.Response:
        return await self.call("DELETE", path, who, **sent)

    async def close(self) -> None:
        await self._client.aclose()


def client_of(app: Any, address: str = "203.0.113.7", base_url: str = "http://127.0.0.1:8000") -> httpx.AsyncClient:
    """A client at `address`."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app, client=(address, 50000)), base_url=base_url)


@asynccontextmanager
async def running(
    settings: Settings, workspace: Workspace, clock: Clock | None = None, workers: int = 1
) -> AsyncIterator[Api]:
    """The application, started; no worker, so that nothing happens by itself."""
    clock = clock or Clock(NOW)
    with _routed(settings) as app:
        furnish(app, settings, workers=workers, with_worker=False, clock=clock)
        database = connect(settings.database_url)
        api = Api(app, database, clock, workspace)
        try:
            async with app.lifespan():
                yield api
        finally:
            await api.close()
            await database.dispose()


@contextmanager
def _routed(settings: Settings) -> Iterator[Litestar]:
    """An application that nobody else uses meanwhile. Its addresses are looked at once for all tests, which takes far
    longer than most of them."""
    unused = _UNUSED[settings.base_url, settings.trusted_proxies]
    app = unused.pop() if unused else routed(settings)
    app.state = State()
    yield app
    unused.append(app)


def code_of(response: httpx.Response) -> str:
    """The `code` of a problem; checks that it is one (RFC 9457)."""
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    assert problem["status"] == response.status_code
    assert problem["type"]
    assert problem["title"]
    assert problem["detail"]
    code: str = problem["code"]
    return code
