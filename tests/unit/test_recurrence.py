"""One iCalendar resource becomes busy time: exactly, in real zones, and never silently free."""

from __future__ import annotations

import contextlib
import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.calendars import ObjectFacts
from app.domain.errors import Invalid
from app.domain.ical_parse import MAX_COMPONENTS
from app.domain.recurrence import BEGINNING, read_object


def utc(year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=UTC).timestamp())


def local(zone: str, year: int, month: int, day: int, hour: int = 0, minute: int = 0) -> int:
    return int(datetime(year, month, day, hour, minute, tzinfo=ZoneInfo(zone)).timestamp())


WINDOW = (utc(2026, 1, 1), utc(2028, 1, 1))


def event(*lines: str) -> str:
    return "\r\n".join(["BEGIN:VEVENT", "DTSTAMP:20260101T000000Z", "UID:u@example.org", *lines, "END:VEVENT"])


def calendar(*parts: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//test//EN", *parts, "END:VCALENDAR", ""])


def read(*lines: str, zone: str = "Europe/Berlin", window: tuple[int, int] = WINDOW) -> ObjectFacts:
    return read_object(calendar(event(*lines)), timezone=zone, window=window)


def test_a_single_event_is_busy_from_start_to_end() -> None:
    facts = read(
        "DTSTART;TZID=Europe/Berlin:20260601T090000", "DTEND;TZID=Europe/Berlin:20260601T100000", "SUMMARY:Dentist"
    )
    assert facts.busy == ((utc(2026, 6, 1, 7), utc(2026, 6, 1, 8)),)
    assert (facts.start, facts.end) == (utc(2026, 6, 1, 7), utc(2026, 6, 1, 8))
    assert (facts.uid, facts.component, facts.summary) == ("u@example.org", "VEVENT", "Dentist")
    assert not facts.is_recurring
    assert not facts.recurs_beyond
    assert facts.problems == ()


@pytest.mark.parametrize(
    ("lines", "length"),
    [
        (("DTSTART:20260601T090000Z", "DURATION:PT45M"), 45 * 60),
        (("DTSTART:20260601T090000Z", "DURATION:P1DT1H"), 25 * 3600),
        (("DTSTART;VALUE=DATE:20260601",), 86400),
        (("DTSTART;VALUE=DATE:20260601", "DURATION:P3D"), 3 * 86400),
        (("DTSTART:20260601T090000Z",), 0),
    ],
)
def test_length_comes_from_duration_or_what_the_start_implies(lines: tuple[str, ...], length: int) -> None:
    """RFC 5545 §3.6.1: without an end a date takes its day, a date-time takes no time."""
    assert sum(end - start for start, end in read(*lines).busy) == length


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Pacific/Auckland", (utc(2026, 1, 4, 11), utc(2026, 1, 6, 11))),
        ("America/Los_Angeles", (utc(2026, 1, 5, 8), utc(2026, 1, 7, 8))),
    ],
)
def test_all_day_events_take_the_dates_of_the_calendars_zone(zone: str, expected: tuple[int, int]) -> None:
    facts = read("DTSTART;VALUE=DATE:20260105", "DTEND;VALUE=DATE:20260107", zone=zone)
    assert facts.busy == (expected,)


def test_floating_times_are_read_in_the_calendars_zone() -> None:
    facts = read("DTSTART:20260105T090000", "DTEND:20260105T100000", zone="America/New_York")
    assert facts.busy == ((utc(2026, 1, 5, 14), utc(2026, 1, 5, 15)),)


@pytest.mark.parametrize(
    ("zone", "before", "after"),
    [
        ("Europe/Berlin", (2026, 3, 27), (2026, 3, 30)),
        ("America/Havana", (2026, 3, 6), (2026, 3, 9)),
        ("Australia/Lord_Howe", (2026, 4, 3), (2026, 4, 6)),
        ("America/Santiago", (2026, 4, 3), (2026, 4, 6)),
        ("Pacific/Auckland", (2026, 9, 25), (2026, 9, 28)),
    ],
)
def test_a_daily_event_keeps_its_wall_time_across_a_change_of_offset(
    zone: str, before: tuple[int, int, int], after: tuple[int, int, int]
) -> None:
    year, month, day = before
    facts = read(
        f"DTSTART;TZID={zone}:{year}{month:02}{day:02}T090000",
        f"DTEND;TZID={zone}:{year}{month:02}{day:02}T093000",
        "RRULE:FREQ=DAILY;COUNT=4",
    )
    starts = [start for start, _ in facts.busy]
    assert starts[0] == local(zone, *before, 9)
    assert starts[-1] == local(zone, *after, 9)
    assert starts[-1] - starts[0] != 3 * 86400
    assert len(starts) == 4


