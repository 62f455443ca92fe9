"""The slot picker's view: a month, a day, the ways onward."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.domain.errors import Invalid
from app.use_cases.browse_times import FreeTimes
from app.web.pages.picker import Query, group_slots, minutes_label, minutes_words, picker_of, read_minutes, read_start
from app.web.pages.wording import wording_for

BERLIN = "Europe/Berlin"
GB, US = wording_for("en-GB"), wording_for("en-US")


def at(text: str, timezone: str = BERLIN, fold: int = 0) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(timezone), fold=fold).timestamp())


NOW = at("2026-11-20 15:00")


def free_times(starts: Sequence[int], day: date | None = None, **values: Any) -> FreeTimes:
    """An answer for November 2026 in Berlin, looked at on Friday the 20th."""
    free = FreeTimes(
        context=None,  # type: ignore[arg-type]  # the picker does not look at the link
        timezone=BERLIN,
        host_timezone=BERLIN,
        durations=(15, 30),
        duration=15,
        today=date(2026, 11, 20),
        month=date(2026, 11, 1),
        starts=starts,
        day=day,
        day_before=None,
        day_after=None,
        is_first=False,
        last_month=date(2027, 1, 1),
    )
    return replace(free, **values)


def test_starts_are_grouped_by_local_part_of_day() -> None:
    starts = [at("2026-11-23 09:00"), at("2026-11-23 11:59"), at("2026-11-23 12:00"), at("2026-11-23 17:00")]
    groups = group_slots(starts, BERLIN, GB, str)
    assert [(group.title, [slot.label for slot in group.slots]) for group in groups] == [
        ("Morning", ["09:00", "11:59"]),
        ("Afternoon", ["12:00"]),
        ("Evening", ["17:00"]),
    ]


def test_the_hour_that_comes_twice_is_told_apart_by_its_offset() -> None:
    twice = [at("2026-10-25 02:30"), at("2026-10-25 02:30", fold=1), at("2026-10-25 03:00")]
    labels = [slot.label for group in group_slots(twice, BERLIN, GB, str) for slot in group.slots]
    assert labels == ["02:30 (GMT+2)", "02:30 (GMT+1)", "03:00"]


def test_a_late_start_belongs_to_the_local_date() -> None:
    """23:30 in New York is the next day in Berlin."""
    start = at("2026-11-23 23:30", "America/New_York")
    free = free_times([start], date(2026, 11, 24))
    assert free.starts_on(date(2026, 11, 24)) == [start]
    assert free.starts_on(date(2026, 11, 23)) == []


def test_weeks_begin_on_the_readers_first_weekday_and_past_weeks_are_left_out() -> None:
    free = free_times([at("2026-11-23 09:00")], date(2026, 11, 23))
    weeks = picker_of(free, Query("/demo/intro"), GB, NOW).weeks
    assert [cell and cell.number for cell in weeks[0]] == [16, 17, 18, 19, 20, 21, 22]
    assert [cell and cell.number for cell in weeks[-1]] == [30, None, None, None, None, None, None]
    weeks = picker_of(free, Query("/demo/intro"), US, NOW).weeks
    assert [cell and cell.number for cell in weeks[0]] == [15, 16, 17, 18, 19, 20, 21]


def test_just_days_with_free_times_are_links() -> None:
    free = free_times([at("2026-11-23 09:00"), at("2026-11-23 10:00"), at("2026-11-25 09:00")], date(2026, 11, 23))
    picker = picker_of(free, Query("/demo/intro"), GB, NOW)
    cells = [cell for week in picker.weeks for cell in week if cell]
    assert {cell.iso: cell.label for cell in cells if cell.address} == {
        "2026-11-23": "Monday, 23 November, 2 free times",
        "2026-11-25": "Wednesday, 25 November, 1 free time",
    }
    assert [cell.iso for cell in cells if cell.is_current] == ["2026-11-23"]
    assert [cell.iso for cell in cells if cell.is_today] == ["2026-11-20"]
    assert picker.status == "Monday, 23 November: 2 free times."


def test_the_readers_choices_go_along_every_way() -> None:
    start = at("2026-11-23 09:00")
    query = Query("/demo/intro", timezone="Asia/Tokyo", duration=30, day=date(2026, 11, 23))
    picker = picker_of(free_times([start], date(2026, 11, 23), duration=30), query, GB, NOW)
    assert picker.groups[0].slots[0].address == (
        "/demo/intro?duration=30&tz=Asia/Tokyo&day=2026-11-23&start=2026-11-23T08:00:00Z"
    )
    assert picker.next_month == "/demo/intro?duration=30&tz=Asia/Tokyo&month=2026-12"
    assert [choice.address for choice in picker.durations] == [
        "/demo/intro?duration=15&tz=Asia/Tokyo&day=2026-11-23",
        "/demo/intro?duration=30&tz=Asia/Tokyo&day=2026-11-23",
    ]
    assert dict(picker.zone.kept) == {"duration": "30", "day": "2026-11-23"}


def test_a_detected_zone_is_not_taken_for_a_choice() -> None:
    picker = picker_of(free_times([]), Query("/demo/intro", detected=BERLIN), GB, NOW)
    assert picker.next_month == "/demo/intro?month=2026-12"
    assert not picker.zone.is_chosen


def test_months_can_be_left_only_towards_where_something_may_be() -> None:
    first = picker_of(free_times([]), Query("/x"), GB, NOW)
    assert first.previous_month is None
    last = picker_of(free_times([], month=date(2027, 1, 1)), Query("/x"), GB, NOW)
    assert (last.previous_month, last.next_month) == ("/x?month=2026-12", None)
    endless = picker_of(free_times([], last_month=None), Query("/x"), GB, NOW)
    assert endless.next_month is not None


def test_a_month_without_times_says_so() -> None:
    assert picker_of(free_times([]), Query("/x"), GB, NOW).status == "No free times in November 2026."


@pytest.mark.parametrize(
    "text", ["", "x", "2026-11-23", "2026-11-23T09:00:00", "99999-01-01T00:00:00Z", "0001-01-01T00:00:00+14:00"]
)
def test_a_start_that_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_start(text)


def test_a_start_may_carry_any_offset() -> None:
    assert read_start("2026-11-23T09:00:00+01:00") == read_start("2026-11-23T08:00:00Z") == at("2026-11-23 09:00")


@pytest.mark.parametrize("text", ["", "-15", "1.5", "15 ", "١٥", "99999"])
def test_a_length_that_is_no_number_of_minutes_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        read_minutes(text)


def test_lengths_in_words() -> None:
    assert [minutes_label(minutes) for minutes in (15, 60, 90, 120)] == ["15 min", "1 h", "1 h 30 min", "2 h"]
    assert [minutes_words(minutes) for minutes in (1, 60, 90)] == ["1 minute", "1 hour", "1 hour 30 minutes"]
