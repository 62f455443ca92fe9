"""How the engines answer what devices ask most, in a database that was just filled: neither has any statistics yet."""

import re
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.clients import listing
from app.db.engine import Database
from app.db.outbox import _finished
from app.db.published import _LISTING, _TEXTS
from app.db.quick import QuickStatement
from app.ports.clients import ClientFilter
from app.ports.outbox import Job
from app.use_cases.ids import new_id

pytestmark = pytest.mark.anyio

NAMES = [f"{number}.ics" for number in range(100)]


FILL = """
    INSERT INTO calendar_objects (id, calendar_id, name, uid, component, etag, data, start_at, revision, modified_at)
    SELECT gen_random_uuid(), CAST(:calendar_id AS uuid), n || '.ics', 'uid-' || n, 'VEVENT', 'e',
           repeat('x', 1000), n, n, n
    FROM generate_series(1, 2000) AS n"""


async def fill(connection: AsyncConnection, calendar_id: str) -> None:
    """Objects of a calendar in PostgreSQL, which compares plans by the size of a table; until the rollback, and
    without the calendar itself."""
    keys = await connection.run_sync(lambda sync: inspect(sync).get_foreign_keys("calendar_objects"))
    for key in keys:
        await connection.execute(text(f"ALTER TABLE calendar_objects DROP CONSTRAINT {key['name']}"))
    await connection.execute(text(FILL), {"calendar_id": calendar_id})


async def plan(database: Database, statement: QuickStatement, **values: Any) -> str:
    """The plan of a statement, in the engine's words."""
    explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
    async with database.write.connect() as connection:
        if not database.is_sqlite:
            await fill(connection, values["calendar_id"])
        compiled = statement.compiled(connection.dialect)
        arguments = tuple(compiled.arguments(values))
        return str([*(await connection.exec_driver_sql(f"{explain} {compiled.text}", arguments))])


async def test_sqlite_lists_without_a_look_at_the_texts(database: Database) -> None:
    if database.is_sqlite:
        assert "INDEX ix_calendar_objects_listing" in await plan(database, _LISTING, calendar_id=new_id())


async def test_postgresql_looks_texts_up_by_their_names(database: Database) -> None:
    if not database.is_sqlite:
        found = await plan(database, _TEXTS[False], calendar_id=new_id(), names=NAMES)
        assert re.search(r"Index Cond: [^,]*\(name\)::text = ", found), found


OUTBOX = """
    INSERT INTO outbox (id, org_id, lane, kind, subject_id, payload, state, requested, attempts, run_at, created_at,
                        updated_at)
    SELECT gen_random_uuid(), gen_random_uuid(), n, 'x', gen_random_uuid(), '{}', 'pending', 1, 0, n, n, n
    FROM generate_series(1, 5000) AS n"""


async def test_what_is_done_is_found_by_its_id(database: Database) -> None:
    """However much waits in the outbox."""
    jobs = [Job(new_id(), new_id(), "lane", "kind", new_id(), {}, 1, 1) for _ in range(2)]
    query = _finished([(job, "worker", 0) for job in jobs])
    async with database.write.connect() as connection:
        if not database.is_sqlite:
            await connection.execute(text("ALTER TABLE outbox DROP CONSTRAINT fk_outbox_org_id_organizations"))
            await connection.execute(text(OUTBOX))
        compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        found = str([*(await connection.exec_driver_sql(f"{explain} {compiled}"))])
    assert ("SEARCH outbox USING INDEX" if database.is_sqlite else "pk_outbox") in found, found
    assert "SCAN outbox" not in found
    assert "Seq Scan" not in found


CLIENTS = (
    """
    INSERT INTO clients (id, org_id, name, version, created_at, updated_at)
    SELECT gen_random_uuid(), CAST(:org_id AS uuid), 'Client ' || n, 1, n, n FROM generate_series(1, 3000) AS n""",
    """
    INSERT INTO client_identities (org_id, kind, value, client_id)
    SELECT org_id, 'email', id || '@example.org', id FROM clients""",
    """
    INSERT INTO bookings (id, org_id, occurrence_id, status, title, start_at, end_at, duration, buffer_before,
        buffer_after, timezone, recipient_name, recipient_email, guests, answers, answer_labels, seats, location, uid,
        sequence, version, token_lookup, token_sealed, created_at, updated_at, client_id)
    SELECT gen_random_uuid(), c.org_id, gen_random_uuid(), 'confirmed', 'Intro', n, n + 1, 30, 0, 0, 'UTC', c.name, '',
        '[]', '{}', '{}', 1, '{}', c.id || ':' || n, 0, 1, c.id || ':' || n, '', n, n, c.id
    FROM clients AS c, generate_series(1, 6) AS n""",
    """
    INSERT INTO booking_hosts (booking_id, host_id, start_at, booked_at)
    SELECT id, CAST(:user_id AS uuid), start_at, start_at FROM bookings""",
)


@pytest.mark.parametrize("words", ["", "client 29", "nobody of this name"])
async def test_clients_are_found_without_a_walk_over_bookings(database: Database, words: str) -> None:
    """For somebody who sees their own clients alone: the bookings of each client found are looked up."""
    ids = {"org_id": new_id(), "user_id": new_id()}
    async with database.write.connect() as connection:
        if not database.is_sqlite:
            await connection.execute(text("SET LOCAL session_replication_role = replica"))  # without foreign keys
            for statement in CLIENTS:
                await connection.execute(text(statement), ids)
        query = listing(ClientFilter(ids["org_id"], ids["user_id"], words), 50, None)
        compiled = query.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
        explain = "EXPLAIN QUERY PLAN" if database.is_sqlite else "EXPLAIN"
        found = str([*(await connection.exec_driver_sql(f"{explain} {compiled}".replace("%%", "%")))])
    assert "ix_bookings_client_id" in found, found
    for walk in ("SCAN bookings", "SCAN booking_hosts", "SCAN clients", "Seq Scan on bookings", "on booking_hosts_"):
        assert walk not in found, found
    assert "ix_booking_hosts_host_id" not in found, "not all that the user ever hosted"
    assert not re.search(r"Seq Scan on (bookings|booking_hosts|links)\b", found), found
