"""The table of RFC 4791 §9.9, row by row."""

from zoneinfo import ZoneInfo

import pytest

from app.domain import ical_matching
from app.domain.ical_times import ObjectTimes
from tests.support.clock import at
from tests.support.ical import calendar, ics

MARCH = at("2027-03-01 00:00")
APRIL = at("2027-04-01 00:00")


def overlaps(text: str, start: int | None, end: int | None, zone: str = "UTC") -> bool:
    """Whether the first component of the text takes place in the range."""
    times = ObjectTimes(text, ZoneInfo(zone))
    [component, *_] = times.calendar.subcomponents
    return ical_matching.overlaps(times, component, start, end)


@pytest.mark.parametrize(
    ("lines", "before", "inside", "after"),
    [
        (["DTSTART:20270310T090000Z", "DTEND:20270310T100000Z"], False, True, False),
        (["DTSTART:20270310T090000Z", "DURATION:PT1H"], False, True, False),
        (["DTSTART:20270310T090000Z", "DURATION:PT0S"], False, True, False),
        (["DTSTART:20270310T090000Z"], False, True, False),
        (["DTSTART;VALUE=DATE:20270310"], False, True, False),
    ],
)
def test_events(lines: list[str], before: bool, inside: bool, after: bool) -> None:
    text = calendar(["UID:a", *lines])
    assert overlaps(text, MARCH, at("2027-03-10 00:00")) is before
    assert overlaps(text, MARCH, APRIL) is inside
    assert overlaps(text, at("2027-03-11 00:00"), APRIL) is after


def test_the_end_of_a_range_is_not_in_it_and_its_start_is() -> None:
    nine = at("2027-03-10 09:00")
    moment = calendar(["UID:a", "DTSTART:20270310T090000Z"])
    assert overlaps(moment, nine, nine + 1)
    assert not overlaps(moment, nine - 1, nine)
    hour = ics("a", start="20270310T090000Z")
    assert not overlaps(hour, nine + 3600, nine + 7200)
    assert overlaps(hour, nine + 3599, nine + 7200)


@pytest.mark.parametrize(
    ("lines", "march"),
    [
        (["DTSTART:20270310T090000Z", "DURATION:PT1H"], True),
        (["DTSTART:20270401T000000Z", "DURATION:PT1H"], False),
        (["DTSTART:20270210T090000Z", "DUE:20270310T090000Z"], True),
        (["DTSTART:20270210T090000Z", "DUE:20270220T090000Z"], False),
        (["DTSTART:20270210T090000Z"], False),
        (["DTSTART:20270310T090000Z"], True),
        (["DUE:20270401T000000Z"], True),
        (["DUE:20270301T000000Z"], False),
        (["COMPLETED:20270310T090000Z", "CREATED:20270101T000000Z"], True),
        (["COMPLETED:20270210T090000Z", "CREATED:20270101T000000Z"], False),
        (["COMPLETED:20270310T090000Z"], True),
        (["COMPLETED:20270410T090000Z"], False),
        (["CREATED:20270101T000000Z"], True),
        (["CREATED:20270501T000000Z"], False),
        ([], True),
        (["DTSTART:20200101T000000Z", "RRULE:FREQ=DAILY"], True),
    ],
)
def test_tasks(lines: list[str], march: bool) -> None:
    assert overlaps(calendar(["UID:a", *lines], kind="VTODO"), MARCH, APRIL) is march


@pytest.mark.parametrize(
    ("lines", "march"),
    [
        (["DTSTART:20270310T090000Z"], True),
        (["DTSTART:20270410T090000Z"], False),
        (["DTSTART;VALUE=DATE:20270331"], True),
        (["DTSTART;VALUE=DATE:20270228"], False),
        ([], False),
    ],
)
def test_journal_entries(lines: list[str], march: bool) -> None:
    assert overlaps(calendar(["UID:a", *lines], kind="VJOURNAL"), MARCH, APRIL) is march


def alarm_in(trigger: str, start: str, end: str, *event: str) -> bool:
    """Whether the alarm of an event at nine on 10 March goes off in the range."""
    lines = ["BEGIN:VALARM", "ACTION:DISPLAY", "DESCRIPTION:x", *trigger.split("|"), "END:VALARM"]
    times = ObjectTimes(ics("a", *event, *lines, start="20270310T090000Z"), ZoneInfo("UTC"))
    [alarm] = times.calendar.walk("VALARM")
    return ical_matching.overlaps(times, alarm, at(f"2027-03-{start}"), at(f"2027-03-{end}"))


def test_alarms_go_off_relative_to_each_instance_or_at_their_time() -> None:
    assert alarm_in("TRIGGER:-PT30M", "10 08:30", "10 08:31")
    assert not alarm_in("TRIGGER:-PT30M", "10 09:00", "10 10:00")
    assert alarm_in("TRIGGER;RELATED=END:PT5M", "10 10:05", "10 10:06")
    assert alarm_in("TRIGGER;VALUE=DATE-TIME:20270305T120000Z", "05 12:00", "05 12:01")
    assert alarm_in("TRIGGER:-PT30M|REPEAT:2|DURATION:PT10M", "10 08:50", "10 08:51")
    assert not alarm_in("TRIGGER:-PT30M|REPEAT:2|DURATION:PT10M", "10 09:00", "10 09:01")
    assert alarm_in("TRIGGER:-PT30M", "12 08:30", "12 08:31", "RRULE:FREQ=DAILY")
    assert not alarm_in("TRIGGER:-PT30M", "12 08:30", "12 08:31")


def test_instances_are_told_apart_by_their_component() -> None:
    text = calendar(
        ["UID:w", "DTSTART:20270302T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"],
        ["UID:w", "RECURRENCE-ID:20270309T090000Z", "DTSTART:20270310T090000Z", "DURATION:PT1H"],
    )
    times = ObjectTimes(text, ZoneInfo("UTC"))
    master, override = times.calendar.subcomponents
    tenth = at("2027-03-10 00:00"), at("2027-03-11 00:00")
    assert not ical_matching.overlaps(times, master, *tenth)
    assert ical_matching.overlaps(times, override, *tenth)
    assert not ical_matching.overlaps(times, master, at("2027-03-09 00:00"), at("2027-03-10 00:00"))


def test_open_ranges_reach_as_far_as_a_series_goes() -> None:
    endless = ics("a", "RRULE:FREQ=YEARLY;INTERVAL=20", start="20200101T090000Z")
    assert overlaps(endless, at("2027-01-01 00:00"), None)
    finite = ics("a", "RRULE:FREQ=DAILY;COUNT=3", start="20200101T090000Z")
    assert not overlaps(finite, at("2027-01-01 00:00"), None)
    assert overlaps(finite, None, at("2020-01-02 00:00"))
    assert not overlaps(finite, None, at("2020-01-01 09:00"))
