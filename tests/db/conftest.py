"""Databases for the tests of `app.db`."""

from collections.abc import AsyncIterator

import pytest

from app.db import booking_guard  # noqa: F401  # its DDL belongs to the metadata
from app.db.engine import Database, connect
from app.db.models import metadata


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """All tables, made from the metadata; `test_migrations` holds them equal to the migrated ones."""
    database = connect(database_url)
    async with database.write.begin() as connection:
        await connection.run_sync(metadata.create_all)
    yield database
    await database.dispose()


@pytest.fixture
async def neighbour(database: Database, database_url: str) -> AsyncIterator[Database]:
    """The same database from another program: connections of its own."""
    neighbour = connect(database_url)
    yield neighbour
    await neighbour.dispose()
