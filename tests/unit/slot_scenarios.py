"""Random schedules, rules and calendars around the dates on which zones do something odd.

All strategies stand at the top and draw distances from the odd date: making them anew for each example takes longer
than the oracle does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta

from hypothesis import strategies as st

from app.domain.hours import Range, Schedule
from app.domain.rules import HostState, LinkRules
from app.domain.seats import OpenSession

# Zones of both hemispheres, each with days on which its clock changes (or, for the fixed ones, any day).
ODD_DATES: dict[str, tuple[date, ...]] = {
    "UTC": (date(2027, 3, 1),),
    "Asia/Kathmandu": (date(2027, 12, 31),),
    "America/New_York": (date(2027, 3, 14), date(2027, 11, 7)),
    "Europe/Berlin": (date(2027, 3, 28), date(2027, 10, 31)),
    "America/Havana": (date(2027, 3, 14), date(2027, 11, 7)),  # midnight is skipped, midnight comes twice
    "Atlantic/Azores": (date(2027, 3, 28), date(2027, 10, 31)),  # the same
    "Asia/Beirut": (date(2027, 3, 28), date(2027, 10, 31)),
    "America/Nuuk": (date(2027, 3, 28), date(2027, 10, 31)),  # the hour before midnight is skipped
    "America/Santiago": (date(2027, 4, 4), date(2027, 9, 5)),  # midnight is skipped
    "Australia/Lord_Howe": (date(2027, 4, 4), date(2027, 10, 3)),  # half an hour
    "Pacific/Auckland": (date(2027, 4, 4), date(2027, 9, 26)),
    "Pacific/Chatham": (date(2027, 4, 4), date(2027, 9, 26)),
    "Africa/Casablanca": (date(2027, 2, 7), date(2027, 3, 14)),  # summer time all year but for Ramadan
    "Pacific/Apia": (date(2011, 12, 30),),  # the day that never was
}

_MINUTES = st.one_of(
    st.sampled_from([0, 15, 30, 60, 75, 90, 120, 135, 150, 180, 540, 720, 1020, 1380, 1395, 1410, 1425]),
    st.integers(0, 95).map(lambda quarter: quarter * 15),
    st.integers(0, 1439),
)
_RANGE = st.tuples(_MINUTES, _MINUTES.map(lambda minute: minute or 1440))
_DAY = st.one_of(st.lists(_RANGE, min_size=1, max_size=3), st.lists(_RANGE, max_size=2), st.just([(0, 1440)]))
_DISTANCE = st.integers(-3, 3)
_OVERRIDES = st.dictionaries(_DISTANCE, st.lists(_RANGE, max_size=2), max_size=2)
_PERIOD = st.tuples(st.integers(-4, 4), st.integers(0, 2))
_PERIODS = st.lists(_PERIOD, max_size=1)
_HOLIDAYS = st.lists(_DISTANCE, max_size=1)

_STEP = st.sampled_from([None, None, 5, 10, 15, 20, 30, 45, 60, 97])
_BUFFER = st.sampled_from([0, 0, 5, 15, 60])
_NOTICE = st.sampled_from([0, 0, 30, 240, 1500])
_HORIZON = st.sampled_from([None, None, None, 2, 4, 5, 6])
_DATE_RANGE = st.one_of(st.none(), st.none(), st.none(), st.tuples(st.integers(-4, 2), st.integers(0, 4)))
_A_DAY = st.sampled_from([None, None, None, None, 1, 2])
_A_WEEK = st.sampled_from([None, None, None, None, 2, 4])
_DURATION = st.sampled_from([5, 15, 30, 30, 30, 45, 60, 60, 60, 90, 90, 120, 300, 1500])

_BEGINS = st.one_of(st.integers(-600, 900).map(lambda tens: tens * 600), st.integers(-360_000, 540_000))
_LENGTHS = st.one_of(st.sampled_from([0, 900, 1800, 3600, 86400]), st.integers(1, 30_000))
_BUSY = st.lists(st.tuples(_BEGINS, _LENGTHS), max_size=12)
_STARTS = st.lists(st.integers(-600, 900), max_size=6)
_SESSIONS = st.lists(st.tuples(st.integers(0, 200), st.booleans(), st.integers(0, 3)), max_size=6)

_ZONE = st.sampled_from(sorted(ODD_DATES))
_DATE_OF_ZONE = {zone: st.sampled_from(dates) for zone, dates in ODD_DATES.items()}
_OTHER_ZONE = st.sampled_from([None, "UTC", "Europe/Berlin"])
_FIRST_MINUTE = st.integers(-3 * 1440, 2 * 1440)
_LENGTH = st.one_of(st.integers(3600, 3 * 86400), st.integers(0, 5).map(lambda days: days * 86400))
_NOW = st.one_of(st.integers(-4 * 86400, -3 * 86400), st.integers(-4 * 86400, 2 * 86400))


@dataclass(frozen=True)
class Scenario:
    """One question to the engine; `around` is the local date everything happens near."""

    around: date
    rules: LinkRules
    duration: int
    hosts: tuple[HostState, ...]
    window: tuple[int, int]
    now: int
    sessions: tuple[OpenSession, ...] = ()

    @property
    def host(self) -> HostState:
        return self.hosts[0]


@st.composite
def scenarios(draw: st.DrawFn, host_count: int = 1, *, shared: bool = False) -> Scenario:
    """Questions about `host_count` hosts; `shared` ones give sessions with seats, which are in their busy time."""
    timezone = draw(_ZONE)
    around = draw(_DATE_OF_ZONE[timezone])
    duration = draw(_DURATION)
    found = [_host(draw, timezone, around)]
    while len(found) < host_count:
        found.append(_host(draw, draw(_OTHER_ZONE) or timezone, around))
    if host_count > 1 and draw(st.booleans()):  # hosts with the very same hours are the common case
        found = [replace(host, schedule=found[0].schedule) for host in found]
    rules = _rules(draw, around)
    sessions: list[OpenSession] = []
    if shared:
        found = [replace(host, host_id=f"host{number}") for number, host in enumerate(found)]
        for number, host in enumerate(found):
            own = _sessions(draw, around, duration, rules, host.host_id)
            found[number] = replace(host, busy=sorted([*host.busy, *(session.claim for session in own)]))
            sessions += own
    first = _midnight(around) + draw(_FIRST_MINUTE) * 60
    return Scenario(
        around,
        rules,
        duration,
        tuple(found),
        window=(first, first + draw(_LENGTH)),
        now=_midnight(around) + draw(_NOW),
        sessions=tuple(sessions),
    )


def _midnight(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _period(around: date, period: tuple[int, int]) -> tuple[date, date]:
    distance, more = period
    return around + timedelta(days=distance), around + timedelta(days=distance + more)


def _rules(draw: st.DrawFn, around: date) -> LinkRules:
    date_range = draw(_DATE_RANGE)
    return LinkRules(
        step=draw(_STEP),
        buffer_before=draw(_BUFFER),
        buffer_after=draw(_BUFFER),
        minimum_notice=draw(_NOTICE),
        horizon_days=draw(_HORIZON),
        date_range=_period(around, date_range) if date_range else None,
        max_per_day=draw(_A_DAY),
        max_per_week=draw(_A_WEEK),
    )


def _schedule(draw: st.DrawFn, timezone: str, around: date) -> Schedule:
    """A week in which days repeat, so that the odd date is seldom closed, with some exceptions to it."""
    days: list[tuple[Range, ...]] = [tuple(draw(_DAY)), tuple(draw(_DAY))]
    return Schedule(
        timezone=timezone,
        weekly=tuple(days[weekday % 2] for weekday in range(7)),
        overrides={around + timedelta(days=distance): tuple(ranges) for distance, ranges in draw(_OVERRIDES).items()},
        exclusions=tuple(_period(around, period) for period in draw(_PERIODS)),
        holidays=frozenset(around + timedelta(days=distance) for distance in draw(_HOLIDAYS)),
    )


def _host(draw: st.DrawFn, timezone: str, around: date) -> HostState:
    base = _midnight(around)
    return HostState(
        host_id="host",
        schedule=_schedule(draw, timezone, around),
        busy=sorted((base + begin, base + begin + length) for begin, length in draw(_BUSY)),
        link_starts=sorted(base + tens * 600 for tens in draw(_STARTS)),
        host_starts=sorted(base + tens * 600 for tens in draw(_STARTS)),
        max_per_day=draw(_A_DAY),
        max_per_week=draw(_A_WEEK),
    )


def _sessions(draw: st.DrawFn, around: date, duration: int, rules: LinkRules, host_id: str) -> list[OpenSession]:
    """Sessions of one host that do not overlap with their buffers, on this duration's starts and beside them; some are
    full."""
    found: list[OpenSession] = []
    instant = _midnight(around) - 200_000
    for gap, on_time, seats in draw(_SESSIONS):
        instant += gap * 900 - instant % 900 + (0 if on_time else 60)
        end = instant + duration * 60
        claim = instant - rules.buffer_before * 60, end + rules.buffer_after * 60
        name = f"{host_id}.{len(found)}"
        found.append(OpenSession(name, instant, end, claim, frozenset({host_id}), seats, None, max(seats, 1)))
        instant = end + 7260
    return found