def test_a_start_in_the_gap_and_one_that_comes_twice() -> None:
    """RFC 5545 §3.3.5: by the offset before the gap; the first of two."""
    gap = read("DTSTART;TZID=Europe/Berlin:20260329T023000", "DURATION:PT30M")
    twice = read("DTSTART;TZID=Europe/Berlin:20261025T023000", "DURATION:PT30M")
    assert gap.busy[0][0] == utc(2026, 3, 29, 1, 30)
    assert twice.busy[0][0] == utc(2026, 10, 25, 0, 30)


def test_a_day_that_begins_in_a_gap_starts_at_its_first_instant() -> None:
    facts = read("DTSTART;VALUE=DATE:20260308", zone="America/Havana")
    assert facts.busy == ((utc(2026, 3, 8, 5), utc(2026, 3, 9, 4)),)


def test_a_night_across_the_change_counts_by_the_later_of_wall_and_elapsed_end() -> None:
    """22:00-06:00 weekly; the spring night is an hour short by the wall, the autumn night an hour long."""
    facts = read(
        "DTSTART;TZID=Europe/Berlin:20260321T220000",
        "DTEND;TZID=Europe/Berlin:20260322T060000",
        "RRULE:FREQ=WEEKLY;COUNT=2",
    )
    assert facts.busy[1] == (utc(2026, 3, 28, 21), utc(2026, 3, 29, 5))
    autumn = read(
        "DTSTART;TZID=Europe/Berlin:20261017T220000",
        "DTEND;TZID=Europe/Berlin:20261018T060000",
        "RRULE:FREQ=WEEKLY;COUNT=2",
    )
    assert autumn.busy[1] == (utc(2026, 10, 24, 20), utc(2026, 10, 25, 5))


def test_a_rule_with_overrides_exceptions_and_extra_dates() -> None:
    master = event(
        "DTSTART;TZID=America/New_York:20260601T090000",
        "DTEND;TZID=America/New_York:20260601T100000",
        "RRULE:FREQ=WEEKLY;COUNT=4",
        "EXDATE;TZID=America/New_York:20260608T090000",
        "RDATE;TZID=America/New_York:20260610T150000",
        "RDATE;VALUE=PERIOD:20260611T150000Z/PT3H",
    )
    moved = event(
        "RECURRENCE-ID;TZID=America/New_York:20260615T090000",
        "DTSTART;TZID=America/New_York:20260616T140000",
        "DTEND;TZID=America/New_York:20260616T143000",
    )
    cancelled = event(
        "RECURRENCE-ID:20260622T130000Z", "DTSTART:20260622T130000Z", "DTEND:20260622T140000Z", "STATUS:CANCELLED"
    )
    facts = read_object(calendar(master, moved, cancelled), timezone="UTC", window=WINDOW)
    assert facts.busy == (
        (utc(2026, 6, 1, 13), utc(2026, 6, 1, 14)),
        (utc(2026, 6, 10, 19), utc(2026, 6, 10, 20)),
        (utc(2026, 6, 11, 15), utc(2026, 6, 11, 18)),
        (utc(2026, 6, 16, 18), utc(2026, 6, 16, 18, 30)),
    )
    assert facts.is_recurring
    assert facts.problems == ()


def test_an_override_for_this_and_all_following_instances() -> None:
    master = event("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", "RRULE:FREQ=DAILY;COUNT=4")
    later = event(
        "RECURRENCE-ID;RANGE=THISANDFUTURE:20260603T090000Z", "DTSTART:20260603T110000Z", "DTEND:20260603T130000Z"
    )
    facts = read_object(calendar(master, later), timezone="UTC", window=WINDOW)
    assert [start for start, _ in facts.busy] == [
        utc(2026, 6, 1, 9), utc(2026, 6, 2, 9), utc(2026, 6, 3, 11), utc(2026, 6, 4, 11),
    ]  # fmt: skip
    assert facts.busy[-1][1] - facts.busy[-1][0] == 7200


