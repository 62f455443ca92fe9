"""Empty databases on both engines, and what runs over them."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import TypeVar
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.capabilities import as_asyncpg_dsn, need, postgresql_admin_url

ENGINES = ("sqlite", "postgresql")
Run = TypeVar("Run")


@contextmanager
def empty_database(engine: str, folder: Path) -> Iterator[str]:
    """The address of an empty database of `engine`; a SQLite file is in `folder` and does not exist yet."""
    if engine == "sqlite":
        yield f"sqlite+aiosqlite:///{folder / 'halfpast.sqlite3'}"
        return
    need("postgresql")
    with temporary_postgresql() as url:
        yield url


@contextmanager
def over_engines(
    run: Callable[[str, Path], AbstractContextManager[Run]], folders: pytest.TempPathFactory
) -> Iterator[Callable[[str], Run]]:
    """What `run` makes over an empty database (by its address and a folder), by the engine's name: made when it is
    first asked for, and kept until the block ends."""
    with ExitStack() as made:

        @cache
        def over(engine: str) -> Run:
            folder = folders.mktemp(engine)
            return made.enter_context(run(made.enter_context(empty_database(engine, folder)), folder))

        yield over


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
