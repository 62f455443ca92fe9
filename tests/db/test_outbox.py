"""The outbox table: folding, leases, retries and dead letters, on both engines."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import insert, select, update

from app.db import models as m
from app.db.engine import Database, connect
from app.db.outbox import SqlJobQueue, SqlOutbox
from app.ports.outbox import Job, NewJob
from app.use_cases.ids import new_id

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000
LEASE = 120
ORG = new_id()
SUBJECT = new_id()


def job(lane: str = "booking:1:mail", run_at: int = NOW, **payload: str) -> NewJob:
    return NewJob(ORG, lane, "booking_mail", SUBJECT, run_at, payload)


class Bench:
    """A database with one organization; each call is a transaction of its own."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.queue = SqlJobQueue(database.write, database.read)

    async def ask(self, *jobs: NewJob, now: int = NOW) -> None:
        async with self.database.write.begin() as connection:
            await SqlOutbox(connection).enqueue(jobs, now)

    async def claim(self, owner: str = "first", now: int = NOW, limit: int = 16) -> list[Job]:
        return await self.queue.claim(owner, now, LEASE, limit)

    async def one(self, owner: str = "first", now: int = NOW) -> Job:
        (found,) = await self.claim(owner, now)
        return found

    async def rows(self) -> Sequence[Any]:
        async with self.database.read.connect() as connection:
            return (await connection.execute(select(m.outbox).order_by(m.outbox.c.lane))).all()

    async def row(self) -> Any:
        (found,) = await self.rows()
        return found


@pytest.fixture
async def bench(database: Database) -> Bench:
    async with database.write.begin() as connection:
        organization = {"id": ORG, "slug": "acme", "name": "Acme", "created_at": NOW}
        await connection.execute(insert(m.organizations).values(organization))
    return Bench(database)


async def test_asking_again_folds_into_the_lane(bench: Bench) -> None:
    """One row a lane: the later asking's time and payload count, and tries start anew."""
    await bench.ask(job(address="old@example.org"))
    await bench.queue.fail(await bench.one(), "first", "down", NOW + 50, NOW)
    await bench.ask(job(run_at=NOW + 7, address="new@example.org"), now=NOW + 1)
    row = await bench.row()
    assert (row.requested, row.attempts, row.run_at, row.state) == (2, 0, NOW + 7, "pending")
    assert row.payload == {"address": "new@example.org"}


async def test_a_lane_asked_for_twice_in_one_transaction_is_one_row(bench: Bench) -> None:
    async with bench.database.write.begin() as connection:
        outbox = SqlOutbox(connection)
        await outbox.enqueue([job("b"), job("a")], NOW)
        await outbox.enqueue([job("b")], NOW)
    assert [(row.lane, row.requested) for row in await bench.rows()] == [("a", 1), ("b", 2)]


async def test_nothing_is_asked_when_the_transaction_rolls_back(bench: Bench) -> None:
    async with bench.database.write.connect() as connection:
        await SqlOutbox(connection).enqueue([job()], NOW)
        await connection.rollback()
    assert await bench.claim() == []


async def test_work_is_not_claimed_before_its_time(bench: Bench) -> None:
    await bench.ask(job(run_at=NOW + 10))
    assert await bench.claim(now=NOW + 9) == []
    assert len(await bench.claim(now=NOW + 10)) == 1


async def test_the_longest_due_come_first(bench: Bench) -> None:
    await bench.ask(job("late", NOW - 1), job("early", NOW - 9), job("middle", NOW - 5))
    assert [found.lane for found in await bench.claim(limit=2)] == ["early", "middle"]


async def test_a_leased_lane_is_nobody_elses(bench: Bench) -> None:
    await bench.ask(job())
    await bench.one("first")
    assert await bench.claim("second") == []


async def test_done_work_is_gone(bench: Bench) -> None:
    await bench.ask(job())
    await bench.queue.finish(await bench.one(), "first", NOW)
    assert await bench.rows() == []


async def test_work_asked_for_while_it_ran_runs_again(bench: Bench) -> None:
    """The handler may have looked before the change: finishing an older asking leaves the newer one."""
    await bench.ask(job())
    running = await bench.one()
    await bench.ask(job(run_at=NOW + 3))
    assert await bench.claim("second", NOW + 3) == []  # still leased: one lane, one worker
    await bench.queue.finish(running, "first", NOW + 4)
    again = await bench.one("second", NOW + 4)
    assert (again.id, again.requested, again.attempts) == (running.id, 2, 1)


