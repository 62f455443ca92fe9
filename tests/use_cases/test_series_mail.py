"""A recurring set is told of in one mail to each, with an invitation to every booking."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import icalendar
import pytest

from app.domain.bookings import Recipient
from app.domain.repeats import Repeat
from app.use_cases.book_series import Series, book_series
from app.use_cases.booking_changes import Actor
from app.use_cases.cancel_series import cancel_following
from app.use_cases.change_booking import take_step
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.workspace import request
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

RITA, GUS, ANA = "rita@example.org", "gus@example.net", "ana@studio.example.com"
RECIPIENT = Actor("recipient")


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def weekly(world: MailWorld, times: int = 3, **values: Any) -> Series:
    link = await world.link("intro", title="Lesson", horizon_days=200, max_repeats=10, **values)
    wanted = request(
        START, repeat=Repeat(times), recipient=Recipient("Rita", RITA), guests=(GUS,), timezone="Europe/Berlin"
    )
    return await book_series(world.ports, world.token(link), wanted)


def events_of(mail: Any) -> list[tuple[str, Any]]:
    """(method, event) of every attached invitation; each is of one event alone (RFC 5546 §3.2.2)."""
    found = []
    for part in mail.iter_attachments():
        calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
        (event,) = calendar.walk("VEVENT")
        found.append((str(calendar["METHOD"]), event))
    return found


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


async def test_everybody_gets_one_mail_with_all_times(world: MailWorld) -> None:
    series = await weekly(world)
    await world.work()
    assert len(world.inbox.messages) == 3
    for address in (RITA, ANA, GUS):
        (mail,) = world.mails(address)
        events = events_of(mail)
        assert [method for method, _ in events] == ["REQUEST"] * 3
        assert [str(event["UID"]) for _, event in events] == [booking.uid for booking in series.bookings]
        assert "3 times from Thu" in str(mail["Subject"])
        for day in ("4 March 2027", "11 March 2027", "18 March 2027"):
            assert day in text_of(mail).replace("March 4, 2027", "4 March 2027")
    manage = [f"/booking/{booking.token}" for booking in series.bookings]
    html = world.mails(RITA)[0].get_body(("html",)).get_content()
    assert all(address in html for address in manage)
    for address in (ANA, GUS):
        body = world.mails(address)[0].get_body(("html",)).get_content() + text_of(world.mails(address)[0])
        assert not any(address in body for address in manage)
    await world.work()
    assert len(world.inbox.messages) == 3, "nobody hears twice"


async def test_one_that_changes_is_told_of_alone(world: MailWorld) -> None:
    series = await weekly(world)
    await world.work()
    await reschedule_booking(world.ports, series.bookings[1].id, Move(START + 7 * 86400 + 3600), RECIPIENT)
    await world.work()
    _, mail = world.mails(RITA)
    assert str(mail["Subject"]).startswith("New time")
    [(method, event)] = events_of(mail)
    assert (method, str(event["UID"]), event["SEQUENCE"]) == ("REQUEST", series.bookings[1].uid, 1)


async def test_what_is_cancelled_together_is_told_together(world: MailWorld) -> None:
    series = await weekly(world)
    await world.work()
    await cancel_following(world.ports, series.bookings[1].id, RECIPIENT)
    await world.work()
    for address in (RITA, ANA, GUS):
        _, mail = world.mails(address)
        assert [(method, str(event["UID"])) for method, event in events_of(mail)] == [
            ("CANCEL", booking.uid) for booking in series.bookings[1:]
        ]
        assert "2 times from" in str(mail["Subject"])


async def test_those_that_wait_and_those_that_are_confirmed_are_told_apart(world: MailWorld) -> None:
    series = await weekly(world, requires_approval=True)
    await world.work()
    assert [subject.split(":")[0] for subject in world.subjects(ANA)] == ["Please confirm"]
    await take_step(world.ports, series.first.id, "confirm", Actor("user", world.owner.id))
    await world.work()
    assert [subject.split(":")[0] for subject in world.subjects(RITA)] == ["Request sent", "Confirmed"]
    assert len(events_of(world.mails(RITA)[1])) == 1


async def test_the_mail_of_a_repeated_delivery_is_known_as_the_same(world: MailWorld) -> None:
    await weekly(world)
    await world.work()
    ids = [str(mail["Message-ID"]) for mail in world.inbox.messages]
    assert len(set(ids)) == 3
    assert all(".series." in each for each in ids)
