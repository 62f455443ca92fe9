"""The outbox table: asking for work inside a transaction, and the worker's claims on it.

A row is a lane. Leases let any number of workers share the table and let another take over when one is killed;
PostgreSQL workers pass each other by `SKIP LOCKED`, SQLite ones queue for the write lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Delete, delete, func, or_, select, tuple_, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db import models as m
from app.db.engine import begun, connected
from app.db.quick import QuickStatement
from app.db.together import Together
from app.ports.outbox import DeadLetter, Job, NewJob, OpenJob
from app.use_cases.ids import new_id

ERROR_LENGTH = 2000


def _enqueue(dialect: Any) -> Any:
    statement, outbox = dialect.insert(m.outbox), m.outbox.c
    return statement.on_conflict_do_update(
        index_elements=[outbox.lane],
        set_={
            "requested": outbox.requested + 1,
            "attempts": 0,
            "state": "pending",
            "payload": statement.excluded.payload,
            "run_at": statement.excluded.run_at,
            "updated_at": statement.excluded.updated_at,
        },
    )


_ROW = (
    "id", "org_id", "lane", "kind", "subject_id", "payload", "state", "requested", "attempts", "run_at", "created_at",
    "updated_at",
)  # fmt: skip
_ENQUEUE = QuickStatement(_enqueue(sqlite), _enqueue(postgresql), columns=_ROW)


class SqlOutbox:
    """`Outbox` inside a unit of work."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def enqueue(self, jobs: Sequence[NewJob], now: int) -> None:
        if not jobs:
            return
        rows = [
            {
                "id": new_id(),
                "org_id": job.org_id,
                "lane": job.lane,
                "kind": job.kind,
                "subject_id": job.subject_id,
                "payload": dict(job.payload),
                "state": "pending",
                "requested": 1,
                "attempts": 0,
                "run_at": job.run_at,
                "created_at": now,
                "updated_at": now,
            }
            # In lane order, so that two transactions asking for the same lanes never wait for each other in a circle.
            for job in sorted(jobs, key=lambda job: job.lane)
        ]
        await _ENQUEUE.run(self._db, *rows)

    async def drop(self, lanes: Sequence[str]) -> None:
        await self._db.execute(delete(m.outbox).where(m.outbox.c.lane.in_(list(lanes))))

    async def is_wanted(self, job: Job) -> bool:
        row = select(m.outbox.c.id).where(m.outbox.c.id == job.id).with_for_update()
        return await self._db.scalar(row) is not None

    async def open_jobs(self, org_id: str, subject_id: str) -> list[OpenJob]:
        outbox = m.outbox.c
        rows = await self._db.execute(
            select(
                outbox.id,
                outbox.lane,
                outbox.kind,
                outbox.state,
                outbox.attempts,
                outbox.run_at,
                func.coalesce(outbox.last_error, ""),
            )
            .where(outbox.org_id == org_id, outbox.subject_id == subject_id)
            .order_by(outbox.lane)
        )
        return [OpenJob(*row) for row in rows]

    async def due(self, lanes: Sequence[str]) -> dict[str, int]:
        outbox = m.outbox.c
        waiting = select(outbox.lane, outbox.run_at).where(outbox.lane.in_(list(lanes)), outbox.state == "pending")
        return {row.lane: row.run_at for row in await self._db.execute(waiting)}

    async def dead(self, org_id: str, limit: int = 200, after_id: str | None = None) -> list[DeadLetter]:
        outbox = m.outbox.c
        query = select(
            outbox.id,
            outbox.lane,
            outbox.kind,
            outbox.subject_id,
            outbox.attempts,
            func.coalesce(outbox.last_error, ""),
            outbox.updated_at,
        ).where(outbox.org_id == org_id, outbox.state == "dead")
        if after_id is not None:
            query = query.where(outbox.id > after_id)
        return [DeadLetter(*row) for row in await self._db.execute(query.order_by(outbox.id).limit(limit))]

    async def dead_count(self) -> int:
        return await self._db.scalar(select(func.count()).where(m.outbox.c.state == "dead")) or 0

    async def retry(self, org_id: str, job_id: str, now: int) -> bool:
        outbox = m.outbox.c
        result = await self._db.execute(
            update(m.outbox)
            .where(outbox.id == job_id, outbox.org_id == org_id, outbox.state == "dead")
            .values(state="pending", attempts=0, run_at=now, updated_at=now)
        )
        return result.rowcount == 1


