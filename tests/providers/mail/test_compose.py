"""What booking and account mails say to whom."""

from __future__ import annotations

import re
from dataclasses import replace
from importlib.resources import files
from typing import Any, get_args

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html as lxml_html

from app.domain.bookings import EVENT_REMOVED, HostRef, Recipient
from app.domain.languages import LANGUAGES, SOURCE
from app.domain.locations import Location
from app.domain.reminders import Reminder
from app.ports.mail import Audience, BookingMailContext, BookingNews, Mail, MailPerson
from calendar_feeds.itip import invitation
from integrations.mail.account_wording import ACCOUNT_WORDS
from integrations.mail.compose import TemplateComposer
from integrations.mail.event_mail import _WORDS as EVENT_WORDS
from integrations.mail.message import build_message
from integrations.mail.wording import _WORDS
from tests.providers.mail.smtp_server import parse_message
from tests.providers.mail.test_message import NAMES, SENDER
from tests.unit.bookings import START, make_booking

BASE = "https://halfpast.example.com"
MANAGE = f"{BASE}/booking/recipients-own-token"
APP = f"{BASE}/app/bookings/1"
VIEW = f"{BASE}/booking/view/signed"
COMPOSER = TemplateComposer(SENDER, "halfpast.example.com", BASE, invitation)
RITA = MailPerson("rita@example.org", "Rita Recipient", "Europe/Berlin", "recipient")
ANA = MailPerson("ana@example.com", "Ana", "America/New_York", "host")
GUS = MailPerson("gus@example.net", "", "Europe/Berlin", "guest")
EVERYBODY = [RITA, ANA, GUS]
NEWS: tuple[BookingNews, ...] = get_args(BookingNews)


def context(news: BookingNews, booking: dict[str, Any] | None = None, **changes: Any) -> BookingMailContext:
    values: dict[str, Any] = {
        "booking": make_booking(**(booking or {})),
        "news": news,
        "organization": "Demo Studio",
        "organizer_name": "Ana",
        "organizer_email": "ana@example.com",
        "previous_start": None,
        "manage_url": MANAGE,
        "app_url": APP,
        "view_url": VIEW,
        "now": START - 90_000,
        "followup_subject": "Thanks!",
        "followup_body": "It was good.\nWrite any time.",
    }
    return BookingMailContext(**{**values, **changes})


def said(mail: Mail) -> str:
    """All a person can read of it, links included."""
    return mail.subject + mail.text + mail.html


def event_of(mail: Mail) -> tuple[str, Any]:
    assert mail.invitation is not None
    calendar = icalendar.Calendar.from_ical(mail.invitation.text)
    (event,) = calendar.walk("VEVENT")
    assert str(calendar["METHOD"]) == mail.invitation.method
    return mail.invitation.method, event


def test_the_recipient_reads_their_own_time_and_gets_the_manage_link() -> None:
    mail = COMPOSER.booking(context("confirmed"), RITA)
    assert mail.subject == "Confirmed: Intro call with Ana, Thu, 4 Mar, 11:00"
    assert "Thursday, 4 March 2027" in mail.text
    assert "11:00 – 11:30 (Central European Time, GMT+1)" in mail.text
    assert f"Move or cancel:\n{MANAGE}" in mail.text
    assert f'href="{MANAGE}"' in mail.html
    assert f"{BASE}/api/v1/public/bookings/recipients-own-token/calendar.ics" in mail.html
    assert APP not in said(mail)
    assert (mail.from_name, mail.reply_to) == ("Ana (Demo Studio)", "ana@example.com")


def test_the_host_reads_both_clocks_and_the_answers() -> None:
    mail = COMPOSER.booking(context("confirmed"), ANA)
    assert mail.subject == "New booking: Rita Recipient, Thu, Mar 4, 5:00 AM (Intro call)"
    assert "5:00 AM – 5:30 AM (Eastern Time, GMT-5)" in mail.text
    assert "For Rita Recipient: Thu, Mar 4, 11:00 AM (Central European Time, GMT+1)" in mail.text
    for text in ("What about?: The plan", "Mon, Tue", "+49 30 123456", "Please ring twice", APP):
        assert text in mail.text
    assert mail.reply_to == "rita@example.org"


def test_a_host_in_the_recipients_zone_reads_one_clock() -> None:
    same = MailPerson("ana@example.com", "Ana", "Europe/Paris", "host")
    assert "For Rita" not in COMPOSER.booking(context("confirmed"), same).text


