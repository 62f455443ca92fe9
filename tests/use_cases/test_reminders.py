"""Reminders: when they come, whom they reach, and when they do not: over real databases and a real mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.db import models as m
from app.domain.bookings import Recipient
from app.domain.errors import Invalid
from app.domain.reminders import Reminder
from app.domain.services import ServiceHost
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_links import change_link
from app.use_cases.manage_services import create_service
from app.use_cases.remind import send_reminder
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.worker import Worker
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

RITA = "rita@example.org"
ANA = "ana@studio.example.com"
HOST = Actor("user", "ana")
RECIPIENT = Actor("recipient")
DAY = 86_400
DAY_BEFORE = Reminder(1440)
HOUR_BEFORE = Reminder(60)
THANKS = Reminder(120, "after", subject="Thank you", body="How was it?")


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def booked(world: MailWorld, *reminders: Reminder, **values: Any) -> Any:
    """Rita's booking through a link with these reminders, everybody told of it."""
    link = await world.link("intro", title="Intro call", reminders=reminders)
    booking = await world.take(link, **values)
    await world.work()
    world.inbox.envelopes.clear()
    return booking


async def at(world: MailWorld, instant: int) -> None:
    """What is due by then is done then."""
    world.clock.now = instant
    await world.work()


async def waiting(world: MailWorld) -> list[int]:
    """When reminders are due."""
    rows = await world.rows(m.outbox)
    return sorted(row["run_at"] for row in rows if row["kind"] == "reminder")


async def test_each_comes_once_at_its_time(world: MailWorld) -> None:
    booking = await booked(world, DAY_BEFORE, HOUR_BEFORE, THANKS)
    found = []
    for due in (booking.start - DAY, booking.start - 3600, booking.end + 7200):
        for instant in (due - 1, due, due + 60):
            await at(world, instant)
            found.append(world.subjects(RITA))
            world.inbox.envelopes.clear()
    assert [len(subjects) for subjects in found] == [0, 1, 0] * 3
    assert found[1][0].startswith("Reminder: Intro call with Ana")
    assert found[7] == ["Thank you"]


async def test_it_says_the_time_in_the_recipients_zone_and_how_to_move(world: MailWorld) -> None:
    booking = await booked(world, Reminder(60, body="Bring your papers."))
    await at(world, booking.start - 3600)
    (mail,) = world.mails(RITA)
    text = mail.get_body(("plain",)).get_content()
    assert "3:30 pm – 4:00 pm" in text or "15:30 – 16:00" in text
    assert f"/booking/{booking.token}" in text
    assert "Please note: Bring your papers." in text
    assert not [part for part in mail.walk() if part.get_content_type() == "text/calendar"]


async def test_hosts_are_reminded_each(world: MailWorld) -> None:
    ana, ben = world.users
    link = await world.shared_link("collective", [ana, ben], reminders=(Reminder(60, to="hosts"),))
    booking = await world.take(link)
    await world.work()
    world.inbox.envelopes.clear()
    await at(world, booking.start - 3600)
    assert sorted(mail["To"].addresses[0].addr_spec for mail in world.inbox.messages) == [
        ANA,
        "ben@studio.example.com",
    ]
    assert world.mails(RITA) == []
    assert booking.token not in world.mails(ANA)[0].as_string()


async def test_a_moved_booking_is_reminded_of_at_its_new_time_alone(world: MailWorld) -> None:
    booking = await booked(world, HOUR_BEFORE)
    await reschedule_booking(world.ports, booking.id, Move(START + DAY), RECIPIENT)
    assert await waiting(world) == [START + DAY - 3600]
    await at(world, START - 3600)
    assert [subject for subject in world.subjects(RITA) if subject.startswith("Reminder")] == []
    await at(world, START + DAY - 3600)
    assert len([subject for subject in world.subjects(RITA) if subject.startswith("Reminder")]) == 1


async def test_a_move_to_where_the_reminder_is_over_withdraws_it(world: MailWorld) -> None:
    await booked(world, DAY_BEFORE)
    (booking_id,) = [row["id"] for row in await world.rows(m.bookings)]
    world.clock.now = START - DAY - 7200
    await reschedule_booking(world.ports, booking_id, Move(START - 7 * 3600), HOST)
    assert await waiting(world) == []


async def test_a_booking_moved_back_is_reminded_of_once_for_each_time(world: MailWorld) -> None:
    booking = await booked(world, DAY_BEFORE)
    await at(world, START - DAY)
    await reschedule_booking(world.ports, booking.id, Move(START + 2 * DAY), RECIPIENT)
    await reschedule_booking(world.ports, booking.id, Move(START + DAY), RECIPIENT)
    await at(world, START)
    assert len([subject for subject in world.subjects(RITA) if subject.startswith("Reminder")]) == 2


@pytest.mark.parametrize("step", ["cancel", "no_show"])
async def test_nobody_is_reminded_of_what_does_not_take_place(world: MailWorld, step: Any) -> None:
    booking = await booked(world, HOUR_BEFORE, THANKS)
    if step == "no_show":
        await at(world, booking.start + 300)
    await take_step(world.ports, booking.id, step, HOST)
    assert await waiting(world) == []
    await at(world, booking.end + 7200)
    assert not {"Thank you"} & set(world.subjects(RITA))


async def test_a_row_that_was_left_over_finds_the_booking_cancelled(world: MailWorld) -> None:
    """A worker that holds the row while the booking is cancelled reads it anew."""
    booking = await booked(world, HOUR_BEFORE)
    world.clock.now = booking.start - 3600
    (job,) = [each for each in await world.ports.jobs.claim("me", world.clock.now, 120, 10) if each.kind == "reminder"]
    await take_step(world.ports, booking.id, "cancel", HOST)
    assert await send_reminder(world.ports, job) is None
    assert world.subjects(RITA) == []


