"""Views of links are noted beside the requests: they wait in memory and are stored a few at a time.

A process that dies loses the last seconds of them, and what comes while the database is away is not kept: views are
counted, not accounted for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import structlog

from app.ports.analytics import View
from app.ports.unit_of_work import UnitOfWork

log = structlog.get_logger()

MOST = 2000
PAUSE_SECONDS = 5.0


class ViewBuffer:
    """The views of this process that are not stored yet, at most `most`."""

    def __init__(self, unit_of_work: Callable[[], AbstractAsyncContextManager[UnitOfWork]], most: int = MOST) -> None:
        self._unit_of_work = unit_of_work
        self._most = most
        self._views: list[View] = []
        self._lost = 0

    def add(self, view: View) -> None:
        """Keep it, unless there are too many."""
        if len(self._views) < self._most:
            self._views.append(view)
        else:
            self._lost += 1

    async def flush(self) -> None:
        """Store what waits. What cannot be stored is lost, and said."""
        views, self._views = self._views, []
        try:
            if views:
                async with self._unit_of_work() as work:
                    await work.analytics.note(views)
                    await work.commit()
        except Exception as problem:
            self._lost += len(views)
            log.warning("views cannot be stored", reason=f"{type(problem).__name__}: {problem}")
        if self._lost:
            log.warning("views were not counted", views=self._lost)
            self._lost = 0

    async def run(self, stop: asyncio.Event, pause: float = PAUSE_SECONDS) -> Any:
        """Until `stop` is set, and then what is left."""
        while not stop.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), pause)
            await self.flush()
