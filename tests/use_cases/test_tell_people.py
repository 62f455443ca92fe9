"""Who hears what of a booking, when, and how often: over real databases and a real mail server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import icalendar
import pytest

from app.domain.bookings import BookingStatus, Recipient
from app.domain.event_text import calendar_text
from app.domain.links import Link
from app.domain.services import ServiceHost
from app.domain.templates import Followup
from app.ports.mail import Audience
from app.ports.mail_log import Delivery
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_slot import BookingRequest
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_links import create_template
from app.use_cases.manage_services import create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.tell_people import News, news_for, told_start
from app.use_cases.view_booking import recipient_event, viewed_booking
from app.worker import Worker
from tests.unit.bookings import START, make_booking
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

RITA = "rita@example.org"
GUS = "gus@example.net"
ANA = "ana@studio.example.com"
HOST = Actor("user", "ana")
RECIPIENT = Actor("recipient")


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


def event_of(mail: Any) -> tuple[str, Any]:
    """(method, event) of a mail's calendar part, which must agree with its Content-Type."""
    (part,) = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    calendar = icalendar.Calendar.from_ical(part.get_payload(decode=True))
    assert part["Content-Type"].params["method"] == str(calendar["METHOD"])
    (event,) = calendar.walk("VEVENT")
    return str(calendar["METHOD"]), event


def text_of(mail: Any) -> str:
    body = mail.get_body(("plain",))
    return str(body.get_content())


async def test_everybody_is_invited_once(world: MailWorld) -> None:
    booking = await world.take(guests=(GUS,))
    await world.work()
    assert len(world.inbox.messages) == 3
    for address in (RITA, ANA, GUS):
        (mail,) = world.mails(address)
        method, event = event_of(mail)
        assert (method, str(event["UID"]), event["SEQUENCE"]) == ("REQUEST", booking.uid, 0)
        assert str(event["ORGANIZER"]) == f"mailto:{mail['From'].addresses[0].addr_spec}"
    assert "15:30 – 16:00" in text_of(world.mails(RITA)[0]) or "3:30 pm – 4:00 pm" in text_of(world.mails(RITA)[0])
    assert "11:00 – 11:30 (Central European Time, GMT+1)" in text_of(world.mails(ANA)[0])
    assert f"/booking/{booking.token}" in text_of(world.mails(RITA)[0])


async def test_the_calendar_file_and_the_invitation_are_one_event(world: MailWorld) -> None:
    """Calendars take an event of another organizer for somebody else's."""
    booking = await world.take(guests=(GUS,))
    await world.work()
    _, invited = event_of(world.mails(RITA)[0])
    text = calendar_text(await recipient_event(world.ports, booking))
    (downloaded,) = icalendar.Calendar.from_ical(text).walk("VEVENT")
    for name in ("UID", "SEQUENCE", "ORGANIZER", "ATTENDEE", "SUMMARY", "DESCRIPTION", "URL"):
        assert downloaded[name] == invited[name], name
    assert invited["ORGANIZER"].params["CN"] == "Ana"


async def test_asking_again_tells_nothing_anew(world: MailWorld) -> None:
    booking = await world.take()
    await world.work()
    world.clock.now = booking.start
    await take_step(world.ports, booking.id, "start", HOST)
    await world.work(60)
    assert len(world.inbox.messages) == 2


async def test_a_move_is_a_request_of_higher_sequence_that_shows_both_times(world: MailWorld) -> None:
    booking = await world.take(guests=(GUS,))
    await world.work()
    await reschedule_booking(world.ports, booking.id, Move(START + 3600), RECIPIENT)
    await world.work(60)
    for address in (RITA, ANA, GUS):
        first, second = world.mails(address)
        method, event = event_of(second)
        assert (method, str(event["UID"])) == ("REQUEST", booking.uid)
        assert event["SEQUENCE"] > event_of(first)[1]["SEQUENCE"]
        assert event["DTSTART"].dt.timestamp() == START + 3600
        assert "Before: was" in text_of(second)
        assert first["Message-ID"] != second["Message-ID"]


