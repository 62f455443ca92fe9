"""Dates and times for people: English words in the order and hour cycle of the reader's region."""

from datetime import date

import pytest

from app.web.pages.wording import language_name, wording_for

DAY = date(2026, 11, 23)
MORNING = 1795413600  # 2026-11-23 06:00 UTC


@pytest.mark.parametrize(
    ("header", "day", "full", "time", "first_weekday"),
    [
        ("en-US,en;q=0.9", "Monday, November 23", "Monday, November 23, 2026", "7:00 AM", "Sunday"),
        ("en-GB", "Monday, 23 November", "Monday, 23 November 2026", "07:00", "Monday"),
        ("de-DE,de;q=0.9,en;q=0.8", "Monday, 23 November", "Monday, 23 November 2026", "07:00", "Monday"),
        ("de", "Monday, 23 November", "Monday, 23 November 2026", "07:00", "Monday"),
        ("ar", "Monday, 23 November", "Monday, 23 November 2026", "7:00 am", "Saturday"),
        ("ja", "Monday, 23 November", "Monday, 23 November 2026", "07:00", "Sunday"),
    ],
)
def test_order_hour_cycle_and_first_weekday_follow_the_region(
    header: str, day: str, full: str, time: str, first_weekday: str
) -> None:
    wording = wording_for(header)
    assert wording.day(DAY) == day
    assert wording.full_day(DAY) == full
    assert wording.time(MORNING, "Europe/Berlin") == time
    assert wording.weekdays()[0][1] == first_weekday


@pytest.mark.parametrize("header", [None, "", "*", "x-klingon", "de-DE;q=none", "\x00", "," * 500, "de;q=0"])
def test_a_header_that_says_nothing_gets_the_default(header: str | None) -> None:
    assert wording_for(header).full_day(DAY) == "Monday, November 23, 2026"


def test_the_language_wanted_most_decides() -> None:
    assert wording_for("en-US;q=0.3, en-GB;q=0.8").time(MORNING, "Europe/Berlin") == "07:00"


def test_a_span_over_midnight_names_the_day_it_ends_on() -> None:
    late = MORNING + 16 * 3600 + 1800  # 23:30 in Berlin
    assert wording_for("en-GB").span(late, late + 3600, "Europe/Berlin") == "23:30 – 00:30 (Tue 24 Nov)"


def test_a_span_within_a_day_is_two_times() -> None:
    assert wording_for("en-US").span(MORNING, MORNING + 1800, "Europe/Berlin") == "7:00 AM – 7:30 AM"


@pytest.mark.parametrize(("tag", "name"), [("de-AT", "German (Austria)"), ("fr", "French"), ("tlh-Latn", "tlh-Latn")])
def test_languages_have_names(tag: str, name: str) -> None:
    """Those that nobody has a name for keep their tag."""
    assert language_name(tag) == name
