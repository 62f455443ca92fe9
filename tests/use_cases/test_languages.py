"""Recipients and their guests are told of a booking in the recipient's language and zone, by mail and by text; hosts in
English."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.errors import Invalid
from app.domain.reminders import Reminder
from app.domain.repeats import Repeat
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_series import book_series
from app.use_cases.booking_changes import SYSTEM, Actor
from app.use_cases.change_booking import take_step
from app.use_cases.erase_person import erase_person
from app.use_cases.export_person import export_person
from app.use_cases.file_clients import file_booking
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.workspace import request
from tests.unit.bookings import START
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio

RITA, GUS, ANA = "rita@example.org", "gus@example.net", "ana@studio.example.com"
RECIPIENT, HOST = Actor("recipient"), Actor("user", "ana")
DAY, HOUR = 86_400, 3600
DAY_BEFORE = Reminder(1440)
AUSTRIAN: dict[str, Any] = {"language": "de-AT", "timezone": "Europe/Vienna"}
NUMBER = Recipient("Rita", RITA, "+49 30 1234567")


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


def text_of(mail: Any) -> str:
    return str(mail.get_body(("plain",)).get_content()).replace("\r\n", "\n")


def html_of(mail: Any) -> str:
    return str(mail.get_body(("html",)).get_content())


async def languages(world: MailWorld) -> list[str | None]:
    async with world.parts.database.read.connect() as connection:
        return list(await connection.scalars(select(m.bookings.c.language).order_by(m.bookings.c.id)))


async def test_who_booked_in_german_hears_in_german_all_along(world: MailWorld) -> None:
    """Confirmation, reminder, change and cancellation, in 24 hours of their zone; the host hears in English."""
    link = await world.link("intro", title="Erstgespräch", reminders=(DAY_BEFORE,))
    booking = await world.take(link, guests=(GUS,), **AUSTRIAN)
    await world.work()
    await world.work(DAY)
    moved = await reschedule_booking(world.ports, booking.id, Move(START + 5 * HOUR), RECIPIENT)
    await world.work()
    await take_step(world.ports, moved.id, "cancel", HOST, reason="Krank")
    await world.work()
    assert world.subjects(RITA) == [
        "Bestätigt: Erstgespräch mit Ana, Do., 4. März, 11:00",
        "Erinnerung: Erstgespräch mit Ana, Do., 4. März, 11:00",
        "Neuer Termin: Erstgespräch mit Ana, Do., 4. März, 16:00",
        "Abgesagt: Erstgespräch mit Ana, Do., 4. März, 16:00",
    ]
    made, reminded, changed, cancelled = [text_of(mail) for mail in world.mails(RITA)]
    assert "Wann: Donnerstag, 4. März 2027\n    11:00 – 11:30 (Mitteleuropäische Zeit, GMT+1)" in made
    assert "Verschieben oder absagen:\n" in made and "Geben Sie ihn nicht weiter." in made
    assert reminded.startswith("Bis bald\n\nWir erinnern Sie an Ihre Buchung: Erstgespräch mit Ana.")
    assert "Bisher: war Donnerstag, 4. März 2027, 11:00" in changed
    assert "Grund: Krank" in cancelled and "Buchung ansehen:\n" in cancelled
    assert {html_of(mail).count('<html lang="de">') for mail in world.mails(RITA)} == {1}
    assert [subject.partition(":")[0] for subject in world.subjects(GUS)] == ["Einladung", "Neuer Termin", "Abgesagt"]
    assert "Sie erhalten diese E-Mail, weil Rita Sie als Gast genannt hat." in text_of(world.mails(GUS)[0])
    assert world.subjects(ANA)[0] == "New booking: Rita, Thu, 4 Mar, 11:00 (Erstgespräch)"


async def test_arabic_runs_from_right_to_left(world: MailWorld) -> None:
    await world.take(language="ar-EG")
    await world.work()
    (mail,) = world.mails(RITA)
    assert mail["Subject"] == "تم التأكيد: Intro call مع Ana، الخميس، 4 مارس، 3:30 م"
    html = html_of(mail)
    assert '<html lang="ar" dir="rtl">' in html and html.count('dir="rtl"') == 2
    assert "text-align: right" in html and 'style="text-align: left' not in html
    assert "متى: الخميس، 4 مارس 2027" in text_of(mail)


@pytest.mark.parametrize(("language", "lang"), [("tlh", "en"), (None, "en"), ("fr-CA", "fr"), ("es-419", "es")])
async def test_the_nearest_language_there_is_words_in_is_taken(
    world: MailWorld, language: str | None, lang: str
) -> None:
    """English where there is none."""
    await world.take(language=language, timezone="Europe/Vienna")
    await world.work()
    (mail,) = world.mails(RITA)
    assert f'<html lang="{lang}">' in html_of(mail)
    if lang == "en":
        assert mail["Subject"] == "Confirmed: Intro call with Ana, Thu, 4 Mar, 11:00"


@pytest.mark.parametrize(
    ("language", "subject"),
    [
        ("en-GB", "Confirmed: Intro call with Ana, Thu 4 Mar, 11:00"),
        ("en-US", "Confirmed: Intro call with Ana, Thu, Mar 4, 11:00 AM"),
    ],
)
async def test_english_dates_have_the_form_of_the_region(world: MailWorld, language: str, subject: str) -> None:
    await world.take(language=language, timezone="Europe/Vienna")
    await world.work()
    assert world.subjects(RITA) == [subject]


async def test_a_text_is_in_the_recipients_language(world: MailWorld, tmp_path: Path) -> None:
    """The owner's own words are told as they are."""
    reminder = Reminder(60, channel="sms", body="Bring your passport.")
    link = await world.link("intro", title="Conseil", reminders=(reminder,))
    booking = await world.take(link, recipient=NUMBER, language="fr-FR", timezone="Europe/Paris")
    await world.work()
    world.clock.now = booking.start - HOUR
    await world.work()
    (path,) = (tmp_path / "texts").glob("*.json")
    lines = json.loads(path.read_text())["body"].splitlines()
    assert lines[0] == (
        "Rappel : Conseil avec Ana, jeu. 4 mars, 11:00 (heure d’Europe centrale, UTC+1)".replace(" :", "\u00a0:")
    )
    assert lines[1:] == ["Bring your passport.", f"{world.ports.base_url}/booking/{booking.token}"]


