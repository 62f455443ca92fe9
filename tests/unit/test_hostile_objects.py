"""Objects made to exhaust the reader: each ends within a bound of time and memory, is told of, and is not free."""

from __future__ import annotations

import resource
import subprocess
import sys
import time

import pytest

from app.domain.calendars import Calendar
from app.domain.ical_essentials import essentials
from app.domain.recurrence import read_object
from app.use_cases import mirror
from app.use_cases.mirror import Reading, StoredObject, read_all
from integrations.ics_split import split
from tests.support.clock import at

NOW = at("2027-03-01 00:00")
NINE, TEN = at("2027-03-02 09:00"), at("2027-03-02 10:00")
WINDOW = (NOW, NOW + 28 * 86400)
CALENDAR = Calendar(
    id="c", org_id="o", account_id="a", user_id="u", provider="caldav", name="n", display_name="n", color=None,
    position=0, description="", timezone="UTC", components=("VEVENT",), is_conflict=True, is_write=False,
    read_only=True, revision=0, modified_at=0, sync_cursor=None, synced_at=None, sync_error=None,
)  # fmt: skip
SIXTY = ",".join(map(str, range(60)))
HOURS = ",".join(map(str, range(24)))


def event(*lines: str, uid: str = "UID:u") -> str:
    head = ("BEGIN:VEVENT", uid, "DTSTART:20270302T090000Z", "DTEND:20270302T100000Z")
    return "\r\n".join([*head, *lines, "END:VEVENT"])


def calendar(*parts: str) -> str:
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""])


def dates(number: int) -> str:
    return ",".join(["20280101T090000Z"] * number)


def read(text: str, *, count: int = 1) -> list[Reading]:
    return read_all([StoredObject(f"/{each}.ics", "e", text) for each in range(count)], CALENDAR, frozenset(), NOW)


TOLD = {
    "every second": lambda: calendar(event("RRULE:FREQ=SECONDLY")),
    "every second of no day": lambda: calendar(event("RRULE:FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30")),
    "each second of no hour": lambda: calendar(
        event(f"RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30;BYMINUTE={SIXTY};BYSECOND={SIXTY}")
    ),
    "hundreds of positions of nothing": lambda: calendar(
        event("RRULE:FREQ=DAILY;BYHOUR=1;BYSETPOS=" + ",".join(["2", "3"] * 200))
    ),
    "a thousand millions an hour": lambda: calendar(event("RRULE:FREQ=HOURLY;COUNT=1000000000")),
    "a million exceptions": lambda: calendar(event("RRULE:FREQ=DAILY", "EXDATE:" + dates(1_000_000))),
    "a million lines of exceptions": lambda: calendar(event("RRULE:FREQ=DAILY", *["EXDATE:20280101"] * 1_000_000)),
    "a million dates more": lambda: calendar(event("RDATE:" + dates(1_000_000))),
    "components ten thousand deep": lambda: calendar(event(*["BEGIN:VALARM"] * 10_000, *["END:VALARM"] * 10_000)),
    "components that never end": lambda: calendar(event(*["BEGIN:VALARM"] * 10_000)),
    "components that end too often": lambda: calendar(event(*["END:VALARM"] * 10_000)),
    "one line of ten million": lambda: calendar(event("DESCRIPTION:" + "x" * 10_000_000)),
    "a line folded a million times": lambda: calendar(event("DESCRIPTION:" + "x\r\n " * 1_000_000)),
    "a picture inside": lambda: calendar(event("ATTACH;ENCODING=BASE64;VALUE=BINARY:" + "QUJD" * 500_000)),
    "hundreds of copies every hour": lambda: calendar(*[event("RRULE:FREQ=HOURLY")] * 500),
    "hundreds of copies since long ago": lambda: calendar(
        event(), *[event("RRULE:FREQ=DAILY").replace("20270302", "16010302")] * 500
    ),
    "hundreds of copies of nothing": lambda: calendar(*[event("RRULE:FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30")] * 500),
    "cut off": lambda: calendar(event()).removesuffix("END:VEVENT\r\nEND:VCALENDAR\r\n"),
    "no identity": lambda: calendar(event(uid="SUMMARY:none")),
    "two identities": lambda: calendar(event(), event(uid="UID:other")),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
def test_it_ends_soon_is_told_and_takes_its_time(name: str) -> None:
    text = TOLD[name]()
    began = time.process_time()
    (reading,) = read(text)
    assert time.process_time() - began < 8
    assert reading.problems
    assert reading.is_readable
    assert any(start <= NINE and end >= TEN for start, end in reading.write.busy)
    assert len(reading.write.busy) < 20_000
    assert len(reading.write.data) <= 1_000_000


UNTOLD = {
    "a position among all seconds": f"RRULE:FREQ=MONTHLY;BYHOUR={HOURS};BYMINUTE={SIXTY};BYSECOND={SIXTY};BYSETPOS=-1",
    "a thousand million times": "RRULE:FREQ=DAILY;COUNT=1000000000",
    "a day that never comes": "RRULE:FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
}


@pytest.mark.parametrize("name", UNTOLD)
def test_what_only_looks_dangerous_is_read(name: str) -> None:
    began = time.process_time()
    (reading,) = read(calendar(event(UNTOLD[name])))
    assert time.process_time() - began < 5
    assert reading.problems == ()
    assert (NINE, TEN) in reading.write.busy


@pytest.mark.parametrize("rule", ["FREQ=DAILY", "FREQ=HOURLY", "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30"])
def test_many_objects_together_have_one_bound(monkeypatch: pytest.MonkeyPatch, rule: str) -> None:
    """A file may hold 50,000: what each may cost alone would be days, and millions of rows."""
    monkeypatch.setattr(mirror, "TOGETHER", 400_000)
    began = time.process_time()
    readings = read(calendar(event(f"RRULE:{rule}")), count=1000)
    assert time.process_time() - began < 15
    assert sum(len(each.write.busy) for each in readings) < 60_000
    told = [each for each in readings if each.problems]
    assert len(told) > 800
    assert all(each.write.busy == ((NINE, mirror.expansion_window(NOW)[1]),) for each in told[-100:])


def test_a_long_zone_that_everybody_names_is_not_copied_without_end() -> None:
    zone = "BEGIN:VTIMEZONE\r\nTZID:Evil\r\nX-A:" + "x" * 1_000_000 + "\r\nEND:VTIMEZONE"
    events = [event("X-A;TZID=Evil:1", uid=f"UID:{number}") for number in range(2000)]
    found = split(calendar(zone, *events))
    assert len(found.objects) == 2000
    assert sum(len(each.data) for each in found.objects) < 60_000_000


@pytest.mark.parametrize("rule", ["RRULE:FREQ=SECONDLY", "RRULE:FREQ=YEARLY;INTERVAL=1;BYSETPOS=5"])
def test_a_zone_that_never_ends_is_told_and_read_in_the_calendars(rule: str) -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Evil", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0100")
    text = calendar(*zone, "TZOFFSETTO:+0200", rule, "END:STANDARD", "END:VTIMEZONE", event())
    text = text.replace("DTSTART:20270302T090000Z", "DTSTART;TZID=Evil:20270302T090000")
    (reading,) = read(text)
    assert "Evil" in reading.problems[0]
    assert reading.write.busy == ((NINE, TEN),)