def test_overrides_without_their_master_count_as_they_stand() -> None:
    """Invited to single instances only: the server sends just those."""
    facts = read("RECURRENCE-ID:20260615T090000Z", "DTSTART:20260615T100000Z", "DTEND:20260615T110000Z")
    assert facts.busy == ((utc(2026, 6, 15, 10), utc(2026, 6, 15, 11)),)


@pytest.mark.parametrize(
    ("until", "count"),
    [("20260119", 3), ("20260119T080000Z", 3), ("20260119T075959Z", 2), ("20260119T090000", 3)],
)
def test_until_is_inclusive_whatever_form_it_takes(until: str, count: int) -> None:
    facts = read("DTSTART;TZID=Europe/Berlin:20260105T090000", "DURATION:PT1H", f"RRULE:FREQ=WEEKLY;UNTIL={until}")
    assert len(facts.busy) == count
    assert not facts.recurs_beyond


def test_an_all_day_rule_whose_end_was_written_in_utc_ends_on_the_local_date() -> None:
    facts = read("DTSTART;VALUE=DATE:20260105", "RRULE:FREQ=DAILY;UNTIL=20260107T230000Z", zone="Asia/Tokyo")
    assert facts.busy == ((local("Asia/Tokyo", 2026, 1, 5), local("Asia/Tokyo", 2026, 1, 9)),)


@pytest.mark.parametrize(
    "line", ["TRANSP:TRANSPARENT", "STATUS:CANCELLED", "ATTENDEE;PARTSTAT=DECLINED:mailto:Ana@Example.org"]
)
def test_transparent_cancelled_and_declined_events_are_free(line: str) -> None:
    data = calendar(event("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", "RRULE:FREQ=DAILY", line))
    facts = read_object(data, timezone="UTC", window=WINDOW, self_addresses=frozenset({"ana@example.org"}))
    assert facts.busy == ()
    assert not facts.recurs_beyond


def test_someone_elses_refusal_leaves_the_event_busy() -> None:
    facts = read(
        "DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", "ATTENDEE;PARTSTAT=DECLINED:mailto:ben@example.org"
    )
    assert facts.busy


@pytest.mark.parametrize("tentative_busy", [True, False])
def test_tentative_events_count_unless_the_owner_says_otherwise(tentative_busy: bool) -> None:
    data = calendar(event("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", "STATUS:TENTATIVE"))
    facts = read_object(data, timezone="UTC", window=WINDOW, tentative_busy=tentative_busy)
    assert bool(facts.busy) is tentative_busy


@pytest.mark.parametrize(
    ("shown", "is_busy"),
    [("FREE", False), ("WORKINGELSEWHERE", False), ("TENTATIVE", True), ("BUSY", True), ("OOF", True), ("?", True)],
)
def test_what_outlook_shows_in_its_files_counts(shown: str, is_busy: bool) -> None:
    """Out of office takes time; working elsewhere says where, not that somebody is taken."""
    lines = ("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", f"X-MICROSOFT-CDO-BUSYSTATUS:{shown}")
    assert bool(read(*lines).busy) is is_busy
    if shown == "TENTATIVE":
        facts = read_object(calendar(event(*lines)), timezone="UTC", window=WINDOW, tentative_busy=False)
        assert facts.busy == ()


def definition(tzid: str, offset: str) -> str:
    return "\r\n".join(
        ["BEGIN:VTIMEZONE", f"TZID:{tzid}", "BEGIN:STANDARD", "DTSTART:16010101T000000", f"TZOFFSETFROM:{offset}",
         f"TZOFFSETTO:{offset}", "END:STANDARD", "END:VTIMEZONE"]
    )  # fmt: skip


