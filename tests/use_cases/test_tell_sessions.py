"""Those who give a class hear of it once when it changes as a whole, and each attendee by themselves."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import icalendar
import pytest

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.links import Link
from app.domain.notification_settings import DEFAULT_WAYS
from app.domain.repeats import Repeat
from app.domain.services import ServiceHost
from app.ports.outbox import Job
from app.ports.people import User
from app.use_cases.book_series import book_series
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.choose_notifications import choose_notifications
from app.use_cases.manage_services import create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.tell_sessions import send_session_mail
from tests.support.statements import statements_of
from tests.support.workspace import request
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

ANA, BEN = "ana@studio.example.com", "ben@studio.example.com"
STAFF, RECIPIENT = Actor("user", "somebody"), Actor("recipient")
LATER = Move(START + 3600)


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def class_link(world: MailWorld, *givers: User, **values: Any) -> Link:
    """A class of eight seats, which Ana gives, or who is named."""
    shape = {"name": "Pottery", "durations": (60,), "capacity": 8}
    hosts = [ServiceHost(person.id) for person in givers or (world.owner,)]
    service = await create_service(world.ports, world.owner, shape, (), hosts)
    wanted = {"slug": "pottery", "title": "Pottery", "horizon_days": 200, **values}
    return await world.link(service_id=service.id, **wanted)


async def attend(world: MailWorld, link: Link, number: int, **values: Any) -> Booking:
    person = Recipient(f"Client {number}", f"client{number}@example.org")
    return await world.book(link, START, 60, recipient=person, timezone="Asia/Kolkata", **values)


async def three(world: MailWorld, link: Link) -> list[Booking]:
    """Four seats, all told of."""
    booked = [await attend(world, link, number, seats=1 + (number == 2)) for number in (1, 2, 3)]
    await world.work()
    world.inbox.envelopes.clear()
    return booked


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content())


def methods(mail: Any) -> list[tuple[str, str]]:
    """(method, UID) of each attached invitation."""
    found = []
    for part in mail.iter_attachments():
        calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
        found += [(str(calendar["METHOD"]), str(event["UID"])) for event in calendar.walk("VEVENT")]
    return sorted(found)


async def test_a_class_that_moves_is_one_mail_to_its_host(world: MailWorld) -> None:
    booked = await three(world, await class_link(world))
    await reschedule_booking(world.ports, booked[0].occurrence_id, LATER, STAFF)
    await world.work(60)
    (mail,) = world.mails(ANA)
    assert str(mail["Subject"]).startswith("New time: Pottery, Thu") and str(mail["Subject"]).endswith("(4 seats)")
    text = text_of(mail)
    assert "Pottery has moved" in text and "4 seats" in text and "11:00" in text
    assert f"/app/bookings/{booked[0].occurrence_id}" in text
    assert "Client" not in text and not any(each.token in text for each in booked)
    assert methods(mail) == sorted(("REQUEST", each.uid) for each in booked)
    for number, each in enumerate(booked, 1):
        (own,) = world.mails(f"client{number}@example.org")
        assert methods(own) == [("REQUEST", each.uid)]
    await world.work(60)
    assert len(world.inbox.messages) == 4, "nobody hears twice"


async def test_a_class_that_is_cancelled_is_one_mail_with_the_reason(world: MailWorld) -> None:
    booked = await three(world, await class_link(world))
    await take_step(world.ports, booked[0].occurrence_id, "cancel", STAFF, reason="The kiln is broken.")
    await world.work(60)
    (mail,) = world.mails(ANA)
    assert str(mail["Subject"]).startswith("Cancelled: Pottery") and "(4 seats)" in str(mail["Subject"])
    assert "The kiln is broken." in text_of(mail)
    assert methods(mail) == sorted(("CANCEL", each.uid) for each in booked)
    assert len(world.inbox.messages) == 4


async def test_texts_devices_and_the_list_have_one_line_too(world: MailWorld, tmp_path: Path) -> None:
    ways = {**DEFAULT_WAYS, "new": (), "changed": ("text", "push", "in_app")}
    await choose_notifications(world.ports, world.owner, {"ways": ways, "phone": "+49 30 123456"})
    booked = await three(world, await class_link(world))
    await reschedule_booking(world.ports, booked[0].occurrence_id, LATER, STAFF)
    await world.work(60)
    await world.work(60)
    assert world.mails(ANA) == []
    for folder, field in (("texts", "body"), ("pushes", "title")):
        (sent,) = [json.loads(path.read_text()) for path in (tmp_path / folder).glob("*.json")]
        assert sent[field].startswith("New time: Pottery, Thu") and "(4 seats)" in sent[field]
    async with world.ports.read() as work:
        (line,) = (await work.telling.notifications(world.owner.id, 10, None)).items
    assert (line.kind, line.booking_id, line.title) == ("changed", booked[0].occurrence_id, "Pottery")


async def test_a_class_with_one_attendee_is_told_by_name(world: MailWorld) -> None:
    booking = await attend(world, await class_link(world), 1)
    await world.work()
    await reschedule_booking(world.ports, booking.occurrence_id, LATER, STAFF)
    await world.work(60)
    assert [subject.partition(",")[0] for subject in world.subjects(ANA)] == [
        "New booking: Client 1",
        "New time: Client 1",
    ]


async def test_a_class_that_changes_hands_is_one_mail_to_each(world: MailWorld) -> None:
    ana, ben = world.users
    booked = await three(world, await class_link(world, ana, ben))
    (host,) = booked[0].hosts
    other = ben if host.id == ana.id else ana
    await reschedule_booking(
        world.ports, booked[0].occurrence_id, Move(START, host_id=other.id, reassigned=True), STAFF
    )
    await world.work(60)
    former = ANA if other is ben else BEN
    (gone,), (got,) = world.mails(former), world.mails(BEN if former == ANA else ANA)
    assert str(gone["Subject"]).startswith("No longer yours: Pottery") and "(4 seats)" in str(gone["Subject"])
    assert str(got["Subject"]).startswith("New bookings: Pottery") and "(4 seats)" in str(got["Subject"])
    assert methods(gone) == sorted(("CANCEL", each.uid) for each in booked)
    assert methods(got) == sorted(("REQUEST", each.uid) for each in booked)


async def test_the_owner_of_the_link_hears_once_as_well(world: MailWorld) -> None:
    ana, ben = world.users
    link = await class_link(world, ben)
    booked = await three(world, link)
    await reschedule_booking(world.ports, booked[0].occurrence_id, LATER, STAFF)
    await world.work(60)
    for user, address in ((ana, ANA), (ben, BEN)):
        (mail,) = world.mails(address)
        assert str(mail["Subject"]).startswith("New time: Pottery"), user
    assert methods(world.mails(ANA)[0]) == [], "nothing is put into an owner's calendar"


async def test_what_was_not_told_yet_is_told_as_it_is_then(world: MailWorld) -> None:
    """Three book within the host's quiet hours, and the class moves before these end."""
    await choose_notifications(world.ports, world.owner, {"quiet_from": "10:00", "quiet_to": "14:30"})
    link = await class_link(world)
    booked = [await attend(world, link, number) for number in (1, 2, 3)]
    await world.work()
    await reschedule_booking(world.ports, booked[0].occurrence_id, LATER, STAFF)
    await world.work(60)
    assert world.mails(ANA) == []
    await world.work(4 * 3600)
    (mail,) = world.mails(ANA)
    assert str(mail["Subject"]).startswith("New bookings: Pottery") and "(3 seats)" in str(mail["Subject"])