def test_a_zone_without_an_end_in_plain_years_is_followed() -> None:
    zone = ("BEGIN:VTIMEZONE", "TZID:Own", "BEGIN:STANDARD", "DTSTART:16010101T000000", "TZOFFSETFROM:+0100")
    text = calendar(*zone, "TZOFFSETTO:+0200", "RRULE:FREQ=YEARLY", "END:STANDARD", "END:VTIMEZONE", event())
    text = text.replace("DTSTART:20270302T090000Z", "DTSTART;TZID=Own:20270302T090000")
    (reading,) = read(text)
    assert reading.problems == ()
    assert reading.write.busy == ((NINE - 7200, TEN),)


def test_memory_stays_within_a_bound() -> None:
    """All of the above in one process, by its highest mark."""
    code = (
        "from tests.unit import test_hostile_objects as it\n"
        "for each in it.TOLD.values(): it.read(each())\n"
        "from tests.support.memory import peak; print(peak())"
    )
    limit = 2**30

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (4 * limit, 4 * limit))

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, preexec_fn=limited, check=False)
    assert done.returncode == 0, done.stderr[-500:]
    assert int(done.stdout.split()[-1]) < limit / 2


# the times of what is broken otherwise


def test_the_essentials_keep_when_and_leave_the_rest() -> None:
    text = calendar(
        event(
            "BEGIN:VALARM", "TRIGGER:-PT5M", "DTSTART:20200101T000000Z", "END:VALARM", "RRULE:FREQ=DAI\r\n LY;COUNT=3",
            "EXDATE:20270303T090000Z", "ATTACH:x", "ATTENDEE;PARTSTAT=ACCEPTED:mailto:other@example.org",
            "ATTENDEE;PARTSTAT=ACCEPTED:mailto:Ana@example.org",
        )
    )  # fmt: skip
    kept = essentials(text, "none", frozenset({"ana@example.org"}))
    assert kept.count("BEGIN:") == 2
    assert ("ATTACH" in kept, "other@" in kept, "Ana@" in kept, "VALARM" in kept) == (False, False, True, False)
    facts = read_object(kept, timezone="UTC", window=WINDOW)
    assert (facts.uid, facts.busy) == ("u", ((NINE, TEN), (NINE + 2 * 86400, TEN + 2 * 86400)))


def test_the_essentials_of_a_declined_or_free_event_are_not_busy() -> None:
    for line in ("ATTENDEE;PARTSTAT=DECLINED:mailto:ana@example.org", "TRANSP:TRANSPARENT", "STATUS:CANCELLED"):
        kept = essentials(calendar(event(line, "X-A:" + "x" * 2_000_000)), "none", frozenset({"ana@example.org"}))
        facts = read_object(kept, timezone="UTC", window=WINDOW, self_addresses=frozenset({"ana@example.org"}))
        assert facts.busy == ()


def test_more_dates_than_can_be_listed_are_one_long_time() -> None:
    (reading,) = read(calendar(event("RDATE:20270310T090000Z," + ",".join(["20270315T090000Z"] * 11_000))))
    assert reading.write.busy == ((NINE, TEN), (at("2027-03-09 00:00"), at("2027-03-17 00:00")))


def test_a_broken_event_has_a_name_of_its_own() -> None:
    first, second = read(calendar(event(uid="SUMMARY:none")), count=2)
    assert first.write.uid != second.write.uid
    assert "Only its times were looked at." in first.problems[0]


def test_what_has_no_time_at_all_is_told() -> None:
    (reading,) = read(calendar("BEGIN:VEVENT", "UID:u", "DTSTART:tomorrow", "END:VEVENT"))
    assert (reading.is_readable, reading.write.busy) == (False, ())
    assert reading.problems
