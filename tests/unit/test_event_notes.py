"""What people keep of their own in bookings' events: kept, laid over the event, and found again in what is sent."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendar_event import CalendarEvent
from app.domain.content_lines import Component, Line, read_calendar
from app.domain.errors import Invalid
from app.domain.event_edits import read_edit, single_event
from app.domain.event_notes import EventNotes, noted_text, notes_on, plain_text
from app.domain.event_text import calendar_text, clean_text, text_value
from app.domain.recurrence import read_object
from tests.support.clock import at

NINE = at("2027-03-02 09:00")
EVENT = CalendarEvent(
    uid="one@example.com",
    sequence=0,
    status="CONFIRMED",
    start=NINE,
    end=NINE + 1800,
    timezone="Europe/Berlin",
    summary="Intro: Casey",
    created=NINE - 86400,
    updated=NINE - 86400,
    description="Casey <casey@example.org>\n\nOpen this booking: https://example.com/app/bookings/1",
    location="Main street 1, back door",
    url="https://example.com/app/bookings/1",
    alarms=(15,),
)
words = st.text(max_size=40).map(lambda text: clean_text(text).strip()).filter(lambda text: "Casey" not in text)
values = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60)
lines = st.builds(
    Line,
    st.sampled_from(["X-MOZ-LASTACK", "X-APPLE-TRAVEL", "CATEGORIES", "COLOR", "COMMENT"]),
    st.just(()) | st.just((("X-PARAM", '"a:b;c"'),)),
    values,
)
alarms = st.builds(
    lambda minutes: Component("VALARM", [Line("ACTION", (), "AUDIO"), Line("TRIGGER", (), f"-PT{minutes}M")]),
    st.integers(0, 600),
)
notes = st.builds(
    EventNotes,
    summary=st.none() | words.filter(bool),
    description=words.map(lambda text: "\n".join(each for each in text.splitlines() if each.strip()).strip()),
    is_transparent=st.booleans(),
    lines=st.lists(lines, max_size=4).map(tuple),
    alarms=st.none() | st.lists(alarms, max_size=3).map(tuple),
)


def event_of(text: str) -> Component:
    return single_event(text)


@given(notes)
def test_notes_are_kept_as_they_are(own: EventNotes) -> None:
    assert EventNotes.from_text(own.to_text()) == own


@given(notes)
def test_an_event_that_comes_back_as_it_was_says_the_same_notes(own: EventNotes) -> None:
    """So that a device that puts the whole object back changes nothing."""
    found = notes_on(event_of(noted_text(EVENT, own)), EVENT)
    assert found.to_text() == own.to_text()


@given(notes, st.integers(1, 100))
def test_notes_outlive_a_change_of_the_booking(own: EventNotes, hours: int) -> None:
    later = replace(EVENT, start=NINE + hours * 3600, end=NINE + hours * 3600 + 1800, sequence=1, updated=NINE)
    assert notes_on(event_of(noted_text(later, own)), later).to_text() == own.to_text()


@given(notes)
def test_the_booking_itself_is_told_as_ever(own: EventNotes) -> None:
    event, plain = event_of(noted_text(EVENT, own)), event_of(calendar_text(EVENT))
    for name in ("UID", "DTSTART", "DTEND", "SEQUENCE", "STATUS", "LOCATION", "URL", "DTSTAMP"):
        assert event.every(name)[:1] == plain.every(name)[:1]
    assert plain_text(event.value("DESCRIPTION")).startswith(plain_text(plain.value("DESCRIPTION")))
    facts = read_object(noted_text(EVENT, own), timezone="UTC", window=(NINE - 86400, NINE + 86400))
    assert (facts.start, facts.end) == (EVENT.start, EVENT.end)


def test_without_notes_nothing_is_laid_over() -> None:
    assert noted_text(EVENT, EventNotes()) == noted_text(EVENT, None) == calendar_text(EVENT)


@given(st.text(max_size=60))
def test_texts_come_back_without_their_escapes(text: str) -> None:
    cleaned = clean_text(text).strip()
    assert plain_text(text_value(cleaned)) == cleaned


def described(text: str) -> str:
    event = Component("VEVENT", [Line("SUMMARY", (), "x"), Line("DESCRIPTION", (), text_value(text))])
    return notes_on(event, EVENT).description


def test_what_is_written_into_the_description_is_found_wherever_it_stands() -> None:
    first, last = EVENT.description.split("\n\n")
    assert described(f"{EVENT.description}\n\nBring cake") == "Bring cake"
    assert described(f"Bring cake\n\n{EVENT.description}") == "Bring cake"
    assert described(f"{first}\nBring cake\n\n{last}") == "Bring cake"
    assert described("Bring cake") == "Bring cake"
    assert described(last) == ""  # what was struck out comes back
    assert described("") == ""


def test_all_alarms_can_be_gone() -> None:
    text = calendar_text(EVENT)
    begin, end = text.index("BEGIN:VALARM"), text.index("END:VALARM") + len("END:VALARM\r\n")
    own = notes_on(event_of(text[:begin] + text[end:]), EVENT)
    assert own.alarms == ()
    assert "VALARM" not in noted_text(EVENT, EventNotes.from_text(own.to_text()))


def test_properties_stand_before_alarms() -> None:
    """RFC 5545 §3.6.1: a VEVENT's properties come first."""
    text = noted_text(EVENT, EventNotes(lines=(Line("COLOR", (), "red"),)))
    assert text.index("COLOR:red") < text.index("BEGIN:VALARM")
    (event,) = [each for each in read_calendar(text).children if each.name == "VEVENT"]
    assert [each.name for each in event.children] == ["VALARM"]