@pytest.mark.parametrize("news", NEWS)
@pytest.mark.parametrize("person", [ANA, GUS], ids=["host", "guest"])
def test_nobody_but_the_recipient_gets_the_manage_link(news: BookingNews, person: MailPerson) -> None:
    mail = COMPOSER.booking(context(news), person)
    assert "recipients-own-token" not in said(mail)
    assert mail.invitation is None or "recipients-own-token" not in mail.invitation.text.replace("\r\n ", "")


def test_the_manage_link_goes_to_no_other_web_calendar() -> None:
    document = lxml_html.fromstring(COMPOSER.booking(context("confirmed"), RITA).html)
    outward = [link for link in document.xpath("//a/@href") if not link.startswith(BASE)]
    assert len(outward) == 3  # Google, Outlook and where to meet
    assert all("recipients-own-token" not in link for link in outward)


def test_guests_learn_neither_answers_nor_notes_nor_the_phone_number() -> None:
    mail = COMPOSER.booking(context("confirmed"), GUS)
    for secret in ("The plan", "Please ring twice", "+49 30 123456", "rita@example.org", APP):
        assert secret not in said(mail)
    assert VIEW in mail.text


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.audience)
@pytest.mark.parametrize(
    ("news", "status", "method", "event_status"),
    [
        ("requested", "pending", "REQUEST", "TENTATIVE"),
        ("confirmed", "confirmed", "REQUEST", "CONFIRMED"),
        ("changed", "confirmed", "REQUEST", "CONFIRMED"),
        ("cancelled", "cancelled", "CANCEL", "CANCELLED"),
        ("declined", "cancelled", "CANCEL", "CANCELLED"),
    ],
)
def test_the_invitation_says_what_the_mail_says(
    person: MailPerson, news: BookingNews, status: str, method: str, event_status: str
) -> None:
    told = context(news, {"status": status, "sequence": 3})
    found, event = event_of(COMPOSER.booking(told, person))
    assert (found, str(event["STATUS"])) == (method, event_status)
    assert str(event["UID"]) == make_booking().uid
    assert event["SEQUENCE"] == 3
    assert str(event["ORGANIZER"]) == f"mailto:{SENDER.address}", "mail programs want ORGANIZER to be From"
    assert event["DTSTAMP"].dt.timestamp() == told.now
    attendees = event["ATTENDEE"] if isinstance(event["ATTENDEE"], list) else [event["ATTENDEE"]]
    assert f"mailto:{person.email}" in [str(attendee) for attendee in attendees]
    assert event["DTSTART"].dt.timestamp() == START
    assert not event.walk("VALARM")


def test_the_recipient_is_asked_to_reply_and_the_host_is_not() -> None:
    (_, theirs), (_, hosts) = (event_of(COMPOSER.booking(context("confirmed"), person)) for person in (RITA, ANA))
    assert [attendee.params["RSVP"] for attendee in theirs["ATTENDEE"]] == ["TRUE", "TRUE"]
    assert (hosts["ATTENDEE"].params["RSVP"], hosts["ATTENDEE"].params["PARTSTAT"]) == ("FALSE", "ACCEPTED")


def test_a_moved_booking_shows_its_time_before() -> None:
    mail = COMPOSER.booking(context("changed", {"sequence": 1}, previous_start=START - 86_400), RITA)
    assert mail.subject.startswith("New time: ")
    assert "Before: was Wednesday, 3 March 2027, 11:00" in mail.text
    assert re.search(r"<s [^>]*>Wednesday, 3 March 2027, 11:00</s>", mail.html)


def test_a_change_that_is_no_move_is_called_an_update() -> None:
    assert COMPOSER.booking(context("changed", {"sequence": 1}), RITA).subject.startswith("Updated: ")


def test_a_cancellation_gives_the_reason() -> None:
    mail = COMPOSER.booking(context("cancelled", {"status": "cancelled", "cancel_reason": "Fell ill"}), RITA)
    assert "Reason: Fell ill" in mail.text
    assert "Move or cancel" not in said(mail)


def test_a_deleted_event_is_told_to_whom_it_says_something() -> None:
    off = {"status": "cancelled", "cancel_reason": EVENT_REMOVED}
    assert "Reason: Its event was deleted in your calendar." in COMPOSER.booking(context("cancelled", off), ANA).text
    for person in (RITA, GUS):
        assert "Reason" not in COMPOSER.booking(context("cancelled", off), person).text
    both = {**off, "hosts": (HostRef("1", "user", "Ana"), HostRef("2", "user", "Ben"))}
    assert "deleted in a host's calendar." in COMPOSER.booking(context("cancelled", both), ANA).text