async def test_who_leaves_after_the_move_is_told_of_apart(world: MailWorld) -> None:
    await choose_notifications(world.ports, world.owner, {"quiet_from": "10:00", "quiet_to": "14:30"})
    link = await class_link(world)
    booked = [await attend(world, link, number) for number in (1, 2, 3)]
    await world.work(4 * 3600)
    world.inbox.envelopes.clear()
    world.clock.advance(21 * 3600)  # the next day's quiet hours
    await reschedule_booking(world.ports, booked[0].occurrence_id, LATER, STAFF)
    await take_step(world.ports, booked[1].id, "cancel", RECIPIENT)
    await world.work(60)
    assert world.mails(ANA) == []
    await world.work(3 * 3600)
    subjects = sorted(subject.partition(",")[0] for subject in world.subjects(ANA))
    assert subjects == ["Cancelled: Client 2", "New time: Pottery"]


async def test_one_of_a_recurring_set_moves_with_its_class(world: MailWorld) -> None:
    link = await class_link(world, max_repeats=10)
    person = Recipient("Client 1", "client1@example.org")
    series = await book_series(
        world.ports, world.token(link), request(START, 60, recipient=person, repeat=Repeat(3), timezone="UTC")
    )
    await attend(world, link, 2)
    await world.work()
    world.inbox.envelopes.clear()
    await reschedule_booking(world.ports, series.first.occurrence_id, LATER, STAFF)
    await world.work(60)
    (mail,) = world.mails(ANA)
    assert "(2 seats)" in str(mail["Subject"])
    assert [subject.partition(":")[0] for subject in world.subjects("client1@example.org")] == ["New time"]


async def test_reading_does_not_grow_with_the_attendees(world: MailWorld) -> None:
    counts = []
    for count in (2, 7):
        link = await class_link(world, slug=f"pottery-{count}")
        booked = [await attend(world, link, number) for number in range(count)]
        session_id = booked[0].occurrence_id
        await world.work()
        await take_step(world.ports, session_id, "cancel", STAFF)
        (row,) = [row for row in await world.rows(m.outbox) if row["kind"] == "session_mail"]
        names = ("id", "org_id", "lane", "kind", "subject_id", "payload", "requested", "attempts")
        async with statements_of(world.parts.database) as seen:
            await send_session_mail(world.ports, Job(**{name: row[name] for name in names}))
        counts.append(len([each for each in seen if each.startswith("SELECT")]))
        await world.work(60)
    assert counts[0] == counts[1] < 20
