"""Small writes that come at the same time share one transaction: a commit costs far more than a row."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from app.db.engine import begun

Item = TypeVar("Item")
MOST = 100


class Together(Generic[Item]):
    """Writes items by `write`, those that gathered while the last transaction ran in one of their own. Who asks goes on
    when their item is committed, or with the error that undid it; an error of several is tried again one by one, so
    that nobody fails for another's item."""

    def __init__(
        self, engine: AsyncEngine, write: Callable[[AsyncConnection, Sequence[Item]], Awaitable[None]]
    ) -> None:
        self._engine = engine
        self._write = write
        self._waiting: list[tuple[Item, asyncio.Future[None]]] = []
        self._writer: asyncio.Task[None] | None = None

    async def add(self, item: Item) -> None:
        """Committed when it returns."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, done))
        if self._writer is None:
            self._writer = asyncio.create_task(self._run())
        await done

    async def _run(self) -> None:
        try:
            while self._waiting:
                group, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                await self._commit(group)
        finally:
            self._writer = None

    async def _commit(self, group: list[tuple[Item, asyncio.Future[None]]]) -> None:
        try:
            async with begun(self._engine) as connection:
                await self._write(connection, [item for item, _ in group])
        except Exception as error:
            if len(group) > 1:
                for each in group:
                    await self._commit([each])
            elif not group[0][1].done():
                group[0][1].set_exception(error)
        else:
            for _, done in group:
                if not done.done():
                    done.set_result(None)