async def test_two_moves_before_the_mail_goes_out_are_one_mail_from_the_time_people_knew(world: MailWorld) -> None:
    booking = await world.take()
    await world.work()
    for hours in (1, 2):
        world.clock.advance(30)
        await reschedule_booking(world.ports, booking.id, Move(START + hours * 3600), HOST)
    await world.work(30)
    _, moved = world.mails(ANA)
    assert "Before: was Thursday, 4 March 2027, 11:00" in text_of(moved)
    assert event_of(moved)[1]["SEQUENCE"] == 2


async def test_a_cancellation_calls_the_invitation_off(world: MailWorld) -> None:
    booking = await world.take(guests=(GUS,))
    await world.work()
    await take_step(world.ports, booking.id, "cancel", RECIPIENT, reason="Fell ill")
    await world.work(60)
    for address in (RITA, ANA, GUS):
        method, event = event_of(world.mails(address)[1])
        assert (method, str(event["STATUS"]), event["SEQUENCE"]) == ("CANCEL", "CANCELLED", 1)
    assert "Reason: Fell ill" in text_of(world.mails(ANA)[1])


async def test_a_booking_cancelled_before_any_mail_is_a_plain_note(world: MailWorld) -> None:
    """There is no invitation to call off; guests who never heard of it hear nothing."""
    booking = await world.take(guests=(GUS,))
    await take_step(world.ports, booking.id, "cancel", RECIPIENT)
    await world.work()
    assert world.mails(GUS) == []
    for address in (RITA, ANA):
        (mail,) = world.mails(address)
        assert "text/calendar" not in [part.get_content_type() for part in mail.walk()]
        assert str(mail["Subject"]).startswith("Cancelled: ")


async def test_a_request_is_tentative_until_it_is_confirmed(world: MailWorld) -> None:
    asked = await world.link("asked", requires_approval=True)
    booking = await world.take(asked, guests=(GUS,))
    await world.work()
    assert str(event_of(world.mails(RITA)[0])[1]["STATUS"]) == "TENTATIVE"
    assert world.subjects(ANA)[0].startswith("Please confirm: Rita")
    assert world.mails(GUS) == [], "guests hear of it when it is certain"
    await take_step(world.ports, booking.id, "confirm", HOST)
    await world.work(60)
    assert world.subjects(RITA)[1].startswith("Confirmed: ")
    assert str(event_of(world.mails(RITA)[1])[1]["STATUS"]) == "CONFIRMED"
    assert world.subjects(GUS)[0].startswith("Invitation: ")


@pytest.mark.parametrize(("actor", "subject"), [(HOST, "Not confirmed: "), (RECIPIENT, "Cancelled: ")])
async def test_a_request_turned_down_is_not_called_cancelled(world: MailWorld, actor: Actor, subject: str) -> None:
    asked = await world.link("asked", requires_approval=True)
    booking = await world.take(asked)
    await world.work()
    await take_step(world.ports, booking.id, "cancel", actor)
    await world.work(60)
    assert world.subjects(RITA)[1].startswith(subject)
    assert event_of(world.mails(RITA)[1])[0] == "CANCEL"


async def test_a_request_nobody_answers_lapses_and_says_so(world: MailWorld) -> None:
    asked = await world.link("asked", requires_approval=True)
    await world.take(asked)
    await world.work()
    await world.work(86_400 + 1)
    assert "Your request has lapsed" in text_of(world.mails(RITA)[1])


async def test_a_host_who_hands_a_booking_on_is_told_and_called_off(world: MailWorld) -> None:
    booking = await world.take(await world.shared_link("pool", world.users))
    await world.work()
    (first,) = [user for user in world.users if user.id == booking.hosts[0].id]
    (other,) = [user for user in world.users if user.id != first.id]
    await reschedule_booking(world.ports, booking.id, Move(START, host_id=other.id), HOST)
    await world.work(60)
    method, event = event_of(world.mails(first.email)[1])
    assert (method, event["SEQUENCE"]) == ("CANCEL", 1)
    assert f"{other.name} has it now" in text_of(world.mails(first.email)[1])
    assert event_of(world.mails(other.email)[0])[0] == "REQUEST"


async def test_an_address_in_two_roles_gets_one_mail(world: MailWorld) -> None:
    await world.take(recipient=Recipient("Ana", "Ana@studio.example.com"), guests=(ANA, GUS))
    await world.work()
    assert sorted(mail["To"].addresses[0].addr_spec.lower() for mail in world.inbox.messages) == [ANA, GUS]


