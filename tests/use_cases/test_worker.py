"""The worker: what becomes of a job whose handler is done, waits, fails, hangs or kills it."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import pairwise

import pytest
from sqlalchemy.exc import OperationalError

from app import worker as program
from app.db import models as m
from app.domain.errors import NotBegun, NotFound, ProviderFailure
from app.ports import Ports
from app.ports.outbox import Job, NewJob
from app.use_cases.ids import new_id
from app.worker import LEASE_SECONDS, MAX_ATTEMPTS, MAX_DELAY_SECONDS, Worker, retry_delay
from tests.support.clock import Clock
from tests.support.waiting import eventually
from tests.support.workspace import Row, Workspace

pytestmark = pytest.mark.anyio

Handler = Callable[[Ports, Job], Awaitable[int | None]]


class Bench:
    """A worker with one handler, and short ways to ask it for work."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace
        self.clock = workspace.clock

    def worker(self, handler: Handler) -> Worker:
        return Worker(self.workspace.ports, {"task": handler}, idle_seconds=0.01)

    async def ask(self, *lanes: str, kind: str = "task", after: int = 0) -> None:
        jobs = [NewJob(self.workspace.organization.id, lane, kind, new_id(), self.clock.now + after) for lane in lanes]
        async with self.workspace.ports.unit_of_work() as work:
            await work.outbox.enqueue(jobs, self.clock.now)
            await work.commit()

    async def rows(self) -> list[Row]:
        """Without what every organization has."""
        return [row for row in await self.workspace.rows(m.outbox) if row["kind"] != "retention"]

    async def row(self) -> Row:
        (found,) = await self.rows()
        return found


@pytest.fixture
def bench(workspace: Workspace) -> Bench:
    return Bench(workspace)


def failing(error: Exception) -> Handler:
    async def fail(_ports: Ports, _job: Job) -> int | None:
        raise error

    return fail


async def test_done_work_is_gone(bench: Bench) -> None:
    seen = []

    async def work(_: Ports, job: Job) -> int | None:
        seen.append((job.lane, job.kind, job.attempts))
        return None

    await bench.ask("a", "b")
    await bench.worker(work).drain()
    assert sorted(seen) == [("a", "task", 1), ("b", "task", 1)]
    assert await bench.rows() == []


async def test_work_that_is_not_due_waits(bench: Bench) -> None:
    seen = []

    async def work(_: Ports, job: Job) -> int | None:
        seen.append(job.lane)
        return None

    await bench.ask("later", after=60)
    await bench.worker(work).drain()
    assert seen == []
    bench.clock.advance(60)
    await bench.worker(work).drain()
    assert seen == ["later"]


async def test_periodic_work_says_when_it_comes_again(bench: Bench) -> None:
    async def work(ports: Ports, _: Job) -> int | None:
        return ports.clock() + 300

    await bench.ask("a")
    for _ in range(MAX_ATTEMPTS + 3):  # never used up
        await bench.worker(work).drain()
        row = await bench.row()
        assert (row["run_at"], row["state"], row["attempts"]) == (bench.clock.now + 300, "pending", 0)
        bench.clock.advance(300)


async def test_work_about_something_that_is_gone_is_done(bench: Bench) -> None:
    await bench.ask("a")
    await bench.worker(failing(NotFound("There is no such booking."))).drain()
    assert await bench.rows() == []


async def test_failures_are_tried_ever_more_slowly_and_end_in_a_dead_letter(bench: Bench) -> None:
    await bench.ask("a")
    worker, delays = bench.worker(failing(ProviderFailure("unreachable", "boom"))), []
    for attempt in range(1, MAX_ATTEMPTS + 1):
        await worker.drain()
        row = await bench.row()
        assert (row["attempts"], row["last_error"]) == (attempt, "ProviderFailure: boom")
        if attempt < MAX_ATTEMPTS:
            delays.append(row["run_at"] - bench.clock.now)
            bench.clock.now = row["run_at"]
    assert (await bench.row())["state"] == "dead"
    assert all(later > earlier or later >= MAX_DELAY_SECONDS for earlier, later in pairwise(delays))
    assert delays[0] <= 7
    assert max(delays) <= MAX_DELAY_SECONDS * 5 / 4
    bench.clock.advance(10 * MAX_DELAY_SECONDS)
    await worker.drain()
    assert (await bench.row())["attempts"] == MAX_ATTEMPTS


async def test_a_dead_letter_is_seen_and_can_be_retried(bench: Bench) -> None:
    """A mail server that will never take an address ends it at once; the owner may try again after mending it."""
    await bench.ask("a")
    await bench.worker(failing(ProviderFailure("rejected", "No such mailbox."))).drain()
    organization = bench.workspace.organization.id
    async with bench.workspace.ports.unit_of_work() as work:
        (letter,) = await work.outbox.dead(organization)
        assert (letter.lane, letter.attempts, letter.error) == ("a", 1, "ProviderFailure: No such mailbox.")
        assert await work.outbox.retry(organization, letter.id, bench.clock.now)
        await work.commit()

    async def mended(_ports: Ports, _job: Job) -> int | None:
        return None

    await bench.worker(mended).drain()
    assert await bench.rows() == []


async def test_retry_after_is_honoured(bench: Bench) -> None:
    await bench.ask("a")
    await bench.worker(failing(ProviderFailure("busy", "Later.", retry_after=900))).drain()
    assert (await bench.row())["run_at"] >= bench.clock.now + 900


