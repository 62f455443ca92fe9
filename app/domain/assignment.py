"""Who of a pool takes a booking."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from app.domain.hours import local_date, week_start
from app.domain.rules import HostState

_NEVER = -1


def choose_host(candidates: Sequence[HostState], week_counts: Mapping[str, int]) -> list[str]:
    """The ids of hosts that are free, the one to take first: the highest priority, then the fewest bookings in the ISO
    week of the start (`week_counts`, see below; missing is none), then the one whose last booking was made longest ago
    (never comes first), then the lowest id. A pool that loses one takes the next."""

    def rank(host: HostState) -> tuple[int, int, int, str]:
        last_booked_at = _NEVER if host.last_booked_at is None else host.last_booked_at
        return -host.priority, week_counts.get(host.host_id, 0), last_booked_at, host.host_id

    return [host.host_id for host in sorted(candidates, key=rank)]


def bookings_in_week(hosts: Sequence[HostState], start: int) -> dict[str, int]:
    """By host id, the bookings (`host_starts`) in the ISO week of `start`, each in the zone of the host's schedule."""
    return {host.host_id: _in_week(host, start) for host in hosts}


def _in_week(host: HostState, start: int) -> int:
    zone = host.schedule.timezone
    week = week_start(local_date(zone, start))
    return sum(week_start(local_date(zone, booked)) == week for booked in host.host_starts)
