"""`halfpast serve` over a database of its own, with accounts that suites may fill and empty."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from app.db.migrate import migrate
from app.use_cases.manage_tokens import create_app_password, create_feed, feed_address
from tests.faults.processes import Server, make_programs
from tests.support.clock import Clock
from tests.support.workspace import Workspace, make_workspace, opened

ACCOUNTS = 12
BOOKINGS = 12
_PASSWORD = "suite-device-password-0123456789-"
_DAY = 86400


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody with a device, as clients know them."""

    name: str
    password: str


@dataclass(frozen=True, slots=True)
class Site:
    """A running server. `feed` is the address of a schedule with bookings in it."""

    url: str
    feed: str

    def account(self, number: int) -> Account:
        """One of the accounts, from 1 to `ACCOUNTS`."""
        name = f"user{number:02d}"
        return Account(name, _PASSWORD + name)

    def home(self, account: Account) -> str:
        """The address of somebody's calendars."""
        return f"{self.url}/dav/calendars/{account.name}/"


@contextmanager
def site(database_url: str, folder: Path) -> Iterator[Site]:
    """Serve until the block ends. The server must have said nothing of an error of its own."""
    [server] = make_programs(1, 0, database_url, folder, {})
    assert isinstance(server, Server)
    server.environ["HALFPAST_BASE_URL"] = server.url
    feed = asyncio.run(_fill(database_url, folder, server.url))
    server.start()
    try:
        asyncio.run(server.ready())
        yield Site(server.url, feed)
    finally:
        server.stop()
    server.check_log()


async def _fill(database_url: str, folder: Path, url: str) -> str:
    now = int(time.time())
    async with opened(database_url, folder, Clock(now), tables=False) as parts:
        await migrate(parts.database)
        workspace = await make_workspace(parts, Clock(now))
        for number in range(1, ACCOUNTS + 1):
            user = await workspace.user(f"user{number:02d}")
            await create_app_password(parts.ports, user, "Suite", _PASSWORD + user.handle)
        return url + await _booked_feed(workspace, now)


async def _booked_feed(workspace: Workspace, now: int) -> str:
    link = await workspace.link()
    for number in range(BOOKINGS):
        await workspace.book(link, (now // _DAY + 2 + number) * _DAY + 36000)
    feed = await create_feed(workspace.ports, workspace.owner)
    return "/feeds/" + feed_address(workspace.ports, feed).rpartition("/")[2]
