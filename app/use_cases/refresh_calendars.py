"""At booking time: bring the conflict calendars of the hosts in question up to date, as far as a short time allows."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from app.domain.errors import HalfpastError
from app.ports import Ports
from app.use_cases.sync_calendar import sync_calendar

log = structlog.get_logger()

_under_way: dict[str, asyncio.Task[None]] = {}
"""The question in flight for each calendar: whoever wants to know too waits for the same answer."""


async def refresh_calendars(ports: Ports, user_ids: Sequence[str], now: int, budget_seconds: float = 2.0) -> None:
    """Ask all connected conflict calendars of these users at once and wait at most `budget_seconds`.

    Failures are recorded by the sync and not raised: a calendar that does not answer counts with its last copy within
    the age limit. One that answers too late is still stored when it does, for whoever books next.
    """
    async with ports.read() as work:
        calendars = await work.calendars.conflict_calendars(user_ids)
    questions = [_question(ports, calendar.id) for calendar in calendars if (calendar.synced_at or 0) <= now]
    if questions:
        await asyncio.wait(questions, timeout=budget_seconds)


def _question(ports: Ports, calendar_id: str) -> asyncio.Task[None]:
    running = _under_way.get(calendar_id)
    if running is not None and not running.done():
        return running
    task = asyncio.create_task(_ask(ports, calendar_id))
    _under_way[calendar_id] = task
    task.add_done_callback(lambda done: _forget(calendar_id, done))
    return task


def _forget(calendar_id: str, done: asyncio.Task[None]) -> None:
    if _under_way.get(calendar_id) is done:
        del _under_way[calendar_id]


async def _ask(ports: Ports, calendar_id: str) -> None:
    try:
        await sync_calendar(ports, calendar_id)
    except HalfpastError as error:
        log.info("calendar not refreshed", calendar=calendar_id, reason=error.detail)
    except Exception:
        log.exception("calendar not refreshed", calendar=calendar_id)
