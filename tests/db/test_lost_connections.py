"""PostgreSQL that ends connections, or has none left: what a request notices of it."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import engine as engines
from app.db.engine import Database, connect, connected
from app.db.together import Together
from tests.capabilities import as_asyncpg_dsn
from tests.support.clock import Clock
from tests.support.workspace import Workspace, make_workspace, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def workspace(postgresql_url: str, tmp_path: Path) -> AsyncIterator[Workspace]:
    clock = Clock()
    async with opened(postgresql_url, tmp_path, clock) as parts:
        yield await make_workspace(parts, clock)


async def end_connections(url: str) -> None:
    """What a restart of the server does to every program."""
    admin = await asyncpg.connect(as_asyncpg_dsn(url))
    try:
        await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
    finally:
        await admin.close()


async def test_reading_goes_on_after_the_server_ended_all_connections(
    workspace: Workspace, postgresql_url: str
) -> None:
    """Not one reader is turned away, however many connections had been open."""
    link = await workspace.link()
    start = workspace.clock.now
    await asyncio.gather(*(workspace.free(link, start, start) for _ in range(20)))
    await end_connections(postgresql_url)
    answers = await asyncio.gather(*(workspace.free(link, start, start) for _ in range(20)))
    assert all(answers)


async def test_writing_goes_on_after_at_most_one_failure_a_connection(
    workspace: Workspace, postgresql_url: str
) -> None:
    link = await workspace.link()
    start = workspace.clock.now + 3600
    await workspace.book(link, start)
    await end_connections(postgresql_url)
    try:
        await workspace.book(link, start + 3600)
    except DBAPIError:
        await workspace.book(link, start + 3600)
    await workspace.book(link, start + 7200)


async def test_who_finds_no_connection_left_waits_for_one(postgresql_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs have taken all that the server has: a request waits instead of failing."""
    monkeypatch.setattr(engines, "POOL_TIMEOUT_SECONDS", 20)
    role = "halfpast_test_crowded"
    admin = await asyncpg.connect(as_asyncpg_dsn(postgresql_url))
    password = secrets.token_urlsafe()
    url = make_url(postgresql_url).set(username=role, password=password)
    database = connect(url.render_as_string(hide_password=False))
    try:
        await admin.execute(f"DROP ROLE IF EXISTS {role}")
        await admin.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{password}' CONNECTION LIMIT 2")
        await _crowd(database)
    finally:
        await database.dispose()
        await admin.execute(f"DROP ROLE IF EXISTS {role}")
        await admin.close()


async def _crowd(database: Database) -> None:
    async with AsyncExitStack() as stack:
        for _ in range(2):
            await stack.enter_async_context(connected(database.read))
        with pytest.raises(DBAPIError, match="too many connections"):
            async with database.write.connect():
                pass
        waiting = asyncio.gather(_ask(database), _write_together(database))
        await asyncio.sleep(0.2)
        assert not waiting.done()
    await database.read.dispose()
    assert tuple(await waiting) == (1, [1, 2])


async def _ask(database: Database) -> int:
    async with connected(database.write) as connection:
        return int((await connection.exec_driver_sql("SELECT 1")).scalar_one())


async def _write_together(database: Database) -> list[int]:
    """As a worker notes what it has done: work that is not noted would be done again."""
    written: list[int] = []

    async def write(connection: AsyncConnection, items: Sequence[int]) -> None:
        written.extend([int((await connection.exec_driver_sql(f"SELECT {item}")).scalar_one()) for item in items])

    together = Together(database.write, write)
    await asyncio.gather(together.add(1), together.add(2))
    return written
