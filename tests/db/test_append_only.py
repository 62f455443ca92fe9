"""The audit log can be added to, and nothing else; asked for in plain SQL, on both engines."""

import time
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app.db.append_only import LEAST_DAYS, RULE
from app.db.engine import Database
from app.use_cases.ids import new_id

pytestmark = pytest.mark.anyio

DAY = 86400


async def run(database: Database, sql: str, **values: Any) -> int:
    async with database.write.begin() as connection:
        return int((await connection.execute(text(sql), values)).rowcount)


async def filled(database: Database, audit_days: int | None = None) -> tuple[str, dict[str, str]]:
    """An organization with an entry of now and one of long ago."""
    org, entries = new_id(), {"new": new_id(), "old": new_id()}
    await run(
        database,
        "INSERT INTO organizations (id, slug, name, created_at, audit_days) VALUES (:id, :slug, 'A', 0, :days)",
        id=org,
        slug=org,
        days=audit_days,
    )
    for name, days in (("new", 0), ("old", 1000)):
        await add(database, entries[name], org, int(time.time()) - days * DAY)
    return org, entries


async def add(database: Database, entry: str, org: str, at: int, verb: str = "INSERT") -> None:
    names = "id, org_id, at, actor_kind, action, entity, entity_id, changes"
    values = ":id, :org, :at, 'system', 'link.changed', 'link', :thing, '{}'"
    sql = f"{verb} INTO audit_entries ({names}) VALUES ({values})"
    await run(database, sql, thing=org, id=entry, org=org, at=at)


async def left(database: Database) -> int:
    async with database.read.connect() as connection:
        return int(await connection.scalar(text("SELECT count(*) FROM audit_entries")) or 0)


@pytest.mark.parametrize("column", ["at", "action", "changes", "actor_id", "org_id", "address"])
async def test_nothing_is_rewritten(database: Database, column: str) -> None:
    await filled(database)
    with pytest.raises(DBAPIError, match=RULE):
        await run(database, f"UPDATE audit_entries SET {column} = {column}")


async def test_nothing_is_deleted_while_the_log_is_kept_for_good(database: Database) -> None:
    _, entries = await filled(database)
    for entry in entries.values():
        with pytest.raises(DBAPIError, match=RULE):
            await run(database, "DELETE FROM audit_entries WHERE id = :id", id=entry)
    assert await left(database) == 2


async def test_what_is_older_than_the_organization_keeps_it_goes(database: Database) -> None:
    _, entries = await filled(database, audit_days=365)
    assert await run(database, "DELETE FROM audit_entries WHERE id = :id", id=entries["old"]) == 1
    with pytest.raises(DBAPIError, match=RULE):
        await run(database, "DELETE FROM audit_entries")
    assert await left(database) == 1


async def test_a_short_setting_does_not_open_the_last_months(database: Database) -> None:
    """Or whoever covers their tracks would set it first."""
    org, _ = await filled(database, audit_days=0)
    recent = new_id()
    await add(database, recent, org, int(time.time()) - (LEAST_DAYS - 1) * DAY)
    with pytest.raises(DBAPIError, match=RULE):
        await run(database, "DELETE FROM audit_entries WHERE id = :id", id=recent)


async def test_the_log_goes_with_its_organization(database: Database) -> None:
    org, _ = await filled(database)
    await filled(database)
    assert await run(database, "DELETE FROM organizations WHERE id = :id", id=org) == 1
    assert await left(database) == 2


async def test_an_entry_is_not_replaced(database: Database) -> None:
    """SQLite's REPLACE deletes without asking; PostgreSQL has TRUNCATE."""
    org, entries = await filled(database)
    if database.is_sqlite:
        with pytest.raises(DBAPIError, match=RULE):
            await add(database, entries["new"], org, 1, "INSERT OR REPLACE")
    else:
        with pytest.raises(DBAPIError, match=RULE):
            await run(database, "TRUNCATE audit_entries")
    assert await left(database) == 2
