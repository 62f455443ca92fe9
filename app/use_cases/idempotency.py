"""The same request twice acts once: the answer is kept for 24 h beside the change it made, in one transaction."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from app.domain.errors import Conflict, HalfpastError, IdempotencyMismatch
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork

KEEP_SECONDS = 24 * 3600
PURGED_AT_ONCE = 20
"""Each kept answer clears away some that are too old, so that they never pile up."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Replay(Generic[Result]):
    """One idempotent request. `scope` names caller (or link), route and key; `render` words the answer to keep, inside
    the transaction that makes the result."""

    scope: str
    body_hash: str
    render: Callable[[UnitOfWork, Result], Awaitable[str]]


async def once(ports: Ports, replay: Replay[Result], act: Callable[[], Awaitable[Result]]) -> str:
    """The first answer to this request; if there is none, `act` acts and hands its result to `remember`.

    A refusal is looked at twice: a twin of this request may have won meanwhile, and its answer is then this one's.
    """
    stored = await _stored(ports, replay)
    if stored is not None:
        return stored
    try:
        await act()
    except HalfpastError:
        stored = await _stored(ports, replay)
        if stored is None:
            raise
        return stored
    stored = await _stored(ports, replay)
    if stored is None:
        raise LookupError("What acted did not remember its answer.")
    return stored


async def remember(work: UnitOfWork, replay: Replay[Result] | None, result: Result, now: int) -> None:
    """Keep the answer, if the request wants that, in the transaction that acts; `Conflict` when a twin was first."""
    if replay is None:
        return
    too_old = now - KEEP_SECONDS
    if not await work.idempotency.put(replay.scope, replay.body_hash, await replay.render(work, result), now, too_old):
        raise Conflict("The same request is being worked on.")
    await work.idempotency.purge(too_old, PURGED_AT_ONCE)


async def _stored(ports: Ports, replay: Replay[Result]) -> str | None:
    async with ports.read() as work:
        stored = await work.idempotency.get(replay.scope, ports.clock() - KEEP_SECONDS)
    if stored is None:
        return None
    if stored.body_hash != replay.body_hash:
        raise IdempotencyMismatch("This Idempotency-Key was used with another request.")
    return stored.answer
