"""Databases with the tables made, cheap enough for every test: one PostgreSQL database a run, emptied after each test;
on SQLite a copy of one file."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from app.db import booking_guard  # noqa: F401  # its DDL belongs to the metadata
from app.db.engine import connect
from app.db.models import metadata
from tests.capabilities import as_asyncpg_dsn
from tests.databases import temporary_postgresql


def with_tables(url: str) -> str:
    """Make the tables in an empty database; its address again."""

    async def make() -> None:
        database = connect(url)
        async with database.write.begin() as connection:
            await connection.run_sync(metadata.create_all)
        await database.dispose()

    asyncio.run(make())
    return url


@contextmanager
def postgresql_with_tables() -> Iterator[str]:
    """A PostgreSQL database with empty tables, dropped afterwards."""
    with temporary_postgresql() as url:
        yield with_tables(url)


def empty_tables(url: str) -> None:
    """Forget what a test has written to a PostgreSQL database."""

    async def forget() -> None:
        connection = await asyncpg.connect(as_asyncpg_dsn(url))
        try:
            # Deleting few rows is far quicker than truncating many tables.
            await connection.execute("DELETE FROM organizations; DELETE FROM idempotency_keys")
        finally:
            await connection.close()

    asyncio.run(forget())


def sqlite_file(folder: Path) -> Path:
    """A SQLite file with empty tables, to be copied (closing it has moved the journal into it)."""
    path = folder / "tables.sqlite3"
    with_tables(f"sqlite+aiosqlite:///{path}")
    assert [each.name for each in folder.iterdir()] == [path.name]
    return path
