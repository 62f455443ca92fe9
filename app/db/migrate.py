"""Bring a database's tables to the program's version, or back, by Alembic."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection

from app.db.engine import Database

FOLDER = Path(__file__).resolve().parents[2] / "migrations"


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


async def migrate(database: Database, revision: str = "head") -> None:
    """Upgrade to `revision` (`head`), all of it or nothing; concurrent runs wait for each other."""
    async with database.write.begin() as connection:  # else Alembic commits after each step, and others come between
        await connection.run_sync(_upgrade, revision)


async def unmigrate(database: Database, revision: str = "base") -> None:
    """Downgrade to `revision`; what the tables held is gone."""
    async with database.write.begin() as connection:
        await connection.run_sync(lambda sync: command.downgrade(_config(sync), revision))


def _upgrade(connection: Connection, revision: str) -> None:
    if connection.dialect.name == "postgresql":
        # Two programs starting at once: the second waits here and then finds nothing left to do.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(4800712)")
    command.upgrade(_config(connection), revision)
