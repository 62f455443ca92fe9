"""Google's JSON and our events, both ways; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar_event import CalendarEvent
from app.domain.recurrence import read_object
from integrations.google.body import LONGEST_DESCRIPTION, merged_body, new_body, plain_text
from integrations.google.own_ids import generation_of, own_id, uid_of
from integrations.google.text import Part, composed, part_of, parts_of
from tests.support.clock import at

ACCOUNT = "ana@example.com"
START = at("2027-03-02 08:00")
EVENT = CalendarEvent(
    uid="b@example.org",
    sequence=1,
    status="CONFIRMED",
    start=START,
    end=START + 1800,
    timezone="Europe/Berlin",
    summary="Intro",
    created=START,
    updated=START,
    description="Our text",
)


def google(**fields: Any) -> dict[str, Any]:
    times = {name: {"dateTime": f"2027-03-02T{hour}:00:00+01:00", "timeZone": "Europe/Berlin"}
             for name, hour in (("start", "09"), ("end", "10"))}  # fmt: skip
    return {"id": "abc", "etag": '"1"', "iCalUID": "abc@google.com", "status": "confirmed", **times, **fields}


def text_of(*events: dict[str, Any]) -> str:
    found = composed("abc", [part_of(each, ACCOUNT) for each in events])
    assert found is not None
    return found.data


def test_times_keep_the_zone_they_are_written_in() -> None:
    text = text_of(google(start={"dateTime": "2027-03-02T03:00:00-05:00", "timeZone": "Europe/Berlin"}))
    assert "DTSTART;TZID=Europe/Berlin:20270302T090000\r\n" in text
    assert "BEGIN:VTIMEZONE" in text


@pytest.mark.parametrize(
    ("start", "line"),
    [
        ({"dateTime": "2027-03-02T09:00:00Z"}, "DTSTART:20270302T090000Z"),
        ({"dateTime": "2027-03-02T09:00:00+02:00"}, "DTSTART:20270302T070000Z"),
        ({"dateTime": "2027-03-02T09:00:00Z", "timeZone": "UTC"}, "DTSTART:20270302T090000Z"),
        ({"dateTime": "2027-03-02T09:00:00", "timeZone": "Europe/Berlin"},
         "DTSTART;TZID=Europe/Berlin:20270302T090000"),
        ({"dateTime": "2027-03-02T09:00:00.250+01:00"}, "DTSTART:20270302T080000Z"),
        ({"date": "2027-03-02"}, "DTSTART;VALUE=DATE:20270302"),
        ({"dateTime": "2027-10-31T02:30:00+01:00", "timeZone": "Europe/Berlin"}, "DTSTART:20271031T013000Z"),
        ({"dateTime": "2027-10-31T02:30:00+02:00", "timeZone": "Europe/Berlin"},
         "DTSTART;TZID=Europe/Berlin:20271031T023000"),
        ({"dateTime": "2027-03-02T09:00:00+01:00", "timeZone": "Mars/Olympus"},
         "DTSTART:20270302T080000Z"),
    ],
)  # fmt: skip
def test_every_way_to_write_a_time(start: dict[str, str], line: str) -> None:
    assert f"\r\n{line}\r\n" in text_of(google(start=start))


def test_an_unknown_zone_is_told_where_times_repeat() -> None:
    start = {"dateTime": "2027-03-02T09:00:00+01:00", "timeZone": "Mars/Olympus"}
    text = text_of(google(start=start, recurrence=["RRULE:FREQ=DAILY"]))
    assert "DTSTART;TZID=Mars/Olympus:20270302T090000\r\n" in text


@pytest.mark.parametrize("start", [{"dateTime": "soon"}, {}, {"dateTime": None}])
def test_a_time_that_cannot_be_read_is_complained_of(start: dict[str, Any]) -> None:
    with pytest.raises(Exception, match="start"):
        read_object(text_of(google(start=start)), timezone="UTC", window=(START, START + 86400))


def test_hostile_text_adds_no_lines() -> None:
    evil = "x\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\nUID:evil"
    text = text_of(
        google(
            summary=evil,
            description=evil,
            iCalUID=evil,
            recurrence=[f"RRULE:FREQ=DAILY{evil}", "X-EVIL:1", "rrule:FREQ=WEEKLY"],
            attendees=[{"email": f"a@example.com\r\n{evil}", "responseStatus": "accepted"}],
        )
    )
    assert text.count("\r\nBEGIN:VEVENT\r\n") == 1
    assert text.count("\r\nUID:") == 1
    assert "RRULE:FREQ=WEEKLY" in text.upper()
    assert "X-EVIL" not in text


@given(st.lists(st.text(max_size=100), min_size=4, max_size=4))
def test_any_text_comes_apart_as_it_was_put_together(words: list[str]) -> None:
    summary, description, location, uid = words
    master = google(
        summary=summary, description=description, location=location, iCalUID=uid, recurrence=["RRULE:FREQ=DAILY"]
    )
    instance = google(
        id="abc_20270303T080000Z",
        recurringEventId="abc",
        summary=description,
        originalStartTime={"dateTime": "2027-03-03T09:00:00+01:00", "timeZone": "Europe/Berlin"},
    )
    gone = {
        "id": "abc_20270304T080000Z",
        "recurringEventId": "abc",
        "status": "cancelled",
        "originalStartTime": {"dateTime": "2027-03-04T09:00:00+01:00", "timeZone": "Europe/Berlin"},
    }
    text = text_of(master, instance, gone)
    parts = parts_of(text)
    assert {each.id for each in parts} == {master["id"], instance["id"], gone["id"]}
    assert {each.series for each in parts} == {"abc"}
    again = composed("abc", parts)
    assert again is not None
    assert again.data == text


def test_other_texts_have_no_parts() -> None:
    assert parts_of("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n") == []
    assert parts_of("") == []


def test_nothing_is_left_of_a_cancelled_event() -> None:
    assert composed("abc", [part_of({"id": "abc", "status": "cancelled"}, ACCOUNT)]) is None
    assert composed("abc", []) is None


def test_a_single_events_etag_is_googles() -> None:
    found = composed("abc", [part_of(google(), ACCOUNT)])
    assert found is not None
    assert found.etag == '"1"'


def test_a_part_knows_its_series() -> None:
    part = part_of(google(id="abc_1", recurringEventId="abc"), ACCOUNT)
    assert isinstance(part, Part)
    assert (part.series, part.is_master) == ("abc", False)


# ids


@given(st.text(min_size=1), st.integers(0, 9999))
def test_own_ids_are_in_googles_alphabet_and_know_their_generation(uid: str, generation: int) -> None:
    event_id = own_id(uid, generation)
    assert set(event_id) <= set("abcdefghijklmnopqrstuv0123456789")
    assert 5 <= len(event_id) <= 1024
    assert generation_of(event_id, uid) == generation
    assert generation_of(event_id, f"{uid}x") is None


def test_the_uid_is_ours_only_where_the_id_is() -> None:
    ours = {"extendedProperties": {"private": {"halfpastUid": EVENT.uid}}}
    assert uid_of(google(id=own_id(EVENT.uid, 3), **ours)) == EVENT.uid
    assert uid_of(google(**ours)) == "abc@google.com"
    assert uid_of({"id": "abc_1", "status": "cancelled"}) is None


# ours


def test_what_is_written_comes_back_as_it_was_meant() -> None:
    body = new_body(EVENT, own_id(EVENT.uid, 0))
    found = composed(body["id"], [part_of({**body, "iCalUID": "x"}, ACCOUNT)])
    assert found is not None
    facts = read_object(found.data, timezone="UTC", window=(START - 86400, START + 86400))
    assert (facts.uid, facts.summary, facts.busy) == (EVENT.uid, "Intro", ((EVENT.start, EVENT.end),))


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("Our text", "Newer"),
        ("Before\n\nOur text\n\nAfter", "Before\n\nNewer\n\nAfter"),
        ("<p>Before</p><p>Our text</p>", "<p>Before</p><p>Newer</p>"),
        ("Before<br>Our <b>text</b>", "Before\nNewer"),
        ("Something else", "Newer"),
        ("", "Newer"),
        ("Newer, and more", "Newer, and more"),
    ],
)
def test_notes_around_our_text_stay(shown: str, expected: str) -> None:
    current = {**new_body(EVENT, "abc"), "description": shown}
    newer = replace(EVENT, description="Newer")
    assert merged_body(current, newer)["description"] == expected


def test_plain_text_keeps_what_only_looks_like_a_tag() -> None:
    assert plain_text("Casey &lt;c@example.org&gt; <c@example.org><br>a&nbsp;&amp; b") == (
        "Casey <c@example.org> <c@example.org>\na & b"
    )


def test_no_field_is_longer_than_google_takes() -> None:
    body = new_body(replace(EVENT, description="x" * 20_000, summary="y" * 5000), "abc")
    assert len(body["description"]) == LONGEST_DESCRIPTION
    assert len(body["summary"]) <= 1000
    assert all(len(each) <= 1024 for each in body["extendedProperties"]["private"].values())
