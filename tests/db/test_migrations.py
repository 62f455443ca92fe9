"""Migrations go up from nothing and down again on both engines, and lead to exactly the tables of `app.db.models`."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, select, text

from app.db import append_only, booking_guard  # noqa: F401  # their DDL belongs to the metadata
from app.db.engine import Database, connect
from app.db.migrate import FOLDER, migrate, unmigrate
from app.db.models import audit_entries, metadata
from app.db.version import SCHEMA, is_current
from tests.support.workspace import environment

pytestmark = pytest.mark.anyio

Description = dict[str, Any]


@pytest.fixture
async def empty(database_url: str) -> AsyncIterator[Database]:
    """A database without tables."""
    database = connect(database_url)
    yield database
    await database.dispose()


async def test_up_down_and_up_again(empty: Database) -> None:
    assert not await is_current(empty)
    await migrate(empty)
    assert await is_current(empty)
    described = await _described(empty)
    await unmigrate(empty)
    assert not await is_current(empty)
    assert await _names(empty) == set()
    await migrate(empty)
    assert await is_current(empty)
    assert await _described(empty) == described


async def test_migrating_twice_changes_nothing(empty: Database) -> None:
    await migrate(empty)
    described = await _described(empty)
    await migrate(empty)
    assert await _described(empty) == described


async def test_a_downgrade_forgets_what_the_tables_held(empty: Database) -> None:
    await migrate(empty)
    async with empty.write.begin() as connection:
        organization = "'00000000-0000-7000-8000-000000000001', 'acme', 'Acme', 0"
        await connection.execute(
            text(f"INSERT INTO organizations (id, slug, name, created_at) VALUES ({organization})")
        )
    await unmigrate(empty)
    await migrate(empty)
    async with empty.read.connect() as connection:
        assert await connection.scalar(text("SELECT count(*) FROM organizations")) == 0


async def test_alembic_finds_no_difference_to_the_models(empty: Database) -> None:
    await migrate(empty)
    assert await _compared(empty) == []


async def test_tables_made_by_migrations_and_by_the_models_are_the_same(empty: Database) -> None:
    """Column by column, with what alembic does not compare: checks, defaults, partial indexes, triggers, the
    exclusion constraint."""
    async with empty.write.begin() as connection:
        await connection.run_sync(metadata.create_all)
    modelled = await _described(empty)
    async with empty.write.begin() as connection:
        await connection.run_sync(metadata.drop_all)
    assert await _names(empty) == set()
    await migrate(empty)
    migrated = await _described(empty)
    assert {name: set(found) for name, found in migrated.items()} == {
        name: set(found) for name, found in modelled.items()
    }
    for kind, found in modelled.items():
        for name, definition in found.items():
            assert migrated[kind][name] == definition, f"{kind} {name}"


async def test_the_description_sees_what_matters(empty: Database) -> None:
    """The comparison above would be worth nothing if it overlooked these."""
    await migrate(empty)
    described = await _described(empty)
    assert "ck_claims_seats" in str(described["checks"]["claims"])
    if empty.is_sqlite:
        kept = {f"audit_is_append_only_on_{verb}" for verb in ("INSERT", "UPDATE", "DELETE")}
        assert set(described["triggers"]) == {"no_double_booking_on_INSERT", "no_double_booking_on_UPDATE"} | kept
        assert described["indexes"]["uq_links_org_id_slug"]["where"].endswith("WHERE deleted_at IS NULL")
    else:
        assert described["constraints"]["claims.no_double_booking"].startswith("EXCLUDE USING gist")
        assert set(described["triggers"]) == {"audit_is_append_only", "audit_is_append_only_at_all"}
        assert described["indexes"]["uq_links_org_id_slug"].endswith("WHERE (deleted_at IS NULL)")


async def test_reasons_of_recipients_leave_the_audit_log(empty: Database) -> None:
    """They were noted before the log became append-only."""
    await migrate(empty, "0008")
    org, entry = "'00000000-0000-7000-8000-000000000001'", "'00000000-0000-7000-8000-000000000002'"
    reasons = '{"status": ["confirmed", "cancelled"], "cancel_reason": [null, "I am ill"]}'
    async with empty.write.begin() as connection:
        await connection.exec_driver_sql(
            f"INSERT INTO organizations (id, slug, name, created_at) VALUES ({org}, 'a', 'A', 0)"
        )
        await connection.exec_driver_sql(
            "INSERT INTO audit_entries (id, org_id, at, actor_kind, action, entity, entity_id, changes)"
            f" VALUES ({entry}, {org}, 0, 'recipient', 'booking.cancel', 'booking', {entry}, '{reasons}')"
        )
    await migrate(empty)
    async with empty.read.connect() as connection:
        changes = (await connection.execute(select(audit_entries.c.changes))).scalar_one()
    assert changes == {"status": ["confirmed", "cancelled"], "cancel_reason": [None, "…"]}


async def test_programs_that_migrate_at_once_wait_for_each_other(
    empty: Database, database_url: str, tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).with_name("halfpast")), "migrate"]
    running = [
        await asyncio.create_subprocess_exec(
            *command,
            env=environment(database_url, tmp_path),
            cwd=tmp_path,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        for _ in range(3)
    ]
    said = [await process.communicate() for process in running]
    assert [process.returncode for process in running] == [0, 0, 0], said
    assert await is_current(empty)
    assert await _compared(empty) == []


async def _compared(database: Database) -> list[Any]:
    def compare(connection: Connection) -> list[Any]:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found: list[Any] = compare_metadata(context, metadata)
        return found

    async with database.read.connect() as connection:
        return await connection.run_sync(compare)


async def _names(database: Database) -> set[str]:
    """What there is, but Alembic's own table."""
    async with database.read.connect() as connection:
        tables = await connection.run_sync(lambda sync: set(inspect(sync).get_table_names()))
    return tables - {"alembic_version"}