async def test_a_guest_with_the_longest_address_is_told(world: MailWorld) -> None:
    longest = f"{'g' * 64}@{'d' * 60}.{'e' * 60}.{'f' * 60}.example.net"[:254]
    await world.take(guests=(longest,))
    await world.work()
    assert len(world.mails(longest)) == 1


async def test_the_guests_link_shows_the_booking_and_nothing_else_does(world: MailWorld) -> None:
    booking = await world.take(guests=(GUS,))
    await world.work()
    signed = text_of(world.mails(GUS)[0]).partition("/booking/view/")[2].split()[0]
    assert (await viewed_booking(world.ports, signed)).id == booking.id
    with pytest.raises(Exception, match="no such booking"):
        await viewed_booking(world.ports, signed[:-10] + ("A" if signed[-10] != "A" else "B") + signed[-9:])
    with pytest.raises(Exception, match="no such booking"):
        await viewed_booking(world.ports, booking.token)


async def test_a_crash_after_sending_repeats_the_mail_with_its_message_id(world: MailWorld) -> None:
    """The record of the mail is lost, as if the program had died; the next run cannot know it was sent."""

    def dead_database() -> Any:
        raise OSError("the power is gone")

    await world.take()
    await Worker(replace(world.ports, unit_of_work=dead_database), world.parts.handlers).drain()
    await world.work(3600)
    for address in (RITA, ANA):
        ids = [mail["Message-ID"] for mail in world.mails(address)]
        assert len(ids) == 2
        assert len(set(ids)) == 1


async def test_a_server_that_is_busy_is_asked_again(world: MailWorld) -> None:
    world.inbox.rcpt_answer = "451 4.7.1 later"
    await world.take()
    await world.work()
    assert world.inbox.messages == []
    world.inbox.rcpt_answer = "250 OK"
    await world.work(3600)
    assert len(world.inbox.messages) == 2
    await world.work(3600)
    assert len(world.inbox.messages) == 2


async def test_a_mail_nobody_takes_ends_as_a_dead_letter(world: MailWorld) -> None:
    world.inbox.rcpt_answer = "550 5.1.1 no such user"
    booking = await world.take()
    await world.work()
    async with world.ports.read() as work:
        dead = await work.outbox.dead(booking.org_id)
    assert {letter.kind for letter in dead} == {"booking_mail"}
    assert all("550" in letter.error for letter in dead)


async def test_nobody_is_told_of_what_is_over(world: MailWorld) -> None:
    booking = await world.take()
    await world.work(3 * 86_400)
    assert world.inbox.messages == []
    assert booking.end < world.clock.now


async def with_followup(world: MailWorld, *, enabled: bool = True) -> Link:
    values = {
        "name": "Default",
        "questions": (),
        "email_followup_enabled": enabled,
        "followup": Followup("Thanks, Rita", "It was good to meet you.", 90),
    }
    template = await create_template(world.ports, world.users[0], values)
    return await world.link("meet", template_id=template.id)


async def test_the_followup_comes_once_after_its_delay(world: MailWorld) -> None:
    booking = await world.take(await with_followup(world))
    await world.work()
    await world.work(booking.end - world.clock.now + 89 * 60)
    assert "Thanks, Rita" not in world.subjects(RITA)
    await world.work(60)
    assert world.subjects(RITA).count("Thanks, Rita") == 1
    assert "Thanks, Rita" not in world.subjects(ANA)
    await take_step(world.ports, booking.id, "correct", HOST)
    await world.work(7200)
    assert world.subjects(RITA).count("Thanks, Rita") == 1


async def test_a_moved_booking_is_followed_up_after_its_new_end(world: MailWorld) -> None:
    booking = await world.take(await with_followup(world))
    moved = await reschedule_booking(world.ports, booking.id, Move(START + 3 * 3600), RECIPIENT)
    await world.work(booking.end - world.clock.now + 91 * 60)
    assert "Thanks, Rita" not in world.subjects(RITA)
    await world.work(moved.end - world.clock.now + 90 * 60)
    assert "Thanks, Rita" in world.subjects(RITA)