async def test_a_killed_workers_work_is_taken_over_when_its_lease_ends(bench: Bench) -> None:
    await bench.ask(job())
    await bench.one("killed")
    assert await bench.claim("second", NOW + LEASE - 1) == []
    taken = await bench.one("second", NOW + LEASE)
    assert taken.attempts == 2


async def test_a_worker_that_lost_its_lease_changes_nothing(bench: Bench) -> None:
    """It was slow, another one took over: whatever it reports now is too late."""
    await bench.ask(job())
    slow = await bench.one("slow")
    taken = await bench.one("second", NOW + LEASE)
    before = await bench.row()
    await bench.queue.finish(slow, "slow", NOW + LEASE + 1)
    await bench.queue.fail(slow, "slow", "late", None, NOW + LEASE + 1)
    await bench.queue.again(slow, "slow", NOW + 9999, NOW + LEASE + 1)
    assert await bench.row() == before
    await bench.queue.finish(taken, "second", NOW + LEASE + 2)
    assert await bench.rows() == []


async def test_failed_work_waits_for_its_next_try(bench: Bench) -> None:
    await bench.ask(job())
    await bench.queue.fail(await bench.one(), "first", "server down", NOW + 60, NOW)
    assert await bench.claim(now=NOW + 59) == []
    again = await bench.one(now=NOW + 60)
    assert again.attempts == 2
    assert (await bench.row()).last_error == "server down"


async def test_failing_does_not_put_off_what_was_asked_for_meanwhile(bench: Bench) -> None:
    await bench.ask(job())
    running = await bench.one()
    await bench.ask(job(run_at=NOW + 1))
    await bench.queue.fail(running, "first", "server down", NOW + 3600, NOW + 1)
    assert (await bench.one(now=NOW + 1)).requested == 2


async def test_giving_up_does_not_bury_what_was_asked_for_meanwhile(bench: Bench) -> None:
    await bench.ask(job())
    running = await bench.one()
    await bench.ask(job(run_at=NOW + 1))
    await bench.queue.fail(running, "first", "never", None, NOW + 1)
    assert (await bench.row()).state == "pending"


async def test_periodic_work_comes_again_without_counting_as_a_failure(bench: Bench) -> None:
    await bench.ask(job())
    for turn in range(3):
        running = await bench.one(now=NOW + 300 * turn)
        assert running.attempts == 1
        await bench.queue.again(running, "first", NOW + 300 * (turn + 1), NOW + 300 * turn)


async def test_coming_again_does_not_put_off_what_was_asked_for_meanwhile(bench: Bench) -> None:
    await bench.ask(job())
    running = await bench.one()
    await bench.ask(job(run_at=NOW + 1))
    await bench.queue.again(running, "first", NOW + 3600, NOW + 1)
    assert (await bench.one(now=NOW + 1)).requested == 2


async def test_a_dead_letter_rests_until_it_is_retried(bench: Bench) -> None:
    await bench.ask(job())
    dead = await bench.one()
    await bench.queue.fail(dead, "first", "refused for good", None, NOW)
    assert await bench.claim(now=NOW + 999_999) == []
    async with bench.database.write.begin() as connection:
        outbox = SqlOutbox(connection)
        (letter,) = await outbox.dead(ORG)
        assert (letter.id, letter.lane, letter.error) == (dead.id, "booking:1:mail", "refused for good")
        assert await outbox.dead_count() == 1
        assert await outbox.dead(new_id()) == []
        assert not await outbox.retry(new_id(), letter.id, NOW + 5)
        assert await outbox.retry(ORG, letter.id, NOW + 5)
        assert not await outbox.retry(ORG, letter.id, NOW + 5)
    assert (await bench.one(now=NOW + 5)).attempts == 1


async def test_what_giving_up_asks_for_is_asked_with_it(bench: Bench) -> None:
    """And not when the work was asked for again meanwhile: then it is not given up."""
    then = job("booking:1:mail:failed")
    await bench.ask(job())
    first = await bench.one()
    await bench.queue.fail(first, "first", "later", NOW + 5, NOW, then)
    assert [row.lane for row in await bench.rows()] == ["booking:1:mail"]
    second = await bench.one(now=NOW + 5)
    await bench.ask(job(run_at=NOW + 6))
    await bench.queue.fail(second, "first", "never", None, NOW + 5, then)
    assert [row.lane for row in await bench.rows()] == ["booking:1:mail"]
    await bench.queue.fail(await bench.one(now=NOW + 6), "first", "never", None, NOW + 6, then)
    assert [(row.lane, row.state) for row in await bench.rows()] == [
        ("booking:1:mail", "dead"),
        ("booking:1:mail:failed", "pending"),
    ]