def test_a_zone_of_the_objects_own_is_taken_from_its_definition_and_stays_its_own() -> None:
    """Outlook calls every home-made zone alike; one person's must not decide about another's."""
    lines = ("DTSTART;TZID=Customized Time Zone:20260601T090000", "DTEND;TZID=Customized Time Zone:20260601T100000")
    for offset, hour in (("+0300", 6), ("-0500", 14), ("+0300", 6)):
        data = calendar(definition("Customized Time Zone", offset), event(*lines))
        facts = read_object(data, timezone="UTC", window=WINDOW)
        assert facts.busy == ((utc(2026, 6, 1, hour), utc(2026, 6, 1, hour + 1)),)
        assert facts.problems == ()


def test_a_definition_with_daylight_saving_is_followed() -> None:
    yearly = "RRULE:FREQ=YEARLY;BYDAY=-1SU"
    winter = f"DTSTART:19701025T030000\r\nTZOFFSETFROM:+0200\r\nTZOFFSETTO:+0100\r\n{yearly};BYMONTH=10"
    summer = f"DTSTART:19700329T020000\r\nTZOFFSETFROM:+0100\r\nTZOFFSETTO:+0200\r\n{yearly};BYMONTH=3"
    standard = f"BEGIN:STANDARD\r\n{winter}\r\nEND:STANDARD"
    daylight = f"BEGIN:DAYLIGHT\r\n{summer}\r\nEND:DAYLIGHT"
    zone = f"BEGIN:VTIMEZONE\r\nTZID:Office\r\n{standard}\r\n{daylight}\r\nEND:VTIMEZONE"
    data = calendar(zone, event("DTSTART;TZID=Office:20260105T090000", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;COUNT=8"))
    facts = read_object(data, timezone="UTC", window=WINDOW)
    assert (facts.busy[0][0], facts.busy[-1][0]) == (utc(2026, 1, 5, 8), utc(2026, 8, 5, 7))


@pytest.mark.parametrize(
    "tzid",
    [
        "W. Europe Standard Time",
        "/freeassociation.sourceforge.net/Tzfile/Europe/Berlin",
        "europe/berlin",
        '"Europe/Berlin"',
    ],
)
def test_zones_are_known_by_the_names_that_programs_use(tzid: str) -> None:
    facts = read(f"DTSTART;TZID={tzid}:20260601T090000", "DURATION:PT1H", zone="America/New_York")
    assert facts.busy == ((utc(2026, 6, 1, 7), utc(2026, 6, 1, 8)),)


@pytest.mark.parametrize("tzid", ["Nowhere/Land", "Europe", "../../etc/passwd", "X-ZONE-99", ""])
def test_an_unknown_zone_is_told_and_read_as_the_calendars(tzid: str) -> None:
    facts = read(f"DTSTART;TZID={tzid}:20260601T090000", "DURATION:PT1H")
    assert facts.busy == ((utc(2026, 6, 1, 7), utc(2026, 6, 1, 8)),)
    assert facts.problems


@pytest.mark.parametrize(
    "line",
    ["DTEND:sometime", "DURATION:P4000Y", "RRULE:FREQ=FORTNIGHTLY", "RRULE:RSCALE=CHINESE;FREQ=YEARLY", "RDATE:soon",
     "RRULE:FREQ=DAILY;BYEASTER=1", "RRULE:FREQ=DAILY;UNTIL=never", "EXDATE:never", "SEQUENCE:x",
     "DTSTART:20270101T000000Z"],
)  # fmt: skip
def test_what_cannot_be_understood_is_told_and_busy_as_far_as_its_times_are_known(line: str) -> None:
    facts = read("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z" if "DTEND" not in line else "CLASS:PUBLIC", line)
    assert facts.busy[0] == (utc(2026, 6, 1, 9), utc(2026, 6, 1, 10))
    assert facts.problems


def test_an_end_before_the_start_is_told_and_the_time_between_counts() -> None:
    facts = read("DTSTART:20260601T100000Z", "DTEND:20260601T090000Z")
    assert facts.busy == ((utc(2026, 6, 1, 9), utc(2026, 6, 1, 10)),)
    assert facts.problems


def test_a_broken_override_leaves_the_instance_of_the_rule_busy() -> None:
    master = event("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z", "RRULE:FREQ=DAILY;COUNT=2")
    broken = event("RECURRENCE-ID:20260602T090000Z", "DTSTART:?", "TRANSP:TRANSPARENT")
    facts = read_object(calendar(master, broken), timezone="UTC", window=WINDOW)
    assert len(facts.busy) == 2
    assert facts.problems


def test_an_event_that_stands_twice_counts_twice() -> None:
    data = calendar(
        event("DTSTART:20260601T090000Z", "DTEND:20260601T100000Z"),
        event("DTSTART:20260602T090000Z", "DTEND:20260602T100000Z", "SEQUENCE:3"),
    )
    facts = read_object(data, timezone="UTC", window=WINDOW)
    assert len(facts.busy) == 2
    assert facts.problems


def test_open_and_late_events_say_that_more_is_to_come() -> None:
    endless = read("DTSTART:20260601T090000Z", "DURATION:PT1H", "RRULE:FREQ=WEEKLY")
    late = read("DTSTART:20290601T090000Z", "DURATION:PT1H")
    counted = read("DTSTART:20260601T090000Z", "DURATION:PT1H", "RRULE:FREQ=MONTHLY;COUNT=100")
    assert (endless.end, endless.recurs_beyond) == (None, True)
    assert (late.busy, late.recurs_beyond) == ((), True)
    assert counted.recurs_beyond
    assert counted.end is not None
    assert counted.end >= utc(2034, 9, 1, 10)


def test_busy_time_is_cut_to_the_window_and_merged() -> None:
    facts = read("DTSTART:20200101T000000Z", "DTEND:20300101T000000Z")
    assert facts.busy == (WINDOW,)
    overlapping = read("DTSTART:20260601T090000Z", "DURATION:PT36H", "RRULE:FREQ=DAILY;COUNT=3")
    assert overlapping.busy == ((utc(2026, 6, 1, 9), utc(2026, 6, 4, 21)),)


@pytest.mark.parametrize("kind", ["VTODO", "VJOURNAL"])
def test_tasks_and_journal_entries_take_no_time(kind: str) -> None:
    data = calendar(event("DTSTART:20260601T090000Z", "SUMMARY:Buy milk").replace("VEVENT", kind))
    facts = read_object(data, timezone="UTC", window=WINDOW)
    assert (facts.component, facts.busy, facts.summary) == (kind, (), "Buy milk")
    assert facts.start == utc(2026, 6, 1, 9)


def test_a_task_without_dates_is_found_at_any_time() -> None:
    data = calendar("BEGIN:VTODO", "UID:t@example.org", "END:VTODO")
    facts = read_object(data, timezone="UTC", window=WINDOW)
    assert (facts.start, facts.end) == (BEGINNING, None)


@pytest.mark.parametrize(
    "data",
    [
        "",
        "<html>Welcome</html>",
        "/etc/passwd",
        "BEGIN:VCALENDAR\r\nEND:VEVENT\r\n",
        "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:a\r\n",
        calendar(),
        calendar(event()),
        calendar("BEGIN:VEVENT", "DTSTART:20260601T090000Z", "END:VEVENT"),
        calendar(event("DTSTART:20260601T090000Z"), event("DTSTART:20260601T090000Z").replace("u@", "v@")),
        calendar(event("DTSTART:20260601T090000Z"), event("DTSTART:20260601T090000Z").replace("VEVENT", "VTODO")),
        calendar(event("DTSTART:20260601T090000Z")) * 2,
        calendar(event("DTSTART:20260601T090000Z")).replace("BEGIN:VCALENDAR", "BEGIN:VCARD"),
    ],
)
def test_broken_data_is_refused_with_a_sentence(data: str) -> None:
    with pytest.raises(Invalid) as refusal:
        read_object(data, timezone="UTC", window=WINDOW)
    assert refusal.value.detail.endswith((".", "…", "]")) or " " in refusal.value.detail


def test_an_unknown_calendar_zone_is_refused() -> None:
    with pytest.raises(Invalid):
        read("DTSTART:20260601T090000Z", zone="Mars/Olympus")


EVERY = ",".join(str(number) for number in range(60))
DAYS = ",".join(str(number) for number in range(24))
HOSTILE = {
    "every second": "RRULE:FREQ=SECONDLY",
    "every second since long ago": "RRULE:FREQ=SECONDLY;BYHOUR=23;BYMONTH=2;BYMONTHDAY=30",
    "every minute": "RRULE:FREQ=MINUTELY;INTERVAL=1",
    "hourly set position that never is": "RRULE:FREQ=HOURLY;BYSETPOS=5",
    "hourly": "RRULE:FREQ=HOURLY",
    "a day that never comes": "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
    "a day that never comes, counted": "RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30;COUNT=1000000",
    "an hour that never comes": "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
    "every second by other means": f"RRULE:FREQ=DAILY;BYHOUR={DAYS};BYMINUTE={EVERY};BYSECOND={EVERY}",
    "a huge interval": "RRULE:FREQ=DAILY;INTERVAL=99999999999999999999",
    "no interval": "RRULE:FREQ=DAILY;INTERVAL=0;BYMONTH=2;BYMONTHDAY=30",
    "no interval, hourly": "RRULE:FREQ=HOURLY;INTERVAL=0",
    "a huge count": "RRULE:FREQ=DAILY;COUNT=99999999999999999999",
    "a long list": "RRULE:FREQ=YEARLY;BYSETPOS=" + ",".join(["1"] * 90_000),
    "many rules": "\r\n".join(["RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"] * 1000),
    "many extra dates": "RDATE:" + ",".join(f"20260101T{i % 24:02}{i % 60:02}{i % 59:02}Z" for i in range(10_000)),
    "many exceptions": "RRULE:FREQ=DAILY\r\nEXDATE:" + ",".join(["20260601T090000Z"] * 10_000),
    "a long past": "RRULE:FREQ=DAILY\r\nDTSTAMP:00010101T000000Z",
    "a long duration": "RRULE:FREQ=DAILY\r\nX-A:1",
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_rules_end_within_a_bound_and_are_never_free(name: str) -> None:
    began = time.process_time()
    facts = read("DTSTART:20150601T090000Z", "DURATION:PT1M", HOSTILE[name], window=(utc(2015, 1, 1), utc(2017, 1, 1)))
    assert time.process_time() - began < 5
    assert facts.busy[0][0] <= utc(2015, 6, 1, 9) or facts.busy[0][0] == utc(2015, 6, 1, 9)
    assert any(start <= utc(2015, 6, 1, 9) < end for start, end in facts.busy)


def test_a_rule_too_dense_to_list_covers_its_whole_time() -> None:
    facts = read("DTSTART:20260601T090000Z", "DURATION:PT1M", "RRULE:FREQ=MINUTELY;UNTIL=20260601T120000Z")
    assert facts.busy == ((utc(2026, 6, 1, 9), utc(2026, 6, 1, 12, 1)),)
    assert facts.problems


def test_many_overrides_end_within_a_bound() -> None:
    master = event("DTSTART:20260101T090000Z", "DURATION:PT5M", "RRULE:FREQ=DAILY")
    overrides = [
        event(
            f"RECURRENCE-ID;RANGE=THISANDFUTURE:{day:%Y%m%d}T090000Z", f"DTSTART:{day:%Y%m%d}T100000Z", "DURATION:PT5M",
            "RRULE:FREQ=DAILY", "SEQUENCE:0",
        )
        for day in (datetime(2026, 1, 2, tzinfo=UTC) + timedelta(days=number) for number in range(700))
    ]  # fmt: skip
    began = time.process_time()
    facts = read_object(calendar(master, *overrides), timezone="UTC", window=WINDOW)
    assert time.process_time() - began < 8
    assert len(facts.busy) >= 700


@pytest.mark.parametrize(
    "data",
    [
        calendar(event("DTSTART:20260601T090000Z", "DESCRIPTION:" + "x" * 1_000_000)),
        "BEGIN:VCALENDAR\r\n" + "BEGIN:VEVENT\r\n" * 1000 + "END:VEVENT\r\n" * 1000 + "END:VCALENDAR\r\n",
        calendar(*["BEGIN:VEVENT\r\nEND:VEVENT"] * (MAX_COMPONENTS + 1)),
        calendar(event("DTSTART:20260601T090000Z", *["X-A:1"] * 30_000)),
        calendar(event("DTSTART:20260601T090000Z", "RDATE:" + ",".join(["20260601T090000Z"] * 20_000))),
    ],
    ids=["bytes", "depth", "components", "lines", "dates"],
)
def test_what_is_too_large_is_refused_at_once(data: str) -> None:
    began = time.process_time()
    with pytest.raises(Invalid):
        read_object(data, timezone="UTC", window=WINDOW)
    assert time.process_time() - began < 3


def test_a_hostile_zone_definition_is_not_worked_out() -> None:
    zone = definition("Evil", "+0100").replace("END:STANDARD", "RRULE:FREQ=SECONDLY\r\nEND:STANDARD")
    began = time.process_time()
    data = calendar(zone, event("DTSTART;TZID=Evil:20260601T090000", "DURATION:PT1H"))
    facts = read_object(data, timezone="UTC", window=WINDOW)
    assert time.process_time() - began < 2
    assert facts.busy
    assert facts.problems


@given(
    st.sampled_from(
        ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Pacific/Apia", "America/Sao_Paulo", "UTC"]
    ),
    st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]),
    st.integers(1, 5),
    st.datetimes(min_value=datetime(2005, 1, 1), max_value=datetime(2026, 12, 1)),  # noqa: DTZ001  # wall times
)
def test_instances_fall_where_the_wall_clock_says(zone: str, freq: str, interval: int, start: datetime) -> None:
    """Every instance of a plain rule starts at the wall time of the first one (or just after a gap)."""
    start = start.replace(microsecond=0)
    window = (int(start.timestamp()) - 86400, int(start.timestamp()) + 2 * 365 * 86400)
    facts = read(
        f"DTSTART;TZID={zone}:{start:%Y%m%dT%H%M%S}", "DURATION:PT1S", f"RRULE:FREQ={freq};INTERVAL={interval}",
        zone="Asia/Tokyo", window=window,
    )  # fmt: skip
    assert facts.busy
    for begin, _ in facts.busy:
        wall = datetime.fromtimestamp(begin, ZoneInfo(zone)).replace(tzinfo=None)
        if wall.time() != start.time():
            again = wall.replace(hour=start.hour, minute=start.minute, second=start.second, tzinfo=ZoneInfo(zone))
            assert int(again.timestamp()) == begin or zone == "Pacific/Apia"


NAMES = [
    "DTSTART",
    "DTEND",
    "RRULE",
    "RDATE",
    "EXDATE",
    "DURATION",
    "RECURRENCE-ID",
    "STATUS",
    "ATTENDEE",
    "SEQUENCE",
    "UID",
]
PARAMETERS = [
    "",
    ";TZID=Europe/Berlin",
    ";TZID=X",
    ";VALUE=DATE",
    ";VALUE=PERIOD",
    ";RANGE=THISANDFUTURE",
    ";TZID=",
    ';X="a',
]
VALUES = [
    "20260105T090000Z", "20260105", "20260105T090000", "20260229", "20260105T250000", "99991231T235959Z", "00010101",
    "20260105T090000Z/PT1H", "PT1H", "-PT1H", "P1W", "", "garbage", "-1", "99999999999999999999", "\x00", "\ud800", "ü",
    "FREQ=DAILY", "FREQ=WEEKLY;BYDAY=MO,TU;COUNT=5", "FREQ=YEARLY;UNTIL=20280101", "FREQ=MONTHLY;BYSETPOS=-1;BYDAY=FR",
    "FREQ=HOURLY;INTERVAL=0", "FREQ=DAILY;INTERVAL=-1", "FREQ=DAILY;BYHOUR=25", "FREQ=YEARLY;BYWEEKNO=99",
]  # fmt: skip
LINES = st.builds("{}{}:{}".format, st.sampled_from(NAMES), st.sampled_from(PARAMETERS), st.sampled_from(VALUES))


@given(st.lists(st.lists(LINES, max_size=7), min_size=1, max_size=3))
def test_nonsense_is_read_or_refused_and_nothing_else(events: list[list[str]]) -> None:
    began = time.process_time()
    parts = [event("DTSTART:20260105T090000Z", *lines) for lines in events]
    with contextlib.suppress(Invalid):
        facts = read_object(calendar(*parts), timezone="America/Havana", window=WINDOW)
        assert all(WINDOW[0] <= start < end <= WINDOW[1] for start, end in facts.busy)
    assert time.process_time() - began < 5
