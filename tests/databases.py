"""Throw-away PostgreSQL databases, for tests and benches."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from tests.capabilities import as_asyncpg_dsn, postgresql_admin_url


@contextmanager
def temporary_postgresql(template: str = "template0") -> Iterator[str]:
    """The address of an empty PostgreSQL database, or of a copy of database `template`, dropped afterwards."""
    name = f"halfpast_test_{secrets.token_hex(8)}"
    admin = postgresql_admin_url()
    _execute(admin, f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    try:
        yield urlunsplit(urlsplit(admin)._replace(path=f"/{name}"))
    finally:
        _execute(admin, f'DROP DATABASE "{name}" WITH (FORCE)')


def _execute(url: str, statement: str) -> None:
    async def run() -> None:
        connection = await asyncpg.connect(as_asyncpg_dsn(url))
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    asyncio.run(run())
