"""The text of an availability answer, and how long it is kept."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.use_cases.find_slots import SlotQuestion, Slots
from app.web.api.availability import Answers, render
from tests.switches import examples

ZONES = sorted(available_timezones() - {"localtime", "posixrules", "Factory"})
QUARTER = 900
YEAR_2027, YEAR_2037 = 1_798_761_600, 2_114_380_800


def slots_of(starts: list[tuple[int, int]], duration: int, valid_until: int = 2**40) -> Slots:
    unused: Any = None
    return Slots(unused, duration, starts, valid_until)


def question(timezone: str, duration: int) -> SlotQuestion:
    return SlotQuestion(date(2027, 1, 1), date(2027, 1, 2), duration, timezone)


def plainly(starts: list[tuple[int, int]], duration: int, timezone: str) -> dict[str, Any]:
    """The same answer, in as few words as Python has for it."""
    zone = ZoneInfo(timezone)
    days: dict[str, list[dict[str, Any]]] = {}
    for start, seats in starts:
        begin = datetime.fromtimestamp(start, UTC).astimezone(zone)
        end = datetime.fromtimestamp(start + duration * 60, UTC).astimezone(zone)
        slot = {"start": begin.isoformat(), "end": end.isoformat(), "seats_left": seats}
        days.setdefault(begin.date().isoformat(), []).append(slot)
    shown = [{"date": day, "slots": slots} for day, slots in days.items()]
    return {"timezone": timezone, "duration": duration, "days": shown}


starts_strategy = st.lists(
    st.tuples(
        st.integers(YEAR_2027 // QUARTER, YEAR_2037 // QUARTER).map(lambda number: number * QUARTER), st.integers(1, 99)
    ),
    max_size=40,
    unique_by=lambda pair: pair[0],
).map(sorted)


@given(starts=starts_strategy, duration=st.integers(1, 1440), timezone=st.sampled_from(ZONES))
@settings(max_examples=examples(300))
def test_the_text_says_what_plain_python_says(starts: list[tuple[int, int]], duration: int, timezone: str) -> None:
    text = render(slots_of(starts, duration), question(timezone, duration))
    assert json.loads(text) == plainly(starts, duration, timezone)


def changes_of(timezone: str) -> list[int]:
    """The quarters of an hour at which the zone's clocks are changed, 2027 to 2029."""
    zone = ZoneInfo(timezone)
    hours = range(YEAR_2027, YEAR_2027 + 2 * 366 * 86400, 86400)
    found = []
    for first, last in pairwise(hours):
        if _offset(zone, first) != _offset(zone, last):
            found.append(next(at for at in range(first, last, QUARTER) if _offset(zone, at) != _offset(zone, first)))
    return found


def _offset(zone: ZoneInfo, instant: int) -> float:
    offset = datetime.fromtimestamp(instant, zone).utcoffset()
    assert offset is not None
    return offset.total_seconds()


@pytest.mark.parametrize(
    "timezone",
    ["Europe/Berlin", "America/Havana", "Australia/Lord_Howe", "Africa/Cairo", "America/Santiago", "Asia/Beirut"],
)
def test_days_on_which_clocks_change_are_told_hour_by_hour(timezone: str) -> None:
    """Every quarter of an hour around each change, also midnights that do not exist (Havana, Beirut, Santiago, Cairo)
    and a change by half an hour (Lord Howe); starts strictly ascend and each is an instant of its own."""
    changes = changes_of(timezone)
    assert len(changes) >= 3
    for change in changes:
        starts = [(instant, 1) for instant in range(change - 86400, change + 86400, QUARTER)]
        answer = json.loads(render(slots_of(starts, 30), question(timezone, 30)))
        assert answer == plainly(starts, 30, timezone)
        told = [datetime.fromisoformat(slot["start"]).timestamp() for day in answer["days"] for slot in day["slots"]]
        assert told == [instant for instant, _ in starts]
        dates = [day["date"] for day in answer["days"]]
        assert dates == sorted(set(dates))


def test_an_answer_is_kept_until_its_time() -> None:
    answers, asked = Answers(), ("acme.intro", question("UTC", 30))
    answers.put(asked, ("stamp",), 100, slots_of([], 30, valid_until=200), b"text")
    assert answers.get(asked, ("stamp",), 100) == b"text"
    assert answers.get(asked, ("stamp",), 199) == b"text"
    assert answers.get(asked, ("stamp",), 200) is None
    assert answers.get(asked, ("stamp",), 99) is None, "the clock was set back"
    assert answers.get(asked, ("other stamp",), 150) is None
    assert answers.get(("acme.other", asked[1]), ("stamp",), 150) is None


def test_the_least_used_answer_leaves_first() -> None:
    answers = Answers(size=2)
    keys = [(f"acme.{number}", question("UTC", 30)) for number in range(3)]
    for number, key in enumerate(keys):
        answers.put(key, (), 0, slots_of([], 30), b"%d" % number)
        answers.get(keys[0], (), 0)
    assert [answers.get(key, (), 0) for key in keys] == [b"0", None, b"2"]


def test_kept_answers_stay_within_their_size() -> None:
    """However large the windows are that somebody asks for."""
    answers = Answers(size=1000, max_bytes=1000)
    key = ("acme.intro", question("UTC", 30))
    for _ in range(100):
        answers.put(key, (), 0, slots_of([], 30), b"x" * 400)
    assert answers.get(key, (), 0) == b"x" * 400, "one answer put again and again counts once"
    for number in range(10):
        answers.put((f"acme.{number}", key[1]), (), 0, slots_of([], 30), b"x" * 400)
    kept = [number for number in range(10) if answers.get((f"acme.{number}", key[1]), (), 0)]
    assert kept == [8, 9]
    answers.put(key, (), 0, slots_of([], 30), b"x" * 5000)
    assert answers.get(key, (), 0) is None
