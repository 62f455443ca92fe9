"""Dates and times in words, as mails tell them: English, in the order and hour cycle of the reader's region.

A mail has no browser to ask. Unless the person's locale names a region, that of their time zone decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_timezone_name
from babel.localedata import exists


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells instants (epoch seconds) to one reader, in their zone."""

    zone: ZoneInfo
    locale: Locale
    is_24_hour: bool

    def clock(self, at: int) -> str:
        """`14:30` or `2:30 PM`."""
        pattern = "HH:mm" if self.is_24_hour else "h:mm a"
        return str(format_time(self._local(at), pattern, tzinfo=self.zone, locale=self.locale))

    def day(self, at: int) -> str:
        """`Thursday, 4 March 2027`."""
        return str(format_date(self._date(at), "full", locale=self.locale))

    def short(self, at: int) -> str:
        """`Thu, 4 Mar, 14:30`, for subjects."""
        return f"{format_skeleton('MMMEd', self._date(at), locale=self.locale)}, {self.clock(at)}"

    def span(self, start: int, end: int) -> str:
        """`14:30 – 15:00`; an end on another date names it."""
        until = self.clock(end)
        if self._date(start) != self._date(end):
            until = f"{until} ({format_skeleton('MMMEd', self._date(end), locale=self.locale)})"
        return f"{self.clock(start)} – {until}"

    def zone_name(self, at: int) -> str:
        """`Central European Time, GMT+1`, the offset being that of the instant."""
        if self.zone.key == "UTC" or self.zone.key.startswith("Etc/"):
            return "UTC" if not self._offset(at) else _gmt(self._offset(at))
        name = str(get_timezone_name(self.zone, width="long", locale=self.locale))
        if "(" in name:  # the database has just a country and a city for it
            name = f"{self.zone.key.rpartition('/')[2].replace('_', ' ')} time"
        return f"{name}, {_gmt(self._offset(at))}"

    def elsewhere(self, timezone: str) -> Teller:
        """The same words for another zone's clock."""
        return replace(self, zone=ZoneInfo(timezone))

    def agrees(self, other: Teller, at: int) -> bool:
        """Whether both clocks show the same at this instant."""
        return self._offset(at) == other._offset(at)

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at, self.zone)

    def _date(self, at: int) -> date:
        return self._local(at).date()

    def _offset(self, at: int) -> timedelta:
        return self._local(at).utcoffset() or timedelta()


@lru_cache(maxsize=1024)
def teller(timezone: str, locale: str = "en") -> Teller:
    """For an IANA zone and a BCP 47 tag; of the tag only the region counts, since the mails are in English."""
    territory = _territory_of(locale) or _territory_of_zone(timezone)
    regional = f"en_{territory}"
    english = Locale.parse(regional if territory and exists(regional) else "en_001")
    return Teller(ZoneInfo(timezone), english, _is_24_hour(territory))


def _territory_of(tag: str) -> str | None:
    try:
        return Locale.parse(tag, sep="-").territory
    except (ValueError, UnknownLocaleError):
        return None


def _territory_of_zone(timezone: str) -> str | None:
    name = get_global("zone_aliases").get(timezone, timezone)
    found: str | None = get_global("zone_territories").get(name)
    return found if found and found.isalpha() and found != "ZZ" else None


def _is_24_hour(territory: str | None) -> bool:
    """By the language most people there speak; 24 hours where nothing is known."""
    if territory is None:
        return True
    likely = get_global("likely_subtags").get(f"und_{territory}", f"en_{territory}")
    language, region = likely.partition("_")[0], likely.rpartition("_")[2]
    known = next(name for name in (f"{language}_{region}", language, f"en_{territory}", "en_001") if exists(name))
    return "h" not in str(Locale.parse(known).time_formats["short"].pattern)


def _gmt(offset: timedelta) -> str:
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"GMT{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}" if minutes else "GMT"
