"""A worker killed at the worst moments: after the other side took something, before the program could note it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web
from aiosmtpd.smtp import SMTP, Envelope, Session
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.change_booking import take_step
from app.worker import LEASE_SECONDS
from tests.faults.host_calendar import events_in, make_calendar, write_into
from tests.faults.invariants import check_all, untold
from tests.faults.site import Site, free_leases, site
from tests.providers.mail.smtp_server import Inbox, smtp_server
from tests.support.calendar_servers import Box, radicale
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(300)]


@dataclass
class Deadly(Inbox):
    """A mail server that keeps the first mail and does not get to answer: its client is dead by then."""

    accepted: asyncio.Event = field(default_factory=asyncio.Event)
    buried: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        self.accepted.set()
        await self.buried.wait()
        return answer


async def book(place: Site) -> Booking:
    link = await place.workspace.link()
    return await place.workspace.book(link, place.day)


async def kill_and_restart(place: Site) -> None:
    (worker,) = place.programs
    await asyncio.to_thread(worker.kill)
    worker.start()
    await worker.ready()


async def until_told(place: Site) -> None:
    async def all_told() -> bool:
        await free_leases(place)
        return not await untold(place.workspace.parts.database, int(time.time()))

    await eventually(all_told, "the next worker has done it all", 120, 0.2)
    await check_all(place.workspace.parts.database)


async def test_a_mail_that_was_taken_but_not_noted_comes_again_as_the_same_mail(
    database_url: str, tmp_path: Path
) -> None:
    inbox = Deadly()
    async with (
        smtp_server(inbox),
        site(database_url, tmp_path, 0, 1, {"HALFPAST_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}"}) as place,
    ):
        await book(place)
        async with asyncio.timeout(60):
            await inbox.accepted.wait()
        await kill_and_restart(place)
        inbox.buried.set()
        await until_told(place)
        ids = [str(message["Message-ID"]) for message in inbox.messages]
        told = {str(message["To"]) for message in inbox.messages}
        assert len(told) == 2  # the recipient and the host
        assert len(set(ids)) == 2
        assert len(ids) > 2  # the dead one's came again, and said so


async def test_a_dead_workers_lease_keeps_others_away_until_it_ends(database_url: str, tmp_path: Path) -> None:
    inbox = Deadly()
    async with (
        smtp_server(inbox),
        site(database_url, tmp_path, 0, 1, {"HALFPAST_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}"}) as place,
    ):
        booking = await book(place)
        async with asyncio.timeout(60):
            await inbox.accepted.wait()
        (worker,) = place.programs
        assert worker.process is not None
        await kill_and_restart(place)
        leased = select(m.outbox).where(m.outbox.c.lease_owner.is_not(None), m.outbox.c.subject_id == booking.id)
        rows = await place.workspace.rows(leased)
        assert rows
        for row in rows:
            assert any(f":{pid}:" in row["lease_owner"] for pid in worker.killed)
            assert time.time() < row["lease_until"] <= time.time() + LEASE_SECONDS
        jobs = place.workspace.ports.jobs
        ours = [job for job in await jobs.claim("ours", int(time.time()), 1, 99) if job.subject_id == booking.id]
        assert ours == []
        taken = await jobs.claim("ours", int(time.time()) + LEASE_SECONDS, 1, 99)
        assert {job.id for job in taken} >= {row["id"] for row in rows}
        inbox.buried.set()


@asynccontextmanager
async def between(upstream: str) -> AsyncIterator[Box]:
    """A box before the calendar server."""
    box = await Box(upstream=upstream).start()
    try:
        yield box
    finally:
        await box.stop()


@pytest.mark.requires("radicale")
@pytest.mark.parametrize("verb", ["PUT", "DELETE"])
async def test_an_event_that_was_written_but_not_noted_is_not_written_twice(
    database_url: str, tmp_path: Path, verb: str
) -> None:
    """The calendar took the event (or let it go); the worker died before the answer came."""
    reached, buried = asyncio.Event(), asyncio.Event()
    (tmp_path / "calendars").mkdir()
    with radicale(tmp_path / "calendars") as calendars:
        await make_calendar(calendars)
        async with between(calendars.url) as box, site(database_url, tmp_path, 0, 1) as place:
            await write_into(place, box.url)
            booking = await book(place)
            if verb == "DELETE":
                await until_told(place)
                assert [uid for uid, _ in await events_in(calendars)] == [booking.uid]

            async def hold_back(request: web.Request, body: str) -> web.StreamResponse | None:
                if request.method != verb or reached.is_set():
                    return None
                answer = await box._forward(request, body)
                reached.set()
                await buried.wait()
                return answer

            box.interfere = hold_back
            if verb == "DELETE":
                await take_step(place.workspace.ports, booking.id, "cancel", SYSTEM)
            async with asyncio.timeout(60):
                await reached.wait()
            expected = [] if verb == "DELETE" else [(booking.uid, booking.start)]
            assert await events_in(calendars) == expected
            await kill_and_restart(place)
            buried.set()
            await until_told(place)
            assert await events_in(calendars) == expected
