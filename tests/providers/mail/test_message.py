"""Mails as messages: parts in the order mail programs want, and headers nobody can break out of."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import ProviderFailure
from app.ports.mail import Invitation, Mail
from integrations.mail.message import SUBJECT_OCTETS, Sender, build_message, header_text

SENDER = Sender("Halfpast", "bookings@halfpast.example.com")
NOW = 1_800_000_000
INVITATION = Invitation("REQUEST", "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Grüße\r\nEND:VCALENDAR\r\n")
NAMES = st.text(alphabet=st.characters(codec=None), max_size=120) | st.sampled_from(
    [
        "Rita\r\nBcc: evil@example.com",
        'Rita "the <boss>" O\'Neil; (Demo), x@y',
        "Åsa, Öberg <x@example.com>; " * 4,
        "=?utf-8?b?ZXZpbA==?=",
        "李" * 60,
        "👩\u200d👩\u200d👧" * 20,
        "a" * 300,
        'word, "two" ' * 20,
    ]
)


def make_mail(**changes: object) -> Mail:
    values = {
        "to": "rita@example.org",
        "to_name": "Rita",
        "subject": "Confirmed",
        "text": "Hello\n",
        "html": "<p>Hello</p>",
        "message_id": "<1.confirmed.0@halfpast.example.com>",
    }
    return Mail(**{**values, **changes})  # type: ignore[arg-type]  # a test's shorthand


def received(mail: Mail) -> EmailMessage:
    message = message_from_bytes(build_message(mail, SENDER, NOW).as_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


@given(NAMES, NAMES, NAMES)
def test_no_name_or_title_breaks_out_of_its_header(to_name: str, from_name: str, subject: str) -> None:
    raw = build_message(make_mail(to_name=to_name, from_name=from_name, subject=subject), SENDER, NOW).as_bytes()
    message = message_from_bytes(raw, policy=policy.default)
    assert [address.addr_spec for address in message["To"].addresses] == ["rita@example.org"]
    assert [address.addr_spec for address in message["From"].addresses] == ["bookings@halfpast.example.com"]
    assert [name for name in message if name.lower() in {"bcc", "cc", "sender"}] == []
    assert raw.split(b"\r\n\r\n")[0].isascii()
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), min_size=1, max_size=11))
def test_short_names_and_subjects_arrive_as_written(name: str) -> None:
    message = received(make_mail(to_name=f"{name} {name}"[:11], subject=f"About {name}"))
    assert message["To"].addresses[0].display_name == header_text(f"{name} {name}"[:11], 45)
    assert message["Subject"] == f"About {name}"


@given(st.lists(st.text(st.characters(categories=["L", "N", "S"]), min_size=1, max_size=12), min_size=1, max_size=20))
def test_long_subjects_keep_their_spaces_wherever_they_are_folded(words: list[str]) -> None:
    message = received(make_mail(subject=" ".join(words)))
    assert message["Subject"] == header_text(" ".join(words), SUBJECT_OCTETS)


def test_a_subject_in_arabic_keeps_its_spaces() -> None:
    subject = "تم التأكيد: Intro call مع Ana، الخميس، 4 مارس، 3:30 م"
    assert received(make_mail(subject=subject))["Subject"] == subject


def test_an_invitation_is_the_last_alternative_and_an_attachment() -> None:
    message = received(make_mail(invitation=INVITATION))
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    calendar = list(message.walk())[4]
    assert isinstance(calendar, EmailMessage)
    assert calendar["Content-Type"].params["method"] == "REQUEST"
    assert calendar["Content-Type"].params["charset"].lower() == "utf-8"
    assert calendar.get_payload(decode=True) == INVITATION.text.encode()
    attachment = list(message.iter_attachments())[-1]
    assert attachment.get_filename() == "invite.ics"
    assert attachment.get_payload(decode=True) == INVITATION.text.encode()


def test_without_an_invitation_there_are_two_alternatives() -> None:
    message = received(make_mail())
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]


def test_the_usual_headers_are_there() -> None:
    message = received(make_mail(reply_to="ana@example.com", from_name="Ana (Demo)"))
    assert message["Message-ID"] == "<1.confirmed.0@halfpast.example.com>"
    assert message["Date"].datetime.timestamp() == NOW
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Reply-To"] == "ana@example.com"
    assert message["From"] == '"Ana (Demo)" <bookings@halfpast.example.com>'


@pytest.mark.parametrize(
    "address",
    [
        "",
        "rita",
        "rita@",
        "@example.org",
        "a@b\r\nBcc: c@d",
        "a b@example.org",
        "a@b@c",
        "x@example.org, y@example.org",
    ],
)
def test_an_impossible_address_is_refused_for_good(address: str) -> None:
    with pytest.raises(ProviderFailure) as caught:
        build_message(make_mail(to=address), SENDER, NOW)
    assert caught.value.kind == "rejected"


def test_an_international_domain_goes_out_as_idna() -> None:
    assert received(make_mail(to="rita@bücher.example"))["To"].addresses[0].addr_spec == "rita@xn--bcher-kva.example"


def test_senders_are_read_from_the_setting() -> None:
    assert Sender.parse("Demo Bookings <b@example.com>") == Sender("Demo Bookings", "b@example.com")
    assert Sender.parse("b@example.com") == Sender("Halfpast", "b@example.com")
    with pytest.raises(ValueError, match="not an e-mail address"):
        Sender.parse("nobody")
