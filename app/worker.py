"""Drains the outbox: embedded in `serve`, or a process of its own.

A job's lease outlives its handler's time limit, so that no two workers ever run one lane at once; a killed worker's
jobs come free when their leases end.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import random
import socket
from collections.abc import Awaitable, Callable, Mapping

import structlog

from app.domain.errors import NotBegun, NotFound, ProviderFailure
from app.ports import Ports
from app.ports.audit import ORIGIN, Origin
from app.ports.outbox import Job, NewJob
from app.use_cases.ids import new_id

log = structlog.get_logger()

Handler = Callable[[Ports, Job], Awaitable[int | None]]
"""Brings the other side to the current state. Returns None when done, or the instant to run again at."""

TIME_LIMIT_SECONDS = 90
LEASE_SECONDS = 120
BATCH = 32
LEAST = 8
"""So many places are free before more is claimed: each claim is a transaction."""
ROOM_SECONDS = 0.25
IDLE_SECONDS = 1.0
MAX_ATTEMPTS = 12
FIRST_DELAY_SECONDS = 5
MAX_DELAY_SECONDS = 3600
FINAL = frozenset({"rejected"})
"""Failures that no repetition mends."""
AFTERMATH: Mapping[str, str] = {"scheduling_mail": "scheduling_mail_failed", "remove_contact": "contact_left"}
"""What giving up work of a kind asks for: work of another, with the same payload."""

FROM_CALENDARS = frozenset({"sync_calendar", "reread_calendar", "follow_edit"})
"""Work that brings what people changed in their calendars."""


class WorkerDied(Exception):
    """A job that no worker has survived: whatever it does, it is not tried again."""


class Worker:
    """Claims due jobs and runs them, a bounded number at once."""

    def __init__(self, ports: Ports, handlers: Mapping[str, Handler], *, idle_seconds: float = IDLE_SECONDS) -> None:
        self._ports = ports
        self._handlers = handlers
        self._idle = idle_seconds
        self._owner = f"{socket.gethostname()}:{os.getpid()}:{new_id()[-8:]}"[:64]
        self._running: set[asyncio.Task[None]] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; jobs under way are finished."""
        try:
            while not stop.is_set():
                if not await self.claim_and_start():
                    await _wait(stop, self._idle)
        finally:
            if self._running:
                await asyncio.wait(self._running, timeout=TIME_LIMIT_SECONDS)

    async def claim_and_start(self) -> int:
        """Start what is due, up to the bound; how many jobs were started."""
        room = BATCH - len(self._running)
        if room < LEAST:
            await self._make_room()
            room = BATCH - len(self._running)
            if room <= 0:
                return 1
        try:
            jobs = await self._ports.jobs.claim(self._owner, self._ports.clock(), LEASE_SECONDS, room)
        except Exception:
            # The database may be away for a moment; the worker is not what should end then.
            log.exception("outbox cannot be read")
            return 0
        for job in jobs:
            task = asyncio.create_task(self._run(job))
            self._running.add(task)
            task.add_done_callback(self._running.discard)
        return len(jobs)

    async def _make_room(self) -> None:
        """Wait for some places; not for long, since one is better than none."""
        clock = asyncio.get_running_loop().time
        until = clock() + ROOM_SECONDS
        while BATCH - len(self._running) < LEAST and (left := until - clock()) > 0:
            await asyncio.wait(self._running, timeout=left, return_when=asyncio.FIRST_COMPLETED)

    async def drain(self) -> None:
        """Run everything that is due now, and what that makes due now; for tests and tools."""
        while await self.claim_and_start() or self._running:
            if self._running:
                await asyncio.wait(self._running)

    async def _run(self, job: Job) -> None:
        queue, now = self._ports.jobs, self._ports.clock
        via = "calendar" if job.kind in FROM_CALENDARS else "system"
        ORIGIN.set(lambda: Origin(via))  # of this task alone
        try:
            if job.attempts > MAX_ATTEMPTS:
                raise WorkerDied(f"{job.attempts - 1} tries ended with the death of their worker")
            async with asyncio.timeout(TIME_LIMIT_SECONDS):
                run_at = await self._handlers[job.kind](self._ports, job)
            if run_at is None:
                await queue.finish(job, self._owner, now())
            else:
                await queue.again(job, self._owner, run_at, now())
        except NotFound:
            await queue.finish(job, self._owner, now())  # what the work was about is gone
        except NotBegun:
            await queue.again(job, self._owner, now() + retry_delay(1), now())
        except Exception as error:
            await self._fail(job, error)

    async def _fail(self, job: Job, error: Exception) -> None:
        reason = f"{type(error).__name__}: {error}"
        final = job.attempts >= MAX_ATTEMPTS or (isinstance(error, ProviderFailure) and error.kind in FINAL)
        now = self._ports.clock()
        run_at = None if final else now + retry_delay(job.attempts, error)
        if isinstance(error, ProviderFailure | TimeoutError):
            log.warning("job failed", lane=job.lane, attempts=job.attempts, reason=reason, gives_up=final)
        else:
            log.error("job failed", lane=job.lane, attempts=job.attempts, gives_up=final, exc_info=error)
        try:
            await self._ports.jobs.fail(job, self._owner, reason, run_at, now, _aftermath(job, now) if final else None)
        except Exception:
            log.exception("outbox cannot be written", lane=job.lane)  # the lease will end


def _aftermath(job: Job, now: int) -> NewJob | None:
    kind = AFTERMATH.get(job.kind)
    return None if kind is None else NewJob(job.org_id, f"{job.lane}:failed", kind, job.subject_id, now, job.payload)


def retry_delay(attempts: int, error: Exception | None = None) -> int:
    """Seconds until the next try: doubling, with jitter, and never sooner than the other side asked for."""
    base = min(MAX_DELAY_SECONDS, FIRST_DELAY_SECONDS << min(attempts - 1, 20))
    delay = base + int(random.uniform(0, base / 4))  # noqa: S311  # spreads retries; nothing secret hangs on it
    asked = error.retry_after if isinstance(error, ProviderFailure) else None
    return max(delay, asked or 0)


async def _wait(stop: asyncio.Event, seconds: float) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(stop.wait(), seconds)
