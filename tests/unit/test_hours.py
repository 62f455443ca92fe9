"""Rules 1 and 2: working ranges, and what becomes of them when clocks change."""

from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pytest

from app.domain.hours import Range, Schedule, day_start, local_date, week_start, working_ranges

Ranges = tuple[Range, ...]


def _schedule(
    timezone: str = "UTC",
    every_day: Ranges = (),
    *,
    overrides: Mapping[date, Ranges] | None = None,
    exclusions: tuple[tuple[date, date], ...] = (),
    holidays: frozenset[date] = frozenset(),
) -> Schedule:
    return Schedule(timezone, (every_day,) * 7, overrides or {}, exclusions, holidays)


def _hm(text: str) -> int:
    hours, minutes = text.split(":")
    return int(hours) * 60 + int(minutes)


def _range(begin: str, end: str) -> Range:
    return _hm(begin), _hm(end)


def _utc(schedule: Schedule, first: date, last: date | None = None) -> list[tuple[str, str]]:
    """The ranges as UTC, `dd HH:MM`."""

    def show(instant: int) -> str:
        return datetime.fromtimestamp(instant, ZoneInfo("UTC")).strftime("%d %H:%M")

    return [(show(begin), show(end)) for begin, end in working_ranges(schedule, first, last or first)]


MONDAY = date(2027, 3, 1)
TUESDAY = date(2027, 3, 2)
NINE_TO_FIVE = _range("09:00", "17:00")


class TestWhichRangesApply:
    def test_each_weekday_has_its_own(self) -> None:
        weekly = ((_range("09:00", "12:00"), _range("13:00", "17:00")), (), *((NINE_TO_FIVE,),) * 5)
        schedule = Schedule("UTC", weekly, {}, (), frozenset())
        assert _utc(schedule, MONDAY) == [("01 09:00", "01 12:00"), ("01 13:00", "01 17:00")]
        assert _utc(schedule, TUESDAY) == []
        assert _utc(schedule, date(2027, 3, 7)) == [("07 09:00", "07 17:00")]

    def test_ranges_are_given_in_order_though_entered_otherwise(self) -> None:
        schedule = _schedule(every_day=(_range("13:00", "17:00"), _range("09:00", "12:00")))
        assert _utc(schedule, MONDAY) == [("01 09:00", "01 12:00"), ("01 13:00", "01 17:00")]

    def test_touching_and_overlapping_ranges_stay_single(self) -> None:
        schedule = _schedule(every_day=(_range("09:00", "12:00"), _range("12:00", "13:00"), _range("12:30", "14:00")))
        assert len(_utc(schedule, MONDAY)) == 3

    def test_an_override_takes_the_place_of_the_weekday(self) -> None:
        schedule = _schedule(every_day=(NINE_TO_FIVE,), overrides={MONDAY: (_range("20:00", "21:00"),)})
        assert _utc(schedule, MONDAY) == [("01 20:00", "01 21:00")]

    def test_an_empty_override_closes_the_date(self) -> None:
        assert _utc(_schedule(every_day=(NINE_TO_FIVE,), overrides={MONDAY: ()}), MONDAY) == []

    def test_a_holiday_closes_the_date(self) -> None:
        schedule = _schedule(every_day=(NINE_TO_FIVE,), holidays=frozenset({MONDAY}))
        assert _utc(schedule, MONDAY, TUESDAY) == [("02 09:00", "02 17:00")]

    def test_an_override_opens_a_holiday(self) -> None:
        schedule = _schedule(overrides={MONDAY: (NINE_TO_FIVE,)}, holidays=frozenset({MONDAY}))
        assert _utc(schedule, MONDAY) == [("01 09:00", "01 17:00")]

    def test_an_exclusion_closes_all_its_dates_even_overridden_ones(self) -> None:
        schedule = _schedule(
            every_day=(NINE_TO_FIVE,),
            overrides={TUESDAY: (NINE_TO_FIVE,)},
            exclusions=((MONDAY, date(2027, 3, 3)),),
        )
        assert _utc(schedule, date(2027, 2, 28), date(2027, 3, 4)) == [
            ("28 09:00", "28 17:00"),
            ("04 09:00", "04 17:00"),
        ]