@pytest.mark.parametrize(
    ("news", "name", "previous", "subject", "headline"),
    [
        ("confirmed", "Robin Roe", None, "Walk-in: Robin Roe, ", "Robin Roe walked in"),
        ("confirmed", "Walk-in", None, "Walk-in, ", "Somebody walked in"),
        ("changed", "Robin Roe", START - 3600, "New time: Robin Roe, ", "Your walk-in has moved"),
        ("changed", "Robin Roe", None, "Updated: Robin Roe, ", "Your walk-in was updated"),
        ("cancelled", "Robin Roe", None, "Cancelled: Robin Roe, ", "Your walk-in is cancelled"),
    ],
)
def test_who_walked_in_did_not_book(
    news: BookingNews, name: str, previous: int | None, subject: str, headline: str
) -> None:
    status = "cancelled" if news == "cancelled" else "confirmed"
    booking = {"title": "Walk-in", "recipient": Recipient(name, ""), "timezone": "Europe/Berlin", "status": status}
    booking |= {"link_id": None}
    mail = COMPOSER.booking(context(news, booking, previous_start=previous), ANA)
    assert mail.subject.startswith(subject)
    assert headline in mail.text
    assert headline in mail.html
    assert mail.reply_to is None
    assert f"For {name}" not in mail.text
    assert "booked" not in mail.text
    assert "()" not in said(mail)


def test_every_tone_has_a_colour() -> None:
    style = (files("integrations.mail") / "templates" / "mail.css").read_text()
    tones = {each.tone for each in ACCOUNT_WORDS.values()} | {each.tone for each in EVENT_WORDS.values()}
    tones |= {each.tone for each in _WORDS.values()}
    assert all(f".{tone} {{" in style or f".{tone}," in style for tone in tones)


def test_a_lapsed_request_is_told_in_words() -> None:
    mail = COMPOSER.booking(context("declined", {"status": "cancelled", "cancel_reason": "expired"}), RITA)
    assert "Your request has lapsed" in mail.text
    assert "Reason" not in mail.text


def test_a_note_without_invitation_has_no_calendar_part() -> None:
    mail = COMPOSER.booking(context("cancelled", {"status": "cancelled"}, with_invitation=False), RITA)
    assert mail.invitation is None


def test_a_host_who_lost_a_standing_booking_is_told_who_has_it() -> None:
    mail = COMPOSER.booking(context("cancelled", {"sequence": 2}, organizer_name="Ben"), ANA)
    assert "no longer yours" in mail.subject.lower()
    assert "Ben has it now" in mail.text
    assert "because you were a host of this booking" in mail.text
    assert event_of(mail)[0] == "CANCEL"


def test_a_request_tells_the_host_until_when_the_time_is_held() -> None:
    mail = COMPOSER.booking(context("requested", {"status": "pending", "hold_expires_at": START - 3600}), ANA)
    assert "Held until: Thu, Mar 4, 4:00 AM" in mail.text
    assert "Confirm or decline:" in mail.text


def test_a_followup_is_the_templates_own_text() -> None:
    mail = COMPOSER.booking(context("followup"), RITA)
    assert mail.subject == "Thanks!"
    assert "It was good.\nWrite any time." in mail.text
    assert "It was good.<br>Write any time." in mail.html
    assert mail.invitation is None


def test_the_message_id_is_the_same_for_the_same_news_and_differs_otherwise() -> None:
    def of(news: BookingNews, person: MailPerson, now: int = START, **booking: Any) -> str:
        return COMPOSER.booking(context(news, booking, now=now), person).message_id

    first = of("confirmed", RITA)
    assert of("confirmed", RITA, START + 50) == first
    others = {
        of("confirmed", ANA),
        of("changed", RITA, sequence=1),
        of("requested", RITA, status="pending"),
        of("cancelled", RITA, status="cancelled"),
        of("followup", RITA),
    }
    assert len(others) == 5
    assert first not in others
    assert re.fullmatch(r"<[^@<>\s]+@halfpast\.example\.com>", first)


@settings(max_examples=60)
@given(NAMES, NAMES, NAMES, st.sampled_from(EVERYBODY), st.sampled_from(NEWS))
def test_what_people_type_stays_text(name: str, title: str, note: str, person: MailPerson, news: BookingNews) -> None:
    """No element, header, line or calendar property comes from it, and all parts can be read back."""
    booking = {
        "title": title,
        "recipient": Recipient(name, "rita@example.org", None),
        "notes": note,
        "location": Location("address", note),
    }
    plain = COMPOSER.booking(context(news, {"location": Location("address", "x"), "guests": ()}), person)
    mail = COMPOSER.booking(context(news, {**booking, "guests": ()}, organizer_name=name, organization=title), person)
    message = parse_message(build_message(mail, SENDER, START).as_bytes())
    assert [address.addr_spec for address in message["To"].addresses] == [person.email]
    assert "\n" not in mail.subject
    kinds = {element.tag for element in lxml_html.fromstring(mail.html).iter() if isinstance(element.tag, str)}
    assert kinds <= {*(element.tag for element in lxml_html.fromstring(plain.html).iter()), "br", "span"}
    if mail.invitation:
        event_of(mail)


