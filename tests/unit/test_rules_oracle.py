"""The starts of a rule near a moment are those that dateutil finds from its begin on."""

from datetime import datetime, timedelta

from dateutil.rrule import rrulestr
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.rrules import BoundedRule, TooDense
from tests.switches import examples

DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def chosen(name: str, values: list[str], most: int = 3) -> st.SearchStrategy[str]:
    """A part of a rule, or none."""
    listed = st.lists(st.sampled_from(values), min_size=1, max_size=most, unique=True)
    return st.just("") | st.just("") | listed.map(lambda few: f";{name}={','.join(few)}")


@st.composite
def rules(draw: st.DrawFn) -> str:
    """A rule that matches now and then, or never."""
    frequency = draw(st.sampled_from(["HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    text = f"FREQ={frequency};INTERVAL={draw(st.integers(1, 7))}"
    text += draw(chosen("BYDAY", DAYS)) + draw(chosen("BYMONTH", [str(each) for each in range(1, 13)]))
    text += draw(chosen("WKST", DAYS, 1))
    if frequency in {"MONTHLY", "YEARLY"}:
        text += draw(chosen("BYMONTHDAY", ["1", "15", "28", "29", "31", "-1"], 2))
    if frequency == "HOURLY":
        text += draw(chosen("BYHOUR", ["9", "17"], 2))
    return text + draw(st.just("") | st.integers(1, 500).map(lambda count: f";COUNT={count}"))


BEGINS = st.integers(0, 2500).map(lambda days: datetime(2020, 1, 1, 9, 30) + timedelta(days=days))  # noqa: DTZ001  # floating


@settings(max_examples=examples(40))
@given(
    rules(),
    BEGINS,
    st.none() | st.integers(0, 700),
    st.lists(st.tuples(st.integers(-400, 700), st.integers(0, 60)), min_size=1, max_size=4),
)
def test_windows_in_any_order_show_the_starts_of_the_whole(
    text: str, start: datetime, days: int | None, windows: list[tuple[int, int]]
) -> None:
    until = None if days is None or "COUNT" in text else start + timedelta(days=days)
    rule, whole = BoundedRule(text, start, until), rrulestr(text, dtstart=start, cache=True)
    for first, length in windows:
        low = start + timedelta(days=first)
        high = low + timedelta(days=length)
        expected = [each for each in whole.between(low, high, inc=True) if until is None or each <= until]
        try:
            assert rule.between(low, high) == expected
        except TooDense:  # looking in vain until the last year, again and again, is given up
            assert next(iter(whole), None) is None
            return
