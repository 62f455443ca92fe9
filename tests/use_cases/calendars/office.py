"""Three hosts, each with a write calendar at another provider, and what must hold of both sides once all is quiet."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import select

from app.config import load_settings
from app.db import models as m
from app.domain.bookings import Booking
from app.domain.calendars import Calendar, CalendarAccount
from app.domain.links import Link
from app.ports.calendars import Credentials, SignIn
from app.ports.channels import CalendarChannel
from app.ports.people import User
from app.use_cases import refresh_calendars
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars
from app.use_cases.connect_calendar import NewAccount, connect_calendar, list_event_calendars, store_account
from app.use_cases.follow_edit import answer_edit
from app.use_cases.ids import new_id
from app.use_cases.manage_people import create_organization
from app.use_cases.take_push import take_push
from app.wiring import wire
from app.worker import Worker
from integrations.oauth import OAuthClient
from tests.fakes.certificates import Authority
from tests.fakes.google import FakeGoogle
from tests.fakes.microsoft import FakeMicrosoft, fake_microsoft
from tests.providers.backends import CalDavBackend
from tests.providers.microsoft_backend import REQUEST, query_of
from tests.support.calendar_servers import PASSWORD, USER, Box, CalendarServer
from tests.support.clock import MONDAY, Clock
from tests.support.workspace import Workspace, environment
from tests.use_cases.calendars.sides import CalDavSide, GoogleSide, MicrosoftSide, Side, joined
from tests.use_cases.calendars.world import show_only

ANA, BEN = "ana@example.com", "ben@example.com"
POLL_SECONDS = 600
LONGEST_ROUNDS = 40
_FOLLOW_LATER = frozenset({"sync_calendar", "complete_booking", "followup"})
"""Work that is left when all is quiet."""


@dataclass
class Office(Workspace):
    """The owner keeps a CalDAV calendar, Ana one at Google, Ben one at Microsoft. `links` are their own, and one that
    Ana and Ben host together."""

    def __post_init__(self) -> None:
        self.sides: dict[str, Side] = {}
        self.links: list[Link] = []
        self.channels: list[CalendarChannel] = []

    # opening

    async def connect_caldav(self, box: Box, remote: CalDavBackend, server: CalendarServer) -> None:
        """The owner's calendar, a new one on the server."""
        name = await remote.make_calendar()
        box.change = show_only(name.replace(server.url, "/"))
        new = NewAccount("caldav", box.url, USER, PASSWORD)
        account = await connect_calendar(self.ports, self.owner, new)
        await self._take(self.owner, account, CalDavSide(box, remote, name))

    async def connect_google(self, google: FakeGoogle, user: User) -> None:
        """As the way back from the consent page does."""
        secret = google.person(ANA).to_text()
        await self._take(user, await self._signed_in("google", user, ANA, secret), GoogleSide(google, ANA))

    async def connect_microsoft(self, microsoft: FakeMicrosoft, user: User) -> None:
        """As the way back from the consent page does."""
        mailbox = microsoft.account(BEN)
        sign_in = cast("SignIn", self.ports.providers["microsoft"])
        code = microsoft.identity.code_for(query_of(sign_in.authorization_url(REQUEST)), BEN)
        grant = await sign_in.redeem(REQUEST, {"state": REQUEST.state, "code": code})
        account = await self._signed_in("microsoft", user, BEN, grant.secret)
        await self._take(user, account, MicrosoftSide(microsoft, mailbox))

    async def _signed_in(self, provider: str, user: User, email: str, secret: str) -> CalendarAccount:
        found = Credentials("", email, secret)
        remote = await list_event_calendars(self.ports.providers[provider], found)
        return await store_account(self.ports, user, NewAccount(provider, "", email, secret), found, remote)

    async def _take(self, user: User, account: CalendarAccount, side: Side) -> None:
        async with self.ports.read() as work:
            (calendar,) = await work.calendars.calendars_in(account.id)
        await choose_calendars(self.ports, user, account.id, [CalendarChoice(calendar.id, None, True)])
        side.calendar = calendar
        self.sides[user.id] = side
        await self._open_channel(calendar)

    async def _open_channel(self, calendar: Calendar) -> None:
        """As if the provider had agreed to push (which they do to public addresses alone)."""
        channel = CalendarChannel(
            new_id(), calendar.org_id, calendar.id, calendar.provider, new_id(), "a token", self.clock.now + 86400
        )
        async with self.ports.unit_of_work() as work:
            await work.channels.add(channel, self.clock.now)
            await work.commit()
        self.channels.append(channel)

    async def open_links(self) -> None:
        """Everybody's own link, and the shared one."""
        self.links = [await self.link(user.handle, user) for user in self.users]
        self.links.append(await self.shared_link("collective", self.users[1:]))

    # time

    async def work(self, seconds: int = 0) -> None:
        """Let time pass, then do all that is due, and wait for questions that outlived their asker."""
        self.clock.advance(seconds)
        await Worker(self.ports, self.parts.handlers).drain()
        running = [each for each in refresh_calendars._under_way.values() if not each.done()]
        if running:
            await asyncio.wait(running, timeout=20)

    async def push(self, number: int, copies: int) -> None:
        """A provider says that something changed, maybe more than once."""
        channel = self.channels[number % len(self.channels)]
        for _ in range(copies):
            assert await take_push(self.ports, channel, channel.provider, channel.token)

    async def settle(self, *, accept: bool) -> None:
        """Mend everything, and go on until nothing is left to do. Who is asked what they meant answers `accept`."""
        for side in self.sides.values():
            side.heal()
        began = self.clock.now
        for _ in range(LONGEST_ROUNDS):
            before = self.writes()
            await self.work(POLL_SECONDS)
            await self._answer(accept=accept)
            if self.writes() == before and await self._is_quiet(began):
                return
        raise AssertionError(f"it does not come to rest: {await self._left()}, {self.writes()[-20:]}")

    async def _answer(self, *, accept: bool) -> None:
        for user in self.users:
            async with self.ports.read() as work:
                edits = await work.calendar_edits.of_user(user.id)
            for edit in edits:
                if edit.is_asked:
                    await answer_edit(self.ports, user.id, edit.booking_id, edit.calendar_id, accept=accept)

    async def _left(self) -> list[str]:
        rows = await self.rows(m.outbox)
        return [f"{row['state']} {row['lane']} {row['last_error']}" for row in rows if row["kind"] not in _FOLLOW_LATER]

    async def _is_quiet(self, began: int) -> bool:
        """Nothing to do, nothing to ask, and every calendar was read since `began`."""
        calendars = await self.rows(select(m.calendars).where(m.calendars.c.sync_cursor.is_not(None)))
        is_read = all(row["synced_at"] > began and row["sync_error"] is None for row in calendars)
        return is_read and not await self._left() and not await self.rows(m.calendar_edits)

    def writes(self) -> list[str]:
        """All requests to providers that change something."""
        return [each for side in self.sides.values() for each in side.writes()]

    # what must hold when all is quiet

    async def check_at_rest(self, bookings: list[Booking]) -> None:
        """Both sides are equal, nothing is there twice, nothing is lost, and nothing comes back as a change."""
        for user_id, side in self.sides.items():
            await self._check_side(user_id, side, bookings)
        assert [row for row in await self.rows(m.outbox) if row["state"] == "dead"] == []
        stored = [await self.stored(booking) for booking in bookings]
        before = self.writes()
        for _ in range(2):
            await self.work(POLL_SECONDS)
        assert self.writes()[len(before) :] == [], "an own write came back as a change"
        assert [await self.stored(booking) for booking in bookings] == stored

    async def _check_side(self, user_id: str, side: Side, bookings: list[Booking]) -> None:
        stored = [await self.stored(booking) for booking in bookings]
        mine = [each for each in stored if user_id in {host.id for host in each.hosts}]
        wanted = sorted((each.uid, each.start, each.end) for each in mine if each.status == "confirmed")
        there = sorted((each.uid, each.start, each.end) for each in await side.events() if each.uid)
        assert there == wanted, f"{side.calendar.provider}: events and bookings differ"
        busy = m.busy_intervals.c
        rows = await self.rows(
            select(busy.start_at, busy.end_at).where(busy.calendar_id == side.calendar.id).order_by(busy.start_at)
        )
        found = joined((row["start_at"], row["end_at"]) for row in rows)
        assert found == await side.busy(), f"{side.calendar.provider}: busy time differs"


