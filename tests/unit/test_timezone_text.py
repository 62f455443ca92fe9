"""VTIMEZONE components, read by icalendar's own reader and compared with the zone database."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Timezone

from app.domain.errors import Invalid
from app.domain.timezone_text import timezone_component

ZONES = [
    "Europe/Berlin",
    "Europe/London",
    "Europe/Dublin",
    "America/New_York",
    "America/Havana",
    "America/Santiago",
    "America/St_Johns",
    "America/Nuuk",
    "America/Sao_Paulo",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Pacific/Auckland",
    "Pacific/Chatham",
    "Pacific/Kiritimati",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Asia/Jerusalem",
    "Asia/Gaza",
    "Africa/Cairo",
    "Africa/Casablanca",
    "Asia/Tehran",
]


@cache
def read_back(tzid: str) -> tzinfo:
    component = Timezone.from_ical(timezone_component(tzid))
    assert isinstance(component, Timezone)
    zone: tzinfo = component.to_tz(lookup_tzid=False)
    return zone


@given(st.sampled_from(ZONES), st.integers(0, 29 * 366 * 48))
def test_wall_times_mean_what_the_zone_says(tzid: str, half_hours: int) -> None:
    """Every half hour from 2020 on; wall times that come twice or never are left to their own tests."""
    wall = datetime(2020, 1, 1, tzinfo=UTC) + timedelta(minutes=30 * half_hours)
    zone = ZoneInfo(tzid)
    before, after = (wall.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    if before == after:
        assert wall.replace(tzinfo=read_back(tzid)).utcoffset() == before


@pytest.mark.parametrize("tzid", ZONES)
def test_every_change_of_the_clock_is_exact(tzid: str) -> None:
    """The quarter hours beside each change, on either side of it."""
    zone, read = ZoneInfo(tzid), read_back(tzid)
    at = datetime(2020, 1, 1, tzinfo=UTC)
    while at.year < 2040:
        now, later = at.astimezone(zone), (at + timedelta(days=1)).astimezone(zone)
        if now.utcoffset() != later.utcoffset():
            for minutes in range(0, 1440, 15):
                local = (at + timedelta(minutes=minutes)).astimezone(zone)
                if not local.fold and local.replace(fold=1).utcoffset() == local.utcoffset():
                    assert local.replace(tzinfo=read).utcoffset() == local.utcoffset()
        at += timedelta(days=1)


def test_a_regular_zone_is_two_rules_as_outlook_reads_them() -> None:
    text = timezone_component("America/New_York")
    assert text.count("BEGIN:STANDARD") == text.count("BEGIN:DAYLIGHT") == 1
    assert text.count("RRULE:") == 2
    assert "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=2SU" in text
    assert "RRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=1SU" in text
    assert "DTSTART:20190310T020000" in text, "the onset is told in the time before it (RFC 5545 §3.6.5)"


def test_lord_howe_moves_by_half_an_hour() -> None:
    text = timezone_component("Australia/Lord_Howe")
    assert "TZOFFSETFROM:+1100\r\nTZOFFSETTO:+1030" in text
    assert "TZOFFSETFROM:+1030\r\nTZOFFSETTO:+1100" in text


def test_a_zone_without_summer_time_is_one_standard_time() -> None:
    text = timezone_component("Asia/Kolkata")
    assert text.count("BEGIN:STANDARD") == 1
    assert "DAYLIGHT" not in text
    assert "RRULE" not in text


def test_irish_summer_is_the_daylight_time() -> None:
    """The database calls the winter a negative saving; clients expect it the other way round."""
    text = timezone_component("Europe/Dublin")
    assert re.search(r"BEGIN:DAYLIGHT(?:(?!END:).)*TZNAME:IST", text, re.DOTALL)


@pytest.mark.parametrize("tzid", ZONES)
def test_lines_are_short_and_end_in_crlf(tzid: str) -> None:
    lines = timezone_component(tzid).split("\r\n")
    assert lines.pop() == ""
    assert all(0 < len(line) <= 75 and "\n" not in line for line in lines)


def test_utc_has_none() -> None:
    assert timezone_component("UTC") == timezone_component("Etc/UTC") == ""


@pytest.mark.parametrize("tzid", ["Mars/Olympus", "../etc/passwd", "", "Europe", "a\r\nb"])
def test_unknown_zones_are_refused(tzid: str) -> None:
    with pytest.raises(Invalid):
        timezone_component(tzid)
