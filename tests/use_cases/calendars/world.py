"""What the tests of connected calendars share."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from app.db import models as m
from app.domain.calendars import Calendar, CalendarAccount
from app.use_cases import refresh_calendars
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars
from app.use_cases.connect_calendar import NewAccount, connect_calendar
from app.use_cases.ids import new_id
from app.worker import Worker
from tests.providers.backends import CalDavBackend
from tests.support.calendar_servers import PASSWORD, USER, Box, CalendarServer
from tests.support.workspace import Workspace, event_text


def show_only(*paths: str) -> Callable[[str], str]:
    """A change of a box's answers: listings of the account's home show the calendars at these paths alone."""
    response = re.compile(r"<response>.*?</response>", re.DOTALL)

    def keep(match: re.Match[str]) -> str:
        href = re.search(r"<href>(.*?)</href>", match[0])
        path = href[1] if href else ""
        is_other = path.startswith(f"/{USER}/") and path != f"/{USER}/"
        return "" if is_other and not path.startswith(paths) else match[0]

    return lambda text: response.sub(keep, text)


@dataclass
class CalendarWorld(Workspace):
    """`box` stands before the server, as the program sees it; `remote` reaches around it, as other devices do."""

    box: Box = field(kw_only=True)
    remote: CalDavBackend = field(kw_only=True)
    server: CalendarServer = field(kw_only=True)

    # what other devices do

    async def remote_calendar(self) -> str:
        """A new calendar on the server; its address as other devices have it."""
        return await self.remote.make_calendar()

    async def event(self, calendar: str, start: int, end: int, uid: str | None = None) -> str:
        """An event in it; its key."""
        uid = uid or new_id()
        return await self.remote.put(calendar, uid, event_text(uid, start, end))

    def seen_here(self, calendar: str) -> str:
        """The address of a calendar as the program has it."""
        return calendar.replace(self.server.url, self.box.url)

    # what the owner does

    async def connect(self, remote: str, **values: Any) -> Calendar:
        """Connect the account; the mirror of `remote`. Other tests' calendars on the server are left out."""
        self.only(remote)
        new = NewAccount("caldav", self.box.url, USER, values.pop("secret", PASSWORD))
        account = await connect_calendar(self.ports, self.owner, new)
        return next(each for each in await self.calendars(account) if each.name == self.seen_here(remote))

    def only(self, *calendars: str) -> None:
        """Let listings show these calendars alone."""
        self.box.change = show_only(*(calendar.replace(self.server.url, "/") for calendar in calendars))

    async def write_to(self, calendar: Calendar) -> None:
        """Have bookings written there."""
        await choose_calendars(self.ports, self.owner, calendar.account_id, [CalendarChoice(calendar.id, None, True)])

    # what is stored

    async def calendars(self, account: CalendarAccount) -> list[Calendar]:
        async with self.ports.read() as work:
            return await work.calendars.calendars_in(account.id)

    async def calendar(self, calendar: Calendar) -> Calendar:
        """As it is stored now."""
        async with self.ports.read() as work:
            found = await work.calendars.calendar(calendar.id)
        assert found is not None
        return found

    async def account(self, calendar: Calendar) -> CalendarAccount:
        """The calendar's account as it is stored now."""
        async with self.ports.read() as work:
            found = await work.calendars.account(calendar.account_id)
        assert found is not None
        return found

    async def busy_times(self, calendar: Calendar) -> list[tuple[int, int]]:
        """The stored busy time of a calendar."""
        busy = m.busy_intervals.c
        rows = await self.rows(
            select(busy.start_at, busy.end_at).where(busy.calendar_id == calendar.id).order_by(busy.start_at)
        )
        return [(row["start_at"], row["end_at"]) for row in rows]

    async def revision(self) -> int:
        """The owner's host revision."""
        rows = await self.rows(select(m.hosts.c.revision).where(m.hosts.c.id == self.owner.id))
        revision: int = rows[0]["revision"]
        return revision

    async def lanes(self) -> dict[str, int]:
        """What is in the outbox, by lane, and when it runs."""
        return {row["lane"]: row["run_at"] for row in await self.rows(m.outbox)}

    # time

    async def work(self, seconds: int = 0) -> None:
        """Let time pass, then do all that is due."""
        self.clock.advance(seconds)
        await Worker(self.ports, self.parts.handlers).drain()

    async def settled(self) -> None:
        """Wait for questions that outlived their asker."""
        running = list(refresh_calendars._under_way.values())
        if running:
            await asyncio.wait(running, timeout=20)