def test_the_wait_doubles_up_to_an_hour_and_is_never_shorter_than_asked_for() -> None:
    for attempts in range(1, 80):
        base = min(MAX_DELAY_SECONDS, 5 * 2 ** (attempts - 1))
        assert base <= retry_delay(attempts, RuntimeError()) <= base * 5 / 4
    assert retry_delay(1, ProviderFailure("busy", "Later.", retry_after=86_400)) == 86_400
    assert retry_delay(12, ProviderFailure("busy", "Later.", retry_after=1)) >= MAX_DELAY_SECONDS


async def test_an_unknown_kind_of_work_is_kept_and_told(bench: Bench) -> None:
    """A worker of an older version must not lose what a newer one asked for."""
    await bench.ask("a", kind="of the future")
    await bench.worker(failing(RuntimeError())).drain()
    row = await bench.row()
    assert row["state"] == "pending"
    assert "of the future" in row["last_error"]


async def test_a_handler_that_hangs_is_given_up_before_its_lease_ends(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert program.TIME_LIMIT_SECONDS < LEASE_SECONDS
    monkeypatch.setattr(program, "TIME_LIMIT_SECONDS", 0.05)

    async def hang(_ports: Ports, _job: Job) -> int | None:
        await asyncio.Event().wait()
        return None

    await bench.ask("a")
    await bench.worker(hang).drain()
    row = await bench.row()
    assert row["last_error"].startswith("TimeoutError")
    assert row["lease_until"] is None


async def test_what_no_worker_survives_is_not_tried_for_ever(bench: Bench) -> None:
    """The lease ends each time without a word: the process died. At last nobody tries it again."""
    await bench.ask("deadly")
    for _ in range(MAX_ATTEMPTS):
        (job,) = await bench.workspace.ports.jobs.claim("killed", bench.clock.now, LEASE_SECONDS, 16)
        assert job.lane == "deadly"
        bench.clock.advance(LEASE_SECONDS)

    async def die(_ports: Ports, _job: Job) -> int | None:
        raise AssertionError("this would have been the death of the worker")

    await bench.worker(die).drain()
    row = await bench.row()
    assert row["state"] == "dead"
    assert row["last_error"].startswith("WorkerDied")


async def test_one_lane_is_worked_on_by_one_at_a_time_and_to_the_last_asking(bench: Bench) -> None:
    """Several workers; the lanes are asked for again while they are being worked on."""
    lanes = [f"lane:{number}" for number in range(12)]
    running: Counter[str] = Counter()
    asked: Counter[str] = Counter(lanes)
    seen: dict[str, int] = {}

    async def work(_: Ports, job: Job) -> int | None:
        running[job.lane] += 1
        assert running[job.lane] == 1
        state = asked[job.lane]  # what the handler would bring the other side to
        if state < 3:
            asked[job.lane] += 1
            await bench.ask(job.lane)
        await asyncio.sleep(0)
        running[job.lane] -= 1
        seen[job.lane] = max(seen.get(job.lane, 0), state)
        return None

    await bench.ask(*lanes)
    await asyncio.gather(*(bench.worker(work).drain() for _ in range(4)))
    await bench.worker(work).drain()
    assert seen == dict.fromkeys(lanes, 3)
    assert await bench.rows() == []


async def test_only_so_many_jobs_run_at_once(bench: Bench) -> None:
    running = most = 0

    async def work(_ports: Ports, _job: Job) -> int | None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.01)
        running -= 1
        return None

    await bench.ask(*(f"lane:{number}" for number in range(3 * program.BATCH)))
    await bench.worker(work).drain()
    assert 1 < most <= program.BATCH
    assert await bench.rows() == []


async def test_stopping_finishes_what_is_under_way(bench: Bench) -> None:
    started, release, stop = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def work(_ports: Ports, _job: Job) -> int | None:
        started.set()
        await release.wait()
        return None

    await bench.ask("a")
    running = asyncio.create_task(bench.worker(work).run(stop))
    await started.wait()
    stop.set()
    await asyncio.sleep(0)
    assert not running.done()
    release.set()
    await running
    assert await bench.rows() == []


async def test_a_database_that_is_away_for_a_moment_does_not_end_the_worker(
    bench: Bench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, stop, done = 0, asyncio.Event(), asyncio.Event()
    queue = type(bench.workspace.ports.jobs)
    plain = queue.claim

    async def shaky(*args: object) -> list[Job]:
        nonlocal looks
        looks += 1
        if looks < 3:
            raise OperationalError("SELECT", {}, Exception("server closed the connection"))
        return await plain(*args)  # type: ignore[arg-type]  # passed through as they came

    async def work(_ports: Ports, _job: Job) -> int | None:
        done.set()
        return None

    monkeypatch.setattr(queue, "claim", shaky)
    await bench.ask("a")
    running = asyncio.create_task(bench.worker(work).run(stop))
    async with asyncio.timeout(30):
        await done.wait()
    stop.set()
    await running

    async def is_empty() -> bool:
        return await bench.rows() == []

    await eventually(is_empty, "the job is gone")


async def test_what_found_no_place_is_tried_again_soon_and_counts_for_nothing(bench: Bench) -> None:
    await bench.ask("lane")
    worker = bench.worker(failing(NotBegun("busy")))
    for _ in range(MAX_ATTEMPTS + 2):
        await worker.drain()
        row = await bench.row()
        assert (row["state"], row["attempts"]) == ("pending", 0)
        assert 0 < row["run_at"] - bench.clock.now < 10
        bench.clock.now = row["run_at"]
