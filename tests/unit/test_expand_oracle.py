"""Expanding and matching against a calendar worked out day by day, and objects that come back as they were put."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain import ical_matching
from app.domain.ical_expand import Allowance, expanded
from app.domain.ical_partial import Part, trimmed
from app.domain.ical_times import ObjectTimes
from app.domain.ical_tree import Branch, parse_tree
from tests.support.ical import calendar
from tests.switches import examples

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]
BEGIN = datetime(2027, 1, 4, 9, tzinfo=UTC)  # a Monday
WORLD = 400
"""Days that are looked at."""


@st.composite
def series(draw: st.DrawFn) -> tuple[str, list[tuple[datetime, datetime, int]]]:
    """A series with dates left out, added and moved, and its instances: (id, start, minutes), worked out by hand."""
    interval, days = draw(st.integers(1, 3)), draw(st.sets(st.integers(0, 6), max_size=3))
    daily, minutes = draw(st.booleans()), draw(st.integers(15, 3000))
    last = draw(st.none() | st.integers(0, WORLD - 30))
    starts = []
    for day in range(WORLD if last is None else last + 1):
        at = BEGIN + timedelta(days=day)
        if daily:
            fits = day % interval == 0 and (not days or at.weekday() in days)
        else:
            fits = day // 7 % interval == 0 and at.weekday() in (days or {0})
        if fits:
            starts.append(at)
    rule = f"RRULE:FREQ={'DAILY' if daily else 'WEEKLY'};INTERVAL={interval}"
    rule += f";BYDAY={','.join(DAYS[each] for each in sorted(days))}" if days else ""
    rule += "" if last is None else f";UNTIL={stamp(BEGIN + timedelta(days=last))}"
    instances = {BEGIN: (BEGIN, minutes)} | {each: (each, minutes) for each in starts}
    added = BEGIN + timedelta(days=draw(st.integers(1, 60)), hours=3)
    instances[added] = (added, minutes)
    lines = ["UID:a", f"DTSTART:{stamp(BEGIN)}", f"DURATION:PT{minutes}M", rule, f"RDATE:{stamp(added)}"]
    for gone in draw(st.sets(st.sampled_from(sorted(instances)), max_size=3)):
        lines.append(f"EXDATE:{stamp(gone)}")
        del instances[gone]
    overrides = []
    for moved in draw(st.sets(st.sampled_from(sorted(instances)), max_size=3)) if instances else ():
        at = moved + timedelta(minutes=draw(st.integers(-5000, 5000)))
        instances[moved] = (at, 45)
        overrides.append(["UID:a", f"RECURRENCE-ID:{stamp(moved)}", f"DTSTART:{stamp(at)}", "DURATION:PT45M"])
    text = calendar(lines, *overrides)
    return text, sorted((key, at, length) for key, (at, length) in instances.items())


def stamp(at: datetime) -> str:
    """As iCalendar writes it."""
    return at.strftime("%Y%m%dT%H%M%SZ")


def value(branch: Branch, name: str) -> str:
    """A property's value."""
    line = branch.first(name)
    assert line is not None
    return line.value


WINDOWS = st.tuples(st.integers(-10, WORLD - 80), st.integers(1, 60 * 1440))


@settings(max_examples=examples(120))
@given(series(), WINDOWS)
def test_a_window_holds_the_instances_that_a_calendar_worked_out_by_hand_has(
    made: tuple[str, list[tuple[datetime, datetime, int]]], window: tuple[int, int]
) -> None:
    text, instances = made
    low = BEGIN + timedelta(days=window[0])
    high = low + timedelta(minutes=window[1])
    inside = [
        (stamp(key), stamp(at)) for key, at, minutes in instances if at < high and at + timedelta(minutes=minutes) > low
    ]
    times = ObjectTimes(text, ZoneInfo("UTC"))
    span = int(low.timestamp()), int(high.timestamp())
    branches = expanded(parse_tree(text), times, span, Allowance(10_000, 10_000_000)).branches
    assert sorted((value(each, "RECURRENCE-ID"), value(each, "DTSTART")) for each in branches) == sorted(inside)
    found = any(ical_matching.overlaps(times, each, *span) for each in times.main)
    assert found == bool(inside)


@settings(max_examples=examples(60))
@given(series(), st.integers(-10, WORLD - 80))
def test_a_range_open_on_one_side_meets_a_series_that_is_there(
    made: tuple[str, list[tuple[datetime, datetime, int]]], day: int
) -> None:
    text, instances = made
    assume("UNTIL" in text)
    edge = BEGIN + timedelta(days=day, minutes=7)
    times = ObjectTimes(text, ZoneInfo("UTC"))

    def found(start: datetime | None, end: datetime | None) -> bool:
        span = tuple(None if each is None else int(each.timestamp()) for each in (start, end))
        return any(ical_matching.overlaps(times, each, span[0], span[1]) for each in times.main)

    assert found(edge, None) == any(at + timedelta(minutes=minutes) > edge for _, at, minutes in instances)
    assert found(None, edge) == any(at < edge for _, at, _ in instances)


NAMES = st.sampled_from(["SUMMARY", "X-MINE", "DESCRIPTION", "ATTENDEE", "LOCATION", "x-lower", "CATEGORIES"])
PARAMETERS = st.sampled_from(["", ";X-P=a", ';CN="a;b:c"'])
VALUES = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=120)


@st.composite
def objects(draw: st.DrawFn) -> str:
    """An object with properties nobody knows, folds anywhere, alarms and zones."""

    def line() -> str:
        whole = f"{draw(NAMES)}{draw(PARAMETERS)}:{draw(VALUES)}"
        at = draw(st.integers(1, len(whole)))
        return whole if at == len(whole) else f"{whole[:at]}\r\n {whole[at:]}"

    def component(name: str, *inner: str) -> list[str]:
        return [f"BEGIN:{name}", *[line() for _ in range(draw(st.integers(0, 4)))], *inner, f"END:{name}"]

    alarm = component("VALARM") if draw(st.booleans()) else []
    parts = [*component("VTIMEZONE"), *component("VEVENT", *alarm), *component("X-OWN")]
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *parts, "END:VCALENDAR", ""])


@settings(max_examples=examples(100))
@given(objects())
def test_a_text_taken_apart_and_put_together_is_the_same(text: str) -> None:
    assert parse_tree(text).text() == text
    assert trimmed(parse_tree(text), Part()).text() == text