class TestOverMidnight:
    def test_an_end_before_the_begin_lies_on_the_next_day(self) -> None:
        assert _utc(_schedule(every_day=(_range("22:00", "02:00"),)), MONDAY) == [("01 22:00", "02 02:00")]

    def test_an_end_at_the_begin_makes_a_whole_day(self) -> None:
        assert _utc(_schedule(every_day=(_range("09:00", "09:00"),)), MONDAY) == [("01 09:00", "02 09:00")]

    def test_24_00_is_the_end_of_the_date(self) -> None:
        assert _utc(_schedule(every_day=(_range("00:00", "24:00"),)), MONDAY) == [("01 00:00", "02 00:00")]

    def test_a_range_belongs_to_the_date_it_begins_on(self) -> None:
        schedule = _schedule(overrides={MONDAY: (_range("22:00", "02:00"),)})
        assert _utc(schedule, TUESDAY) == []

    def test_an_excluded_date_cuts_what_reaches_into_it(self) -> None:
        schedule = _schedule(every_day=(_range("22:00", "02:00"),), exclusions=((TUESDAY, TUESDAY),))
        assert _utc(schedule, MONDAY, TUESDAY) == [("01 22:00", "02 00:00")]

    def test_an_excluded_date_cuts_at_its_own_midnight(self) -> None:
        """Midnight of 2 March in New York is 05:00 UTC."""
        schedule = _schedule("America/New_York", (_range("22:00", "02:00"),), exclusions=((TUESDAY, TUESDAY),))
        assert _utc(schedule, MONDAY) == [("02 03:00", "02 05:00")]

    @pytest.mark.parametrize("closed", ["override", "holiday"])
    def test_an_override_or_a_holiday_does_not_cut(self, closed: str) -> None:
        schedule = _schedule(
            every_day=(_range("22:00", "02:00"),),
            overrides={TUESDAY: ()} if closed == "override" else {},
            holidays=frozenset({TUESDAY} if closed == "holiday" else ()),
        )
        assert _utc(schedule, MONDAY, TUESDAY) == [("01 22:00", "02 02:00")]


class TestClockChanges:
    def test_hours_follow_the_wall_clock(self) -> None:
        schedule = _schedule("America/New_York", (NINE_TO_FIVE,))
        assert _utc(schedule, date(2027, 3, 13)) == [("13 14:00", "13 22:00")]
        assert _utc(schedule, date(2027, 3, 14)) == [("14 13:00", "14 21:00")]

    def test_a_range_over_the_gap_is_an_hour_shorter(self) -> None:
        """Berlin, 2027-03-28: 02:00 becomes 03:00."""
        schedule = _schedule("Europe/Berlin", (_range("00:00", "06:00"),))
        assert _utc(schedule, date(2027, 3, 28)) == [("27 23:00", "28 04:00")]

    def test_a_range_over_the_repeated_hour_is_an_hour_longer(self) -> None:
        schedule = _schedule("Europe/Berlin", (_range("00:00", "06:00"),))
        assert _utc(schedule, date(2027, 10, 31)) == [("30 22:00", "31 05:00")]

    def test_a_begin_in_the_gap_means_the_instant_after_it(self) -> None:
        schedule = _schedule("Europe/Berlin", (_range("02:30", "04:00"),))
        assert _utc(schedule, date(2027, 3, 28)) == [("28 01:00", "28 02:00")]

    def test_an_end_in_the_gap_means_the_instant_after_it(self) -> None:
        schedule = _schedule("Europe/Berlin", (_range("01:00", "02:30"),))
        assert _utc(schedule, date(2027, 3, 28)) == [("28 00:00", "28 01:00")]

    def test_a_range_within_the_gap_is_dropped(self) -> None:
        schedule = _schedule("Europe/Berlin", (_range("02:10", "02:50"),))
        assert _utc(schedule, date(2027, 3, 28)) == []

    def test_a_repeated_begin_is_the_first_and_a_repeated_end_the_last(self) -> None:
        """Berlin, 2027-10-31: 02:00 to 03:00 comes twice, from 00:00 and from 01:00 UTC."""
        schedule = _schedule("Europe/Berlin", (_range("02:15", "02:45"),))
        assert _utc(schedule, date(2027, 10, 31)) == [("31 00:15", "31 01:45")]

    def test_lord_howe_moves_by_half_an_hour(self) -> None:
        """2027-10-03: 02:00 (+10:30) becomes 02:30 (+11); 2027-04-04: 02:00 (+11) becomes 01:30 (+10:30)."""
        schedule = _schedule("Australia/Lord_Howe", (_range("02:10", "03:00"),))
        assert _utc(schedule, date(2027, 10, 3)) == [("02 15:30", "02 16:00")]
        autumn = _schedule("Australia/Lord_Howe", (_range("01:45", "01:50"),))
        assert _utc(autumn, date(2027, 4, 4)) == [("03 14:45", "03 15:20")]

    def test_chatham_keeps_its_quarter_hours(self) -> None:
        """2027-09-26: 02:45 (+12:45) becomes 03:45 (+13:45)."""
        schedule = _schedule("Pacific/Chatham", (_range("03:00", "05:00"),))
        assert _utc(schedule, date(2027, 9, 26)) == [("25 14:00", "25 15:15")]

    def test_ramadan_in_casablanca(self) -> None:
        """The zone is at +1 all year but for Ramadan, 2027-02-07 to 03-14, when it is at +0."""
        schedule = _schedule("Africa/Casablanca", (NINE_TO_FIVE,))
        assert _utc(schedule, date(2027, 2, 6)) == [("06 08:00", "06 16:00")]
        assert _utc(schedule, date(2027, 2, 8)) == [("08 09:00", "08 17:00")]


