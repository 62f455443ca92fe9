"""Half-open intervals, against sets of points."""

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.intervals import Interval, clear_flags, join, overlaps
from tests.switches import examples

_INTERVALS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 12)).map(lambda it: (it[0], it[0] + it[1])))


def _points(intervals: list[Interval]) -> set[int]:
    return {point for begin, end in intervals for point in range(begin, end)}


@settings(max_examples=examples(200))
@given(_INTERVALS)
def test_joining_keeps_the_time_and_leaves_gaps_between(intervals: list[Interval]) -> None:
    joined = join(intervals)
    assert _points(joined) == _points(intervals)
    assert all(begin < end for begin, end in joined)
    assert all(before[1] < after[0] for before, after in pairwise(joined))


@settings(max_examples=examples(200))
@given(_INTERVALS, st.integers(-5, 60), st.integers(1, 20))
def test_overlap_is_time_in_common(intervals: list[Interval], begin: int, length: int) -> None:
    shared = _points(intervals) & set(range(begin, begin + length))
    assert overlaps(sorted(intervals), begin, begin + length) == bool(shared)


@settings(max_examples=examples(400))
@given(_INTERVALS, st.lists(st.integers(-5, 60), unique=True), st.integers(0, 5), st.integers(1, 9))
def test_a_start_is_clear_where_nothing_overlaps_its_claim(
    intervals: list[Interval], starts: list[int], lead: int, tail: int
) -> None:
    busy, ascending = _points(intervals), sorted(starts)
    expected = [not busy & set(range(start - lead, start + tail)) for start in ascending]
    assert list(clear_flags(ascending, lead, tail, sorted(intervals))) == expected


def test_touching_is_not_overlapping() -> None:
    assert not overlaps([(0, 10), (20, 30)], 10, 20)
    assert list(clear_flags([10, 11], 0, 10, [(0, 10), (20, 30)])) == [1, 0]


def test_an_empty_interval_takes_no_time() -> None:
    assert not overlaps([(5, 5)], 0, 10)
    assert list(clear_flags([0], 0, 10, [(5, 5)])) == [1]
    assert join([(5, 5)]) == []


def test_a_long_busy_time_is_not_forgotten_behind_short_ones() -> None:
    busy = [(0, 100), (10, 20), (30, 40)]
    assert overlaps(busy, 50, 60)
    assert list(clear_flags([50, 90, 100], 0, 10, busy)) == [0, 0, 1]


def test_no_starts_no_flags() -> None:
    assert clear_flags([], 0, 10, [(0, 10)]) == b""
