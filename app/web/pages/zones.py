"""Time zones as people choose them: the list, and the words for each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from importlib.resources import files
from itertools import groupby
from zoneinfo import ZoneInfo

from app.use_cases.zone_names import UTC_NAME


@dataclass(frozen=True, slots=True)
class ZoneChoice:
    """One entry of the list: the IANA name and what a person reads."""

    name: str
    label: str


@dataclass(frozen=True, slots=True)
class ZoneGroup:
    """The entries of one part of the world."""

    label: str
    zones: tuple[ZoneChoice, ...]


def place_of(name: str) -> str:
    """The city of a zone: `America/Argentina/Buenos_Aires` is `Buenos Aires`."""
    return name.rpartition("/")[2].replace("_", " ")


def offset_label(name: str, at: int) -> str:
    """`GMT+5:30` at an instant (epoch seconds), `GMT` when there is no difference."""
    offset = datetime.fromtimestamp(at, ZoneInfo(name)).utcoffset() or timedelta()
    minutes = round(offset.total_seconds() / 60)
    hours, rest = divmod(abs(minutes), 60)
    sign = "-" if minutes < 0 else "+"
    return f"GMT{sign}{hours}{f':{rest:02}' if rest else ''}" if minutes else "GMT"


def zone_groups(now: int) -> tuple[ZoneGroup, ...]:
    """All places with their present offset, by part of the world; the same within an hour."""
    return _zone_groups(now // 3600)


@lru_cache(maxsize=2)
def _zone_groups(hour: int) -> tuple[ZoneGroup, ...]:
    now = hour * 3600
    groups = [
        ZoneGroup(region, tuple(ZoneChoice(name, f"{_long_place(name)} ({offset_label(name, now)})") for name in names))
        for region, names in groupby(_places(), key=_region)
    ]
    return (*groups, ZoneGroup("Universal", (ZoneChoice(UTC_NAME, "UTC"),)))


@lru_cache(maxsize=1)
def _places() -> tuple[str, ...]:
    """The zones of the time zone database's table of places (`zone.tab`): no aliases, one for each place."""
    table = (files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if line and not line.startswith("#"))
    return tuple(sorted((row[2] for row in rows), key=lambda name: (_region(name), _long_place(name))))


def _region(name: str) -> str:
    return name.partition("/")[0]


def _long_place(name: str) -> str:
    """`Buenos Aires, Argentina`: the parts after the region, the nearest first."""
    return ", ".join(reversed(name.replace("_", " ").split("/")[1:]))


def local_now(name: str, now: int) -> datetime:
    """Wall time in a zone."""
    return datetime.fromtimestamp(now, UTC).astimezone(ZoneInfo(name))
