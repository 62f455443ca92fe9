"""Events of people's own, with guests from outside: what they get by mail, and what their answers do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from app.domain.calendars import PERSONAL
from app.domain.content_lines import Component, Line, read_calendar
from app.ports.reply_box import Letter
from app.use_cases import deliver_invitations
from app.use_cases.calendar_objects import Conditions
from app.use_cases.delete_calendar_object import delete_calendar_object
from app.use_cases.put_calendar_object import put_calendar_object
from app.use_cases.take_mailed_answer import take_mailed_answer
from app.worker import MAX_ATTEMPTS, MAX_DELAY_SECONDS
from tests.support.ical import calendar
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

RITA, OMAR = "rita@example.org", "omar@example.org"
ZONED = "DTSTART;TZID=Europe/Berlin:20270304T110000"


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


def event(world: MailWorld, *guests: str, start: str = ZONED, lines: tuple[str, ...] = ()) -> str:
    ana = world.owner.email
    people = [f"ATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:{each}" for each in guests]
    organizer = [f"ORGANIZER:mailto:{ana}", f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ana}"]
    return calendar(["UID:lunch", start, "DURATION:PT1H", "SUMMARY:Lunch\\, at last", *organizer, *people, *lines])


async def put(world: MailWorld, text: str, user: int = 0) -> str:
    """Put it into somebody's calendar, send what follows, and say what is kept."""
    async with world.ports.read() as work:
        personal = await work.calendars.builtin_calendar(world.users[user].id, PERSONAL)
    assert personal is not None
    await put_calendar_object(world.ports, personal, "lunch.ics", text, Conditions())
    await world.work()
    return await stored(world, user)


async def stored(world: MailWorld, user: int = 0) -> str:
    async with world.ports.read() as work:
        [(_, item)] = await work.scheduling.events_with([world.users[user].id], "lunch")
    return item.data


def part(mail: Any) -> str:
    return next(str(each.get_content()) for each in mail.walk() if each.get_content_type() == "text/calendar")


def entry(text: str) -> Component:
    return next(each for each in read_calendar(text).children if each.name == "VEVENT")


def guest(text: str, address: str = RITA) -> Line:
    return next(line for line in entry(text).every("ATTENDEE") if line.value == f"mailto:{address}")


def reply(invitation: str, answer: str, address: str = RITA) -> str:
    """What a mail program makes of an invitation."""
    lines = [line for line in re.sub(r"\r?\n[ \t]", "", invitation).splitlines() if line]
    kept = [line for line in lines if not line.startswith(("ATTENDEE", "METHOD"))]
    at = kept.index("END:VEVENT")
    line = f"ATTENDEE;PARTSTAT={answer}:mailto:{address}"
    return "\r\n".join(["BEGIN:VCALENDAR", "METHOD:REPLY", *kept[1:at], line, *kept[at:], ""])


async def test_guests_from_outside_are_invited_by_mail(world: MailWorld) -> None:
    text = await put(world, event(world, RITA))
    [mail] = world.mails(RITA)
    assert mail["Subject"] == "Invitation: Lunch, at last"
    assert mail["Reply-To"] == world.owner.email
    assert mail["From"].addresses[0].addr_spec == "bookings@studio.example.com"
    body = mail.get_body(("plain",)).get_content()
    assert "11:00" in body
    assert "Ana invites you" in body
    invitation = read_calendar(part(mail))
    assert invitation.value("METHOD") == "REQUEST"
    organizer = entry(part(mail)).first("ORGANIZER")
    assert organizer is not None
    assert organizer.value == "mailto:bookings@studio.example.com"  # else mail programs do not take it for genuine
    assert organizer.param("EMAIL") == world.owner.email
    assert guest(text).param("SCHEDULE-STATUS") == "1.1"


async def test_once_per_state_and_not_for_what_concerns_nobody(world: MailWorld) -> None:
    text = await put(world, event(world, RITA))
    await put(world, text.replace("END:VEVENT", "BEGIN:VALARM\r\nTRIGGER:-PT5M\r\nEND:VALARM\r\nEND:VEVENT"))
    assert world.subjects(RITA) == ["Invitation: Lunch, at last"]
    await put(world, event(world, RITA, OMAR, start="DTSTART;TZID=Europe/Berlin:20270304T120000"))
    assert world.subjects(RITA)[1:] == ["Changed: Lunch, at last"]
    await put(world, event(world, OMAR, start="DTSTART;TZID=Europe/Berlin:20270304T120000"))
    assert world.subjects(RITA)[2:] == ["Cancelled: Lunch, at last"]
    assert read_calendar(part(world.mails(RITA)[2])).value("METHOD") == "CANCEL"
    assert len({mail["Message-ID"] for mail in world.mails(RITA)}) == 3