OWN = frozenset({"ana@example.com"})


def edited(text: str) -> str:
    """What is said against it; empty when it is fine."""
    facts = read_object(text, timezone="UTC", window=(NINE - 86400, NINE + 86400))
    try:
        read_edit(text, facts, EVENT, OWN)
    except Invalid as refusal:
        return refusal.detail
    return ""


@pytest.mark.parametrize(
    ("before", "after", "words"),
    [
        ("LOCATION:Main street 1\\, back door", "LOCATION:Main  street 1\\,\\nback door", ""),
        ("LOCATION:Main street 1\\, back door", "LOCATION:Elsewhere", "place"),
        ("LOCATION:Main street 1\\, back door\r\n", "", "place"),
        ("STATUS:CONFIRMED", "STATUS:TENTATIVE", ""),
        ("STATUS:CONFIRMED", "STATUS:CANCELLED", "delete"),
        ("SEQUENCE:0", "SEQUENCE:0\r\nORGANIZER:mailto:ana@example.com", ""),
        ("SEQUENCE:0", "SEQUENCE:0\r\nATTENDEE;PARTSTAT=ACCEPTED:MAILTO:Ana@example.com", ""),
        ("SEQUENCE:0", "SEQUENCE:0\r\nATTENDEE:mailto:ben@example.com", "invited"),
        ("SEQUENCE:0", "SEQUENCE:0\r\nRDATE:20270309T080000Z", "repeat"),
        ("URL:", "X-URL:", ""),
    ],
)
def test_what_belongs_to_the_booking_cannot_be_changed(before: str, after: str, words: str) -> None:
    text = calendar_text(EVENT)
    assert before in text
    detail = edited(text.replace(before, after, 1))
    assert words in detail if words else detail == ""


def test_only_the_persons_own_answer_declines() -> None:
    text = calendar_text(EVENT)
    for address, is_declined in (("ANA@example.com", True), ("ana@example.com", True)):
        line = f"SEQUENCE:0\r\nATTENDEE;PARTSTAT=DECLINED:mailto:{address}"
        sent = text.replace("SEQUENCE:0", line, 1)
        facts = read_object(sent, timezone="UTC", window=(NINE - 86400, NINE + 86400))
        assert read_edit(sent, facts, EVENT, OWN).is_declined is is_declined
