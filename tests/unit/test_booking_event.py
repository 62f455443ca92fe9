"""What a booking looks like in calendars, and who may read what there."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from app.domain.answers import Answered
from app.domain.booking_event import answer_lines, booking_event, event_status, host_event
from app.domain.bookings import BookingStatus
from app.domain.calendar_event import Party
from app.domain.event_text import event_component
from app.domain.locations import Location
from tests.unit.bookings import make_booking

APP = "https://halfpast.example.com/app/bookings/1"
MANAGE = "https://halfpast.example.com/booking/recipients-own-token"
ANA = Party("Ana", "bookings@example.com")


@dataclass(frozen=True)
class Person:
    timezone: str


def test_hosts_see_who_comes_and_what_they_answered() -> None:
    event = host_event(make_booking(), Person("America/New_York"), "Demo", APP)
    assert event.summary == "Intro call: Rita Recipient"
    assert event.timezone == "America/New_York"
    assert event.location == "https://meet.example.com/abc"
    assert event.alarms == (15,)
    for text in ("rita@example.org", "+49 30 123456", "gus@example.net", "What about?\nThe plan", "Days\nMon, Tue"):
        assert text in event.description
    assert "Notes\nPlease ring twice" in event.description
    assert APP in event.description
    assert event.url == APP


def test_hosts_calendars_never_carry_the_manage_link_nor_attendees() -> None:
    """They are often shared; an attendee would make the server send an invitation of its own."""
    event = booking_event(
        make_booking(),
        audience="host",
        organization="Demo",
        timezone="UTC",
        organizer=ANA,
        app_url=APP,
        manage_url=MANAGE,
    )
    assert "recipients-own-token" not in repr(event)
    assert event.organizer is None
    assert event.attendees == ()


def test_the_recipient_is_invited_and_gets_the_manage_link() -> None:
    event = booking_event(
        make_booking(),
        audience="recipient",
        organization="Demo",
        timezone="Europe/Berlin",
        organizer=ANA,
        app_url=APP,
        manage_url=MANAGE,
    )
    assert event.summary == "Intro call with Ana"
    assert event.url == MANAGE
    assert MANAGE in event.description
    assert APP not in event.description
    assert event.organizer == ANA
    assert [(party.email, party.rsvp) for party in event.attendees] == [
        ("rita@example.org", True),
        ("gus@example.net", True),
    ]


def test_guests_get_neither_links_nor_what_the_recipient_told_the_host() -> None:
    event = booking_event(
        make_booking(),
        audience="guest",
        organization="Demo",
        timezone="UTC",
        organizer=ANA,
        app_url=APP,
        manage_url=MANAGE,
    )
    assert event.url is None
    for secret in (APP, MANAGE, "Please ring twice", "The plan", "+49 30 123456"):
        assert secret not in event.description


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ("pending", "TENTATIVE"),
        ("confirmed", "CONFIRMED"),
        ("in_progress", "CONFIRMED"),
        ("completed", "CONFIRMED"),
        ("no_show", "CONFIRMED"),
        ("cancelled", "CANCELLED"),
    ],
)
def test_the_status_follows_the_booking(status: BookingStatus, expected: str) -> None:
    assert event_status(make_booking(status=status)) == expected


def test_uid_and_sequence_are_the_bookings() -> None:
    event = host_event(make_booking(sequence=4), Person("UTC"), "Demo", APP)
    assert (event.uid, event.sequence) == (make_booking().uid, 4)


def test_answers_are_told_as_people_say_them() -> None:
    answered = Answered({"a": False, "b": [], "c": 3, "d": "", "e": None, "f": "x"}, {"a": "Agreed", "c": "How many"})
    assert answer_lines(answered) == [("Agreed", "No"), ("How many", "3"), ("f", "x")]


@pytest.mark.parametrize(
    ("location", "joined"),
    [
        (Location("link", "https://meet.example.com/abc"), "https://meet.example.com/abc"),
        (Location("video", "https://meet.jit.si/room"), "https://meet.jit.si/room"),
        (Location("video", ""), None),  # on its way
        (Location("link", "ask at the desk"), None),
        (Location("phone", "+49 30 123456"), None),
        (Location("address", "https://example.com is on the door"), None),
    ],
)
def test_an_online_meeting_is_joined_from_the_event(location: Location, joined: str | None) -> None:
    event = booking_event(make_booking(location=location), audience="guest", organization="", timezone="UTC")
    assert event.join_url == joined
    line = f"\r\nCONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Join:{joined}\r\n"
    text = event_component(event).replace("\r\n ", "")
    assert (line in text) == ("CONFERENCE" in text) == (joined is not None)
