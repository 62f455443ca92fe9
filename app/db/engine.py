"""Engines for SQLite and PostgreSQL.

SQLite: one writing connection behind a queue (a second writer in the process would only wait on the file's lock, and
unfairly), `BEGIN IMMEDIATE` so that a transaction never fails half way for a lock it could not upgrade, WAL with
`synchronous=FULL`. PostgreSQL: READ COMMITTED transactions with explicit row locks. Reads run in autocommit on both.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from app.db.sqlite_connection import OneTripConnection

SQLITE_BUSY_SECONDS = 60
POOL_TIMEOUT_SECONDS = 60
RETRY_SECONDS = 0.05
CROWDED = frozenset({"53300", "57P03"})
"""PostgreSQL has no connection left for us, or is starting (`too_many_connections`, `cannot_connect_now`)."""


@dataclass(frozen=True, slots=True)
class Database:
    """A writing and a reading engine over one database; `readers` are connections of the reading one."""

    write: AsyncEngine
    read: AsyncEngine
    readers: Readers

    @property
    def is_sqlite(self) -> bool:
        """Whether the database is one file."""
        return self.write.dialect.name == "sqlite"

    async def dispose(self) -> None:
        """Close all connections; a process with open ones does not end on SIGTERM."""
        await self.readers.close()
        await asyncio.gather(self.write.dispose(), self.read.dispose())


class connected:  # noqa: N801  # reads as the context manager it is
    """A connection of the engine. When the server has none left, wait for one: another program's, or one of this
    program's own that comes back to the pool."""

    __slots__ = ("_context", "_engine")

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def __aenter__(self) -> AsyncConnection:
        deadline = time.monotonic() + POOL_TIMEOUT_SECONDS
        while True:
            self._context = self._engine.connect()
            try:
                return await self._context.__aenter__()
            except DBAPIError as error:
                if getattr(error.orig, "sqlstate", None) not in CROWDED or time.monotonic() > deadline:
                    raise
            await asyncio.sleep(RETRY_SECONDS)

    async def __aexit__(self, *error: Any) -> None:
        await self._context.__aexit__(*error)


@asynccontextmanager
async def begun(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """A transaction of such a connection: committed at the end, undone by any error."""
    async with connected(engine) as connection, connection.begin():
        yield connection


class Readers:
    """Reading connections that stay open between two uses. Taking one out of the engine's pool and giving it back costs
    more than an indexed SELECT; in autocommit nothing is left behind on them. Beyond `most` at rest, while others wait
    for the pool, and after any error, a connection goes back to the pool, which knows what to do with it."""

    def __init__(self, engine: AsyncEngine, most: int) -> None:
        self._engine = engine
        self._most = most
        self._resting: list[AsyncConnection] = []
        self._waiting = 0

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[AsyncConnection]:
        """A connection in autocommit."""
        connection = await self._taken()
        try:
            yield connection
        except BaseException:
            await _close(connection)
            raise
        await self._give_back(connection)

    async def close(self) -> None:
        """Give all of them back to the pool."""
        while self._resting:
            await _close(self._resting.pop())

    async def _taken(self) -> AsyncConnection:
        while self._resting:
            connection = self._resting.pop()
            if not _has_ended(connection):
                return connection
            await _close(connection)
        self._waiting += 1
        try:
            return await connected(self._engine).__aenter__()
        finally:
            self._waiting -= 1

    async def _give_back(self, connection: AsyncConnection) -> None:
        # In a transaction, by SQLAlchemy's own idea of one, is what was used otherwise than by quick statements.
        if self._waiting or len(self._resting) >= self._most or connection.invalidated or connection.in_transaction():
            await _close(connection)
        else:
            self._resting.append(connection)


async def _close(connection: AsyncConnection) -> None:
    """Give it back to its pool, even when the task is cancelled meanwhile."""
    await connection.__aexit__(None, None, None)


def _has_ended(connection: AsyncConnection) -> bool:
    """Whether the server has closed it meanwhile; a file has no server."""
    if connection.dialect.name == "sqlite" or connection.sync_connection is None:
        return False
    driver: Any = connection.sync_connection.connection.driver_connection
    return bool(driver.is_closed())


def _dumps(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def connect(url: str, *, pool_size: int = 16) -> Database:
    """Open `url` (`sqlite+aiosqlite:///…` or `postgresql+asyncpg://…`); connections are made when first needed.

    `pool_size` is how many there are at most; on PostgreSQL half of them write, so that six programs fit into the
    hundred connections it comes with.
    """
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(parsed, pool_size)
    half = max(pool_size // 2, 1)
    common: dict[str, Any] = {
        "max_overflow": 0,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
        "json_serializer": _dumps,
        "json_deserializer": msgspec.json.decode,
    }
    write = create_async_engine(parsed, pool_size=half, **common)
    read = create_async_engine(
        parsed, pool_size=half, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, **common
    )
    return Database(write, read, Readers(read, half // 2))


def _sqlite(url: URL, pool_size: int) -> Database:
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    common: dict[str, Any] = {
        "max_overflow": 0,
        "pool_timeout": POOL_TIMEOUT_SECONDS,
        "json_serializer": _dumps,
        "json_deserializer": msgspec.json.decode,
        # The driver starts no transactions of its own: the `begin` listener below does.
        "connect_args": {
            "timeout": SQLITE_BUSY_SECONDS,
            "isolation_level": None,
            "check_same_thread": False,  # short statements run where they are asked
            "async_creator_fn": OneTripConnection,
        },
    }
    write = create_async_engine(url, pool_size=1, **common)
    # In autocommit there is nothing to roll back when a connection returns.
    half = max(pool_size // 2, 1)
    read = create_async_engine(url, pool_size=half, pool_reset_on_return=None, **common)
    for engine in (write, read):
        event.listen(engine.sync_engine, "connect", _pragmas)
    event.listen(write.sync_engine, "begin", _begin_immediate)
    return Database(write, read, Readers(read, half // 2))


def _pragmas(connection: Any, _record: Any) -> None:
    cursor = connection.cursor()
    for pragma in ("synchronous=FULL", "foreign_keys=ON", "temp_store=MEMORY", "cache_size=-250"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _begin_immediate(connection: Any) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
