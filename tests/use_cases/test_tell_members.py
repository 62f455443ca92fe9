"""Each user hears in the ways they chose, at hours they chose: over real databases and a real mail server."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.db import models as m
from app.domain.errors import Invalid, StaleVersion
from app.domain.notification_settings import DEFAULT_WAYS, KINDS, NotificationSettings
from app.domain.reminders import Reminder
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.choose_notifications import choose_notifications
from app.use_cases.read_notifications import mark_read
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

ANA = "ana@studio.example.com"
HOST = Actor("user", "ana")
RECIPIENT = Actor("recipient")
PHONE = "+49 30 123456"
BERLIN = ZoneInfo("Europe/Berlin")
DAY = 86_400


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def chosen(world: MailWorld, **values: Any) -> NotificationSettings:
    """Ana's choices; `ways` of some kinds."""
    ways = {**DEFAULT_WAYS, **values.pop("ways", {})}
    return await choose_notifications(world.ports, world.owner, {"ways": ways, **values})


def written(tmp_path: Path, folder: str) -> list[Any]:
    return [json.loads(path.read_text()) for path in (tmp_path / folder).glob("*.json")]


async def test_unless_she_chose_it_is_mail_and_a_line_in_the_program(world: MailWorld) -> None:
    booking = await world.take()
    await world.work()
    assert len(world.mails(ANA)) == 1
    async with world.ports.read() as work:
        (line,) = (await work.telling.notifications(world.owner.id, 10, None)).items
        assert await work.telling.unread_count(world.owner.id, 100) == 1
    assert (line.kind, line.booking_id, line.title, line.recipient) == ("new", booking.id, "Intro call", "Rita")
    assert await mark_read(world.ports, world.owner, [line.id]) == 0


async def test_each_kind_by_the_ways_chosen_for_it(world: MailWorld, tmp_path: Path) -> None:
    ways = {"new": ("text", "push"), "changed": ("whatsapp",), "cancelled": ("in_app",)}
    await chosen(world, phone=PHONE, ways=ways)
    booking = await world.take()
    await world.work()
    await reschedule_booking(world.ports, booking.id, Move(START + 3600), RECIPIENT)
    await world.work(60)
    await take_step(world.ports, booking.id, "cancel", RECIPIENT)
    await world.work(60)
    assert world.mails(ANA) == []
    texts = {text["channel"]: text for text in written(tmp_path, "texts")}
    assert set(texts) == {"sms", "whatsapp"}
    assert {text["to"] for text in texts.values()} == {"+4930123456"}
    assert texts["sms"]["body"].startswith("New booking: Rita")
    assert texts["whatsapp"]["body"].startswith("New time: Rita")
    assert f"/app/bookings/{booking.id}" in texts["sms"]["body"]
    assert booking.token not in texts["sms"]["body"]
    (push,) = written(tmp_path, "pushes")
    assert push["title"].startswith("New booking: Rita")
    assert [row["kind"] for row in await world.rows(m.notifications)] == ["cancelled"]


async def test_a_confirmation_is_a_kind_of_its_own(world: MailWorld) -> None:
    await chosen(world, ways={"confirmed": ()})
    link = await world.link("ask", requires_approval=True)
    booking = await world.take(link)
    await world.work()
    await take_step(world.ports, booking.id, "confirm", HOST)
    await world.work(60)
    assert [subject.partition(":")[0] for subject in world.subjects(ANA)] == ["Please confirm"]
    await reschedule_booking(world.ports, booking.id, Move(START + 3600), RECIPIENT)
    await world.work(60)
    assert world.subjects(ANA)[1].startswith("New time")


async def test_quiet_hours_hold_back_what_is_not_urgent(world: MailWorld) -> None:
    """It is 11:00 in Berlin, two days before."""
    await chosen(world, quiet_from="10:00", quiet_to="14:30")
    await world.take()
    await world.work()
    assert world.mails(ANA) == []
    assert len(world.mails("rita@example.org")) == 1
    await world.work(3 * 3600)
    assert world.mails(ANA) == []
    await world.work(1800)
    assert len(world.mails(ANA)) == 1


async def test_what_begins_within_the_quiet_hours_is_told_at_once(world: MailWorld) -> None:
    await chosen(world, quiet_from="10:00", quiet_to="14:30")
    link = await world.link("intro")
    await world.book(link, START - 2 * DAY + 3600)
    await world.work()
    assert len(world.mails(ANA)) == 1


async def test_what_changed_meanwhile_is_told_as_it_is_then(world: MailWorld) -> None:
    await chosen(world, quiet_from="10:00", quiet_to="14:30")
    booking = await world.take()
    await world.work()
    await take_step(world.ports, booking.id, "cancel", RECIPIENT)
    await world.work(4 * 3600)
    assert [subject.partition(":")[0] for subject in world.subjects(ANA)] == ["Cancelled"]


