"""Migrated databases, each test its own: made once for an engine and copied for every test."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from sqlalchemy import select

from app.db.engine import Database, connect
from app.db.migrate import migrate
from app.db.models import metadata
from tests.databases import temporary_postgresql


class Template:
    """A migrated database to fill, and to copy once nobody is connected to it any more."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self._folder = folder

    @contextmanager
    def copy(self) -> Iterator[str]:
        """The address of a copy, gone afterwards."""
        if not self.url.startswith("sqlite"):
            with temporary_postgresql(urlsplit(self.url).path[1:]) as url:
                yield url
            return
        path = self._folder / f"{secrets.token_hex(8)}.sqlite3"
        shutil.copyfile(self._whole(), path)
        yield f"sqlite+aiosqlite:///{path}"
        for part in path.parent.glob(path.name + "*"):
            part.unlink()

    def _whole(self) -> Path:
        """One file with all that was committed: some of it may stand in the journal beside the template still, as long
        as any connection to it is not closed."""
        whole = self._folder / "whole.sqlite3"
        if not whole.exists():
            with (
                closing(sqlite3.connect(self.url.removeprefix("sqlite+aiosqlite:///"))) as source,
                closing(sqlite3.connect(whole)) as target,
            ):
                source.backup(target)
        return whole


@contextmanager
def template(engine: str, folder: Path) -> Iterator[Template]:
    """A template of `engine`, sqlite or postgresql."""
    if engine == "sqlite":
        url = f"sqlite+aiosqlite:///{folder / 'template.sqlite3'}"
        asyncio.run(migrated(url))
        yield Template(url, folder)
        return
    with temporary_postgresql() as url:
        asyncio.run(migrated(url))
        yield Template(url, folder)


async def migrated(url: str) -> None:
    """Bring the empty database at `url` to the program's version."""
    database = connect(url)
    try:
        await migrate(database)
    finally:
        await database.dispose()


async def snapshot(database: Database) -> dict[str, tuple[int, str]]:
    """For each table the number of its rows and a digest over them: equal snapshots mean that nothing was written."""
    found = {}
    async with database.read.connect() as connection:
        for table in metadata.sorted_tables:
            rows = await connection.execute(select(table).order_by(*table.primary_key.columns))
            lines = [msgspec.json.encode([str(value) for value in row]) for row in rows]
            found[table.name] = len(lines), hashlib.sha256(b"\n".join(lines)).hexdigest()
    return found
