"""Working hours as VAVAILABILITY (RFC 7953), and back."""

from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from app.domain.availability import availability_text, read_availability
from app.domain.errors import Invalid
from app.domain.hours import Range, Schedule

LONG_AGO = date(1970, 1, 1)
NINE_TO_FIVE = (540, 1020)
WEEK = (*((NINE_TO_FIVE,),) * 5, (), ())


def schedule(
    weekly: tuple[tuple[Range, ...], ...] = WEEK, timezone: str = "Europe/Berlin", **values: object
) -> Schedule:
    given_values: dict[str, object] = {"overrides": {}, "exclusions": (), "holidays": frozenset(), **values}
    return Schedule(timezone=timezone, weekly=weekly, **given_values)  # type: ignore[arg-type]


def written(what: Schedule) -> str:
    return availability_text(what, "uid", 1_800_000_000, LONG_AGO)


def block(*lines: str, inner: tuple[str, ...] = ()) -> list[str]:
    available = ["BEGIN:AVAILABLE", "UID:a", *inner, "END:AVAILABLE"] if inner else []
    return ["BEGIN:VAVAILABILITY", "UID:v", "DTSTAMP:20270101T000000Z", *lines, *available, "END:VAVAILABILITY"]


def text(*blocks: list[str]) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", *(line for each in blocks for line in each), "END:VCALENDAR"]
    return "\r\n".join([*lines, ""])


USUAL = ("DTSTART;TZID=Europe/Berlin:20270104T090000", "DTEND;TZID=Europe/Berlin:20270104T170000")
WEEKDAYS = "RRULE:FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR"

ranges = st.lists(st.tuples(st.integers(0, 1439), st.integers(1, 1440)), max_size=3, unique=True).map(
    lambda each: tuple(sorted(each))
)
dates = st.dates(date(2027, 1, 1), date(2028, 1, 1))


@given(
    st.tuples(*[ranges] * 7),
    st.dictionaries(dates, ranges.filter(bool), max_size=4),
    st.lists(st.tuples(dates, st.integers(0, 9)), max_size=3),
    st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata"]),
)
def test_what_is_written_is_read_as_the_same_hours(
    weekly: tuple[tuple[Range, ...], ...],
    overrides: dict[date, tuple[Range, ...]],
    away: list[tuple[date, int]],
    timezone: str,
) -> None:
    exclusions = tuple(sorted((first, first + timedelta(days=days)) for first, days in away))
    before = schedule(weekly, timezone, overrides=overrides, exclusions=exclusions)
    assert read_availability(written(before), "UTC") == before


def test_others_can_read_it() -> None:
    calendar: Any = Calendar.from_ical(written(schedule(overrides={date(2027, 3, 1): ((600, 720),)})))
    usual, exception = calendar.walk("VAVAILABILITY")
    assert usual["BUSYTYPE"] == "BUSY-UNAVAILABLE"
    assert "DTEND" not in usual
    assert int(usual["PRIORITY"]) > int(exception["PRIORITY"])  # 1 is the highest
    [hours] = usual.walk("AVAILABLE")
    assert hours["RRULE"]["BYDAY"] == ["MO", "TU", "WE", "TH", "FR"]
    assert str(hours["DTSTART"].dt) == "2020-01-06 09:00:00+01:00"
    assert calendar.walk("VTIMEZONE")[0]["TZID"] == "Europe/Berlin"


def test_a_closed_date_is_an_exception_without_hours() -> None:
    read = read_availability(written(schedule(overrides={date(2027, 3, 1): ()})), "UTC")
    assert read.exclusions == ((date(2027, 3, 1), date(2027, 3, 1)),)


def test_single_dates_and_instances_become_overrides() -> None:
    moved = [
        "BEGIN:AVAILABLE", "UID:a", "RECURRENCE-ID;TZID=Europe/Berlin:20270108T090000",
        "DTSTART;TZID=Europe/Berlin:20270108T120000", "DTEND;TZID=Europe/Berlin:20270108T170000", "END:AVAILABLE",
    ]  # fmt: skip
    more = [
        "BEGIN:AVAILABLE", "UID:b", "DTSTART;TZID=Europe/Berlin:20270109T100000", "DURATION:PT2H", "END:AVAILABLE",
    ]  # fmt: skip
    lines = block(inner=(*USUAL, WEEKDAYS, "EXDATE;TZID=Europe/Berlin:20270106T090000"))
    read = read_availability(text([*lines[:-1], *moved, *more, lines[-1]]), "UTC")
    assert read.weekly == WEEK
    assert read.overrides == {
        date(2027, 1, 6): (),
        date(2027, 1, 8): ((720, 1020),),
        date(2027, 1, 9): ((600, 720),),
    }


def test_what_matters_more_wins_for_a_date() -> None:
    day = ("DTSTART;TZID=Europe/Berlin:20270104T000000", "DTEND;TZID=Europe/Berlin:20270105T000000")
    low = block("PRIORITY:5", *day, inner=("DTSTART;TZID=Europe/Berlin:20270104T080000", "DURATION:PT1H"))
    high = block("PRIORITY:2", *day, inner=("DTSTART;TZID=Europe/Berlin:20270104T180000", "DURATION:PT1H"))
    read = read_availability(text(high, block(inner=(*USUAL, WEEKDAYS)), low), "UTC")
    assert read.overrides == {date(2027, 1, 4): ((1080, 1140),)}


@pytest.mark.parametrize(
    ("broken", "told"),
    [
        (text(), "VAVAILABILITY"),
        (text(["BEGIN:VEVENT", "UID:x", "END:VEVENT"]), "VAVAILABILITY"),
        (text(block("DTSTART:20270101T000000Z", "DTEND:20270108T000000Z", inner=USUAL)), "without an end"),
        (text(block(inner=(*USUAL, "RRULE:FREQ=MONTHLY;BYDAY=MO"))), "every week"),
        (text(block(inner=(*USUAL, "RRULE:FREQ=WEEKLY;INTERVAL=2"))), "every week"),
        (text(block(inner=(*USUAL, "RRULE:FREQ=WEEKLY;UNTIL=20280101T000000Z"))), "without end"),
        (text(block("DTSTART;TZID=America/New_York:20270101T000000", inner=(*USUAL, WEEKDAYS))), "one time zone"),
        (text(block(inner=("DTSTART:20270104T090000Z", "DTEND:20270106T090000Z"))), "a day at most"),
        (text(block(inner=("DTSTART;TZID=Nowhere/Town:20270104T090000", "DURATION:PT1H"))), "known zone"),
        (text(block(inner=("DTSTART:20270104T090000Z",))), "DURATION"),
        ("hello", "iCalendar"),
    ],
)
def test_what_weekly_hours_cannot_tell_is_refused_in_words(broken: str, told: str) -> None:
    with pytest.raises(Invalid, match=told):
        read_availability(broken, "Europe/Berlin")