async def test_an_instance_that_is_taken_out_is_one_mail(world: MailWorld) -> None:
    await put(world, event(world, RITA, lines=("RRULE:FREQ=DAILY;COUNT=5",)))
    await put(
        world, event(world, RITA, lines=("RRULE:FREQ=DAILY;COUNT=5", "EXDATE;TZID=Europe/Berlin:20270305T110000"))
    )
    assert world.subjects(RITA)[1:] == ["Changed: Lunch, at last"]


async def test_a_deleted_event_is_cancelled_by_mail(world: MailWorld) -> None:
    await put(world, event(world, RITA))
    async with world.ports.read() as work:
        personal = await work.calendars.builtin_calendar(world.owner.id, PERSONAL)
    assert personal is not None
    await delete_calendar_object(world.ports, personal, "lunch.ics", Conditions())
    await world.work()
    assert world.subjects(RITA)[1:] == ["Cancelled: Lunch, at last"]


async def test_what_is_over_is_told_to_nobody_outside(world: MailWorld) -> None:
    text = await put(world, event(world, RITA, start="DTSTART:20200304T110000Z"))
    assert world.mails(RITA) == []
    assert guest(text).param("SCHEDULE-STATUS") is None


async def test_an_answer_by_mail_shows_in_the_event_and_to_colleagues(world: MailWorld) -> None:
    await put(world, event(world, RITA, world.users[1].email))
    invitation = part(world.mails(RITA)[0])
    await take_mailed_answer(world.ports, Letter("1", RITA, reply(invitation, "ACCEPTED")))
    assert guest(await stored(world)).param("PARTSTAT") == "ACCEPTED"
    assert guest(await stored(world, 1)).param("PARTSTAT") == "ACCEPTED"
    await world.work()
    assert len(world.mails(RITA)) == 1  # an answer is answered by nothing


async def test_answers_of_others_or_to_an_earlier_time_count_for_nothing(world: MailWorld) -> None:
    await put(world, event(world, RITA))
    invitation = part(world.mails(RITA)[0])
    for sender, text in (
        ("mallory@example.org", reply(invitation, "DECLINED")),
        ("mallory@example.org", reply(invitation, "DECLINED", "mallory@example.org")),
        (RITA, reply(invitation, "DECLINED", OMAR)),
        (RITA, reply(invitation, "DECLINED").replace("METHOD:REPLY", "METHOD:REQUEST")),
        (RITA, reply(invitation, "DECLINED").replace("UID:lunch", "UID:other")),
        (RITA, "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\n"),
    ):
        await take_mailed_answer(world.ports, Letter("1", sender, text))
    await put(world, event(world, RITA, start="DTSTART:20270305T110000Z"))
    await take_mailed_answer(world.ports, Letter("1", RITA, reply(invitation, "ACCEPTED")))
    assert guest(await stored(world)).param("PARTSTAT") == "NEEDS-ACTION"


