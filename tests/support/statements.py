"""Counting the statements that reach a database, by SQLAlchemy or straight to the driver."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event
from sqlalchemy.engine import Dialect

from app.db.engine import Database
from app.db.quick import QuickStatement


class Statements(list[str]):
    """The texts of the statements, in order."""


@asynccontextmanager
async def statements_of(database: Database | None) -> AsyncIterator[Statements]:
    """All statements of the block but BEGIN and COMMIT, of this database or (None) of all. A statement over many rows
    counts as one."""
    seen = Statements()

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            seen.append(statement)

    plain = QuickStatement.compiled

    def noted(self: QuickStatement, dialect: Dialect) -> Any:
        found = plain(self, dialect)
        seen.append(found.text)
        return found

    engines: list[Any] = (
        [Engine] if database is None else [each.sync_engine for each in (database.write, database.read)]
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickStatement, "compiled", noted)
        for engine in engines:
            event.listen(engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            for engine in engines:
                event.remove(engine, "before_cursor_execute", note)