@asynccontextmanager
async def open_office(
    database_url: str, folder: Path, server: CalendarServer, authority: Authority
) -> AsyncIterator[Office]:
    """An office over a database with empty tables. Ends with both fakes' contracts kept."""
    clock = Clock(MONDAY)
    async with AsyncExitStack() as stack:
        google = await FakeGoogle(clock).start()
        stack.push_async_callback(google.stop)
        microsoft = await stack.enter_async_context(fake_microsoft(authority))
        box = await Box(upstream=server.url).start()
        stack.push_async_callback(box.stop)
        remote = CalDavBackend(server)
        stack.push_async_callback(remote.close)
        environ = {
            **environment(database_url, folder),
            **_registered("GOOGLE", google.client, "OAUTH_ENDPOINT", "API_ENDPOINT"),
            **_registered("MICROSOFT", microsoft.client, "AUTHORITY", "GRAPH_ENDPOINT"),
        }
        parts = wire(load_settings(environ), clock=clock)
        stack.push_async_callback(parts.close)
        office = Office(parts, clock, await create_organization(parts.ports, "Acme", "acme"))
        await office.user("owner")
        ana, ben = await office.user("ana"), await office.user("ben")
        await office.connect_caldav(box, remote, server)
        await office.connect_google(google, ana)
        await office.connect_microsoft(microsoft, ben)
        await office.open_links()
        await office.work(60)
        yield office
        assert google.broken == []


def _registered(name: str, client: OAuthClient, sign_in: str, api: str) -> dict[str, str]:
    return {
        f"HALFPAST_{name}_CLIENT_ID": client.client_id,
        f"HALFPAST_{name}_CLIENT_SECRET": client.client_secret,
        f"HALFPAST_{name}_{sign_in}": client.sign_in,
        f"HALFPAST_{name}_{api}": client.api,
    }
