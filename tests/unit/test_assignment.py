from datetime import UTC, datetime

from app.domain.assignment import bookings_in_week, choose_host
from app.domain.hours import Schedule
from app.domain.rules import HostState


def _host(
    host_id: str, *, priority: int = 0, last: int | None = None, booked: tuple[int, ...] = (), zone: str = "UTC"
) -> HostState:
    schedule = Schedule(zone, ((),) * 7, {}, (), frozenset())
    return HostState(host_id, schedule, (), host_starts=booked, priority=priority, last_booked_at=last)


def _at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def test_the_highest_priority_comes_before_all_else() -> None:
    busy_but_preferred = _host("b", priority=2, last=900)
    order = choose_host([_host("a", priority=1), busy_but_preferred], {"b": 9})
    assert order == ["b", "a"]


def test_then_the_fewest_bookings_of_the_week() -> None:
    assert choose_host([_host("a", last=1), _host("b", last=900)], {"a": 3, "b": 2}) == ["b", "a"]


def test_a_host_without_a_count_has_none() -> None:
    assert choose_host([_host("a"), _host("b", last=900)], {"a": 1}) == ["b", "a"]


def test_then_the_one_booked_longest_ago_and_never_is_longest() -> None:
    assert choose_host([_host("a", last=500), _host("b", last=400), _host("c")], {}) == ["c", "b", "a"]


def test_then_the_lowest_id() -> None:
    assert choose_host([_host("b", last=5), _host("a", last=5)], {"a": 1, "b": 1}) == ["a", "b"]


def test_nobody_to_choose_from() -> None:
    assert choose_host([], {}) == []


def test_weeks_are_iso_weeks_in_the_zone_of_each_schedule() -> None:
    """Sunday 2027-03-07, 23:00 UTC is still Sunday in UTC, but Monday, and so another week, in Berlin."""
    booked = (_at("2027-03-07T23:00"), _at("2027-03-08T09:00"), _at("2027-03-14T12:00"), _at("2027-03-15T09:00"))
    hosts = [_host("utc", booked=booked), _host("berlin", booked=booked, zone="Europe/Berlin")]
    assert bookings_in_week(hosts, _at("2027-03-10T09:00")) == {"utc": 2, "berlin": 3}


def test_the_week_runs_over_the_new_year() -> None:
    """2027-01-01 is a Friday in ISO week 53 of 2026."""
    host = _host("a", booked=(_at("2026-12-28T09:00"), _at("2027-01-03T09:00"), _at("2027-01-04T09:00")))
    assert bookings_in_week([host], _at("2027-01-01T09:00")) == {"a": 2}
