"""What a machine may lack, and what then happens: one line and a skip; with CI=true a failure.

A test says what it needs with `@pytest.mark.requires("chromium")`; a fixture with `need("radicale")`.
"""

import asyncio
import importlib.util
import os
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import asyncpg
import pytest
from redis.asyncio import Redis
from redis.exceptions import RedisError

from tests.switches import in_ci

MISSING = "missing on this machine: "

_CHROMIUM_NAMES = ("chromium", "chromium-browser", "google-chrome")
_POSTGRESQL_DEFAULT = "postgresql+asyncpg://postgres@127.0.0.1:5432/postgres"


@cache
def chromium_path() -> str | None:
    """The Chromium to drive: HALFPAST_TEST_CHROMIUM, else the first found on PATH."""
    named = os.environ.get("HALFPAST_TEST_CHROMIUM")
    found = (shutil.which(name) for name in ((named,) if named else _CHROMIUM_NAMES))
    return next((path for path in found if path), None)


def postgresql_admin_url() -> str:
    """Where databases for tests are made; the role must be allowed to create them."""
    return os.environ.get("HALFPAST_TEST_POSTGRESQL", _POSTGRESQL_DEFAULT)


def as_asyncpg_dsn(url: str) -> str:
    """SQLAlchemy's address without the driver's name."""
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)


@cache
def shared_folder() -> Path:
    """The folder with contracts and suites beside the checkout; HALFPAST_SHARED names another."""
    return Path(os.environ.get("HALFPAST_SHARED", Path(__file__).parents[2] / "shared"))


@cache
def contracts_folder() -> Path:
    """The contracts of outside APIs; HALFPAST_CONTRACTS names another folder."""
    return Path(os.environ.get("HALFPAST_CONTRACTS", shared_folder() / "contracts"))


def _lacks_chromium() -> str | None:
    return None if chromium_path() else "Chromium (Debian: apt install chromium)"


def _lacks_postgresql() -> str | None:
    async def connect() -> None:
        connection = await asyncpg.connect(as_asyncpg_dsn(postgresql_admin_url()), timeout=5)
        await connection.close()

    try:
        asyncio.run(connect())
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        return f"PostgreSQL, set HALFPAST_TEST_POSTGRESQL ({type(error).__name__})"
    return None


def redis_url() -> str:
    """A Redis for tests; what they write there ends by itself."""
    return os.environ.get("HALFPAST_TEST_REDIS", "redis://127.0.0.1:6379/0")


def _lacks_redis() -> str | None:
    async def ping() -> None:
        client = Redis.from_url(redis_url(), socket_connect_timeout=2)
        try:
            await client.get("halfpast")
        finally:
            await client.aclose()

    try:
        asyncio.run(ping())
    except (RedisError, OSError) as error:
        return f"Redis, set HALFPAST_TEST_REDIS ({type(error).__name__})"
    return None


def _lacks_module(name: str) -> Callable[[], str | None]:
    return lambda: None if importlib.util.find_spec(name) else f"{name} (make test installs it)"


def _lacks_folder(folder: Callable[[], Path], variable: str) -> Callable[[], str | None]:
    return lambda: None if folder().is_dir() else f"the folder {folder().name}/ beside the checkout ({variable})"


def dovecot_path() -> str | None:
    """The IMAP server."""
    return shutil.which("dovecot", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


def _lacks_node() -> str | None:
    return None if shutil.which("node") and shutil.which("npm") else "Node.js (Debian: apt install nodejs npm)"


_CHECKS: dict[str, Callable[[], str | None]] = {
    "chromium": _lacks_chromium,
    "postgresql": _lacks_postgresql,
    "redis": _lacks_redis,
    "dovecot": lambda: None if dovecot_path() else "Dovecot (Debian: apt install dovecot-imapd)",
    "radicale": _lacks_module("radicale"),
    "xandikos": _lacks_module("xandikos"),
    "node": _lacks_node,
    "vdirsyncer": _lacks_module("vdirsyncer"),
    "openssl": lambda: None if shutil.which("openssl") else "OpenSSL (Debian: apt install openssl)",
    "contracts": _lacks_folder(contracts_folder, "HALFPAST_CONTRACTS"),
    "shared": _lacks_folder(shared_folder, "HALFPAST_SHARED"),
}


@cache
def lacking(name: str) -> str | None:
    """What is missing for `name`, in words; None when it is there. An unknown name is a KeyError."""
    return _CHECKS[name]()


def need(*names: str) -> None:
    """Go on only where all of `names` are there; else skip, or fail in CI."""
    for name in names:
        if (missing := lacking(name)) is None:
            continue
        if in_ci():
            pytest.fail(MISSING + missing, pytrace=False)
        pytest.skip(MISSING + missing)
