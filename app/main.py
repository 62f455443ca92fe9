"""Builds the application: the addresses, and what is behind them."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from litestar import Litestar

from app import wiring
from app.background import run_background
from app.config import Settings
from app.published import caldav, feeds
from app.routes import routes
from app.use_cases.note_views import ViewBuffer
from app.web.api.availability import Answers


def create_app(
    settings: Settings,
    *,
    workers: int = 1,
    with_worker: bool = True,
    clock: Callable[[], int] = wiring.system_clock,
) -> Litestar:
    """The program as an ASGI application; `workers` is how many processes share the rate limits."""
    app = routed(settings)
    furnish(app, settings, workers=workers, with_worker=with_worker, clock=clock)
    return app


def routed(settings: Settings) -> Litestar:
    """The application with an empty state, which `furnish` fills."""
    return routes(settings.base_url, settings.trusted_proxies, _lifespan)


def furnish(app: Litestar, settings: Settings, *, workers: int, with_worker: bool, clock: Callable[[], int]) -> None:
    """Put behind the addresses what the settings say; it starts and ends with the application's lifespan."""
    parts = wiring.wire(settings, workers, clock)
    app.state.update(
        {
            "parts": parts,
            "with_worker": with_worker,
            "views": ViewBuffer(parts.ports.unit_of_work),
            "ports": parts.ports,
            "limits": parts.limits,
            "answers": Answers(),
            "trusted_proxies": settings.trusted_proxies,
            "mail_folder": parts.mail_folder,
            "caldav": caldav(parts),
            "feeds": feeds(parts),
        }
    )


@asynccontextmanager
async def _lifespan(app: Litestar) -> AsyncIterator[None]:
    state = app.state
    stop = asyncio.Event()
    tasks = [asyncio.create_task(state.views.run(stop))]
    if state.with_worker:
        tasks.append(asyncio.create_task(run_background(state.parts, stop)))
    # What is there by now stays: collections need not look at it again and again.
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)
        await state.parts.close()
