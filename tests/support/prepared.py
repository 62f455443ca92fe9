"""Prepared databases, cheap enough for every test: made once for an engine, each test has a copy of its own."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import msgspec
from sqlalchemy import select

from app.db import append_only, booking_guard  # noqa: F401  # their DDL belongs to the metadata
from app.db.engine import Database, connect
from app.db.migrate import migrate
from app.db.models import metadata
from tests.capabilities import as_asyncpg_dsn
from tests.databases import temporary_postgresql

_TABLES = [f'"{table.name}"' for table in metadata.sorted_tables]
_END_OTHERS = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


class Prepared:
    """The database at `url` with all its rows, to be copied once nobody is connected to it any more."""

    def __init__(self, url: str, folder: Path, made: ExitStack) -> None:
        self.url = url
        self._folder = folder
        self._made = made
        self._free: list[_PutBack] = []

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The address of a copy that nobody else has."""
        if self.url.startswith("sqlite"):
            path = self._folder / f"{secrets.token_hex(8)}.sqlite3"
            shutil.copyfile(self._whole(), path)
            yield f"sqlite+aiosqlite:///{path}"
            for part in path.parent.glob(path.name + "*"):
                part.unlink()
            return
        # PostgreSQL takes a second and more to make and drop a database, and milliseconds to put rows back.
        copy = self._free.pop() if self._free else self._another()
        yield copy.url
        asyncio.run(copy.put_back())
        self._free.append(copy)

    def _another(self) -> _PutBack:
        copy = _PutBack(self._made.enter_context(temporary_postgresql(urlsplit(self.url).path[1:])))
        asyncio.run(copy.keep())
        return copy

    def _whole(self) -> Path:
        """One file with all that was committed: some of it may stand in the journal beside the database still, as long
        as any connection to it is not closed."""
        whole = self._folder / "whole.sqlite3"
        if not whole.exists():
            with (
                closing(sqlite3.connect(self.url.removeprefix("sqlite+aiosqlite:///"))) as source,
                closing(sqlite3.connect(whole)) as target,
            ):
                source.backup(target)
        return whole


class _PutBack:
    """A PostgreSQL database that can be put back to what was in it at first."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._statements = ""

    async def keep(self) -> None:
        """Set the rows aside."""
        connection = await asyncpg.connect(as_asyncpg_dsn(self.url))
        try:
            filled = [name for name in _TABLES if await connection.fetchval(f"SELECT EXISTS (SELECT FROM {name})")]
            await connection.execute("CREATE SCHEMA kept")
            for name in filled:
                await connection.execute(f"CREATE TABLE kept.{name} AS TABLE {name}")
        finally:
            await connection.close()
        emptied = [name for name in reversed(_TABLES) if name != '"audit_entries"']  # goes with its organizations alone
        statements = [f"DELETE FROM {name}" for name in emptied]  # of few rows: quicker than truncating
        statements += [f"INSERT INTO {name} SELECT * FROM kept.{name}" for name in filled]
        self._statements = ";".join(statements)

    async def put_back(self) -> None:
        """Exactly these rows again, and nobody connected."""
        connection = await asyncpg.connect(as_asyncpg_dsn(self.url))
        try:
            await connection.execute(_END_OTHERS)
            await connection.execute(self._statements)  # one transaction
        finally:
            await connection.close()


@contextmanager
def prepared(url: str, folder: Path) -> Iterator[Prepared]:
    """The database at `url`, to be copied; its copies last until the block ends."""
    with ExitStack() as made:
        yield Prepared(url, folder, made)


async def migrated(url: str) -> None:
    """Bring the empty database at `url` to the program's version."""
    database = connect(url)
    try:
        await migrate(database)
    finally:
        await database.dispose()


async def with_tables(url: str) -> None:
    """Make the tables in the empty database at `url` directly from the metadata."""
    database = connect(url)
    try:
        async with database.write.begin() as connection:
            await connection.run_sync(metadata.create_all)
    finally:
        await database.dispose()


async def snapshot(database: Database) -> dict[str, tuple[int, str]]:
    """For each table the number of its rows and a digest over them: equal snapshots mean that nothing was written."""
    found = {}
    async with database.read.connect() as connection:
        for table in metadata.sorted_tables:
            rows = await connection.execute(select(table).order_by(*table.primary_key.columns))
            lines = [msgspec.json.encode([str(value) for value in row]) for row in rows]
            found[table.name] = len(lines), hashlib.sha256(b"\n".join(lines)).hexdigest()
    return found
