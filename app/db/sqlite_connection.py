"""aiosqlite with one change of threads a statement.

aiosqlite runs each call on a thread of its own: opening a cursor, executing, fetching and closing are four trips where
the statement itself takes microseconds. Here a cursor is nothing until it executes, and brings everything back at once.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Self

import aiosqlite

CHUNK = 64
RETRY_SECONDS = 0.01


class OneTripCursor:
    """What SQLAlchemy asks of a cursor, its results already here."""

    def __init__(self, connection: OneTripConnection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> Self:
        """Run one statement and fetch its rows."""
        return self._keep(await self._connection.run(sql, parameters))

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Run one statement for each set of parameters."""
        return self._keep(await self._connection.run_many(sql, parameters))

    def _keep(self, result: tuple[Any, int, int | None, list[Any]]) -> Self:
        self.description, self.rowcount, self.lastrowid, self._rows = result
        return self

    async def fetchall(self) -> list[Any]:
        """The rows, once."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """There is nothing open."""


class OneTripConnection(aiosqlite.Connection):
    """A connection whose cursors make one trip each."""

    def __init__(self, database: str, **options: Any) -> None:
        super().__init__(lambda: _opened(database, options), CHUNK)
        self._thread.daemon = True  # a forgotten connection must not keep the process alive

    def cursor(self) -> OneTripCursor:  # type: ignore[override]  # takes no trip, hence nothing to await
        return OneTripCursor(self)

    async def run(self, sql: str, parameters: Sequence[Any]) -> Any:
        """Description, row count, last row id and rows of one statement."""
        return await self._trip(self._conn.execute, sql, parameters)

    async def run_many(self, sql: str, parameters: Iterable[Sequence[Any]]) -> Any:
        """The same for many sets of parameters."""
        return await self._trip(self._conn.executemany, sql, list(parameters))

    def rows_here(self, sql: str, parameters: Sequence[Any]) -> list[Any]:
        """The rows of one short statement, without any trip."""
        cursor = self._conn.execute(sql, parameters)
        rows = cursor.fetchall()
        cursor.close()
        return rows

    async def _trip(self, method: Any, sql: str, parameters: Any) -> Any:
        execute: Any = self._execute
        return await execute(self._run, method, sql, parameters)

    @staticmethod
    def _run(method: Any, sql: str, parameters: Any) -> tuple[Any, int, int | None, list[Any]]:
        cursor: sqlite3.Cursor = method(sql, parameters)
        rows = cursor.fetchall() if cursor.description else []
        result = (cursor.description, cursor.rowcount, cursor.lastrowid, rows)
        cursor.close()
        return result


def _opened(database: str, options: Mapping[str, Any]) -> sqlite3.Connection:
    """SQLite's own `lower` knows ASCII alone."""
    connection: sqlite3.Connection = sqlite3.connect(database, **options)
    connection.create_function("lower", 1, _lower, deterministic=True)
    _write_ahead(connection, time.monotonic() + options.get("timeout", 5.0))
    return connection


def _write_ahead(connection: sqlite3.Connection, deadline: float) -> None:
    """Keep the log beside the file (WAL). Several programs that do so to a new file at once refuse each other without
    heeding the busy timeout: whoever waits here would hold what the other waits for."""
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL").close()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                connection.close()
                raise
            time.sleep(RETRY_SECONDS)
        else:
            return


def _lower(value: Any) -> Any:
    return value if value is None else str(value).lower()
