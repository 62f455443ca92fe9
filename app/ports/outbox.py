"""Work that follows a commit. One row a lane: asking again for the same lane folds into the row that is there, since
handlers bring the other side to the current state and replay nothing. So order per lane needs no queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class NewJob:
    """Ask for work. `lane` names subject and target, such as `booking:<id>:mail:recipient`; `kind` picks the handler;
    `run_at` is the earliest instant."""

    org_id: str
    lane: str
    kind: str
    subject_id: str
    run_at: int
    payload: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Job:
    """A leased row. `requested` counts the askings; finishing an older count than the row's leaves it pending."""

    id: str
    org_id: str
    lane: str
    kind: str
    subject_id: str
    payload: Mapping[str, Any]
    requested: int
    attempts: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A job that was given up, as the owner sees it."""

    id: str
    lane: str
    kind: str
    subject_id: str
    attempts: int
    error: str
    updated_at: int


@dataclass(frozen=True, slots=True)
class OpenJob:
    """Work that is not done: `state` is pending or dead, `error` what the last try met (empty: none was made)."""

    id: str
    lane: str
    kind: str
    state: str
    attempts: int
    run_at: int
    error: str


class Outbox(Protocol):
    """Inside the transaction that decided the work."""

    async def enqueue(self, jobs: Sequence[NewJob], now: int) -> None:
        """Insert, or fold into the lane's row: `requested` rises, a dead row lives again, `run_at` becomes the new
        one, attempts start anew."""
        ...

    async def drop(self, lanes: Sequence[str]) -> None:
        """Withdraw work that no longer has a reason (a follow-up of a cancelled booking)."""
        ...

    async def is_wanted(self, job: Job) -> bool:
        """Whether the work was not withdrawn since it was claimed. Its row is locked until the end of the transaction:
        who withdraws it meanwhile waits, and finds what was written with this."""
        ...

    async def open_jobs(self, org_id: str, subject_id: str) -> list[OpenJob]:
        """What has still to follow for one subject."""
        ...

    async def due(self, lanes: Sequence[str]) -> Mapping[str, int]:
        """When the pending work of these lanes is due, epoch seconds; lanes that wait for nothing are left out."""
        ...

    async def dead(self, org_id: str, limit: int = 200, after_id: str | None = None) -> list[DeadLetter]:
        """In the order of ids, from behind `after_id` on."""
        ...

    async def dead_count(self) -> int:
        """Of the whole server, for the doctor."""
        ...

    async def retry(self, org_id: str, job_id: str, now: int) -> bool: ...


class JobQueue(Protocol):
    """The worker's side; each call is a short transaction of its own."""

    async def claim(self, owner: str, now: int, lease_seconds: int, limit: int) -> list[Job]:
        """Lease due rows nobody else holds."""
        ...

    async def finish(self, job: Job, owner: str, now: int) -> None:
        """Done: the row goes, unless it was asked for again meanwhile."""
        ...

    async def again(self, job: Job, owner: str, run_at: int, now: int) -> None:
        """Not an error: run once more at `run_at` (periodic work)."""
        ...

    async def fail(
        self, job: Job, owner: str, error: str, run_at: int | None, now: int, then: NewJob | None = None
    ) -> None:
        """Try again at `run_at`, or give up (None): the row is a dead letter, and `then` is asked for in the same
        transaction."""
        ...

    async def next_due(self) -> int | None: ...
