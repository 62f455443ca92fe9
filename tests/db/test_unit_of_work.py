"""The unit of work: nothing is kept but by `commit()`, and reading never stands in a writer's way."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import insert, text

from app.db import models as m
from app.db.engine import SQLITE_BUSY_SECONDS, Database, connect
from app.db.unit_of_work import SqlUnitOfWork, SqlUnitsOfWork
from app.ports.people import Organization
from app.use_cases.ids import new_id
from integrations.security import KeyVault

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000


@pytest.fixture
def units(database: Database) -> SqlUnitsOfWork:
    return units_over(database)


def units_over(database: Database) -> SqlUnitsOfWork:
    return SqlUnitsOfWork(database, KeyVault(["a-key-for-tests"]), 3600)


async def add(work: SqlUnitOfWork, slug: str) -> None:
    await work.people.add_organization(Organization(new_id(), slug, slug.title(), 60, 1440), NOW)


async def slugs(units: SqlUnitsOfWork, *candidates: str) -> list[str]:
    async with units.read() as work:
        return [slug for slug in candidates if await work.people.organization_by_slug(slug)]


async def test_what_is_committed_stays(units: SqlUnitsOfWork) -> None:
    async with units.write() as work:
        await add(work, "kept")
        await work.commit()
    assert await slugs(units, "kept") == ["kept"]


async def test_leaving_without_commit_rolls_back(units: SqlUnitsOfWork) -> None:
    async with units.write() as work:
        await add(work, "forgotten")
    assert await slugs(units, "forgotten") == []


async def test_an_error_rolls_back(units: SqlUnitsOfWork) -> None:
    async def fail() -> None:
        async with units.write() as work:
            await add(work, "failed")
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        await fail()
    assert await slugs(units, "failed") == []


async def test_what_comes_after_a_commit_is_another_transaction(units: SqlUnitsOfWork) -> None:
    async with units.write() as work:
        await add(work, "first")
        await work.commit()
        await add(work, "second")
    assert await slugs(units, "first", "second") == ["first"]


async def test_a_cancelled_task_leaves_nothing_and_gives_its_connection_back(units: SqlUnitsOfWork) -> None:
    """A request may be given up at any point; the next ones must find a clean connection."""
    for _ in range(20):  # more often than there are connections
        written = asyncio.Event()

        async def write(written: asyncio.Event = written) -> None:
            async with units.write() as work:
                await add(work, "cancelled")
                written.set()
                await asyncio.Event().wait()

        task = asyncio.create_task(write())
        await written.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    async with asyncio.timeout(10), units.write() as work:
        await add(work, "after")
        await work.commit()
    assert await slugs(units, "cancelled", "after") == ["after"]


async def test_an_open_transaction_is_seen_by_nobody_and_stops_no_reader(
    units: SqlUnitsOfWork, neighbour: Database
) -> None:
    elsewhere = units_over(neighbour)
    async with units.write() as work:
        await add(work, "open")
        async with asyncio.timeout(5):
            assert await slugs(units, "open") == []
            assert await slugs(elsewhere, "open") == []
        await work.commit()
    assert await slugs(elsewhere, "open") == ["open"]


async def test_reading_takes_no_write_lock(units: SqlUnitsOfWork, neighbour: Database) -> None:
    """A reader that holds its connection keeps nobody from writing, and sees each commit at once."""
    async with units.read() as reading:
        assert await reading.people.organization_by_slug("written") is None
        async with asyncio.timeout(5), units_over(neighbour).write() as work:
            await add(work, "written")
            await work.commit()
        assert await reading.people.organization_by_slug("written") is not None


async def test_writers_wait_for_each_other_instead_of_failing(units: SqlUnitsOfWork, neighbour: Database) -> None:
    """Counting up in two programs at once: no update is lost and no lock error reaches the caller."""
    async with units.write() as work:
        await add(work, "counter")
        await work.commit()

    async def count_up(database: Database) -> None:
        for _ in range(15):
            async with database.write.begin() as connection:
                statement = text(
                    "UPDATE organizations SET hold_minutes = hold_minutes + 1 WHERE slug = 'counter' RETURNING 1"
                )
                await connection.execute(statement)

    async with neighbour.read.connect() as connection:
        await asyncio.gather(*(count_up(each) for each in (neighbour, neighbour, neighbour)), count_up(neighbour))
        found = await connection.scalar(text("SELECT hold_minutes FROM organizations WHERE slug = 'counter'"))
    assert found == 1440 + 60


async def test_on_sqlite_the_first_read_lies_behind_the_lock(sqlite_url: str) -> None:
    """Whoever waited for the lock decides by what the one before it committed."""
    database, neighbour = connect(sqlite_url), connect(sqlite_url)
    try:
        async with database.write.begin() as connection:
            await connection.run_sync(m.metadata.create_all)
        async with units_over(database).write() as work:
            await add(work, "first")
            second = asyncio.create_task(_see_then_add(units_over(neighbour)))
            await asyncio.sleep(0)
            await work.commit()
        assert await second == ["first"]
    finally:
        await asyncio.gather(database.dispose(), neighbour.dispose())


async def _see_then_add(units: SqlUnitsOfWork) -> list[str]:
    async with units.write() as work:
        seen = ["first"] if await work.people.organization_by_slug("first") else []
        await add(work, "second")
        await work.commit()
    return seen


async def test_sqlite_is_as_durable_as_a_bank(tmp_path: Path) -> None:
    """Every connection, reading or writing, is set up alike: WAL, synced at each commit, patient, keys enforced."""
    database = connect(f"sqlite+aiosqlite:///{tmp_path / 'halfpast.sqlite3'}")
    try:
        for engine in (database.write, database.read):
            async with engine.connect() as connection:
                for pragma, value in (
                    ("journal_mode", "wal"),
                    ("synchronous", 2),
                    ("foreign_keys", 1),
                    ("busy_timeout", SQLITE_BUSY_SECONDS * 1000),
                ):
                    assert await connection.scalar(text(f"PRAGMA {pragma}")) == value, pragma
    finally:
        await database.dispose()


async def test_foreign_keys_hold(database: Database) -> None:
    """No row refers to an organization that is not there."""
    row = {"id": new_id(), "org_id": new_id(), "kind": "resource", "name": "Chair"}
    with pytest.raises(Exception, match=r"(?i)foreign key"):
        async with database.write.begin() as connection:
            await connection.execute(insert(m.hosts).values(row))
