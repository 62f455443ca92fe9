"""What SQLite's connections do that its driver leaves to others."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from app.db.sqlite_connection import OneTripConnection

pytestmark = pytest.mark.anyio


async def test_programs_that_open_a_new_file_at_once_wait_for_each_other(tmp_path: Path) -> None:
    """Turning to WAL is refused at once while another does, whatever the busy timeout says."""
    for number in range(40):
        opened = [OneTripConnection(str(tmp_path / f"{number}.sqlite3"), timeout=60) for _ in range(8)]
        await asyncio.gather(*opened)
        modes = [await connection.run("PRAGMA journal_mode", ()) for connection in opened]
        assert [rows for _, _, _, rows in modes] == [[("wal",)]] * 8
        await asyncio.gather(*(connection.close() for connection in opened))
