"""A workspace for the benches: one host with an evergreen link, busy time and bookings."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, replace
from pathlib import Path

from app.config import load_settings
from app.db.migrate import migrate
from app.domain.answers import Answered
from app.domain.bookings import HostRef, Recipient
from app.domain.calendars import PERSONAL
from app.ports.calendar_store import ObjectWrite
from app.use_cases.book_slot import BookingRequest, new_booking
from app.use_cases.booking_changes import SYSTEM, record_new
from app.use_cases.ids import new_id
from app.use_cases.manage_links import create_link
from app.use_cases.manage_people import NewUser, create_organization, create_user
from app.use_cases.manage_schedules import change_schedule
from app.use_cases.manage_tokens import create_feed
from app.wiring import Parts, wire
from tests.bench.measure import environment

DAY = 86400
ZONE = "America/New_York"


@dataclass(frozen=True, slots=True)
class Workspace:
    """What a bench needs to address."""

    host_id: str
    feed_token: str
    now: int


def build(
    folder: Path, database_url: str, *, busy: int, bookings: int, spread_days: int = 700, colleagues: int = 0
) -> Workspace:
    """An empty database filled with one host, `busy` personal events and `bookings`, spread around now. `colleagues`
    have just a link each, `host0` and so on."""
    return asyncio.run(_build(folder, database_url, busy, bookings, spread_days, colleagues))


async def _build(
    folder: Path, database_url: str, busy: int, bookings: int, spread_days: int, colleagues: int
) -> Workspace:
    parts = wire(load_settings(environment(folder, database_url, 8000)))
    try:
        await migrate(parts.database)
        ports, now = parts.ports, parts.ports.clock()
        organization = await create_organization(ports, "Bench", "bench")
        user = await create_user(ports, NewUser(organization.id, "host@example.com", "Host", ("owner",), ZONE))
        async with ports.read() as work:
            schedule = (await work.hosts.schedules(user.id))[0]
        week = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
        hours = [["09:00", "17:00"]]
        await change_schedule(ports, user, schedule.id, {"weekly": dict.fromkeys(week, hours)})
        for slug, extra in (("open", {}), ("all", {"horizon_days": 3650, "minimum_notice": 0})):
            values = {"title": slug, "slug": slug, "durations": (15, 30, 60), "step": 30, "buffer_after": 15, **extra}
            await create_link(ports, user, values)
        for number in range(colleagues):
            new = NewUser(organization.id, f"host{number}@example.com", f"Host {number}", ("owner",), ZONE)
            colleague = await create_user(ports, new)
            values = {"title": "Link", "slug": f"host{number}", "horizon_days": 3650, "minimum_notice": 0}
            await create_link(ports, colleague, values)
        feed = await create_feed(ports, user)
        await _fill_busy(parts, user.id, busy, now, spread_days)
        await _fill_bookings(parts, bookings, now, spread_days)
    finally:
        await parts.close()
    return Workspace(user.id, feed.token, now)


async def _fill_busy(parts: Parts, user_id: str, count: int, now: int, spread_days: int) -> None:
    chance = random.Random(1)
    async with parts.ports.unit_of_work() as work:
        calendar = await work.calendars.builtin_calendar(user_id, PERSONAL)
        if calendar is None:
            raise LookupError("no personal calendar")
        for chunk in range(0, count, 500):
            writes = [_busy_event(chance, now, spread_days) for _ in range(min(500, count - chunk))]
            await work.calendars.put_objects(calendar, writes, now)
        await work.commit()


def _busy_event(chance: random.Random, now: int, spread_days: int) -> ObjectWrite:
    uid = new_id()
    start = _slot(chance, now, spread_days) - 3 * 3600
    return ObjectWrite(
        f"{uid}.ics", uid, "VEVENT", uid[:32], "BEGIN:VCALENDAR", start, start + 1800, [(start, start + 1800)], None
    )


def _slot(chance: random.Random, now: int, spread_days: int) -> int:
    day = chance.randrange(-spread_days // 2, spread_days // 2)
    return (now // DAY + day) * DAY + 13 * 3600 + chance.randrange(0, 16) * 1800


async def _fill_bookings(parts: Parts, count: int, now: int, spread_days: int) -> None:
    if count == 0:
        return
    async with parts.ports.unit_of_work() as work:
        context = await work.links.context("bench.all")
        if context is None:
            raise LookupError("no link")
        # One after the other, so that no two claims meet: the guard holds in benches too.
        gap = max(2700, spread_days * DAY // count // 900 * 900)
        first = now // DAY * DAY - count // 2 * gap
        for number in range(count):
            request = BookingRequest(
                first + number * gap, 15, ZONE, Recipient(f"Guest {number}", f"guest{number}@example.org")
            )
            booking = new_booking(parts.ports, context, request, Answered(), context.hosts, now)
            booking = replace(booking, hosts=tuple(HostRef(h.host_id, h.kind, h.name) for h in context.hosts))
            await record_new(parts.ports, work, booking, context.organization, SYSTEM, now)
        await work.commit()
