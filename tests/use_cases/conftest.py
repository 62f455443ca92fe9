"""A workspace in a database of its own, on each engine."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.capabilities import need
from tests.support.clock import Clock
from tests.support.prepared import empty_tables, postgresql_with_tables, sqlite_file
from tests.support.workspace import Workspace, make_workspace, opened


@pytest.fixture(scope="session")
def _sqlite_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sqlite_file(tmp_path_factory.mktemp("tables"))


@pytest.fixture(scope="session")
def _postgresql_tables() -> Iterator[str]:
    need("postgresql")
    with postgresql_with_tables() as url:
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def tables_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a database with empty tables; the test runs once on each engine."""
    if request.param == "sqlite":
        path = shutil.copy(request.getfixturevalue("_sqlite_tables"), tmp_path / "halfpast.sqlite3")
        yield f"sqlite+aiosqlite:///{path}"
        return
    url: str = request.getfixturevalue("_postgresql_tables")
    yield url
    empty_tables(url)


@pytest.fixture
def clock() -> Clock:
    """A Monday morning."""
    return Clock()


@pytest.fixture
async def workspace(tables_url: str, tmp_path: Path, clock: Clock) -> AsyncIterator[Workspace]:
    """One organization with one user."""
    async with opened(tables_url, tmp_path, clock, tables=False) as parts:
        yield await make_workspace(parts, clock)
