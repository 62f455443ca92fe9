"""Addresses that open a web calendar with the event filled in."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

from app.domain.booking_event import booking_event
from app.domain.calendar_links import google_link, outlook_link
from tests.unit.bookings import make_booking

EVENT = booking_event(make_booking(), audience="recipient", organization="Demo", timezone="Europe/Berlin")


def asked(link: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(link).query).items()}


def test_google_gets_the_instants_in_utc_and_the_zone_to_show_them_in() -> None:
    query = asked(google_link(EVENT))
    assert query["dates"] == "20270304T100000Z/20270304T103000Z"
    assert query["ctz"] == "Europe/Berlin"
    assert query["text"] == "Intro call"


def test_outlook_is_asked_at_home_or_at_work() -> None:
    assert urlsplit(outlook_link(EVENT)).hostname == "outlook.live.com"
    assert urlsplit(outlook_link(EVENT, work=True)).hostname == "outlook.office.com"
    assert asked(outlook_link(EVENT))["startdt"] == "2027-03-04T10:00:00Z"


def test_nothing_a_person_typed_changes_the_address() -> None:
    hostile = replace(EVENT, summary="a&dates=x#\r\n\ud800", location="b?c=d", description="é" * 5000)
    for link in (google_link(hostile), outlook_link(hostile)):
        assert link.isascii()
        assert "\n" not in link
        assert len(link) < 6000
    assert asked(google_link(hostile))["text"] == "a&dates=x#\n"
    assert asked(google_link(hostile))["dates"] == asked(google_link(EVENT))["dates"]