async def test_an_answer_goes_to_an_organizer_outside_by_mail(world: MailWorld) -> None:
    ana = world.owner.email
    text = calendar(
        ["UID:lunch", ZONED, "DURATION:PT1H", "SUMMARY:Theirs", f"ORGANIZER:mailto:{RITA}",
         f"ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:{ana}", f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{RITA}"]
    )  # fmt: skip
    await put(world, text)
    assert world.mails(RITA) == []
    kept = await put(world, text.replace("NEEDS-ACTION", "ACCEPTED"))
    [mail] = world.mails(RITA)
    assert mail["Subject"] == "Accepted: Theirs"
    answer = entry(part(mail))
    assert [line.value for line in answer.every("ATTENDEE")] == [f"mailto:{ana}"]
    assert answer.value("ORGANIZER") == f"mailto:{RITA}"
    organizer = entry(kept).first("ORGANIZER")
    assert organizer is not None
    assert organizer.param("SCHEDULE-STATUS") == "1.1"


async def test_nobody_sends_more_than_so_many_mails_a_day(world: MailWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver_invitations, "MAX_MAILS_A_DAY", 2)
    guests = [f"guest{number}@example.org" for number in range(3)]
    text = await put(world, event(world, *guests))
    assert [guest(text, each).param("SCHEDULE-STATUS") for each in guests] == ["1.1", "1.1", "5.1"]
    assert len(world.inbox.messages) == 2
    world.clock.advance(86_401)
    text = await put(world, event(world, *guests, start="DTSTART:20270304T150000Z"))
    assert [guest(text, each).param("SCHEDULE-STATUS") for each in guests] == ["1.1", "1.1", "5.1"]


async def test_a_mail_that_is_given_up_shows_on_the_guest_and_its_new_try_too(world: MailWorld) -> None:
    world.inbox.rcpt_answer = "550 No such user"
    text = await put(world, event(world, RITA, lines=("RRULE:FREQ=DAILY;COUNT=5",)))
    assert guest(text).param("SCHEDULE-STATUS") == "5.1"
    before = await revision(world)
    await world.work(10)
    assert await revision(world) == before  # once told it stays as it is
    async with world.ports.unit_of_work() as work:
        [letter] = await work.outbox.dead(world.organization.id)
        await work.outbox.retry(world.organization.id, letter.id, world.clock())
        await work.commit()
    world.inbox.rcpt_answer = "250 OK"
    await world.work()
    assert len(world.mails(RITA)) == 1
    assert guest(await stored(world)).param("SCHEDULE-STATUS") == "1.1"


async def revision(world: MailWorld) -> int:
    async with world.ports.read() as work:
        personal = await work.calendars.builtin_calendar(world.owner.id, PERSONAL)
    assert personal is not None
    return personal.revision


async def test_a_mail_that_is_tried_again_is_not_given_up(world: MailWorld) -> None:
    world.inbox.rcpt_answer = "450 Later"
    text = await put(world, event(world, RITA))
    assert guest(text).param("SCHEDULE-STATUS") == "1.1"
    for _ in range(MAX_ATTEMPTS):
        await world.work(2 * MAX_DELAY_SECONDS)
    assert guest(await stored(world)).param("SCHEDULE-STATUS") == "5.1"


async def test_what_a_later_mail_told_is_not_undone_by_an_earlier_one(world: MailWorld) -> None:
    world.inbox.rcpt_answer = "450 Later"
    await put(world, event(world, RITA, OMAR))
    world.clock.advance(1)
    world.inbox.rcpt_answer = "250 OK"
    later = event(world, RITA, OMAR, start="DTSTART;TZID=Europe/Berlin:20270304T120000")
    async with world.ports.read() as work:
        personal = await work.calendars.builtin_calendar(world.owner.id, PERSONAL)
    assert personal is not None
    await put_calendar_object(world.ports, personal, "lunch.ics", later, Conditions())
    async with world.ports.read() as work:
        lanes = await work.outbox.open_jobs(world.organization.id, world.owner.id)
    await world.work()
    world.inbox.rcpt_answer = "550 No such user"
    await world.work(2 * MAX_DELAY_SECONDS)
    assert len(lanes) == 4
    text = await stored(world)
    assert [guest(text, each).param("SCHEDULE-STATUS") for each in (RITA, OMAR)] == ["1.1", "1.1"]


async def test_an_answer_that_does_not_arrive_shows_on_the_organizer(world: MailWorld) -> None:
    ana = world.owner.email
    people = [f"ORGANIZER:mailto:{RITA}", f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ana}", f"ATTENDEE:mailto:{RITA}"]
    world.inbox.rcpt_answer = "550 No such user"
    text = await put(world, calendar(["UID:lunch", ZONED, "DURATION:PT1H", "SUMMARY:Lunch", *people]))
    organizer = entry(text).first("ORGANIZER")
    assert organizer is not None
    assert organizer.param("SCHEDULE-STATUS") == "5.1"


async def test_who_is_gone_by_then_concerns_nobody(world: MailWorld) -> None:
    world.inbox.rcpt_answer = "450 Later"
    await put(world, event(world, RITA, OMAR))
    world.clock.advance(1)
    await put(world, event(world, OMAR))
    world.inbox.rcpt_answer = "550 No such user"
    await world.work(2 * MAX_DELAY_SECONDS)
    assert RITA not in await stored(world)
    async with world.ports.read() as work:
        personal = await work.calendars.builtin_calendar(world.owner.id, PERSONAL)
    assert personal is not None
    await delete_calendar_object(world.ports, personal, "lunch.ics", Conditions())
    await world.work(2 * MAX_DELAY_SECONDS)  # and an event that is not there any more
    async with world.ports.read() as work:
        kinds = {each.kind for each in await work.outbox.dead(world.organization.id)}
    assert kinds == {"scheduling_mail"}