async def test_hosts_choose_for_reminders_too(world: MailWorld, tmp_path: Path) -> None:
    await chosen(world, phone=PHONE, ways={"new": (), "reminder": ("text",)})
    link = await world.link("intro", reminders=(Reminder(60, to="hosts"),))
    booking = await world.take(link)
    await world.work()
    world.clock.now = booking.start - 3600
    await world.work()
    await world.work(60)
    assert world.mails(ANA) == []
    (text,) = written(tmp_path, "texts")
    assert text["body"].startswith("Reminder: Rita")


async def test_a_daily_digest_tells_the_next_day(world: MailWorld) -> None:
    await chosen(world, digest="daily", digest_at="18:00", ways={"new": ()})
    booking = await world.take()
    await world.work()
    world.clock.now = int(datetime(2027, 3, 2, 18, tzinfo=BERLIN).timestamp())
    await world.work()
    assert world.mails(ANA) == []  # tomorrow is empty
    world.clock.now += DAY
    await world.work()
    (mail,) = world.mails(ANA)
    text = mail.get_body(("plain",)).get_content()
    assert "Rita: Intro call" in text
    assert "11:00 – 11:30" in text
    assert booking.token not in text
    await world.work(60)
    assert len(world.mails(ANA)) == 1


async def test_a_digest_that_is_far_too_late_waits_for_the_next(world: MailWorld) -> None:
    await chosen(world, digest="daily", digest_at="18:00", ways={"new": ()})
    await world.take()
    world.clock.now = int(datetime(2027, 3, 4, 1, tzinfo=BERLIN).timestamp())
    await world.work()
    assert world.mails(ANA) == []
    (row,) = [row for row in await world.rows(m.outbox) if row["kind"] == "digest"]
    assert row["run_at"] == int(datetime(2027, 3, 4, 18, tzinfo=BERLIN).timestamp())


async def test_switching_a_digest_off_withdraws_it(world: MailWorld) -> None:
    await chosen(world, digest="weekly")
    assert [row["kind"] for row in await world.rows(m.outbox)] == ["digest"]
    await chosen(world, digest="off")
    assert await world.rows(m.outbox) == []


async def test_choices_that_cannot_be_are_refused(world: MailWorld) -> None:
    with pytest.raises(Invalid):
        await chosen(world, ways={"new": ("text",)})
    with pytest.raises(Invalid):
        await chosen(world, phone="030 123456")
    with pytest.raises(Invalid):
        await chosen(world, quiet_from="22:00")
    with pytest.raises(Invalid):
        await chosen(world, ways={"digest": ("push",)})
    first = await chosen(world, digest="daily")
    with pytest.raises(StaleVersion):
        await choose_notifications(world.ports, world.owner, {"digest": "off"}, first.version - 1)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "America/Havana"])
def test_digests_keep_their_wall_time_over_every_clock_change(zone: str) -> None:
    """A year of them: one a day, none skipped or doubled, each at its wall time unless that does not exist."""
    settings = NotificationSettings("u", "o", digest="daily", digest_at="07:00")
    now = int(datetime(2027, 1, 1, tzinfo=UTC).timestamp())
    days = []
    for _ in range(365):
        due = settings.next_digest(zone, now)
        assert due is not None
        local = datetime.fromtimestamp(due, ZoneInfo(zone))
        assert (local.hour, local.minute) == (7, 0)
        assert settings.last_digest(zone, due) == due
        days.append(local.date())
        now = due
    assert days == [days[0] + timedelta(days=n) for n in range(365)]


@pytest.mark.parametrize(
    ("clock", "until"), [("21:59", None), ("22:00", 8), ("23:30", 8), ("06:59", 0), ("07:00", None), ("12:00", None)]
)
def test_quiet_hours_reach_over_midnight(clock: str, until: int | None) -> None:
    settings = NotificationSettings("u", "o", quiet_from="22:00", quiet_to="07:00")
    now = int(datetime(2027, 3, 13, int(clock[:2]), int(clock[3:]), tzinfo=ZoneInfo("America/New_York")).timestamp())
    found = settings.quiet_until("America/New_York", now)
    if until is None:
        assert found is None
    else:
        assert found is not None
        end = datetime.fromtimestamp(found, ZoneInfo("America/New_York"))
        assert (end.hour, end.day) == (7, 14 if until else 13)


def test_every_kind_has_usual_ways() -> None:
    assert set(DEFAULT_WAYS) == set(KINDS)
