"""A booking in words for the one who made it, and the ways into their calendar."""

from urllib.parse import parse_qs, urlsplit

import pytest

from app.domain.answers import Answered
from app.domain.locations import Location
from app.web.pages.add_to_calendar import calendar_addresses
from app.web.pages.faces import Place, answers_of, initials, join_names, place_of_location, when_of
from app.web.pages.manage_views import standing_of
from app.web.pages.wording import wording_for
from tests.unit.bookings import START, make_booking


@pytest.mark.parametrize(
    ("changes", "now", "title"),
    [
        ({}, START - 60, "Your booking"),
        ({}, START + 1800, "This booking is over"),
        ({"status": "pending", "hold_expires_at": START}, START - 60, "Waiting for approval"),
        ({"status": "pending", "hold_expires_at": START}, START, "This request has lapsed"),
        ({"status": "cancelled", "cancel_reason": "expired"}, START, "This request has lapsed"),
        ({"status": "cancelled", "cancel_reason": "Ill"}, START, "This booking was cancelled"),
        ({"status": "in_progress"}, START + 60, "Happening now"),
        ({"status": "completed"}, START + 9999, "This booking is over"),
        ({"status": "no_show"}, START + 9999, "This booking is over"),
    ],
)
def test_every_state_has_words(changes: dict[str, object], now: int, title: str) -> None:
    assert standing_of(make_booking(**changes), now).title == title


def test_a_new_booking_says_where_the_confirmation_went() -> None:
    standing = standing_of(make_booking(), START - 60, is_new=True)
    assert (standing.title, standing.tone) == ("You are booked", "ok")
    assert "rita@example.org" in standing.text


def test_an_online_place_is_kept_back_until_it_is_booked() -> None:
    location = Location("link", "https://meet.example.com/abc")
    assert place_of_location(location, revealed=False) == Place("video", "Online meeting")
    revealed = place_of_location(location, revealed=True)
    assert revealed == Place("video", "https://meet.example.com/abc", "https://meet.example.com/abc")


@pytest.mark.parametrize("value", ["javascript:alert(1)", "data:text/html,x", "ask me", "//evil.example", "https://["])
def test_only_web_addresses_become_links(value: str) -> None:
    place = place_of_location(Location("link", value), revealed=True)
    assert place is not None
    assert (place.text, place.address) == (value, "")


def test_an_address_is_shown_at_once_and_no_place_is_none() -> None:
    assert place_of_location(Location("address", "Main St 1"), revealed=False) == Place("pin", "Main St 1")
    assert place_of_location(Location("none", ""), revealed=True) is None
    assert place_of_location(Location("phone", "+49 30 1"), revealed=False) == Place("phone", "Phone call")


def test_answers_are_told_in_words_and_order() -> None:
    answered = Answered({"days": ["Mon", "Tue"], "ok": True, "count": 2.5}, {"days": "Days", "ok": "Agreed"})
    told = [(answer.label, answer.text) for answer in answers_of(make_booking(answered=answered))]
    assert told == [("Days", "Mon, Tue"), ("Agreed", "Yes"), ("count", "2.5")]


def test_times_are_told_in_a_zone() -> None:
    when = when_of(START, START + 1800, "America/New_York", wording_for("en-US"))
    assert (when.day, when.span) == ("Thursday, March 4, 2027", "5:00 AM – 5:30 AM")
    assert (when.place, when.offset) == ("New York", "GMT-5")


@pytest.mark.parametrize(
    ("name", "letters"),
    [("Olivia Owner", "OO"), ("Ana", "A"), ("Ana María (staff) de la Cruz", "AC"), ("", "·"), ("李小龍", "李")],
)
def test_initials_stand_for_a_name(name: str, letters: str) -> None:
    assert initials(name) == letters


def test_names_are_joined_like_people_speak() -> None:
    assert [join_names(names) for names in ([], ["Ana"], ["Ana", "Ben"], ["Ana", "Ben", "Cem"])] == [
        "", "Ana", "Ana and Ben", "Ana, Ben and Cem",
    ]  # fmt: skip


def test_calendars_get_the_same_instants() -> None:
    google, outlook, office, file = calendar_addresses(make_booking(title="A & B"), "Example Clinic")
    asked = parse_qs(urlsplit(google.address).query)
    assert asked["dates"] == ["20270304T100000Z/20270304T103000Z"]
    assert asked["text"] == ["A & B with Ana"]
    for microsoft in (outlook, office):
        asked = parse_qs(urlsplit(microsoft.address).query)
        assert (asked["startdt"], asked["enddt"]) == (["2027-03-04T10:00:00Z"], ["2027-03-04T10:30:00Z"])
        assert "+" not in urlsplit(microsoft.address).query  # Outlook shows a plus as a plus
    assert file.address == "/api/v1/public/bookings/recipients-own-token/calendar.ics"


def test_no_calendar_elsewhere_learns_the_recipients_token() -> None:
    addresses = [found.address for found in calendar_addresses(make_booking(), "Example Clinic") if not found.is_file]
    assert not any("recipients-own-token" in address for address in addresses)