class TestMidnight:
    def test_havana_skips_it_in_spring(self) -> None:
        """2027-03-14: 00:00 (-5) becomes 01:00 (-4), at 05:00 UTC."""
        assert day_start("America/Havana", date(2027, 3, 14)) == _at("2027-03-14T05:00")
        schedule = _schedule("America/Havana", (_range("00:00", "02:00"),))
        assert _utc(schedule, date(2027, 3, 14)) == [("14 05:00", "14 06:00")]

    def test_havana_has_it_twice_in_autumn(self) -> None:
        """2027-11-07: 01:00 (-4) becomes 00:00 (-5); the date begins with the first midnight."""
        assert day_start("America/Havana", date(2027, 11, 7)) == _at("2027-11-07T04:00")
        schedule = _schedule("America/Havana", (_range("00:00", "02:00"),))
        assert _utc(schedule, date(2027, 11, 7)) == [("07 04:00", "07 07:00")]

    @pytest.mark.parametrize("end", ["24:00", "00:00"])
    def test_a_range_that_ends_at_midnight_ends_where_the_next_date_begins(self, end: str) -> None:
        schedule = _schedule("America/Havana", (_range("20:00", end),))
        assert _utc(schedule, date(2027, 11, 6)) == [("07 00:00", "07 04:00")]

    def test_an_end_after_a_repeated_midnight_is_the_last(self) -> None:
        schedule = _schedule("America/Havana", (_range("22:00", "00:30"),))
        assert _utc(schedule, date(2027, 11, 6)) == [("07 02:00", "07 05:30")]

    def test_nuuk_skips_the_hour_before_it(self) -> None:
        """2027-03-27: 23:00 (-2) becomes 00:00 of the 28th (-1), at 01:00 UTC."""
        assert day_start("America/Nuuk", date(2027, 3, 28)) == _at("2027-03-28T01:00")
        schedule = _schedule("America/Nuuk", (_range("22:00", "23:30"), _range("23:15", "02:00")))
        assert _utc(schedule, date(2027, 3, 27)) == [("28 00:00", "28 01:00"), ("28 01:00", "28 03:00")]

    def test_santiago_comes_back_before_it(self) -> None:
        """2027-04-04: 24:00 (-3) becomes 23:00 of the 3rd (-4); the 4th begins at 04:00 UTC."""
        assert day_start("America/Santiago", date(2027, 4, 4)) == _at("2027-04-04T04:00")
        schedule = _schedule("America/Santiago", (_range("22:00", "24:00"),))
        assert _utc(schedule, date(2027, 4, 3)) == [("04 01:00", "04 04:00")]


class TestApiaWithout30December2011:
    """At the end of the 29th (-10), 10:00 UTC, it became the 31st (+14)."""

    MISSING = date(2011, 12, 30)

    def test_the_missing_date_begins_where_the_next_does(self) -> None:
        assert day_start("Pacific/Apia", self.MISSING) == _at("2011-12-30T10:00")
        assert day_start("Pacific/Apia", date(2011, 12, 31)) == _at("2011-12-30T10:00")
        assert local_date("Pacific/Apia", _at("2011-12-30T09:59")) == date(2011, 12, 29)
        assert local_date("Pacific/Apia", _at("2011-12-30T10:00")) == date(2011, 12, 31)

    def test_its_hours_are_dropped(self) -> None:
        schedule = _schedule("Pacific/Apia", (NINE_TO_FIVE,))
        assert _utc(schedule, self.MISSING) == []
        assert _utc(schedule, date(2011, 12, 29), date(2011, 12, 31)) == [
            ("29 19:00", "30 03:00"),
            ("30 19:00", "31 03:00"),
        ]

    def test_a_night_before_it_ends_with_its_date(self) -> None:
        schedule = _schedule("Pacific/Apia", overrides={date(2011, 12, 29): (_range("22:00", "02:00"),)})
        assert _utc(schedule, date(2011, 12, 29)) == [("30 08:00", "30 10:00")]

    def test_of_its_own_night_the_morning_after_remains(self) -> None:
        schedule = _schedule("Pacific/Apia", overrides={self.MISSING: (_range("22:00", "02:00"),)})
        assert _utc(schedule, self.MISSING) == [("30 10:00", "30 12:00")]


def test_every_zone_offset_is_found_not_only_whole_hours() -> None:
    schedule = _schedule("Asia/Kathmandu", (NINE_TO_FIVE,))
    assert _utc(schedule, MONDAY) == [("01 03:15", "01 11:15")]


def test_weeks_begin_on_monday() -> None:
    assert week_start(date(2027, 3, 7)) == MONDAY
    assert week_start(MONDAY) == MONDAY


def test_equal_schedules_are_one_cache_key() -> None:
    one, other = (_schedule(every_day=(NINE_TO_FIVE,), overrides={MONDAY: ()}) for _ in range(2))
    assert one == other
    assert hash(one) == hash(other)


def test_an_unknown_zone_is_an_error() -> None:
    with pytest.raises(ZoneInfoNotFoundError):
        day_start("Mars/Olympus", MONDAY)


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("UTC")).timestamp())
