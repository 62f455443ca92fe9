"""Changing an event that a person has made theirs."""

from __future__ import annotations

from dataclasses import replace

import pytest
from icalendar import Calendar

from app.domain.calendar_event import CalendarEvent
from app.domain.recurrence import read_object
from integrations.event_merge import merged_notes, merged_text, new_text, own_name, uid_of
from tests.support.clock import at

START = at("2027-03-02 09:00")
EVENT = CalendarEvent(
    uid="b@example.com", sequence=2, status="CONFIRMED", start=START, end=START + 1800, timezone="Europe/Berlin",
    summary="Intro; with, commas", created=1, updated=2, description="First\n\nsecond \\ third", alarms=(15,),
)  # fmt: skip
MOVED = replace(EVENT, sequence=3, start=START + 3600, end=START + 5400, description="Changed")


def with_lines(text: str, *lines: str) -> str:
    """The text with these lines in its event."""
    return text.replace("END:VEVENT", "\r\n".join([*lines, "END:VEVENT"]))


def master(text: str) -> dict[str, object]:
    """The event of a text."""
    return dict(Calendar.from_ical(text).events[0])


def description(text: str) -> str:
    return str(master(text).get("DESCRIPTION", ""))


def test_an_untouched_event_takes_the_new_state_whole() -> None:
    text = merged_text(new_text(EVENT), MOVED)
    facts = read_object(text, timezone="UTC", window=(START - 86400, START + 86400))
    assert facts.busy == ((MOVED.start, MOVED.end),)
    assert description(text) == "Changed"
    assert text.count("BEGIN:VALARM") == text.count("BEGIN:VEVENT") == text.count("BEGIN:VTIMEZONE") == 1


def test_merging_the_same_state_again_changes_nothing() -> None:
    once = merged_text(new_text(EVENT), MOVED)
    assert merged_text(once, MOVED) == once


@pytest.mark.parametrize(
    ("before", "after"), [("", "\\n\\nBring cake"), ("Call first\\n\\n", ""), ("Call first\\n", "\\nBring cake")]
)
def test_notes_before_and_after_our_description_stay(before: str, after: str) -> None:
    ours = "First\\n\\nsecond \\\\ third"
    text = new_text(EVENT).replace(f"\r\nDESCRIPTION:{ours}", f"\r\nDESCRIPTION:{before}{ours}{after}")
    found = description(merged_text(text, MOVED))
    assert "Changed" in found
    assert "second" not in found
    assert ("Call first" in found) == bool(before)
    assert ("Bring cake" in found) == bool(after)


def test_a_description_that_was_rewritten_gives_way() -> None:
    text = new_text(EVENT).replace("DESCRIPTION:First", "DESCRIPTION:Mine", 1)
    assert description(merged_text(text, MOVED)) == "Changed"


@pytest.mark.parametrize("title", ["Call Casey", "Intro", "Ärger\\; nein"])
def test_a_title_of_their_own_stays(title: str) -> None:
    renamed = new_text(EVENT).replace("\r\nSUMMARY:Intro\\; with\\, commas", f"\r\nSUMMARY:{title}")
    once = merged_text(renamed, MOVED)
    assert f"\r\nSUMMARY:{title}\r\n" in once
    assert f"\r\nSUMMARY:{title}\r\n" in merged_text(once, replace(MOVED, summary="Ours by now"))


def test_a_title_they_did_not_touch_follows_ours() -> None:
    renamed = merged_text(new_text(EVENT), replace(EVENT, summary="Second, title"))
    assert master(renamed)["SUMMARY"] == "Second, title"
    assert master(merged_text(renamed, replace(EVENT, summary="Third")))["SUMMARY"] == "Third"


def test_removed_alarms_stay_removed_and_added_ones_stay() -> None:
    head, _, rest = new_text(EVENT).partition("BEGIN:VALARM")
    bare = head + rest.partition("END:VALARM\r\n")[2]
    assert "VALARM" not in merged_text(bare, MOVED)
    mine = with_lines(bare, "BEGIN:VALARM", "ACTION:AUDIO", "TRIGGER:-PT2H", "END:VALARM")
    assert "TRIGGER:-PT2H" in merged_text(mine, MOVED)


def test_an_alarm_at_a_fixed_time_goes_when_the_event_moves() -> None:
    fixed = with_lines(
        new_text(EVENT), "BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", "TRIGGER;VALUE=DATE-TIME:20270302T083000Z",
        "END:VALARM",
    )  # fmt: skip
    assert "20270302T083000Z" in merged_text(fixed, replace(EVENT, summary="Renamed"))
    assert "20270302T083000Z" not in merged_text(fixed, MOVED)


def test_a_higher_sequence_is_not_taken_back() -> None:
    raised = new_text(EVENT).replace("SEQUENCE:2", "SEQUENCE:9")
    assert master(merged_text(raised, MOVED))["SEQUENCE"] == 9


def test_a_repetition_somebody_added_is_taken_away() -> None:
    """A booking happens once."""
    repeated = with_lines(new_text(EVENT), "RRULE:FREQ=WEEKLY")
    facts = read_object(merged_text(repeated, MOVED), timezone="UTC", window=(START, START + 30 * 86400))
    assert facts.busy == ((MOVED.start, MOVED.end),)


@pytest.mark.parametrize(
    "current", ["", "<html/>", "BEGIN:VCALENDAR", new_text(replace(EVENT, uid="other@example.com"))]
)
def test_what_cannot_be_read_or_is_another_event_is_replaced(current: str) -> None:
    assert merged_text(current, MOVED) == new_text(MOVED)


def test_zones_of_others_do_no_harm() -> None:
    evil = "BEGIN:VTIMEZONE\r\nTZID:Evil\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0100\r\n"
    evil += "TZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\nBEGIN:VEVENT"
    text = new_text(EVENT).replace("BEGIN:VEVENT", evil).replace("TZID=Europe/Berlin", "TZID=Evil")
    merged = merged_text(text, MOVED)
    assert "Evil" not in merged
    assert uid_of(merged) == EVENT.uid


def test_names_are_plain_stable_and_distinct() -> None:
    names = {own_name(uid) for uid in ("a@b", "a-b", "ä/../..?#%", "x" * 500, "x" * 501)}
    assert len(names) == 5
    assert all(name.isascii() and len(name) < 120 and "/" not in name and "%" not in name for name in names)
    assert own_name("a@b") == own_name("a@b")


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ("Casey\nRobin", "Robin"),
        ("Mine: bring chalk\n\nCasey\nRobin", "Mine: bring chalk\n\nRobin"),
        ("Casey\nRobin\n\nSam is mine", "Robin\n\nSam is mine"),
        ("Robin", "Robin"),
        ("something else", "Robin"),
    ],
)
def test_what_is_no_longer_said_goes(shown: str, expected: str) -> None:
    """A new text that is a part of the old one: somebody left a session."""
    assert merged_notes(shown, "Casey\nRobin", "Robin") == expected
