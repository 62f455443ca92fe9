"""Statements of the hottest paths, compiled once and handed straight to the driver.

SQLAlchemy builds the statement and converts the values as ever; what is left out is its cursor and result machinery,
which costs several times as much as an indexed SELECT or a one-row INSERT itself (on SQLite also a switch of threads
for each step). Errors are the driver's own: what may fail in the ordinary course goes through SQLAlchemy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import BindParameter, Executable, Select, bindparam
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.compiler import SQLCompiler

Convert = Callable[[Any], Any]


def given(name: str) -> BindParameter[Any]:
    """A value that comes with each run, never a list."""
    return bindparam(name, required=False)


class QuickStatement:
    """A statement with constants and `given` values; `postgresql` replaces it there when the engines need different
    words. An INSERT takes a value for each of `columns`. What writes begins a transaction where SQLAlchemy would.

    A SELECT `is_short` when an index leads to the few rows it reads: on SQLite it is run at once, in some ten
    microseconds, instead of by the connection's thread, to which the way alone takes several times as long. One that
    `locks` the rows it reads belongs to a transaction, as what writes does."""

    def __init__(
        self,
        statement: Executable,
        postgresql: Executable | None = None,
        *,
        columns: Sequence[str] | None = None,
        is_short: bool = False,
        locks: bool = False,
    ) -> None:
        self._statements = {"sqlite": statement, "postgresql": statement if postgresql is None else postgresql}
        self._columns = columns
        self._is_short = is_short
        self._locks = locks
        self._compiled: dict[str, _Compiled] = {}

    async def rows(self, connection: AsyncConnection, **values: Any) -> list[Sequence[Any]]:
        """All rows as plain sequences."""
        compiled = self.compiled(connection.dialect)
        arguments = compiled.arguments(values)
        if compiled.is_writing or self._locks:
            if connection.dialect.name == "postgresql" and not _driver(connection).is_in_transaction():
                return compiled.converted(await _begin_with(connection, compiled.text, arguments))
            await _begun(connection)
        if connection.dialect.name == "sqlite":
            driver = _driver(connection)
            if self._is_short:
                rows = driver.rows_here(compiled.text, arguments)
            else:
                rows = await driver.execute_fetchall(compiled.text, arguments)
        else:
            rows = await _fetch(connection, compiled.text, arguments)
        return compiled.converted(rows)

    async def first(self, connection: AsyncConnection, **values: Any) -> Sequence[Any] | None:
        """The first row, or None."""
        rows = await self.rows(connection, **values)
        return rows[0] if rows else None

    async def run(self, connection: AsyncConnection, *rows: Mapping[str, Any]) -> None:
        """Once for each set of values; nothing is answered."""
        await _begun(connection)
        compiled, driver = self.compiled(connection.dialect), _driver(connection)
        arguments = [compiled.arguments(row) for row in rows]
        if connection.dialect.name == "sqlite":
            await driver.run_many(compiled.text, arguments)
        elif len(arguments) == 1:
            await driver.execute(compiled.text, *arguments[0])
        else:
            await driver.executemany(compiled.text, arguments)

    def compiled(self, dialect: Dialect) -> _Compiled:
        """The statement as this dialect's driver takes it."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = _Compiled(self._statements[dialect.name], dialect, self._columns)
            self._compiled[dialect.name] = found
        return found


async def _begin_with(connection: AsyncConnection, text: str, arguments: Sequence[Any]) -> Any:
    """The rows of the first statement of a transaction, through SQLAlchemy, which begins it on PostgreSQL with that."""
    if not connection.in_transaction():
        await connection.begin()
    return (await connection.exec_driver_sql(text, tuple(arguments))).all()


async def _begun(connection: AsyncConnection) -> None:
    """Make sure that a transaction is open. SQLAlchemy tells PostgreSQL of it with its own first statement only."""
    if not connection.in_transaction():
        await connection.begin()
    if connection.dialect.name == "postgresql" and not _driver(connection).is_in_transaction():
        await connection.exec_driver_sql("SELECT 1")


async def _fetch(connection: AsyncConnection, text: str, arguments: Sequence[Any]) -> Any:
    """Ask PostgreSQL. A connection that the server has ended is replaced, which SQLAlchemy does for what goes through
    it; outside a transaction the question is then asked again."""
    while True:
        driver = _driver(connection)
        try:
            return await driver.fetch(text, *arguments)
        except Exception:
            if connection.in_transaction() or not driver.is_closed():
                raise
            await connection.invalidate()
            await connection.get_raw_connection()


def _driver(connection: AsyncConnection) -> Any:
    """The driver's own connection (`get_raw_connection` would switch greenlets for it)."""
    if connection.sync_connection is None:
        raise RuntimeError("The connection is not open.")
    return connection.sync_connection.connection.driver_connection


class _Compiled:
    """The statement as one dialect's driver takes it."""

    def __init__(self, statement: Any, dialect: Dialect, columns: Sequence[str] | None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns, compile_kwargs={"render_postcompile": True})
        assert isinstance(compiled, SQLCompiler)  # noqa: S101  # what a statement compiles to
        self.text = str(compiled)
        self.is_writing = not isinstance(statement, Select)
        self._constants = dict(compiled.params)
        self._names = [(name, _to_driver(compiled.binds[name], dialect)) for name in compiled.positiontup or ()]
        converters = [_from_driver(column.type, dialect) for column in statement.exported_columns]
        self._converters = [(place, convert) for place, convert in enumerate(converters) if convert is not None]

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The values in the order of the statement."""
        known = {**self._constants, **values}
        return [known[name] if convert is None else convert(known[name]) for name, convert in self._names]

    def converted(self, rows: Sequence[Any]) -> list[Sequence[Any]]:
        """Rows of the driver with the values SQLAlchemy would give."""
        if not self._converters:
            return list(rows)
        return [self._convert(list(row)) for row in rows]

    def _convert(self, row: list[Any]) -> list[Any]:
        for place, convert in self._converters:
            row[place] = convert(row[place])
        return row


def _to_driver(parameter: BindParameter[Any], dialect: Dialect) -> Convert | None:
    return parameter.type.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(column_type: Any, dialect: Dialect) -> Convert | None:
    found: Convert | None = column_type.dialect_impl(dialect).result_processor(dialect, None)
    return found
