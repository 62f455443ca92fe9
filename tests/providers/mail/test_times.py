"""Dates and times as mails tell them."""

from __future__ import annotations

from zoneinfo import available_timezones

import pytest

from integrations.mail.times import teller
from tests.unit.bookings import START


@pytest.mark.parametrize(
    ("timezone", "day", "span", "zone"),
    [
        ("Europe/Berlin", "Thursday, 4 March 2027", "11:00 – 11:30", "Central European Time, GMT+1"),
        ("America/New_York", "Thursday, March 4, 2027", "5:00 AM – 5:30 AM", "Eastern Time, GMT-5"),
        ("Asia/Kolkata", "Thursday, 4 March 2027", "3:30 pm – 4:00 pm", "India Time, GMT+5:30"),
        ("Asia/Calcutta", "Thursday, 4 March 2027", "3:30 pm – 4:00 pm", "India Time, GMT+5:30"),
        ("Asia/Tokyo", "Thursday, 4 March 2027", "19:00 – 19:30", "Japan Time, GMT+9"),
        ("Pacific/Kiritimati", "Friday, 5 March 2027", "12:00 am – 12:30 am", "Kiritimati time, GMT+14"),
        ("Europe/Kyiv", "Thursday, 4 March 2027", "12:00 – 12:30", "Kyiv time, GMT+2"),
        ("UTC", "Thursday, 4 March 2027", "10:00 – 10:30", "UTC"),
        ("Etc/GMT+3", "Thursday, 4 March 2027", "07:00 – 07:30", "GMT-3"),
    ],
)
def test_each_zone_is_told_in_the_way_of_its_region(timezone: str, day: str, span: str, zone: str) -> None:
    tells = teller(timezone)
    assert (tells.day(START), tells.span(START, START + 1800), tells.zone_name(START)) == (day, span, zone)


def test_the_offset_is_that_of_the_instant() -> None:
    tells = teller("Europe/Berlin")
    assert tells.zone_name(START + 120 * 86_400) == "Central European Time, GMT+2"


def test_a_region_in_the_locale_counts_more_than_the_zone() -> None:
    assert teller("America/New_York", "en-GB").short(START) == "Thu 4 Mar, 05:00"
    assert teller("America/New_York", "nonsense!").short(START) == teller("America/New_York").short(START)


def test_an_end_on_another_date_names_it() -> None:
    assert teller("Asia/Tokyo").span(START, START + 6 * 3600) == "19:00 – 01:00 (Fri, 5 Mar)"


def test_every_zone_can_be_told() -> None:
    """Also those the locale data knows nothing of."""
    for timezone in sorted(available_timezones() - {"localtime", "Factory"}):
        tells = teller(timezone)
        assert tells.short(START)
        assert "Unknown" not in tells.zone_name(START)
        assert ascii(tells.short(START)) == f"'{tells.short(START)}'", "subjects need no odd spaces"
