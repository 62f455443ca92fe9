"""Many reminders at once, several workers, kills in between: each reaches its recipient, and only a worker that died
before it could note one leaves it to be sent again, as the same mail."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from app.db import models as m
from app.domain.answers import Answered
from app.domain.bookings import Booking, HostRef, Recipient
from app.domain.reminders import Reminder
from app.use_cases.book_slot import new_booking
from app.use_cases.reminder_jobs import reminder_job
from app.worker import BATCH
from tests.faults.journal import DAY
from tests.faults.site import Site, free_leases, site
from tests.providers.mail.smtp_server import Inbox, smtp_server
from tests.support.waiting import eventually
from tests.support.workspace import request

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(300)]

REMINDERS = 300
WORKERS = 3
KILLS = 4
DAY_BEFORE = Reminder(1440)


async def fall_due(place: Site) -> list[Booking]:
    """Bookings of tomorrow whose reminders are due now."""
    workspace, now = place.workspace, int(time.time())
    context = await workspace.context(await workspace.link(reminders=(DAY_BEFORE,)))
    hosts = tuple(HostRef(host.host_id, host.kind, host.name) for host in context.hosts)
    begin, made = now // 60 * 60 + DAY - 3600, []
    async with workspace.ports.unit_of_work() as work:
        for number in range(REMINDERS):
            recipient = Recipient(f"Guest {number}", f"guest{number}@example.org")
            asked = request(begin + number % 60 * 60, recipient=recipient)
            booking = new_booking(workspace.ports, context, asked, Answered(), context.hosts, now)
            made.append(replace(booking, hosts=hosts))
            await work.bookings.add(made[-1])
        await work.outbox.enqueue([reminder_job(each, DAY_BEFORE, now) for each in made], now)
        await work.commit()
    return made


async def test_none_is_lost_or_doubled_whoever_dies(database_url: str, tmp_path: Path) -> None:
    inbox = Inbox()
    async with (
        smtp_server(inbox),
        site(database_url, tmp_path, 0, WORKERS, {"HALFPAST_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}"}) as place,
    ):
        bookings = await fall_due(place)
        chance = random.Random(7)
        for number in range(1, KILLS + 1):
            await until_sent(inbox, number * REMINDERS // (KILLS + 2))
            worker = chance.choice(place.programs)
            await asyncio.to_thread(worker.kill)
            worker.start()
            await worker.ready()

        async def is_done() -> bool:
            await free_leases(place)
            return not await place.workspace.rows(m.outbox)

        await eventually(is_done, "all reminders are sent", 180, 0.5)
        sent = await place.workspace.rows(m.reminders_sent)
    ids = Counter(str(message["Message-ID"]) for message in inbox.messages)
    assert {message_id[1:37] for message_id in ids} == {booking.id for booking in bookings}
    assert len(ids) == len(sent) == REMINDERS
    assert sum(ids.values()) - REMINDERS <= KILLS * BATCH
    assert max(ids.values()) <= 1 + KILLS


async def until_sent(inbox: Inbox, count: int) -> None:
    async def is_sent() -> bool:
        return len(inbox.envelopes) >= count

    await eventually(is_sent, f"{count} reminders are sent", 120, 0.02)
