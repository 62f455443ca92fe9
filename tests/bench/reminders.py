"""Many reminders that are due within one hour, sent by one worker to an SMTP server on this machine; against sending as
many prepared mails of that size to it, one after the other over one connection."""

from __future__ import annotations

import asyncio
import os
import smtplib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from app.config import load_settings
from app.db.migrate import migrate
from app.domain.answers import Answered
from app.domain.bookings import HostRef, Recipient
from app.domain.reminders import Reminder
from app.use_cases.book_slot import BookingRequest, new_booking
from app.use_cases.manage_links import create_link
from app.use_cases.manage_people import NewUser, create_organization, create_user
from app.use_cases.reminder_jobs import reminder_job
from app.wiring import Parts, wire
from tests.bench.measure import ROOT, environment, free_port

COUNT = int(os.environ.get("BENCH_REMINDERS", "100000"))
REFERENCE_COUNT = 5_000
DAY = 86_400
AT_ONCE = 500
REMINDER = Reminder(1440)
LONGEST_SECONDS = 3_600
"""They are due within an hour, so they must be out within one."""


@dataclass(frozen=True, slots=True)
class Count:
    """What an SMTP server took: mails, different Message-IDs, seconds from the first to the last."""

    mails: int
    ids: int
    seconds: float


def reminders(folder: Path, database_url: str) -> tuple[float, float]:
    """Seconds a mail: of one worker, and of plain sending. An error when a reminder is lost or doubled."""
    with _sink() as port:
        asyncio.run(_build(_environment(folder, database_url, port)))
        with smtplib.SMTP("127.0.0.1", port) as asking, _worker(_environment(folder, database_url, port)):
            done = _wait(asking)
        if (done.mails, done.ids) != (COUNT, COUNT):
            raise AssertionError(f"{COUNT} reminders, but {done.mails} mails of {done.ids} reminders")
        return done.seconds / COUNT, _plain(port)


def _plain(port: int) -> float:
    body = ("x" * 70 + "\r\n") * 100  # 7 kB, what a reminder has
    with smtplib.SMTP("127.0.0.1", port) as client:
        client.ehlo()
        began = time.monotonic()
        for number in range(REFERENCE_COUNT):
            message = f"From: a@example.com\r\nTo: b@example.org\r\nMessage-ID: <{number}@plain>\r\n\r\n{body}"
            client.sendmail("a@example.com", ["b@example.org"], message.encode())
        return (time.monotonic() - began) / REFERENCE_COUNT


def _wait(asking: smtplib.SMTP) -> Count:
    """Until all are there and a moment has passed in which more would come."""
    deadline = time.monotonic() + LONGEST_SECONDS
    while time.monotonic() < deadline:
        if _count(asking).mails >= COUNT:
            time.sleep(3)
            break
        time.sleep(0.2)
    return _count(asking)


def _count(asking: smtplib.SMTP) -> Count:
    mails, ids, seconds = asking.docmd("VRFY", "count")[1].split()
    return Count(int(mails), int(ids), float(seconds))


def _environment(folder: Path, database_url: str, port: int) -> dict[str, str]:
    return {**environment(folder, database_url, 8000), "HALFPAST_SMTP_URL": f"smtp://127.0.0.1:{port}"}


@contextmanager
def _sink() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.smtp_sink", str(port)], cwd=ROOT)
    try:
        for _ in range(200):
            try:
                smtplib.SMTP("127.0.0.1", port).quit()
                break
            except OSError:
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def _worker(environ: dict[str, str]) -> Iterator[None]:
    process = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "worker"],
        env=environ,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        process.wait(100)


async def _build(environ: dict[str, str]) -> None:
    """One host, and a link with a reminder a day before; bookings that begin within the hour a day from now."""
    parts = wire(load_settings(environ))
    try:
        await migrate(parts.database)
        ports = parts.ports
        organization = await create_organization(ports, "Bench", "bench")
        user = await create_user(ports, NewUser(organization.id, "host@example.com", "Host", ("owner",), "UTC"))
        await create_link(ports, user, {"title": "Open", "slug": "open", "reminders": (REMINDER,)})
        for first in range(0, COUNT, AT_ONCE):
            await _fill(parts, first, min(AT_ONCE, COUNT - first))
    finally:
        await parts.close()


async def _fill(parts: Parts, first: int, count: int) -> None:
    """Bookings and their reminders' rows, as a booking's own transaction leaves them. Without claims: they overlap."""
    ports, now = parts.ports, parts.ports.clock()
    begin = now // 60 * 60 + DAY - 3_600
    async with ports.unit_of_work() as work:
        context = await work.links.context("bench.open")
        assert context is not None
        hosts = tuple(HostRef(host.host_id, host.kind, host.name) for host in context.hosts)
        rows = []
        for number in range(first, first + count):
            recipient = Recipient(f"Guest {number}", f"guest{number}@example.org")
            request = BookingRequest(begin + number % 60 * 60, 30, "Europe/Berlin", recipient)
            booking = replace(new_booking(ports, context, request, Answered(), context.hosts, now), hosts=hosts)
            await work.bookings.add(booking)
            rows.append(reminder_job(booking, REMINDER, REMINDER.due(booking)))
        await work.outbox.enqueue(rows, now)
        await work.commit()
