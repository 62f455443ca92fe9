"""Which handler does which kind of outbox work."""

from __future__ import annotations

from app.ports import Ports
from app.ports.outbox import Job
from app.use_cases.change_booking import complete_when_over, expire_hold
from app.use_cases.expand_collection import expand_collection, reread_calendar


async def expire_hold_job(ports: Ports, job: Job) -> int | None:
    """A pending booking's hold."""
    return await expire_hold(ports, job.subject_id)


async def complete_booking_job(ports: Ports, job: Job) -> int | None:
    """A confirmed booking's end."""
    return await complete_when_over(ports, job.subject_id)


async def expand_collection_job(ports: Ports, job: Job) -> int | None:
    """A built-in collection's recurring events, as time goes on."""
    return await expand_collection(ports, job.subject_id)


async def reread_calendar_job(ports: Ports, job: Job) -> None:
    """A calendar whose owner wants it read in another way."""
    await reread_calendar(ports, job.subject_id)
