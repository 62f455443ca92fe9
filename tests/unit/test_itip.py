"""Invitations and cancellations as RFC 5546 wants them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import icalendar
import pytest

from app.domain.booking_event import booking_event
from app.domain.calendar_event import CalendarEvent, Party
from calendar_feeds.itip import invitation
from tests.unit.bookings import START, make_booking


def event_of(status: str = "confirmed", **changes: object) -> CalendarEvent:
    return booking_event(
        make_booking(status=status, **changes),
        audience="recipient",
        organization="Demo",
        timezone="Europe/Berlin",
        organizer=Party("Ana", "bookings@example.com"),
        alarms=(15,),
    )


def read(event: CalendarEvent, now: int) -> Any:
    (found,) = icalendar.Calendar.from_ical(invitation(event, now).text).walk("VEVENT")
    return found


def test_a_standing_event_is_requested_and_a_cancelled_one_called_off() -> None:
    for status, method in (("pending", "REQUEST"), ("confirmed", "REQUEST"), ("cancelled", "CANCEL")):
        found = invitation(event_of(status), START)
        assert found.method == method
        assert f"\r\nMETHOD:{method}\r\n" in found.text


def test_uid_stays_sequence_rises_and_the_stamp_is_always_new() -> None:
    stamps = []
    for sequence, now in ((0, START), (1, START + 10), (1, START + 20)):
        event = read(event_of(sequence=sequence), now)
        assert str(event["UID"]) == make_booking().uid
        assert event["SEQUENCE"] == sequence
        stamps.append(event["DTSTAMP"].dt.timestamp())
    assert stamps == [START, START + 10, START + 20]


def test_a_cancellation_names_everybody_who_was_invited() -> None:
    event = read(event_of("cancelled"), START)
    assert [str(attendee) for attendee in event["ATTENDEE"]] == ["mailto:rita@example.org", "mailto:gus@example.net"]
    assert str(event["STATUS"]) == "CANCELLED"


def test_the_zone_comes_along_and_alarms_stay_behind() -> None:
    text = invitation(event_of(), START).text
    assert "BEGIN:VTIMEZONE\r\nTZID:Europe/Berlin\r\n" in text
    assert "VALARM" not in text


def test_an_invitation_of_nobody_is_refused() -> None:
    with pytest.raises(ValueError, match="organizer"):
        invitation(replace(event_of(), organizer=None), START)
    with pytest.raises(ValueError, match="invited"):
        invitation(replace(event_of(), attendees=()), START)
