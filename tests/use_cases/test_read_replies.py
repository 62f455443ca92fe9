"""Answers to our invitations that come back by mail: from the mail that was really sent to a real mailbox."""

from __future__ import annotations

import re
import time
from collections.abc import AsyncIterator, Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from app.domain.bookings import Booking
from app.use_cases.booking_changes import Actor
from app.use_cases.manage_links import change_link
from app.use_cases.read_replies import read_replies
from app.use_cases.reschedule_booking import Move, reschedule_booking
from integrations.mail.imap import ImapReplyBox, ImapServer
from tests.providers.mail.imap_server import ImapMailbox, imap_server
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = [pytest.mark.anyio, pytest.mark.requires("dovecot")]

RITA, GUEST, STRANGER = "rita@example.org", "guest@example.org", "mallory@example.org"


@pytest.fixture(scope="module")
def dovecot() -> Iterator[ImapMailbox]:
    with imap_server() as mailbox:
        yield mailbox


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def booked(world: MailWorld, **values: Any) -> Booking:
    """A booking whose invitations are sent."""
    booking = await world.take(**values)
    await world.work()
    return booking


def invitation(world: MailWorld, address: str = RITA) -> str:
    """The calendar part of the last mail to an address."""
    mail: EmailMessage = world.mails(address)[-1]
    return next(str(part.get_content()) for part in mail.walk() if part.get_content_type() == "text/calendar")


def answered(text: str, words: str, address: str = RITA) -> str:
    """What a calendar program makes of an invitation when somebody answers it."""
    lines = re.sub(r"\r?\n[ \t]", "", text).splitlines()
    kept = [line for line in lines if not line.startswith(("ATTENDEE", "METHOD"))]
    attendee = f"ATTENDEE;PARTSTAT={words}:mailto:{address}"
    at = kept.index("END:VEVENT")
    return "\r\n".join(["BEGIN:VCALENDAR", "METHOD:REPLY", *kept[1:at], attendee, *kept[at:], ""])


async def post(world: MailWorld, dovecot: ImapMailbox, text: str, sender: str = RITA) -> None:
    """The answer arrives, and is read."""
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = sender, "bookings@studio.example.com", "Re: Intro call"
    mail.set_content("An answer")
    mail.add_alternative(text, subtype="calendar", params={"method": "REPLY"})
    dovecot.deliver(mail.as_bytes())
    box = ImapReplyBox(ImapServer.parse(dovecot.url), lambda: int(time.time()))
    assert await read_replies(world.ports, box) == 1
    assert await read_replies(world.ports, box) == 0
    await world.work(5)


@pytest.mark.parametrize(
    ("words", "reply"), [("ACCEPTED", "accepted"), ("TENTATIVE", "tentative"), ("DECLINED", "declined")]
)
async def test_the_answer_is_shown(world: MailWorld, dovecot: ImapMailbox, words: str, reply: str) -> None:
    booking = await booked(world)
    await post(world, dovecot, answered(invitation(world), words))
    stored = await world.stored(booking)
    assert (stored.recipient_reply, stored.status) == (reply, "confirmed")


async def test_a_refusal_cancels_where_the_link_says_so(world: MailWorld, dovecot: ImapMailbox) -> None:
    booking = await booked(world)
    await change_link(world.ports, world.owner, str(booking.link_id), {"cancel_on_decline": True})
    await post(world, dovecot, answered(invitation(world), "DECLINED"))
    assert (await world.stored(booking)).status == "cancelled"
    assert world.subjects(RITA)[-1].startswith("Cancelled")


async def test_forged_and_late_answers_mean_nothing(world: MailWorld, dovecot: ImapMailbox) -> None:
    """From another address than the recipient's, for somebody else, of a guest, about another event, or about the time
    before."""
    booking = await booked(world, guests=(GUEST,))
    text = invitation(world)
    await post(world, dovecot, answered(text, "DECLINED"), sender=STRANGER)
    await post(world, dovecot, answered(text, "DECLINED", STRANGER), sender=STRANGER)
    await post(world, dovecot, answered(text, "DECLINED", GUEST), sender=GUEST)
    await post(world, dovecot, answered(text, "DECLINED").replace(booking.uid, f"{booking.id}@elsewhere.example.com"))
    await post(world, dovecot, answered(text, "DECLINED").replace(booking.uid, "nothing of ours"))
    await post(world, dovecot, "BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n")
    await reschedule_booking(world.ports, booking.id, Move(START + 3600), Actor("recipient", booking.id))
    await post(world, dovecot, answered(text, "DECLINED"))
    assert (await world.stored(booking)).recipient_reply is None
    await post(world, dovecot, answered(invitation(world), "ACCEPTED"))
    assert (await world.stored(booking)).recipient_reply == "accepted"
