"""What was looked at, and what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class View:
    """Somebody opened the page of a link, or asked the API for it. `referrer` is the host they came from."""

    org_id: str
    link_id: str
    service_id: str | None
    at: int
    referrer: str | None


@dataclass(frozen=True, slots=True)
class AnalyticsScope:
    """What figures are asked of: views in, and bookings made in, the instants [start, end). None is all; `owner_id`
    leaves the links of one owner. `timezone` is that of the days and hours."""

    org_id: str
    start: int
    end: int
    timezone: str
    link_id: str | None = None
    service_id: str | None = None
    owner_id: str | None = None


@dataclass(frozen=True, slots=True)
class Tally:
    """Figures of one thing: `key` is a link's or service's id, or a local date; `name` what it is called."""

    key: str
    name: str
    views: int
    bookings: int
    cancellations: int = 0
    no_shows: int = 0

    @property
    def conversion(self) -> float | None:
        """Bookings for each view; None when nobody looked."""
        return round(self.bookings / self.views, 4) if self.views else None


@dataclass(frozen=True, slots=True)
class Figures:
    """`lead_median` and `lead_mean` are minutes between booking and begin, None without bookings. `hours` are (weekday
    from Monday = 0, hour, bookings that begin in it), `referrers` (host or None, views), each without zeros. `days`
    are those on which something happened."""

    total: Tally
    lead_median: int | None
    lead_mean: int | None
    days: Sequence[Tally]
    hours: Sequence[tuple[int, int, int]]
    referrers: Sequence[tuple[str | None, int]]
    links: Sequence[Tally]
    services: Sequence[Tally]


class Analytics(Protocol):
    """Sessions count by the bookings in them."""

    async def note(self, views: Sequence[View]) -> None: ...
    async def figures(self, scope: AnalyticsScope) -> Figures:
        """In as many statements for many rows as for few."""
        ...

    async def forget_views(self, org_id: str, before: int, limit: int) -> int:
        """The oldest first; how many went."""
        ...
