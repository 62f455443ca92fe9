"""Run the web server (uvicorn) and the worker."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import ssl
import sys
from collections.abc import Awaitable, Callable
from typing import Any

import structlog
import uvicorn

from app.background import run_background
from app.config import BadSettings, Settings, load_settings, note_address
from app.db.sealed import require_keys
from app.db.version import is_current
from app.logs import configure_logging
from app.main import create_app
from app.use_cases.demo import demo_addresses
from app.wiring import Parts, wire
from calendar_feeds.caldav.discovery import with_discovery

log = structlog.get_logger()

M_ARENA_MAX = -8

_HOST, _PORT, _WORKERS, _WITH_WORKER = (
    "HALFPAST_SERVE_HOST",
    "HALFPAST_SERVE_PORT",
    "HALFPAST_SERVE_WORKERS",
    "HALFPAST_SERVE_WITH_WORKER",
)
"""How the parent tells its serving processes what it was called with."""
_TLS = ("HALFPAST_TLS_CERTFILE", "HALFPAST_TLS_KEYFILE")


def serve(
    host: str,
    port: int,
    workers: int,
    *,
    with_worker: bool,
    tls: tuple[str | None, str | None] = (None, None),
    reload: bool = False,
) -> None:
    """Serve until told to stop; prints the addresses once it answers. `tls` are the files of a certificate and its key,
    in place of those that are set."""
    configure_logging()
    os.environ.update({name: path for name, path in zip(_TLS, tls, strict=True) if path is not None})
    settings = load_settings(host=host, port=port)
    _check_certificate(settings)
    note_address(settings)
    addresses = asyncio.run(_prepare(settings))
    os.environ.update(
        {_HOST: host, _PORT: str(port), _WORKERS: str(workers), _WITH_WORKER: "yes" if with_worker else "no"}
    )
    options: dict[str, Any] = {
        "host": host,
        "port": port,
        "factory": True,
        "log_level": "warning",
        "access_log": False,
        "proxy_headers": False,  # the program reads forwarded addresses itself, from trusted proxies alone
        "server_header": False,
        "timeout_graceful_shutdown": 20,
        "lifespan": "on",
    }
    if settings.tls is not None:
        options |= {"ssl_certfile": str(settings.tls.certificate), "ssl_keyfile": str(settings.tls.key)}
    if workers > 1 or reload:
        _say(addresses)
        uvicorn.run("app.serve:application", workers=workers if workers > 1 else None, reload=reload, **options)
        return
    _Announcing(uvicorn.Config("app.serve:application", **options), lambda: _say(addresses)).run()


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def _check_certificate(settings: Settings) -> None:
    """Before anything is started: what serves would say it in many lines."""
    if settings.tls is None:
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(settings.tls.certificate, settings.tls.key)
    except OSError as problem:
        files = f"{settings.tls.certificate} and {settings.tls.key}"
        raise BadSettings(
            f"{files} are not a certificate and its key in PEM ({problem.strerror or problem})."
        ) from None


class _Announcing(uvicorn.Server):
    """Says where it is once it answers."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]) -> None:
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[Any] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self._announce()


async def _prepare(settings: Settings) -> str:
    """Check the database before any process starts, and word what is printed once it answers."""
    parts = wire(settings)
    try:
        await _check(parts)
        return await demo_addresses(parts.ports)
    finally:
        await parts.close()


async def _check(parts: Parts) -> None:
    if not await is_current(parts.database):
        raise BadSettings("The database is not at this version. Run: halfpast migrate")
    await require_keys(parts.database, parts.ports.vault)


def _share_arenas() -> None:
    """Let all threads share two of glibc's arenas (mallopt(3), M_ARENA_MAX). Each connection to SQLite has a thread,
    and each thread would keep what its largest answer took."""
    if sys.platform == "linux" and (mallopt := getattr(ctypes.CDLL(None), "mallopt", None)) is not None:
        mallopt(M_ARENA_MAX, 2)


def application() -> Callable[..., Awaitable[None]]:
    """What a serving process runs."""
    _share_arenas()
    configure_logging()
    settings = load_settings(host=os.environ.get(_HOST, "127.0.0.1"), port=int(os.environ.get(_PORT, "8000")))
    app = create_app(
        settings,
        workers=int(os.environ.get(_WORKERS, "1")),
        with_worker=os.environ.get(_WITH_WORKER, "yes") == "yes",
    )
    return with_discovery(app, app.state.caldav)


async def work(settings: Settings) -> None:
    """A worker process: until SIGTERM or SIGINT, finishing what is under way."""
    configure_logging()
    parts = wire(settings)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        await _check(parts)
        log.info("worker is ready")
        await run_background(parts, stop)
    finally:
        await parts.close()