async def test_a_dead_lane_lives_again_when_it_is_asked_for(bench: Bench) -> None:
    await bench.ask(job())
    await bench.queue.fail(await bench.one(), "first", "never", None, NOW)
    await bench.ask(job(run_at=NOW + 1))
    assert (await bench.one(now=NOW + 1)).attempts == 1


async def test_withdrawn_work_is_gone_and_may_be_asked_for_again(bench: Bench) -> None:
    await bench.ask(job("a"), job("b"))
    running = next(found for found in await bench.claim() if found.lane == "a")
    async with bench.database.write.begin() as connection:
        await SqlOutbox(connection).drop(["a"])
    await bench.queue.finish(running, "first", NOW)
    assert [row.lane for row in await bench.rows()] == ["b"]
    await bench.ask(job("a"))
    assert [row.lane for row in await bench.rows()] == ["a", "b"]


async def test_looking_for_work_in_vain_takes_no_write_lock(bench: Bench, neighbour: Database) -> None:
    """An idle worker must not keep SQLite's writers waiting, nor wait for them."""
    await bench.ask(job(run_at=NOW + 1))
    async with neighbour.write.connect() as writing:
        await writing.execute(update(m.organizations).values(name="Busy"))
        async with asyncio.timeout(5):
            assert await bench.claim() == []
        await writing.rollback()


async def test_workers_share_the_lanes_without_ever_sharing_one(bench: Bench, tables_url: str) -> None:
    """Five workers, each with connections of its own, over sixty lanes that are asked for again and again."""
    lanes = [f"lane:{number:02d}" for number in range(60)]
    await bench.ask(*map(job, lanes))
    running: set[str] = set()
    done: Counter[str] = Counter()

    async def work(name: str) -> None:
        database = connect(tables_url, pool_size=2)
        queue = SqlJobQueue(database.write, database.read)
        try:
            while found := await queue.claim(name, NOW, LEASE, 4):
                assert len(found) <= 4
                for each in found:
                    assert each.lane not in running
                    running.add(each.lane)
                await asyncio.sleep(0)  # the others come in between
                for each in found:
                    running.remove(each.lane)
                    done[each.lane] += 1
                    await queue.finish(each, name, NOW)
        finally:
            await database.dispose()

    async def ask_again() -> None:
        for lane in lanes[::3]:
            await bench.ask(job(lane))

    await asyncio.gather(*(work(f"worker-{number}") for number in range(5)), ask_again())
    await work("the last")  # what was asked for after the others had gone home
    assert set(done) == set(lanes)
    assert await bench.rows() == []


async def test_asking_for_the_same_lanes_in_any_order_never_ends_in_a_deadlock(
    bench: Bench, neighbour: Database
) -> None:
    lanes = [f"lane:{number}" for number in range(20)]

    async def ask(database: Database, ordered: Sequence[str]) -> None:
        for _ in range(10):
            async with database.write.begin() as connection:
                await SqlOutbox(connection).enqueue([job(lane) for lane in ordered], NOW)

    await asyncio.gather(
        ask(bench.database, lanes), ask(neighbour, lanes[::-1]), ask(bench.database, lanes[::2] + lanes[1::2])
    )
    assert {row.requested for row in await bench.rows()} == {30}


async def test_the_next_due_time_is_known(bench: Bench) -> None:
    assert await bench.queue.next_due() is None
    await bench.ask(job("a", NOW + 50), job("b", NOW + 20))
    assert await bench.queue.next_due() == NOW + 20


async def test_a_long_error_is_cut(bench: Bench) -> None:
    await bench.ask(job())
    await bench.queue.fail(await bench.one(), "first", "x" * 100_000, NOW + 1, NOW)
    assert len((await bench.row()).last_error) == 2000


async def test_a_lease_names_its_owner(bench: Bench) -> None:
    await bench.ask(job())
    found = await bench.one("worker-7")
    row = await bench.row()
    assert (row.lease_owner, row.lease_until) == ("worker-7", NOW + LEASE)
    await bench.queue.finish(replace(found, requested=99), "worker-7", NOW)
    row = await bench.row()
    assert (row.lease_owner, row.lease_until) == (None, None)
