"""Wall times as iCalendar writes them, and what is none."""

from datetime import datetime

import pytest

from app.domain.wall_times import read_date_time, wall_of


@pytest.mark.parametrize("text", ["20270302T090807", "20270302T090807Z"])
def test_a_date_time_is_what_the_clock_shows(text: str) -> None:
    assert read_date_time(text) == datetime.fromisoformat("2027-03-02T09:08:07")


@pytest.mark.parametrize(
    "text",
    ["", "20270302", "20270302T", "20270302T0908", "20270302T90807", "2027-W01T090807", "20270230T090807",
     "20270302T240000", "20270302T090860", "00000101T000000", "20270302T090807ZZ", "20270302T090807 ",
     "٢0270302T090807"],
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert read_date_time(text) is None


def test_a_day_begins_at_midnight() -> None:
    assert wall_of("20270302") == datetime.fromisoformat("2027-03-02")
    assert wall_of("20270230") is None