def test_markup_is_shown_not_run() -> None:
    mail = COMPOSER.booking(context("confirmed", {"notes": "<script>alert(1)</script>"}, organization="<b>x"), ANA)
    assert "<script" not in mail.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in mail.html
    assert "<script>alert(1)</script>" in mail.text


def test_only_web_addresses_become_links() -> None:
    mail = COMPOSER.booking(context("confirmed", {"location": Location("link", "javascript:alert(1)")}), RITA)
    assert 'href="javascript' not in mail.html
    assert "javascript:alert(1)" in mail.text


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.audience)
def test_the_html_stands_alone(person: MailPerson) -> None:
    """Nothing is loaded from anywhere; styles are in the elements, with rules for dark and small screens."""
    document = lxml_html.fromstring(COMPOSER.booking(context("confirmed"), person).html)
    assert document.get("lang") == "en"
    assert document.xpath("//img | //link | //script | //iframe | //*[@background]") == []
    assert len(document.xpath("//h1")) == 1
    assert all(element.get("style") for element in document.xpath("//h1 | //a | //td[@class] | //th"))
    (sheet,) = document.xpath("//style/text()")
    assert "prefers-color-scheme: dark" in sheet
    assert "max-width: 480px" in sheet
    assert document.xpath("//table[not(@role='presentation')]//tr[th[@scope='row'] and td]")
    assert len(document.xpath("//table[not(@role='presentation')]")) == 1, "only the facts are a table to read"


@pytest.mark.parametrize("kind", sorted(ACCOUNT_WORDS))
def test_account_mails_carry_their_address(kind: str) -> None:
    url = f"{BASE}/app/password/a?b=1&c=2"
    mail = COMPOSER.account(kind, "ana@example.com", "Ana", url, "Demo Studio", START)
    assert url in mail.text
    assert url in lxml_html.fromstring(mail.html).xpath("//a/@href")
    assert mail.to == "ana@example.com"
    assert mail.invitation is None
    assert mail.message_id == COMPOSER.account(kind, "ana@example.com", "Ana", url, "Demo Studio", START).message_id


@pytest.mark.parametrize("news", NEWS)
@pytest.mark.parametrize("audience", get_args(Audience))
def test_every_news_has_words_for_everybody(news: BookingNews, audience: Audience) -> None:
    mail = COMPOSER.booking(context(news), MailPerson("x@example.com", "X", "Asia/Kolkata", audience))
    assert "{" not in mail.subject + mail.text
    assert mail.text.endswith("\n")


ENGLISH = re.compile(r"\b(the|you|your|with|and|or|to|of|is|this|was|time|times|booking)\b", re.IGNORECASE)
PLACES = [
    Location("link", "https://meet.example.com/1"),
    Location("phone", "+49 30 1234567"),
    Location("address", "X 1"),
]


@pytest.mark.parametrize("language", [each for each in LANGUAGES if each != SOURCE])
@pytest.mark.parametrize("news", [each for each in NEWS if each != "followup"])
def test_nothing_is_left_in_english(language: str, news: BookingNews) -> None:
    """Of whatever a recipient or a guest is told, but for what people and calendars named themselves."""
    for person in (RITA, GUS):
        for location in PLACES:
            for previous, reason in ((None, None), (START - 86_400, "Xx"), (None, "expired")):
                booking = {"title": "Xx", "location": location, "guests": ("g@x.example",), "cancel_reason": reason}
                reminder = Reminder(60, body="Xx") if news == "reminder" else None
                told = context(news, booking, previous_start=previous, reminder=reminder, organization="Xx")
                reader = replace(person, name="Xx", locale=language)
                for mail in (COMPOSER.booking(told, reader), COMPOSER.series([told, told], reader)):
                    (body,) = lxml_html.document_fromstring(mail.html).xpath(f"//html[@lang='{language}']/body")
                    shown = f"{mail.subject} {mail.text} {body.text_content()} {COMPOSER.text(told, reader)}"
                    assert ENGLISH.findall(re.sub(r"https?://\S+", "", shown)) == []
