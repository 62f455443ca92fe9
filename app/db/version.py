"""Which version of the tables the program expects. Apart from `migrate`, since starting should not load Alembic."""

from __future__ import annotations

from sqlalchemy import Column, MetaData, String, Table, select
from sqlalchemy.exc import DBAPIError

from app.db.engine import Database

SCHEMA = "0012"
"""The newest revision in `migrations/`; a test holds them equal."""

_versions = Table("alembic_version", MetaData(), Column("version_num", String(32)))


async def is_current(database: Database) -> bool:
    """Whether the tables are at this version. A database without tables is not; one that cannot be reached raises."""
    async with database.read.connect() as connection:
        try:
            found = await connection.scalar(select(_versions.c.version_num))
        except DBAPIError as problem:
            if problem.connection_invalidated:
                raise
            return False
    return bool(found == SCHEMA)