async def test_a_pending_booking_is_reminded_of_once_it_is_confirmed(world: MailWorld) -> None:
    booking = await booked_pending(world)
    assert await waiting(world) == []
    await take_step(world.ports, booking.id, "confirm", HOST)
    assert await waiting(world) == [START - 3600]


async def booked_pending(world: MailWorld) -> Any:
    link = await world.link("ask", requires_approval=True, reminders=(HOUR_BEFORE,))
    booking = await world.take(link)
    await world.work()
    return booking


async def test_late_ones_come_within_half_their_time(world: MailWorld) -> None:
    """The worker was away: so late a reminder is still of use."""
    booking = await booked(world, DAY_BEFORE)
    await at(world, booking.start - 12 * 3600)
    assert len(world.subjects(RITA)) == 1


async def test_what_is_too_late_is_dropped(world: MailWorld) -> None:
    booking = await booked(world, DAY_BEFORE, Reminder(10), THANKS)
    await at(world, booking.start)
    assert world.subjects(RITA) == []
    await at(world, booking.end + 7200 + DAY + 1)
    assert world.subjects(RITA) == []
    assert await waiting(world) == []


async def test_it_is_not_told_twice_when_its_row_comes_again(world: MailWorld) -> None:
    """A worker that died after recording; another takes the row."""
    booking = await booked(world, HOUR_BEFORE)
    world.clock.now = booking.start - 3600
    (job,) = [each for each in await world.ports.jobs.claim("me", world.clock.now, 120, 10) if each.kind == "reminder"]
    await send_reminder(world.ports, job)
    world.clock.advance(180)
    await Worker(world.ports, world.parts.handlers).drain()
    assert len(world.subjects(RITA)) == 1
    assert await waiting(world) == []


async def test_a_crash_before_recording_repeats_the_same_message(world: MailWorld, monkeypatch: Any) -> None:
    booking = await booked(world, HOUR_BEFORE)
    world.clock.now = booking.start - 3600
    with monkeypatch.context() as patched:

        async def die(*_: Any) -> None:
            raise RuntimeError("the program died")

        patched.setattr("app.db.telling.SqlReminderLog.record", die)
        await world.work()
    await world.work(60)
    first, second = world.mails(RITA)
    assert first["Message-ID"] == second["Message-ID"]


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/Berlin", "Australia/Lord_Howe"])
async def test_a_day_before_is_24_hours_before_over_a_clock_change(world: MailWorld, zone: str) -> None:
    """The mail says the wall time of the recipient on its day, whichever side of the change that is."""
    changes = {"America/New_York": (2027, 3, 14), "Europe/Berlin": (2027, 3, 28), "Australia/Lord_Howe": (2027, 4, 4)}
    start = int(datetime(*changes[zone], 15, 0, tzinfo=ZoneInfo(zone)).timestamp())
    link = await world.link("intro", reminders=(DAY_BEFORE,))
    booking = await world.book(link, start, timezone=zone, recipient=Recipient("Rita", RITA))
    await world.work()
    world.inbox.envelopes.clear()
    assert await waiting(world) == [start - DAY]
    await at(world, start - DAY - 1)
    assert world.subjects(RITA) == []
    await at(world, start - DAY)
    (mail,) = world.mails(RITA)
    text = mail.get_body(("plain",)).get_content()
    assert "15:00" in text or "3:00" in text
    assert booking.start == start


async def test_coming_bookings_follow_the_links_new_reminders(world: MailWorld) -> None:
    booking = await booked(world, DAY_BEFORE)
    (link,) = [row["id"] for row in await world.rows(m.links)]
    await change_link(world.ports, world.owner, link, {"reminders": (HOUR_BEFORE,)})
    await world.work()
    await at(world, booking.start - DAY)
    assert world.subjects(RITA) == []
    await at(world, booking.start - 3600)
    assert len(world.subjects(RITA)) == 1


async def test_a_service_reminds_unless_its_link_says_otherwise(world: MailWorld) -> None:
    host = ServiceHost(world.owner.id)
    values = {"name": "Cut", "durations": (30,), "reminders": (HOUR_BEFORE,)}
    service = await create_service(world.ports, world.owner, values, hosts=[host])
    plain = await world.link("plain", service_id=service.id)
    silent = await world.link("silent", service_id=service.id, reminders=())
    await world.take(plain)
    assert await waiting(world) == [START - 3600]
    await world.book(silent, START + 3600)
    assert await waiting(world) == [START - 3600]


@pytest.mark.parametrize(
    ("phone", "texted"), [("+49 (0)30 123-4567", "+49301234567"), ("030 1234567", None), (None, None)]
)
async def test_a_text_goes_to_a_number_with_its_country_and_else_a_mail(
    world: MailWorld, tmp_path: Path, phone: str | None, texted: str | None
) -> None:
    recipient = Recipient("Rita", RITA, phone)
    booking = await booked(world, Reminder(60, channel="sms"), recipient=recipient)
    await at(world, booking.start - 3600)
    texts = [path.read_text() for path in (tmp_path / "texts").glob("*.json")]
    assert len(texts) == (texted is not None)
    assert len(world.subjects(RITA)) == (texted is None)
    if texted is not None:
        assert f'"to": "{texted}"' in texts[0]
        assert "Reminder: Intro call with Ana" in texts[0]


async def test_reminders_are_told_apart_and_after_ones_say_something(world: MailWorld) -> None:
    with pytest.raises(Invalid) as refused:
        await world.link("twice", reminders=(DAY_BEFORE, DAY_BEFORE, Reminder(5, "after")))
    assert {error.field for error in refused.value.errors} == {
        "reminders.1",
        "reminders.2.body",
        "reminders.2.subject",
    }
