"""THE double-booking constraint, by plain SQL: whatever a program does, the database refuses the overlap."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples_of
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db.booking_guard import is_overlap
from app.db.engine import Database
from app.db.models import MAX_SPAN
from app.use_cases.ids import new_id
from tests import switches
from tests.support.waiting import eventually

pytestmark = pytest.mark.anyio

ORG, ANA, BEN = (f"00000000-0000-7000-8000-00000000000{number}" for number in (1, 2, 3))


@pytest.fixture
async def claims(database: Database) -> "Claims":
    """Two hosts without claims."""
    async with database.write.begin() as connection:
        await connection.exec_driver_sql(
            f"INSERT INTO organizations (id, slug, name, created_at) VALUES ('{ORG}', 'acme', 'Acme', 0)"
        )
        for host in (ANA, BEN):
            await connection.exec_driver_sql(
                f"INSERT INTO hosts (id, org_id, kind, name) VALUES ('{host}', '{ORG}', 'resource', 'Chair')"
            )
    return Claims(database)


@dataclass
class Claims:
    """Statements over the table, each in a transaction of its own."""

    database: Database

    async def add(self, start: int, end: int, host: str = ANA, seats: int = 1, capacity: int = 1) -> str:
        occurrence = new_id()
        await self.run(insertion(occurrence, start, end, host, seats, capacity))
        return occurrence

    async def set(self, occurrence: str, changes: str) -> None:
        await self.run(f"UPDATE claims SET {changes} WHERE occurrence_id = '{occurrence}'")

    async def run(self, sql: str) -> None:
        async with self.database.write.begin() as connection:
            await connection.exec_driver_sql(sql)

    async def stored(self) -> list[tuple[int, int]]:
        async with self.database.read.connect() as connection:
            rows = await connection.exec_driver_sql("SELECT start_at, end_at FROM claims ORDER BY start_at")
            return [(row.start_at, row.end_at) for row in rows]


def insertion(occurrence: str, start: int, end: int, host: str = ANA, seats: int = 1, capacity: int = 1) -> str:
    return (
        "INSERT INTO claims (occurrence_id, host_id, org_id, start_at, end_at, capacity, seats_taken)"
        f" VALUES ('{occurrence}', '{host}', '{ORG}', {start}, {end}, {capacity}, {seats})"
    )


@pytest.mark.parametrize(
    ("start", "end"),
    [(100, 200), (50, 101), (199, 300), (120, 130), (0, 1000), (100, 101), (199, 200)],
    ids=["the same", "over its begin", "over its end", "within", "around", "its first second", "its last second"],
)
async def test_an_overlap_is_refused(claims: Claims, start: int, end: int) -> None:
    await claims.add(100, 200)
    with pytest.raises(IntegrityError) as refused:
        await claims.add(start, end)
    assert is_overlap(refused.value)
    assert await claims.stored() == [(100, 200)]


async def test_touching_claims_and_other_hosts_are_no_overlap(claims: Claims) -> None:
    await claims.add(100, 200)
    await claims.add(0, 100)
    await claims.add(200, 300)
    await claims.add(100, 200, host=BEN)
    assert await claims.stored() == [(0, 100), (100, 200), (100, 200), (200, 300)]


async def test_a_claim_cannot_be_moved_onto_another(claims: Claims) -> None:
    moving = await claims.add(100, 200)
    await claims.add(300, 400)
    other = await claims.add(300, 400, host=BEN)
    for occurrence, changes in (
        (moving, "start_at = 250, end_at = 301"),
        (moving, "end_at = 301"),
        (other, f"host_id = '{ANA}'"),
    ):
        with pytest.raises(IntegrityError) as refused:
            await claims.set(occurrence, changes)
        assert is_overlap(refused.value)
    assert await claims.stored() == [(100, 200), (300, 400), (300, 400)]


async def test_a_claim_may_be_moved_over_its_own_old_time(claims: Claims) -> None:
    moving = await claims.add(100, 200)
    await claims.add(300, 400)
    await claims.set(moving, "start_at = 150, end_at = 300")
    assert await claims.stored() == [(150, 300), (300, 400)]


async def test_claims_swapped_in_one_statement_of_deletes_and_inserts_fit(claims: Claims) -> None:
    """What a reschedule does: the old time goes and the new one comes, in one transaction."""
    first, second = await claims.add(0, 100), await claims.add(100, 200)
    async with claims.database.write.begin() as connection:
        await connection.exec_driver_sql(f"DELETE FROM claims WHERE occurrence_id IN ('{first}', '{second}')")
        await connection.exec_driver_sql(insertion(first, 100, 200))
        await connection.exec_driver_sql(insertion(second, 0, 100))
    assert await claims.stored() == [(0, 100), (100, 200)]


@pytest.mark.parametrize(("seats", "capacity"), [(-1, 1), (2, 1), (4, 3), (1, 0)])
async def test_seats_stay_within_the_capacity(claims: Claims, seats: int, capacity: int) -> None:
    with pytest.raises(IntegrityError) as refused:
        await claims.add(100, 200, seats=seats, capacity=capacity)
    assert not is_overlap(refused.value)


async def test_the_last_seat_is_taken_once(claims: Claims) -> None:
    course = await claims.add(100, 200, seats=7, capacity=8)
    await claims.set(course, "seats_taken = seats_taken + 1")
    with pytest.raises(IntegrityError):
        await claims.set(course, "seats_taken = seats_taken + 1")


@pytest.mark.parametrize(
    ("start", "end"), [(100, 100), (200, 100), (0, MAX_SPAN + 1)], ids=["empty", "upside down", "long"]
)
async def test_a_claim_has_a_length_the_guard_can_look_back_over(claims: Claims, start: int, end: int) -> None:
    with pytest.raises(IntegrityError) as refused:
        await claims.add(start, end)
    assert not is_overlap(refused.value)


async def test_the_longest_claim_is_seen_from_its_last_second(claims: Claims) -> None:
    await claims.add(0, MAX_SPAN)
    with pytest.raises(IntegrityError) as refused:
        await claims.add(MAX_SPAN - 1, 2 * MAX_SPAN - 1)
    assert is_overlap(refused.value)
    await claims.add(MAX_SPAN, 2 * MAX_SPAN)


async def test_a_claim_stretched_too_far_is_refused(claims: Claims) -> None:
    long = await claims.add(0, MAX_SPAN)
    with pytest.raises(IntegrityError):
        await claims.set(long, "end_at = end_at + 1")


async def test_an_uncommitted_claim_of_another_program_is_waited_for(claims: Claims, neighbour: Database) -> None:
    """Two programs at once: the second learns what the first decided, and never passes it."""
    async with claims.database.write.connect() as first:
        await first.exec_driver_sql(insertion(new_id(), 100, 200))
        second = asyncio.create_task(_insert(neighbour, insertion(new_id(), 150, 250)))
        await _until_waiting(claims.database, second)
        await first.commit()
    with pytest.raises(IntegrityError) as refused:
        await second
    assert is_overlap(refused.value)
    assert await claims.stored() == [(100, 200)]


async def test_a_claim_that_another_program_takes_back_was_never_in_the_way(
    claims: Claims, neighbour: Database
) -> None:
    async with claims.database.write.connect() as first:
        await first.exec_driver_sql(insertion(new_id(), 100, 200))
        second = asyncio.create_task(_insert(neighbour, insertion(new_id(), 150, 250)))
        await _until_waiting(claims.database, second)
        await first.rollback()
    await second
    assert await claims.stored() == [(150, 250)]


async def test_readers_are_not_kept_waiting_by_a_claim(claims: Claims, neighbour: Database) -> None:
    async with claims.database.write.connect() as writing:
        await writing.exec_driver_sql(insertion(new_id(), 100, 200))
        async with neighbour.read.connect() as reading:
            assert await _count(reading) == 0
        await writing.commit()
    async with neighbour.read.connect() as reading:
        assert await _count(reading) == 1


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["add", "add", "add", "move", "remove"]),
        st.sampled_from([ANA, BEN]),
        st.integers(0, 40),
        st.integers(1, 12),
    ),
    max_size=40,
)


async def test_whatever_is_tried_exactly_the_overlaps_are_refused(claims: Claims) -> None:
    """Random inserts, moves and deletes, against a list that is compared second by second."""

    async def follow(steps: list[tuple[str, str, int, int]]) -> None:
        there: dict[str, tuple[str, int, int]] = {}
        async with claims.database.write.connect() as connection:
            for verb, host, start, length in steps:
                await _follow(connection, there, verb, (host, start, start + length))
            select = "SELECT occurrence_id, host_id, start_at, end_at FROM claims"
            rows: Any = await connection.exec_driver_sql(select)
            stored = {str(row[0]): (str(row[1]), row[2], row[3]) for row in rows}
            await connection.rollback()
        assert stored == there

    loop = asyncio.get_running_loop()

    @examples_of(max_examples=switches.examples(60))
    @given(STEPS)
    def run(steps: list[tuple[str, str, int, int]]) -> None:
        asyncio.run_coroutine_threadsafe(follow(steps), loop).result()

    await asyncio.to_thread(run)


async def _follow(
    connection: AsyncConnection, there: dict[str, tuple[str, int, int]], verb: str, wanted: tuple[str, int, int]
) -> None:
    host, start, end = wanted
    target = next(iter(there), None)
    if verb == "remove" and target is not None:
        await connection.exec_driver_sql(f"DELETE FROM claims WHERE occurrence_id = '{target}'")
        del there[target]
        return
    moving = target if verb == "move" and target is not None else None
    occurrence = moving or new_id()
    others = [each for key, each in there.items() if key != moving]
    free = all(other[0] != host or other[1] >= end or other[2] <= start for other in others)
    change = (
        f"UPDATE claims SET host_id = '{host}', start_at = {start}, end_at = {end} WHERE occurrence_id = '{moving}'"
    )
    with suppress(IntegrityError):
        async with connection.begin_nested():
            await connection.exec_driver_sql(change if moving else insertion(occurrence, start, end, host))
            assert free, f"{wanted} was let in beside {others}"
            there[occurrence] = wanted
            return
    assert not free, f"{wanted} was refused beside {others}"


async def _insert(database: Database, sql: str) -> None:
    async with database.write.begin() as connection:
        await connection.exec_driver_sql(sql)


async def _until_waiting(database: Database, task: asyncio.Task[None]) -> None:
    """Until PostgreSQL says that somebody waits for a lock. SQLite cannot be asked: there the task at least ran, and
    whether it began to wait by now does not matter."""
    if database.is_sqlite:
        for _ in range(20):
            await asyncio.sleep(0)
        return
    question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with database.read.connect() as connection:

        async def is_waiting() -> bool:
            waiting: int = (await connection.exec_driver_sql(question)).scalar_one()
            return task.done() or waiting > 0

        await eventually(is_waiting, "the other program waits for the lock")


async def _count(connection: AsyncConnection) -> int:
    found: int = (await connection.exec_driver_sql("SELECT count(*) FROM claims")).scalar_one()
    return found
