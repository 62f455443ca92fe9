"""Events as iCalendar text: a parser of its own must read back what went in, whatever people type."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import icalendar
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar_event import CalendarEvent, Party
from app.domain.event_text import calendar_text, clean_text, event_component, slice_component, timezone_ids

BERLIN_NOON = int(datetime(2027, 3, 4, 11, tzinfo=UTC).timestamp())
EVENT = CalendarEvent(
    uid="0199b2c4@example.com",
    sequence=3,
    status="CONFIRMED",
    start=BERLIN_NOON,
    end=BERLIN_NOON + 1800,
    timezone="Europe/Berlin",
    summary="Intro call",
    created=BERLIN_NOON - 5000,
    updated=BERLIN_NOON - 4000,
    description="What about?\nThe plan",
    location="Main street 1, Berlin",
    url="https://example.com/app/bookings/1",
    organizer=Party("Ana", "ana@example.com"),
    attendees=(Party("Rita", "rita@example.org", rsvp=True),),
    alarms=(15, 0),
)
HOSTILE = st.text(alphabet=st.characters(codec=None), max_size=200) | st.sampled_from(
    [
        "x\r\nATTENDEE:mailto:evil@example.com",
        "BEGIN:VEVENT\r\nEND:VEVENT\r\nEND:VCALENDAR",
        "\\n is not \n, and \\\\; neither",
        '"^n^\'^^": ; ,',
        "é" * 90,
        "👩\u200d👩\u200d👧" * 30,
        "a" * 75,
        " leading and trailing ",
        "\ud800 lone",
        "x;TZID=Nowhere:y",
        "x\nDTSTART;TZID=Nowhere:y",
        "\x85\u2028\u2029\x0b\x0c\x00\x7f",
    ]
)


def parsed(text: str) -> Any:
    calendar = icalendar.Calendar.from_ical(text.encode())
    (event,) = calendar.walk("VEVENT")
    assert not calendar.errors
    assert not event.errors
    return event


def lines_of(text: str) -> list[bytes]:
    return text.encode().split(b"\r\n")


@given(HOSTILE, HOSTILE, HOSTILE)
def test_any_text_comes_back_as_typed(summary: str, description: str, location: str) -> None:
    """But for what iCalendar cannot hold: controls go, line ends become newlines."""
    text = calendar_text(replace(EVENT, summary=summary, description=description, location=location))
    event = parsed(text)
    assert str(event["SUMMARY"]) == clean_text(summary)
    assert str(event.get("DESCRIPTION", "")) == clean_text(description)
    assert str(event.get("LOCATION", "")) == clean_text(location)


@given(HOSTILE, HOSTILE)
def test_lines_end_in_crlf_and_hold_75_octets(summary: str, name: str) -> None:
    text = calendar_text(replace(EVENT, summary=summary, attendees=(Party(name, "a@example.com"),)))
    lines = lines_of(text)
    assert lines.pop() == b""
    assert all(0 < len(line) <= 75 for line in lines)
    for line in lines:
        line.decode()  # no fold inside a UTF-8 sequence
        assert not re.search(rb"[\x00-\x08\x0a-\x1f\x7f]", line)


@given(HOSTILE)
def test_names_come_back_through_rfc_6868(name: str) -> None:
    """Backslashes mean nothing in parameters (RFC 5545 §3.2), yet the parser used here unescapes them: left out."""
    name = name.replace("\\", "")
    event = parsed(calendar_text(replace(EVENT, organizer=Party(name, "ana@example.com"))))
    assert event["ORGANIZER"].params.get("CN", "") == clean_text(name)
    assert str(event["ORGANIZER"]) == "mailto:ana@example.com"


@given(HOSTILE, HOSTILE)
def test_addresses_and_links_cannot_add_a_line(email: str, url: str) -> None:
    """They are URIs, not text: what does not belong there is percent-encoded."""
    event = replace(EVENT, url=f"https://example.com/{url}", attendees=(Party("", f"x@{email}"),))
    names = [line.split(":")[0].split(";")[0] for line in _unfolded(event_component(event))]
    assert names == [line.split(":")[0].split(";")[0] for line in _unfolded(event_component(EVENT))]
    assert str(parsed(calendar_text(event))["URL"]).isascii()


def _unfolded(component: str) -> list[str]:
    return component.replace("\r\n ", "").split("\r\n")


@given(HOSTILE, HOSTILE)
def test_a_sliced_component_is_the_written_one(summary: str, description: str) -> None:
    event = replace(EVENT, summary=summary, description=description)
    assert slice_component(calendar_text(event)) == event_component(event)


def test_all_properties_are_there_once() -> None:
    event = parsed(calendar_text(EVENT))
    assert str(event["UID"]) == EVENT.uid
    assert event["SEQUENCE"] == 3
    assert event["STATUS"] == "CONFIRMED"
    assert event["TRANSP"] == "OPAQUE"
    assert event["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert event["DTSTART"].dt.isoformat() == "2027-03-04T12:00:00+01:00"
    assert event["DTEND"].dt.isoformat() == "2027-03-04T12:30:00+01:00"
    assert event["DTSTAMP"].dt == event["LAST-MODIFIED"].dt == datetime.fromtimestamp(EVENT.updated, UTC)
    assert event["CREATED"].dt == datetime.fromtimestamp(EVENT.created, UTC)
    assert str(event["URL"]) == EVENT.url
    assert str(event["ATTENDEE"]) == "mailto:rita@example.org"
    assert dict(event["ATTENDEE"].params) == {
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "NEEDS-ACTION",
        "RSVP": "TRUE",
        "CN": "Rita",
    }
    triggers = [alarm["TRIGGER"].to_ical() for alarm in event.walk("VALARM")]
    assert triggers in ([b"-PT15M", b"PT0S"], [b"-PT15M", b"P0D"])


def test_a_message_has_its_method_and_own_stamp() -> None:
    text = calendar_text(EVENT, method="REQUEST", stamp=EVENT.updated + 60)
    assert "\r\nMETHOD:REQUEST\r\n" in text
    assert parsed(text)["DTSTAMP"].dt == datetime.fromtimestamp(EVENT.updated + 60, UTC)
    assert "METHOD" not in calendar_text(EVENT)


def test_a_cancelled_event_takes_no_time() -> None:
    event = parsed(calendar_text(replace(EVENT, status="CANCELLED")))
    assert event["STATUS"] == "CANCELLED"
    assert event["TRANSP"] == "TRANSPARENT"


def test_utc_needs_no_timezone() -> None:
    text = calendar_text(replace(EVENT, timezone="Etc/UTC"))
    assert "VTIMEZONE" not in text
    assert timezone_ids(text) == set()
    assert "DTSTART:20270304T110000Z" in text


def test_the_second_pass_of_a_repeated_hour_is_written_in_utc() -> None:
    """02:30 comes twice in Berlin on 2027-10-31; a wall time would mean the first one."""
    second = int(datetime(2027, 10, 31, 1, 30, tzinfo=UTC).timestamp())
    text = calendar_text(replace(EVENT, start=second, end=second + 900))
    assert "DTSTART:20271031T013000Z" in text
    assert "DTEND:20271031T014500Z" in text
    first = calendar_text(replace(EVENT, start=second - 3600, end=second - 3000))
    assert "DTSTART;TZID=Europe/Berlin:20271031T023000" in first


@given(
    st.integers(1_577_836_800, 2_500_000_000),
    st.integers(1, 100_000),
    st.sampled_from(["Australia/Lord_Howe", "America/Havana", "Pacific/Apia", "America/St_Johns", "UTC"]),
)
def test_instants_survive_in_every_zone(start: int, length: int, timezone: str) -> None:
    event = parsed(calendar_text(replace(EVENT, start=start, end=start + length, timezone=timezone)))
    assert event["DTSTART"].dt.timestamp() == start
    assert event["DTEND"].dt.timestamp() == start + length
