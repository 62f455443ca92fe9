"""Databases for the tests of `app.db`."""

from collections.abc import AsyncIterator

import pytest

from app.db.engine import Database, connect


@pytest.fixture
async def database(tables_url: str) -> AsyncIterator[Database]:
    """All tables, made from the metadata; `test_migrations` holds them equal to the migrated ones."""
    database = connect(tables_url)
    yield database
    await database.dispose()


@pytest.fixture
async def neighbour(database: Database, tables_url: str) -> AsyncIterator[Database]:
    """The same database from another program: connections of its own."""
    neighbour = connect(tables_url)
    yield neighbour
    await neighbour.dispose()
