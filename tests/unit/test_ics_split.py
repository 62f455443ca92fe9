"""An iCalendar file of a stranger, taken apart into objects."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.recurrence import read_object
from integrations.ics_split import NotACalendar, split
from tests.switches import examples
from tests.unit.bookings import START

ZONE = "BEGIN:VTIMEZONE\r\nTZID:Work\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0300\r\n"
ZONE += "TZOFFSETTO:+0300\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
DAY = 86400


def file(*components: str, head: str = "") -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{''.join(components)}END:VCALENDAR\r\n"


def event(uid: str, *lines: str, stamp: str = "20270101T000000Z") -> str:
    body = "".join(f"{line}\r\n" for line in lines)
    return f"BEGIN:VEVENT\r\nUID:{uid}\r\nDTSTAMP:{stamp}\r\n{body}END:VEVENT\r\n"


PLAIN = ("DTSTART:20270304T100000Z", "DTEND:20270304T103000Z")


def test_each_event_is_an_object_with_its_exceptions() -> None:
    series = event("a", "DTSTART:20270304T100000Z", "DTEND:20270304T103000Z", "RRULE:FREQ=DAILY;COUNT=3")
    moved = event("a", "RECURRENCE-ID:20270305T100000Z", "DTSTART:20270305T120000Z", "DTEND:20270305T123000Z")
    found = split(file(series, event("b", *PLAIN), moved))
    first, second = found.objects
    facts = read_object(first.data, timezone="UTC", window=(START - DAY, START + 9 * DAY))
    assert (facts.uid, facts.problems) == ("a", ())
    begins = (START, START + DAY + 7200, START + 2 * DAY)
    assert facts.busy == tuple((begin, begin + 1800) for begin in begins)
    assert "UID:b" in second.data


def test_zones_go_with_the_events_that_name_them() -> None:
    zoned = event("a", "DTSTART;TZID=Work:20270304T100000", "DTEND;TZID=Work:20270304T103000")
    found = split(file(ZONE, zoned, event("b", *PLAIN)))
    assert ["VTIMEZONE" in item.data for item in found.objects] == [True, False]
    facts = read_object(found.objects[0].data, timezone="UTC", window=(START - DAY, START + DAY))
    assert facts.busy == ((START - 3 * 3600, START - 3 * 3600 + 1800),)


def test_a_new_stamp_alone_is_no_change() -> None:
    one, other = (split(file(event("a", *PLAIN, stamp=stamp))) for stamp in ("20270101T000000Z", "20270102T000000Z"))
    assert one.objects[0].etag == other.objects[0].etag
    shown = split(file(event("a", *PLAIN, "X-MICROSOFT-CDO-BUSYSTATUS:FREE")))
    assert shown.objects[0].etag != one.objects[0].etag
    changed = split(file(event("a", *PLAIN, "TRANSP:TRANSPARENT")))
    assert (changed.objects[0].name, changed.objects[0].etag != one.objects[0].etag) == (one.objects[0].name, True)


def test_the_publishers_words_are_taken_over() -> None:
    head = "X-WR-CALNAME;VALUE=TEXT:Team\r\nX-WR-TIMEZONE:Asia/Tokyo\r\n"
    found = split("\ufeff" + file(event("a", *PLAIN), head=head))
    assert (found.name, found.timezone) == ("Team", "Asia/Tokyo")


def test_events_without_a_uid_do_not_hide_each_other() -> None:
    nameless = [f"BEGIN:VEVENT\r\nDTSTART:2027030{n}T100000Z\r\nEND:VEVENT\r\n" for n in (1, 2)]
    assert len({item.name for item in split(file(*nameless)).objects}) == 2


def test_folded_uids_are_one() -> None:
    folded = event("a", *PLAIN).replace("UID:a", "UID:a\r\n b\r\n c")
    assert split(file(folded)).objects[0].name == split(file(event("abc", *PLAIN))).objects[0].name


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "empty"),
        ("<!doctype html><html></html>", "does not begin"),
        ("BEGIN:VEVENT\r\nEND:VEVENT\r\n", "does not begin"),
        (file(event("a", *PLAIN))[:-20], "breaks off"),
        (file(event("a", *PLAIN)).split("END:VEVENT")[0], "breaks off"),
    ],
)
def test_what_is_no_whole_calendar_is_refused(text: str, why: str) -> None:
    """Were it read as far as it goes, the rest would seem to be deleted, and free."""
    with pytest.raises(NotACalendar, match=why):
        split(text)


def test_an_empty_calendar_is_one() -> None:
    assert split(file()).objects == []


LINES = ("BEGIN:VCALENDAR", "END:VCALENDAR", "BEGIN:VEVENT", "END:VEVENT", "UID:x", " y", ":", "")


@given(st.lists(st.sampled_from(LINES)))
@settings(max_examples=examples(200))
def test_nonsense_ends_in_objects_or_a_refusal(lines: list[str]) -> None:
    with contextlib.suppress(NotACalendar):
        split("\n".join(lines))
