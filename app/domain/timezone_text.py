"""VTIMEZONE components (RFC 5545 §3.6.5), written from the zone database.

Outlook and Exchange read only observances with a yearly RRULE by weekday and ignore lists of dates, so a rule is
written wherever the zone follows one; what follows none (Morocco's Ramadan weeks, a law changed midway) is listed
date by date.
"""

from __future__ import annotations

from calendar import monthrange
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.domain.errors import Invalid

UTC_NAMES = frozenset({"UTC", "Etc/UTC", "Etc/UCT", "Etc/Universal", "Etc/Zulu", "UCT", "Universal", "Zulu"})
"""Zones whose times are written with a Z and need no VTIMEZONE."""

_FIRST = int(datetime(2019, 1, 1, tzinfo=UTC).timestamp())
_COVERED = int(datetime(2020, 1, 1, tzinfo=UTC).timestamp())  # everything from here on is described
_LAST = int(datetime(2050, 1, 1, tzinfo=UTC).timestamp())  # rules go on for ever, listed dates end here
_PROBE = 5 * 86400  # no zone changes twice within so short a time
_ENOUGH_YEARS = 12  # every weekday has then been on every day of its week of the month
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True, slots=True)
class _Observance:
    """What an onset changes; offsets in seconds east of UTC."""

    offset_from: int
    offset_to: int
    daylight: bool
    name: str


@lru_cache(maxsize=600)
def timezone_component(tzid: str) -> str:
    """The VTIMEZONE of an IANA zone, CRLF lines, right from 2020 on; empty for UTC. `Invalid` for an unknown zone."""
    if tzid in UTC_NAMES:
        return ""
    zone = load_zone(tzid)
    lines = ["BEGIN:VTIMEZONE", f"TZID:{tzid}"]
    onsets = _onsets(zone)
    if not onsets or onsets[0][0] > _COVERED:
        lines += _constant(zone)
    grouped: dict[_Observance, list[datetime]] = defaultdict(list)
    for at, observance in onsets:
        grouped[observance].append(_wall(at, observance.offset_from))
    for observance, walls in grouped.items():
        lines += _describe(observance, walls)
    lines.append("END:VTIMEZONE")
    return "\r\n".join(lines) + "\r\n"


def load_zone(tzid: str) -> ZoneInfo:
    """The zone, or `Invalid`."""
    try:
        return ZoneInfo(tzid)
    except (KeyError, ValueError, OSError) as error:
        raise Invalid.field("timezone", f"{tzid!r} is not a time zone.") from error


def _onsets(zone: ZoneInfo) -> list[tuple[int, _Observance]]:
    """Every change of offset between the first and the last probe, as (instant, what changes)."""
    found = []
    before = _offset(zone, _FIRST)
    for probe in range(_FIRST + _PROBE, _LAST, _PROBE):
        after = _offset(zone, probe)
        if before != after:
            at = _bisect(zone, probe - _PROBE, probe)
            found.append((at, _observance(zone, at)))
        before = after
    return found


def _bisect(zone: ZoneInfo, low: int, high: int) -> int:
    """The first instant with the offset of `high`."""
    old = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    return high


def _observance(zone: ZoneInfo, at: int) -> _Observance:
    before, after = datetime.fromtimestamp(at - 1, zone), datetime.fromtimestamp(at, zone)
    # Ireland and Morocco are defined with a winter time below their standard; clients expect the higher one to be
    # the daylight time, as everywhere else.
    daylight = _seconds(after.dst()) > 0 or _seconds(before.dst()) < 0
    return _Observance(_offset(zone, at - 1), _offset(zone, at), daylight, after.tzname() or "")


def _offset(zone: ZoneInfo, at: int) -> int:
    return _seconds(datetime.fromtimestamp(at, zone).utcoffset())


def _seconds(delta: timedelta | None) -> int:
    return int(delta.total_seconds()) if delta else 0


def _wall(at: int, offset: int) -> datetime:
    return datetime.fromtimestamp(at + offset, UTC).replace(tzinfo=None)


def _constant(zone: ZoneInfo) -> list[str]:
    """The offset that holds before the first onset, or always."""
    offset = _offset(zone, _FIRST)
    name = datetime.fromtimestamp(_FIRST, zone).tzname() or ""
    return _lines(_Observance(offset, offset, False, name), _wall(0, 0))


def _describe(observance: _Observance, walls: Sequence[datetime]) -> list[str]:
    """The onsets of one observance: single dates first, then the yearly rule the rest follows, if any."""
    split, rule = _yearly_rule(walls)
    lines = []
    if split:
        listed = ",".join(_stamp(wall) for wall in walls[1:split])
        lines += _lines(observance, walls[0], f"RDATE:{listed}" if listed else "")
    if rule:
        lines += _lines(observance, walls[split], f"RRULE:FREQ=YEARLY;{rule}")
    return lines


def _lines(observance: _Observance, first: datetime, recurrence: str = "") -> list[str]:
    kind = "DAYLIGHT" if observance.daylight else "STANDARD"
    body = [
        f"BEGIN:{kind}",
        f"DTSTART:{_stamp(first)}",
        *_folded(recurrence),
        f"TZOFFSETFROM:{_signed(observance.offset_from)}",
        f"TZOFFSETTO:{_signed(observance.offset_to)}",
        f"TZNAME:{observance.name}",
        f"END:{kind}",
    ]
    return [line for line in body if line]


def _folded(line: str) -> list[str]:
    return [line[:75], *(" " + line[at : at + 74] for at in range(75, len(line), 74))]


def _stamp(wall: datetime) -> str:
    return wall.strftime("%Y%m%dT%H%M%S")


def _signed(offset: int) -> str:
    hours, rest = divmod(abs(offset), 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{'-' if offset < 0 else '+'}{hours:02d}{minutes:02d}" + (f"{seconds:02d}" if seconds else "")


def _yearly_rule(walls: Sequence[datetime]) -> tuple[int, str]:
    """(index from which on a yearly rule holds for ever, its parts); (number of walls, "") when none does."""
    if walls[-1].year < datetime.fromtimestamp(_LAST, UTC).year - 1:
        return len(walls), ""
    for split in range(len(walls) - _ENOUGH_YEARS + 1):
        rule = _rule_of(walls[split:])
        if rule:
            return split, rule
    return len(walls), ""


def _rule_of(walls: Sequence[datetime]) -> str:
    first = walls[0]
    same = {(wall.month, wall.weekday(), wall.time()) for wall in walls}
    years = [wall.year for wall in walls]
    if len(same) > 1 or years != list(range(years[0], years[0] + len(walls))):
        return ""
    weekday, month = _WEEKDAYS[first.weekday()], f"BYMONTH={first.month}"
    days = [wall.day for wall in walls]
    if all(wall.day + 7 > monthrange(wall.year, wall.month)[1] for wall in walls):
        return f"{month};BYDAY=-1{weekday}"
    weeks = {(day - 1) // 7 for day in days}
    if len(weeks) == 1:
        return f"{month};BYDAY={weeks.pop() + 1}{weekday}"
    if max(days) - min(days) == 6:
        return f"{month};BYMONTHDAY={','.join(str(min(days) + day) for day in range(7))};BYDAY={weekday}"
    return ""
