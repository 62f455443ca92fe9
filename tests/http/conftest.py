"""The program in process over both engines, with two organizations in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from app.config import Settings
from tests.capabilities import need
from tests.http.api import Api, running
from tests.http.databases import Template, template
from tests.http.workspace import Workspace, build, settings_for


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Template, Workspace]]:
    folder = tmp_path_factory.mktemp("databases")
    with template("sqlite", folder) as made:
        yield made, asyncio.run(build(settings_for(made.url, folder)))


@pytest.fixture(scope="session")
def postgresql_template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Template, Workspace]]:
    need("postgresql")
    folder = tmp_path_factory.mktemp("data")
    with template("postgresql", folder) as made:
        yield made, asyncio.run(build(settings_for(made.url, folder)))


@pytest.fixture(params=["sqlite", "postgresql"])
def filled(request: pytest.FixtureRequest) -> tuple[Template, Workspace]:
    """A template of this engine and the workspace in it."""
    found: tuple[Template, Workspace] = request.getfixturevalue(f"{request.param}_template")
    return found


@pytest.fixture
def workspace(filled: tuple[Template, Workspace]) -> Workspace:
    return filled[1]


@pytest.fixture
def settings(filled: tuple[Template, Workspace], tmp_path: Path) -> Iterator[Settings]:
    """Settings over a copy of the workspace's database; the test runs once on each engine."""
    with filled[0].copy() as url:
        yield settings_for(url, tmp_path)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def shared_template(request: pytest.FixtureRequest) -> tuple[Template, Workspace]:
    """The same for a whole module."""
    found: tuple[Template, Workspace] = request.getfixturevalue(f"{request.param}_template")
    return found


@pytest.fixture(scope="module")
def shared_settings(
    shared_template: tuple[Template, Workspace], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Settings]:
    with shared_template[0].copy() as url:
        yield settings_for(url, tmp_path_factory.mktemp("shared"))


@pytest.fixture(scope="module")
async def shared_api(shared_settings: Settings, shared_template: tuple[Template, Workspace]) -> AsyncIterator[Api]:
    """The program for tests that write nothing: one for a whole module."""
    async with running(shared_settings, shared_template[1]) as started:
        yield started


@pytest.fixture
async def api(settings: Settings, workspace: Workspace) -> AsyncIterator[Api]:
    """The program, running over a workspace of its own."""
    async with running(settings, workspace) as started:
        yield started
