"""Rate limits by `limits`: in memory, or in Redis when several processes share them."""

from __future__ import annotations

import math
import time
from typing import Any

import structlog
from limits import RateLimitItem, parse
from limits.aio.storage import MemoryStorage, RedisStorage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import StorageError
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler

from app.domain.errors import RateLimited
from app.web.addresses import client_address

log = structlog.get_logger()

REDIS_SECONDS = 1.0
PAUSE_SECONDS = 5.0
"""How long Redis is left alone after it failed; meanwhile each process holds its own share of the limits."""


class RateLimits:
    """Named limits. Without Redis each of `workers` processes gets its share."""

    def __init__(self, rates: dict[str, str], redis_url: str | None, workers: int) -> None:
        self._items = {name: parse(rate) for name, rate in rates.items()}
        self._shares = {name: _share(item, workers) for name, item in self._items.items()}
        self._own = FixedWindowRateLimiter(MemoryStorage())
        self._redis = _redis(redis_url) if redis_url else None
        self._redis_from = 0.0

    async def hit(self, name: str, party: str) -> None:
        """Count one request of `party`; `RateLimited` (and a log line) when it is over."""
        wait = await self._wait(name, party)
        if wait is None:
            return
        log.warning("rate limited", limit=name, party=party, retry_after=wait)
        raise RateLimited("Too many requests. Please wait a moment.", wait)

    async def _wait(self, name: str, party: str) -> int | None:
        """None when the request is within the limit, else the seconds until the next one will be."""
        if self._redis is not None and time.monotonic() >= self._redis_from:
            try:
                return await _count(FixedWindowRateLimiter(self._redis), self._items[name], name, party)
            except StorageError as problem:
                self._redis_from = time.monotonic() + PAUSE_SECONDS
                log.warning("rate limits are not shared: Redis does not answer", reason=str(problem))
        return await _count(self._own, self._shares[name], name, party)

    async def ping(self) -> None:
        """Ask Redis, if there is one to share the limits, whether it answers."""
        if self._redis is not None:
            bridge: Any = self._redis.bridge
            await bridge.storage.ping()

    async def aclose(self) -> None:
        """Give back the connections to Redis."""
        if self._redis is not None:
            bridge: Any = self._redis.bridge
            await bridge.storage.aclose()


async def _count(limiter: FixedWindowRateLimiter, item: RateLimitItem, name: str, party: str) -> int | None:
    if await limiter.hit(item, name, party):
        return None
    reset, _ = await limiter.get_window_stats(item, name, party)
    return max(1, math.ceil(reset - time.time()))


def _redis(url: str) -> RedisStorage:
    return RedisStorage(
        url,
        wrap_exceptions=True,
        implementation="redispy",
        key_prefix="halfpast",
        socket_connect_timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
    )


def _share(item: RateLimitItem, workers: int) -> RateLimitItem:
    return type(item)(max(1, item.amount // workers), item.multiples)


class LimitByAddress:
    """A Litestar guard: one limit per client address."""

    def __init__(self, name: str) -> None:
        self._name = name

    async def __call__(self, connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        limits: RateLimits = connection.app.state.limits
        await limits.hit(self._name, client_address(connection))
