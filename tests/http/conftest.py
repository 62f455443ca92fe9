"""The program in process over both engines, with two organizations in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import httpx
import pytest

from app.config import Settings
from tests.databases import ENGINES, over_engines
from tests.http.api import Api, client_of, running
from tests.http.signed_in import Visitor, enter
from tests.http.workspace import Workspace, build, settings_for
from tests.support.prepared import Prepared, migrated, prepared

Filled = tuple[Prepared, Workspace]


@pytest.fixture(scope="session", autouse=True)
def _nothing_frozen() -> Iterator[None]:
    """The program collects and freezes what is there when it starts; here it starts again and again."""
    with patch("app.main.gc"):
        yield


@contextmanager
def _filled(url: str, folder: Path) -> Iterator[Filled]:
    asyncio.run(migrated(url))
    workspace = asyncio.run(build(settings_for(url, folder)))
    with prepared(url, folder) as database:
        yield database, workspace


@pytest.fixture(scope="session")
def filled_databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Filled]]:
    """By engine, a migrated database to be copied, and the workspace in it."""
    with over_engines(_filled, tmp_path_factory) as databases:
        yield databases


@pytest.fixture(params=ENGINES)
def filled(request: pytest.FixtureRequest, filled_databases: Callable[[str], Filled]) -> Filled:
    """That of one engine; the test runs once on each."""
    return filled_databases(request.param)


@pytest.fixture
def workspace(filled: Filled) -> Workspace:
    return filled[1]


@pytest.fixture
def settings(filled: Filled, tmp_path: Path) -> Iterator[Settings]:
    """Settings over a copy of the workspace's database."""
    with filled[0].copy() as url:
        yield settings_for(url, tmp_path)


@pytest.fixture(scope="module", params=ENGINES)
def shared_filled(request: pytest.FixtureRequest, filled_databases: Callable[[str], Filled]) -> Filled:
    """The same for a whole module."""
    return filled_databases(request.param)


@pytest.fixture(scope="module")
def shared_settings(shared_filled: Filled, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with shared_filled[0].copy() as url:
        yield settings_for(url, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
async def shared_api(shared_settings: Settings, shared_filled: Filled) -> AsyncIterator[Api]:
    """The program for tests that write nothing: one for a whole module."""
    async with running(shared_settings, shared_filled[1]) as started:
        yield started


@pytest.fixture
async def api(settings: Settings, workspace: Workspace) -> AsyncIterator[Api]:
    """The program, running over a workspace of its own."""
    async with running(settings, workspace) as started:
        yield started


@pytest.fixture
async def client(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """Somebody who is not signed in."""
    async with client_of(api.app) as made:
        yield made


@pytest.fixture
async def owner(api: Api) -> AsyncIterator[Visitor]:
    """Acme's owner, signed in."""
    visitor = await enter(api, api.acme.owner)
    yield visitor
    await visitor.client.aclose()
