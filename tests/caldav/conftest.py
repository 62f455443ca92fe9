"""A CalDAV server on each database, and for each test somebody with calendars of their own."""

from collections.abc import Iterator

import pytest

from tests.capabilities import need
from tests.databases import temporary_postgresql
from tests.support.dav_server import DavServer, Person, dav_server


@pytest.fixture(scope="session")
def sqlite_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    """Running over a SQLite file."""
    folder = tmp_path_factory.mktemp("dav")
    with dav_server(f"sqlite+aiosqlite:///{folder / 'dav.sqlite3'}", folder) as server:
        yield server


@pytest.fixture(scope="session")
def postgresql_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    """Running over PostgreSQL."""
    need("postgresql")
    with temporary_postgresql() as url, dav_server(url, tmp_path_factory.mktemp("dav")) as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest) -> DavServer:
    """The test runs once on each engine."""
    found: DavServer = request.getfixturevalue(f"{request.param}_server")
    return found


@pytest.fixture
def ana(server: DavServer) -> Person:
    """A person nobody has used before, on each engine."""
    return server.person()


@pytest.fixture
def lite(sqlite_server: DavServer) -> Person:
    """The same on SQLite alone, for what does not hang on the engine."""
    return sqlite_server.person()