async def test_a_recurring_set_is_told_of_in_its_language(world: MailWorld) -> None:
    link = await world.link("intro", title="Clase", horizon_days=200, max_repeats=10)
    wanted = request(
        START, repeat=Repeat(3), recipient=Recipient("Rita", RITA), timezone="Europe/Madrid", language="es"
    )
    await book_series(world.ports, world.token(link), wanted)
    await world.work()
    assert world.subjects(RITA) == ["Confirmación: Clase con Ana, 3 fechas a partir del jue, 4 mar, 11:00"]
    assert "Fecha 2: jueves, 11 de marzo de 2027" in text_of(world.mails(RITA)[0])
    assert await languages(world) == ["es"] * 3


async def test_a_follow_up_has_the_owners_words_in_the_languages_frame(world: MailWorld) -> None:
    thanks = Reminder(60, "after", subject="How was it?", body="Tell us.")
    link = await world.link("intro", reminders=(thanks,))
    booking = await world.take(link, **AUSTRIAN)
    await world.work()
    world.clock.now = booking.end + HOUR
    await world.work()
    text = text_of(world.mails(RITA)[-1])
    assert text.startswith("How was it?\n\nTell us.\n")
    assert "Sie erhalten diese E-Mail, weil Sie bei Studio gebucht haben. Um keine weiteren zu erhalten: http" in text


async def test_a_request_keeps_its_language_through_hold_and_hand_over(world: MailWorld) -> None:
    ana, ben = world.users
    link = await world.shared_link("pool", (ana, ben), requires_approval=True)
    held = await world.take(link, **AUSTRIAN)
    await world.work()
    confirmed = await take_step(world.ports, held.id, "confirm", HOST)
    other = ben if confirmed.hosts[0].id == ana.id else ana
    await reschedule_booking(world.ports, held.id, Move(START + HOUR, host_id=other.id), HOST)
    await world.work()
    assert [subject.partition(":")[0] for subject in world.subjects(RITA)] == ["Anfrage gesendet", "Bestätigt"]
    assert await languages(world) == ["de-AT"]


async def test_a_request_that_lapses_says_so(world: MailWorld) -> None:
    link = await world.link("intro", requires_approval=True)
    await world.take(link, **AUSTRIAN)
    await world.work()
    await world.work(DAY * 2)
    assert world.subjects(RITA)[-1].startswith("Nicht bestätigt: ")
    assert text_of(world.mails(RITA)[-1]).startswith("Ihre Anfrage ist verfallen")


async def test_staff_book_in_the_language_the_client_had_last(world: MailWorld) -> None:
    """Known by the address at once, by the number once the booking is filed."""
    link = await world.link("intro", title="Intro call")
    earlier = await world.take(link, recipient=NUMBER, language="fr")

    async def by_staff(recipient: Recipient, hours: int, **values: Any) -> Booking:
        wanted = request(START + hours * HOUR, recipient=recipient, **values)
        return await book_for_client(world.ports, world.owner, ClientBooking(wanted, link.id))

    by_number = Recipient("Rita", "", "0049 30 1234567")
    assert (await by_staff(replace(NUMBER, phone=None), 1)).language == "fr"
    assert (await by_staff(by_number, 2)).language is None
    await file_booking(world.ports, earlier.id)
    assert (await by_staff(by_number, 3)).language == "fr"
    assert (await by_staff(NUMBER, 4, language="DE-at")).language == "de-AT"
    assert (await by_staff(Recipient("Nobody", "", None), 5)).language is None


async def test_what_is_no_language_is_never_kept(world: MailWorld) -> None:
    with pytest.raises(Invalid):
        await world.take(language="deutsch")
    assert await languages(world) == []


async def test_it_is_told_to_who_asks_and_erased(world: MailWorld) -> None:
    """And the log of changes does not name it."""
    await world.take(**AUSTRIAN)
    organization = world.organization.id
    exported = await export_person(world.ports, organization, RITA)
    assert exported["bookings"][0]["language"] == "de-AT"
    await erase_person(world.ports, organization, RITA, SYSTEM)
    assert await languages(world) == [None]
    async with world.parts.database.read.connect() as connection:
        assert "de-AT" not in str((await connection.execute(select(m.audit_entries.c.changes))).all())
