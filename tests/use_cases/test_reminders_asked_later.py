"""Reminders that quiet hours hold back, that are added after the booking, and digests of who comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from app.db import models as m
from app.domain.reminders import Reminder
from app.domain.services import ServiceHost
from app.use_cases.change_person import change_person
from app.use_cases.choose_notifications import choose_notifications
from app.use_cases.manage_links import change_link
from app.use_cases.manage_services import change_service, create_service
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

ANA = "ana@studio.example.com"
RITA = "rita@example.org"
BERLIN = ZoneInfo("Europe/Berlin")
HOSTS_THREE_HOURS = Reminder(180, to="hosts")
HOUR_BEFORE = Reminder(60)
HOSTS_HOUR_BEFORE = Reminder(60, to="hosts")


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


def berlin(day: int, hour: int) -> int:
    """An instant of March 2027."""
    return int(datetime(2027, 3, day, hour, tzinfo=BERLIN).timestamp())


def reminders(world: MailWorld, address: str) -> list[str]:
    return [subject for subject in world.subjects(address) if subject.startswith("Reminder")]


async def waiting(world: MailWorld) -> list[tuple[str, int]]:
    """Reminders that wait: which, and when they are due."""
    rows = await world.rows(m.outbox)
    return sorted((row["payload"]["reminder"], row["run_at"]) for row in rows if row["kind"] == "reminder")


async def work_at(world: MailWorld, instant: int) -> None:
    world.clock.now = instant
    await world.work()


@pytest.mark.parametrize(("quiet_to", "told"), [("07:00", 1), ("08:00", 0)])
async def test_what_quiet_hours_held_back_comes_when_they_end(world: MailWorld, quiet_to: str, told: int) -> None:
    """Due at 05:00 for 08:00: two hours late is too late for a worker, but not for who slept; what began is over."""
    await choose_notifications(world.ports, world.owner, {"quiet_from": "22:00", "quiet_to": quiet_to})
    link = await world.link("early", reminders=(HOSTS_THREE_HOURS,))
    await world.book(link, berlin(4, 8))
    await world.work()
    await work_at(world, berlin(4, 5))
    assert reminders(world, ANA) == []
    await work_at(world, berlin(4, int(quiet_to[:2])))
    assert len(reminders(world, ANA)) == told
    assert await waiting(world) == []


async def test_a_worker_that_comes_too_late_after_the_quiet_hours_tells_nobody(world: MailWorld) -> None:
    await choose_notifications(world.ports, world.owner, {"quiet_from": "22:00", "quiet_to": "05:30"})
    link = await world.link("early", reminders=(HOSTS_THREE_HOURS,))
    await world.book(link, berlin(4, 8))
    await world.work()
    await work_at(world, berlin(4, 7) + 60)
    assert reminders(world, ANA) == []


async def test_a_worker_that_was_away_asks_each_host_whether_it_is_too_late(world: MailWorld) -> None:
    """Nobody took the reminder while Ana's quiet hours lasted; for Ben, who has none, it is too late."""
    ana, ben = world.users
    await choose_notifications(world.ports, ana, {"quiet_from": "22:00", "quiet_to": "07:00"})
    link = await world.shared_link("collective", [ana, ben], reminders=(HOSTS_THREE_HOURS,))
    await world.book(link, berlin(4, 8))
    await world.work()
    await work_at(world, berlin(4, 7))
    assert (len(reminders(world, ANA)), reminders(world, "ben@studio.example.com")) == (1, [])


async def test_hosts_are_reminded_of_sessions_when_asked_for_later(world: MailWorld) -> None:
    shape = {"name": "Lesson", "durations": (30,), "capacity": 3}
    service = await create_service(world.ports, world.owner, shape, (), [ServiceHost(world.owner.id)])
    link = await world.link("lesson", service_id=service.id)
    await world.take(link)
    await world.work()
    values = {"reminders": (HOUR_BEFORE, HOSTS_HOUR_BEFORE)}
    await change_service(world.ports, world.owner, service.id, values)
    await world.work()
    due = START - 3600
    assert await waiting(world) == [(HOSTS_HOUR_BEFORE.key, due), (HOUR_BEFORE.key, due)]
    await work_at(world, due)
    assert (len(reminders(world, ANA)), len(reminders(world, RITA))) == (1, 1)
    assert "Lesson" in reminders(world, ANA)[0] and "(1 seat)" in reminders(world, ANA)[0]


async def test_a_link_that_gives_up_its_own_reminders_has_the_services(world: MailWorld) -> None:
    shape = {"name": "Lesson", "durations": (30,), "reminders": (HOUR_BEFORE,)}
    service = await create_service(world.ports, world.owner, shape, (), [ServiceHost(world.owner.id)])
    link = await world.link("lesson", service_id=service.id, reminders=())
    await world.take(link)
    await world.work()
    assert await waiting(world) == []
    await change_link(world.ports, world.owner, link.id, {"reminders": None})
    await world.work()
    assert await waiting(world) == [(HOUR_BEFORE.key, START - 3600)]


async def test_who_is_switched_on_again_has_their_digests(world: MailWorld) -> None:
    ana, ben = world.users
    await choose_notifications(world.ports, ben, {"digest": "daily", "digest_at": "18:00"})
    await change_person(world.ports, ana, ben.id, {"is_active": False})
    await work_at(world, berlin(2, 18))
    assert [row for row in await world.rows(m.outbox) if row["kind"] == "digest"] == []
    await change_person(world.ports, ana, ben.id, {"is_active": True})
    (row,) = [row for row in await world.rows(m.outbox) if row["kind"] == "digest"]
    assert (row["subject_id"], row["run_at"]) == (ben.id, berlin(3, 18))