async def _described(database: Database) -> Description:
    async with database.read.connect() as connection:
        return await connection.run_sync(_describe_sqlite if database.is_sqlite else _describe_postgresql)


def _describe_sqlite(connection: Connection) -> Description:
    def ask(sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row) for row in connection.exec_driver_sql(sql)]

    inspector = inspect(connection)
    tables = [name for name in inspector.get_table_names() if name != "alembic_version"]
    indexes = {}
    for table in tables:
        for _, name, unique, origin, partial in ask(f"PRAGMA index_list('{table}')"):
            columns = ask(f"PRAGMA index_xinfo('{name}')")
            sql = ask(f"SELECT sql FROM sqlite_master WHERE type = 'index' AND name = '{name}'")[0][0] or ""
            where = "WHERE" + sql.partition("WHERE")[2] if partial else ""
            indexes[f"{table} {columns}" if origin != "c" else name] = {
                "table": table, "unique": unique, "columns": columns, "where": where,
            }  # fmt: skip
    triggers = ask("SELECT name, tbl_name, sql FROM sqlite_master WHERE type = 'trigger'")
    return {
        "columns": {table: sorted(row[1:] for row in ask(f"PRAGMA table_info('{table}')")) for table in tables},
        "keys": {table: sorted(row[2:] for row in ask(f"PRAGMA foreign_key_list('{table}')")) for table in tables},
        "checks": {table: sorted(map(str, inspector.get_check_constraints(table))) for table in tables},
        "uniques": {table: sorted(map(str, inspector.get_unique_constraints(table))) for table in tables},
        "primary": {table: str(inspector.get_pk_constraint(table)) for table in tables},
        "indexes": indexes,
        "triggers": {name: (table, sql) for name, table, sql in triggers},
    }


_CONSTRAINTS = """SELECT conrelid::regclass || '.' || conname, pg_get_constraintdef(oid) FROM pg_constraint
WHERE connamespace = 'public'::regnamespace AND conrelid::regclass::text <> 'alembic_version'"""
_CHECKS = """SELECT conrelid::regclass::text,
string_agg(conname || ' ' || pg_get_constraintdef(oid), '; ' ORDER BY conname)
FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace GROUP BY 1"""
_INDEXES = "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename <> 'alembic_version'"
_COLUMNS = """SELECT table_name || '.' || column_name, concat_ws(' ', data_type, character_maximum_length, is_nullable,
column_default) FROM information_schema.columns WHERE table_schema = 'public' AND table_name <> 'alembic_version'"""
_TRIGGERS = "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal"


def _describe_postgresql(connection: Connection) -> Description:
    def ask(sql: str) -> dict[str, Any]:
        return {row[0]: row[1] for row in connection.exec_driver_sql(sql)}

    return {
        "columns": ask(_COLUMNS),
        "checks": ask(_CHECKS),
        "constraints": ask(_CONSTRAINTS),
        "indexes": ask(_INDEXES),
        "triggers": ask(_TRIGGERS),
    }


def test_the_program_expects_the_newest_migration() -> None:
    assert ScriptDirectory(str(FOLDER)).get_current_head() == SCHEMA