async def test_the_followup_of_a_service_comes_also_when_staff_booked(world: MailWorld) -> None:
    template = await create_template(
        world.ports,
        world.owner,
        {
            "name": "Service",
            "questions": (),
            "email_followup_enabled": True,
            "followup": Followup("Thanks", "See you again.", 90),
        },
    )
    shape = {"name": "Cut", "durations": (30,), "template_id": template.id}
    service = await create_service(world.ports, world.owner, shape, hosts=[ServiceHost(world.owner.id)])
    asked = BookingRequest(START, 30, "Europe/Berlin", Recipient("Rita", "rita@example.org"))
    booking = await book_for_client(world.ports, world.owner, ClientBooking(asked, service_id=service.id))
    await world.work()
    assert len(world.subjects("rita@example.org")) == 1, "the confirmation"
    await world.work(booking.end + 91 * 60 - world.clock.now)
    assert world.subjects("rita@example.org")[-1] == "Thanks"


async def test_no_followup_of_a_cancelled_booking_or_without_the_switch(world: MailWorld) -> None:
    booking = await world.take(await with_followup(world, enabled=False))
    await world.work(booking.end - world.clock.now + 3 * 3600)
    assert "Thanks, Rita" not in world.subjects(RITA)


async def test_no_followup_of_a_cancelled_booking(world: MailWorld) -> None:
    booking = await world.take(await with_followup(world))
    await take_step(world.ports, booking.id, "cancel", HOST)
    await world.work(booking.end - world.clock.now + 3 * 3600)
    assert "Thanks, Rita" not in world.subjects(RITA)


def told(status: str, sequence: int = 0) -> Delivery:
    return Delivery("b", RITA, "state", "o", status, sequence, "<m@x>", START - 1000)


@pytest.mark.parametrize(
    ("status", "sequence", "known", "audience", "expected"),
    [
        ("pending", 0, None, "recipient", News("requested", "pending")),
        ("pending", 0, None, "guest", None),
        ("pending", 1, told("pending"), "host", News("changed", "pending")),
        ("confirmed", 0, None, "guest", News("confirmed", "confirmed")),
        ("confirmed", 2, told("pending", 1), "recipient", News("confirmed", "confirmed")),
        ("confirmed", 1, told("confirmed", 0), "recipient", News("changed", "confirmed")),
        ("confirmed", 1, told("confirmed", 1), "recipient", None),
        ("in_progress", 1, told("confirmed", 1), "recipient", None),
        ("confirmed", 3, told("cancelled", 2), "host", News("confirmed", "confirmed")),
        ("cancelled", 1, None, "recipient", News("cancelled", "cancelled", with_invitation=False)),
        ("cancelled", 1, None, "guest", None),
        ("cancelled", 1, told("confirmed"), "guest", News("cancelled", "cancelled")),
        ("cancelled", 1, told("pending"), "recipient", News("declined", "cancelled")),
        ("cancelled", 1, told("cancelled", 1), "recipient", None),
    ],
)
async def test_news_is_what_the_addressee_does_not_know(
    status: BookingStatus, sequence: int, known: Delivery | None, audience: Audience, expected: News | None
) -> None:
    booking = make_booking(status=status, sequence=sequence)
    assert news_for(booking, known, audience, START - 10) == expected
    assert news_for(booking, known, audience, booking.end) is None, "what is over is nobody's news"


async def test_a_former_host_hears_only_of_what_they_were_told() -> None:
    booking = make_booking(sequence=1)
    assert news_for(booking, None, "host", START - 10, removed=True) is None
    assert news_for(booking, told("confirmed"), "host", START - 10, removed=True) == News("cancelled", "cancelled")


async def test_the_time_before_is_the_one_that_was_told() -> None:
    known = told("confirmed")
    times = [
        {"start_at": 1, "replaced_at": known.sent_at - 1},
        {"start_at": 2, "replaced_at": known.sent_at + 1},
        {"start_at": 3, "replaced_at": known.sent_at + 2},
    ]
    assert told_start(make_booking(), known, times) == 2
    assert told_start(make_booking(start=2), known, times) is None, "moved back to where it was"
    assert told_start(make_booking(), None, times) is None
