"""Rules 3 to 7, pools and collectives, one example each; `test_slots_oracle` has the random ones.

Unless said otherwise it is Monday, 2027-03-01, midnight UTC, the host works 09:00 to 12:00 UTC every day, and the link
offers 60 minutes.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from app.domain.hours import Range, Schedule
from app.domain.rules import HostState, LinkRules
from app.domain.slots import (
    Verdict,
    free_starts,
    judge,
    judge_picked,
    nearest,
    pool_starts,
)

MINUTE, HOUR, DAY = 60, 3600, 86400
TODAY = date(2027, 3, 1)
MIDNIGHT = int(datetime(2027, 3, 1, tzinfo=UTC).timestamp())
THE_DAY = (MIDNIGHT, MIDNIGHT + DAY)
RULES = LinkRules(
    step=None,
    buffer_before=0,
    buffer_after=0,
    minimum_notice=0,
    horizon_days=None,
    date_range=None,
    max_per_day=None,
    max_per_week=None,
)


def at(text: str, day: int = 0) -> int:
    hours, minutes = text.split(":")
    return MIDNIGHT + day * DAY + int(hours) * HOUR + int(minutes) * MINUTE


def schedule(*ranges: Range, timezone: str = "UTC") -> Schedule:
    return Schedule(timezone, (ranges or ((540, 720),),) * 7, {}, (), frozenset())


def host(
    *busy: tuple[str, str], hours: Schedule | None = None, host_id: str = "a", link_starts: Sequence[int] = ()
) -> HostState:
    times = sorted((at(begin), at(end)) for begin, end in busy)
    return HostState(host_id, hours or schedule(), times, link_starts=link_starts)


def free(
    rules: LinkRules = RULES,
    state: HostState | None = None,
    *,
    duration: int = 60,
    window: tuple[int, int] = THE_DAY,
    now: int = MIDNIGHT,
) -> list[str]:
    """The free starts as UTC, with the day in front when it is not the first."""
    return [clock(start) for start in free_starts(rules, duration, state or host(), window, now)]


def clock(start: int) -> str:
    moment = datetime.fromtimestamp(start, UTC)
    return moment.strftime("%H:%M" if moment.date() == TODAY else "%d %H:%M")


class TestHoursAndStep:
    def test_without_a_step_starts_follow_the_duration(self) -> None:
        assert free() == ["09:00", "10:00", "11:00"]

    def test_the_step_counts_from_the_begin_of_the_range(self) -> None:
        assert free(replace(RULES, step=45)) == ["09:00", "09:45", "10:30"]

    def test_the_end_may_touch_the_end_of_the_hours_but_not_pass_it(self) -> None:
        assert free(replace(RULES, step=30), duration=90) == ["09:00", "09:30", "10:00", "10:30"]

    def test_a_break_is_not_bridged(self) -> None:
        assert free(state=host(hours=schedule((540, 600), (630, 720)))) == ["09:00", "10:30"]

    def test_touching_ranges_are_one_time_but_two_anchors(self) -> None:
        """60 minutes fit over the seam at 10:20; the grid begins anew there."""
        state = host(hours=schedule((540, 620), (620, 720)))
        assert free(replace(RULES, step=40), state) == ["09:00", "09:40", "10:20", "11:00"]

    def test_starts_of_overlapping_ranges_are_listed_once_and_in_order(self) -> None:
        state = host(hours=schedule((540, 720), (570, 690), (555, 640)))
        assert free(replace(RULES, step=30), state) == [
            "09:00", "09:15", "09:30", "09:45", "10:00", "10:15", "10:30", "11:00",
        ]  # fmt: skip

    def test_earlier_bookings_do_not_shift_the_step(self) -> None:
        assert free(state=host(("09:00", "09:20"))) == ["10:00", "11:00"]

    def test_a_slot_may_run_over_midnight_into_the_next_range(self) -> None:
        state = host(hours=schedule((1380, 1440), (0, 60)))
        assert free(state=state, duration=90, window=(at("22:00"), at("24:00"))) == ["23:00"]

    def test_a_slot_longer_than_a_day_needs_hours_without_a_gap(self) -> None:
        always = host(hours=schedule((0, 1440)))
        assert free(state=always, duration=3 * 1440) == ["00:00"]
        assert free(state=host(hours=schedule((0, 1439))), duration=3 * 1440) == []

    def test_the_step_is_elapsed_time_over_a_clock_change(self) -> None:
        """Berlin, 2027-03-28: the range 00:00 to 06:00 has five hours, from 23:00 UTC on."""
        state = host(hours=schedule((0, 360), timezone="Europe/Berlin"))
        window = (at("22:00", 26), at("12:00", 27))
        assert free(state=state, window=window) == ["27 23:00", "28 00:00", "28 01:00", "28 02:00", "28 03:00"]

    def test_the_window_holds_starts_its_end_excluded(self) -> None:
        assert free(window=(at("09:00"), at("11:00"))) == ["09:00", "10:00"]
        assert free(window=(at("09:01"), at("11:01"))) == ["10:00", "11:00"]
        assert free(window=(at("11:00"), at("09:00"))) == []

    def test_a_window_may_begin_before_the_calendar(self) -> None:
        assert free(window=(-(10**12), at("10:00"))) == ["09:00"]

    def test_windows_at_the_end_of_the_calendar_hold_nothing_and_break_nothing(self) -> None:
        end = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
        assert free(window=(end - 92 * DAY, end), state=host(hours=schedule((0, 1440)))) == []
        assert free(replace(RULES, horizon_days=10**9), window=(0, MIDNIGHT + DAY)) == ["09:00", "10:00", "11:00"]


class TestBusy:
    def test_touching_is_free(self) -> None:
        assert free(state=host(("09:00", "10:00"), ("11:00", "12:00"))) == ["10:00"]

    def test_a_minute_is_enough(self) -> None:
        assert free(state=host(("10:59", "11:01"))) == ["09:00"]

    def test_seconds_count(self) -> None:
        state = HostState("a", schedule(), [(at("10:00") - 1, at("10:00"))])
        assert free(state=state) == ["10:00", "11:00"]

    def test_a_long_busy_time_hides_behind_no_short_one(self) -> None:
        assert free(state=host(("08:00", "11:00"), ("08:30", "08:45"))) == ["11:00"]

    def test_buffers_keep_their_distance_on_both_sides(self) -> None:
        rules = replace(RULES, step=15, buffer_before=15, buffer_after=30)
        assert free(rules, host(("10:00", "10:15")), duration=30) == [
            "09:00",
            "10:30",
            "10:45",
            "11:00",
            "11:15",
            "11:30",
        ]

    def test_buffers_may_reach_outside_the_hours(self) -> None:
        assert free(replace(RULES, buffer_before=120, buffer_after=120)) == ["09:00", "10:00", "11:00"]

    def test_buffers_outside_the_hours_need_free_time_too(self) -> None:
        rules = replace(RULES, buffer_before=30, buffer_after=30)
        assert free(rules, host(("08:00", "08:45"), ("12:15", "13:00"))) == ["10:00"]


class TestNoticeAndHorizon:
    def test_what_is_past_is_not_offered(self) -> None:
        assert free(now=at("10:00")) == ["10:00", "11:00"]
        assert free(now=at("10:00") + 1) == ["11:00"]

    def test_notice_counts_from_now(self) -> None:
        assert free(replace(RULES, minimum_notice=60), now=at("09:00")) == ["10:00", "11:00"]
        assert free(replace(RULES, minimum_notice=61), now=at("09:00")) == ["11:00"]

    def test_a_horizon_of_no_days_is_today(self) -> None:
        week = (MIDNIGHT, MIDNIGHT + 7 * DAY)
        assert free(replace(RULES, horizon_days=0), window=week) == ["09:00", "10:00", "11:00"]

    def test_the_horizon_ends_with_a_date_of_the_hosts_zone(self) -> None:
        """At 05:30 UTC it is still 28 February in Los Angeles; tomorrow ends there on 2 March, 08:00 UTC."""
        state = host(hours=schedule((0, 1440), timezone="America/Los_Angeles"))
        found = free(replace(RULES, horizon_days=1), state, window=(MIDNIGHT, MIDNIGHT + 7 * DAY), now=at("05:30"))
        assert found[0] == "06:00"
        assert found[-1] == "02 07:00"

    def test_the_end_of_a_slot_may_pass_the_horizon(self) -> None:
        state = host(hours=schedule((0, 1440)))
        assert free(replace(RULES, horizon_days=0), state, duration=600) == ["00:00", "10:00", "20:00"]

    def test_a_date_range_holds_both_its_dates(self) -> None:
        rules = replace(RULES, date_range=(TODAY + timedelta(days=1), TODAY + timedelta(days=2)))
        found = free(rules, duration=180, window=(MIDNIGHT, MIDNIGHT + 7 * DAY))
        assert found == ["02 09:00", "03 09:00"]

    def test_a_date_range_takes_the_place_of_the_horizon(self) -> None:
        late = (TODAY + timedelta(days=3), TODAY + timedelta(days=3))
        rules = replace(RULES, horizon_days=1, date_range=late)
        assert free(rules, duration=180, window=(MIDNIGHT, MIDNIGHT + 7 * DAY)) == ["04 09:00"]

    def test_notice_counts_within_a_date_range(self) -> None:
        rules = replace(RULES, minimum_notice=600, date_range=(TODAY, TODAY))
        assert free(rules, now=at("00:30")) == ["11:00"]


class TestLimits:
    WEEK = (MIDNIGHT, MIDNIGHT + 8 * DAY)

    def test_a_full_day_offers_nothing_more(self) -> None:
        state = host(link_starts=[at("15:00")])
        rules = replace(RULES, max_per_day=1)
        assert free(rules, state, duration=180, window=(MIDNIGHT, MIDNIGHT + 2 * DAY)) == ["02 09:00"]
        assert free(replace(RULES, max_per_day=2), state) == ["09:00", "10:00", "11:00"]

    def test_a_full_week_offers_nothing_until_the_next_monday(self) -> None:
        state = host(link_starts=[at("15:00", 2), at("15:00", 6)])
        rules = replace(RULES, max_per_week=2)
        assert free(rules, state, duration=180, window=self.WEEK) == ["08 09:00"]

    def test_bookings_of_last_sunday_do_not_count(self) -> None:
        state = host(link_starts=[at("15:00", -1)])
        assert free(replace(RULES, max_per_week=1), state) == ["09:00", "10:00", "11:00"]

    def test_the_hosts_own_limits_count_the_hosts_bookings(self) -> None:
        state = replace(host(), host_starts=[at("15:00")], max_per_day=1)
        assert free(state=state) == []
        assert free(state=replace(state, host_starts=[])) == ["09:00", "10:00", "11:00"]
        assert free(state=replace(state, max_per_day=None, max_per_week=1)) == []

    def test_a_booking_of_another_link_does_not_count_for_the_link(self) -> None:
        state = replace(host(), host_starts=[at("15:00")])
        assert free(replace(RULES, max_per_day=1), state) == ["09:00", "10:00", "11:00"]

    def test_dates_are_those_of_the_schedule(self) -> None:
        """Sunday 15:30 UTC is Monday in Tokyo, and the start of its week."""
        hours = schedule((540, 720), timezone="Asia/Tokyo")
        state = host(hours=hours, link_starts=[at("15:30", -1)])
        assert free(replace(RULES, max_per_day=1), state, window=(at("00:00", -1), at("12:00"))) == []
        assert free(replace(RULES, max_per_week=1), state, window=self.WEEK, duration=180) == ["08 00:00"]

    def test_the_date_a_booking_starts_on_counts_not_the_one_it_ends_on(self) -> None:
        state = host(hours=schedule((1380, 60)), link_starts=[at("23:00")])
        found = free(replace(RULES, max_per_day=1), state, window=(MIDNIGHT, MIDNIGHT + 2 * DAY), duration=60)
        assert found == ["02 00:00", "02 23:00"]

    def test_a_limit_of_zero_offers_nothing(self) -> None:
        assert free(replace(RULES, max_per_day=0)) == []


class TestSeveralHosts:
    def test_a_pool_needs_one_and_counts_all(self) -> None:
        hosts = [host(("09:00", "10:00")), host(("09:00", "11:00"), host_id="b"), host(("11:00", "12:00"), host_id="c")]
        starts = pool_starts(RULES, 60, hosts, THE_DAY, MIDNIGHT)
        assert [(clock(start), seats) for start, seats in starts] == [("09:00", 1), ("10:00", 2), ("11:00", 2)]

    def test_a_pool_of_nobody_is_never_free(self) -> None:
        assert pool_starts(RULES, 60, [], THE_DAY, MIDNIGHT) == []

    def test_hosts_of_other_zones_and_hours_join_a_pool(self) -> None:
        berlin = host(hours=schedule((600, 750), timezone="Europe/Berlin"), host_id="b")
        starts = pool_starts(RULES, 60, [host(), berlin], THE_DAY, MIDNIGHT)
        assert [(clock(start), seats) for start, seats in starts] == [("09:00", 2), ("10:00", 2), ("11:00", 1)]

    def test_each_host_has_limits_of_its_own(self) -> None:
        full = replace(host(), host_starts=[at("15:00")], max_per_day=1)
        starts = pool_starts(RULES, 60, [full, host(host_id="b")], THE_DAY, MIDNIGHT)
        assert [seats for _, seats in starts] == [1, 1, 1]

    def test_a_pool_may_have_more_hosts_than_a_byte_counts(self) -> None:
        hosts = [host(host_id=str(number)) for number in range(600)]
        assert {seats for _, seats in pool_starts(RULES, 60, hosts, THE_DAY, MIDNIGHT)} == {600}


class TestPicked:
    PICKS = ((at("03:07"), 60), (at("20:00", 400), 60), (at("10:00"), 30))

    def test_judging_one(self) -> None:
        def verdict(start: int, state: HostState | None = None, now: int = MIDNIGHT) -> Verdict:
            return judge_picked(self.PICKS, 60, RULES, state or host(), start, now)

        assert verdict(at("03:07")) is Verdict.FREE
        assert verdict(at("10:00")) is Verdict.NOT_PICKED
        assert verdict(at("03:07"), now=at("03:07")) is Verdict.PAST
        assert verdict(at("03:07"), host(("03:00", "04:00"))) is Verdict.BUSY


class TestJudge:
    @pytest.mark.parametrize(
        ("start", "expected"),
        [
            (at("10:00"), Verdict.FREE),
            (at("09:00", -1), Verdict.PAST),
            (at("08:00"), Verdict.OUTSIDE_HOURS),
            (at("11:30"), Verdict.OUTSIDE_HOURS),
            (at("12:00"), Verdict.OUTSIDE_HOURS),
            (at("09:30"), Verdict.OFF_STEP),
            (at("10:00") + 1, Verdict.OFF_STEP),
        ],
    )
    def test_where_a_start_lies(self, start: int, expected: Verdict) -> None:
        assert judge(RULES, 60, host(), start, MIDNIGHT) is expected

    def test_notice(self) -> None:
        rules = replace(RULES, minimum_notice=60)
        assert judge(rules, 60, host(), at("09:00"), at("08:01")) is Verdict.NOTICE
        assert judge(rules, 60, host(), at("09:00"), at("08:00")) is Verdict.FREE

    def test_horizon_and_date_range(self) -> None:
        assert judge(replace(RULES, horizon_days=1), 60, host(), at("09:00", 1), MIDNIGHT) is Verdict.FREE
        assert judge(replace(RULES, horizon_days=1), 60, host(), at("09:00", 2), MIDNIGHT) is Verdict.HORIZON
        tomorrow = TODAY + timedelta(days=1)
        ranged = replace(RULES, date_range=(tomorrow, tomorrow))
        assert judge(ranged, 60, host(), at("09:00"), MIDNIGHT) is Verdict.DATE_RANGE
        assert judge(ranged, 60, host(), at("09:00", 1), MIDNIGHT) is Verdict.FREE

    def test_busy_and_limits_are_conflicts_not_errors(self) -> None:
        assert judge(RULES, 60, host(("10:30", "10:31")), at("10:00"), MIDNIGHT) is Verdict.BUSY
        state = host(link_starts=[at("15:00")])
        assert judge(replace(RULES, max_per_day=1), 60, state, at("10:00"), MIDNIGHT) is Verdict.DAY_LIMIT
        assert judge(replace(RULES, max_per_week=1), 60, state, at("10:00"), MIDNIGHT) is Verdict.WEEK_LIMIT

    def test_what_is_never_offered_is_said_before_what_is_taken(self) -> None:
        assert judge(RULES, 60, host(("08:00", "12:00")), at("09:30"), MIDNIGHT) is Verdict.OFF_STEP

    def test_a_start_at_the_end_of_the_calendar_is_outside_hours(self) -> None:
        end = int(datetime(9999, 12, 31, tzinfo=UTC).timestamp())
        assert judge(RULES, 60, host(hours=schedule((0, 1440))), end, MIDNIGHT) is Verdict.OUTSIDE_HOURS

    def test_words(self) -> None:
        assert Verdict.FREE.is_free
        assert Verdict.FREE.is_offered
        for taken in (Verdict.BUSY, Verdict.FULL, Verdict.DAY_LIMIT, Verdict.WEEK_LIMIT):
            assert taken.is_taken
            assert taken.is_offered
            assert not taken.is_free
        for refused in (Verdict.PAST, Verdict.OFF_STEP, Verdict.OUTSIDE_HOURS, Verdict.NOTICE, Verdict.NOT_PICKED):
            assert not refused.is_offered

    def test_several_hosts(self) -> None:
        free_, busy, past = Verdict.FREE, Verdict.BUSY, Verdict.PAST
        assert Verdict.for_all([free_, busy]) is busy
        assert Verdict.for_all([busy, past]) is past
        assert Verdict.for_any([past, busy, free_]) is free_
        assert Verdict.for_any([past, busy]) is busy
        assert not Verdict.for_all([]).is_free
        assert not Verdict.for_any([]).is_free


class TestNearest:
    def test_the_nearest_are_given_in_order(self) -> None:
        assert nearest([0, 10, 20, 30, 40, 50, 60, 70], 34) == [10, 20, 30, 40, 50]

    def test_of_two_as_near_the_earlier(self) -> None:
        assert nearest([0, 10, 20], 10, count=2) == [0, 10]

    def test_there_may_be_fewer(self) -> None:
        assert nearest([5], 1000) == [5]
        assert nearest([], 1000) == []