class SqlJobQueue:
    """`JobQueue` over an engine: each call is a short transaction of its own."""

    def __init__(self, engine: AsyncEngine, read_engine: AsyncEngine) -> None:
        self._engine = engine
        self._read = read_engine
        self._finished = Together[tuple[Job, str, int]](engine, self._finish)

    async def claim(self, owner: str, now: int, lease_seconds: int, limit: int) -> list[Job]:
        outbox = m.outbox.c
        due = (
            select(outbox.id)
            .where(
                outbox.state == "pending",
                outbox.run_at <= now,
                or_(outbox.lease_until.is_(None), outbox.lease_until <= now),
            )
            .order_by(outbox.run_at, outbox.id)
            .limit(limit)
        )
        async with connected(self._read) as connection:
            # Most looks find nothing: they must not take SQLite's write lock.
            if await connection.scalar(due.limit(1)) is None:
                return []
        async with begun(self._engine) as connection:
            # Apart from the UPDATE: as its subquery PostgreSQL may run it more than once, and lock more than asked for.
            ids = list(await connection.scalars(due.with_for_update(skip_locked=True)))
            rows = await connection.execute(
                update(m.outbox)
                .where(outbox.id.in_(ids))
                .values(lease_owner=owner, lease_until=now + lease_seconds, attempts=outbox.attempts + 1)
                .returning(
                    outbox.id,
                    outbox.org_id,
                    outbox.lane,
                    outbox.kind,
                    outbox.subject_id,
                    outbox.payload,
                    outbox.requested,
                    outbox.attempts,
                )
            )
            jobs = {row.id: Job(*row) for row in rows}
        return [jobs[job_id] for job_id in ids]

    async def finish(self, job: Job, owner: str, now: int) -> None:
        await self._finished.add((job, owner, now))

    async def _finish(self, connection: AsyncConnection, done: Sequence[tuple[Job, str, int]]) -> None:
        """Those that finish at the same time, in one DELETE."""
        outbox = m.outbox.c
        gone = set(await connection.scalars(_finished(done).returning(outbox.id)))
        for job, owner, now in done:
            if job.id not in gone:
                await self._release(connection, job, owner, {"updated_at": now})

    async def again(self, job: Job, owner: str, run_at: int, now: int) -> None:
        async with begun(self._engine) as connection:
            if not await self._release(
                connection, job, owner, {"run_at": run_at, "attempts": 0, "last_error": None}, only_unchanged=True
            ):
                await self._release(connection, job, owner, {"updated_at": now})

    async def fail(
        self, job: Job, owner: str, error: str, run_at: int | None, now: int, then: NewJob | None = None
    ) -> None:
        values: dict[str, Any] = {"last_error": error[:ERROR_LENGTH], "updated_at": now}
        values |= {"state": "dead"} if run_at is None else {"run_at": run_at}
        async with begun(self._engine) as connection:
            if not await self._release(connection, job, owner, values, only_unchanged=True):
                await self._release(connection, job, owner, {"last_error": error[:ERROR_LENGTH]})
            elif run_at is None and then is not None:
                await SqlOutbox(connection).enqueue([then], now)

    async def _release(
        self, connection: AsyncConnection, job: Job, owner: str, values: dict[str, Any], *, only_unchanged: bool = False
    ) -> bool:
        outbox = m.outbox.c
        query = update(m.outbox).where(outbox.id == job.id, outbox.lease_owner == owner)
        if only_unchanged:
            query = query.where(outbox.requested == job.requested)
        result = await connection.execute(query.values(**values, lease_owner=None, lease_until=None))
        return result.rowcount == 1

    async def next_due(self) -> int | None:
        outbox = m.outbox.c
        query = select(func.min(outbox.run_at)).where(outbox.state == "pending")
        async with connected(self._read) as connection:
            due: int | None = await connection.scalar(query)
            return due


def _finished(done: Sequence[tuple[Job, str, int]]) -> Delete:
    """Those that are still as they were claimed. By their ids too: SQLite looks at every row for a tuple alone."""
    outbox = m.outbox.c
    key = tuple_(outbox.id, outbox.lease_owner, outbox.requested)
    return delete(m.outbox).where(
        outbox.id.in_([job.id for job, _, _ in done]),
        key.in_([(job.id, owner, job.requested) for job, owner, _ in done]),
    )
