"""Dates and times in words, as mails tell them: in the reader's language where there are words in it, else in English,
in the order and hour cycle of the reader's region.

A mail has no browser to ask. Unless the person's locale names a region, that of their time zone decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from gettext import NullTranslations
from zoneinfo import ZoneInfo

from babel import Locale
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time, get_timezone_location, get_timezone_name
from babel.localedata import exists

from app.domain.languages import SOURCE, region_of, spoken
from integrations.mail.catalogs import words_in


@dataclass(frozen=True, slots=True)
class Teller:
    """Tells instants (epoch seconds) to one reader, in their zone, and all else in the words of their language."""

    zone: ZoneInfo
    locale: Locale
    is_24_hour: bool
    words: NullTranslations
    language: str = SOURCE
    is_rtl: bool = False

    def gettext(self, message: str) -> str:
        """The program's own words."""
        return self.words.gettext(message)

    def ngettext(self, one: str, many: str, count: int) -> str:
        """The same for what there is a number of."""
        return self.words.ngettext(one, many, count)

    def listed(self, names: Iterable[str]) -> str:
        """`Ana, Ben`."""
        return ("، " if self.is_rtl else ", ").join(names)

    def clock(self, at: int) -> str:
        """`14:30` or `2:30 PM`."""
        pattern = "HH:mm" if self.is_24_hour else "h:mm a"
        return str(format_time(self._local(at), pattern, tzinfo=self.zone, locale=self.locale))

    def day(self, at: int) -> str:
        """`Thursday, 4 March 2027`."""
        return str(format_date(self._date(at), "full", locale=self.locale))

    def short(self, at: int) -> str:
        """`Thu, 4 Mar, 14:30`, for subjects."""
        return self._joined(self._short_day(at), at)

    def moment(self, at: int) -> str:
        """`Thursday, 4 March 2027, 14:30`."""
        return self._joined(self.day(at), at)

    def span(self, start: int, end: int) -> str:
        """`14:30 – 15:00`; an end on another date names it."""
        until = self.clock(end)
        if self._date(start) != self._date(end):
            until = f"{until} ({self._short_day(end)})"
        return f"{self.clock(start)} – {until}"

    def zone_name(self, at: int) -> str:
        """`Central European Time, GMT+1`, the offset being that of the instant."""
        if self.zone.key == "UTC" or self.zone.key.startswith("Etc/"):
            return "UTC" if not self._offset(at) else self._gmt(at)
        name = str(get_timezone_name(self.zone, width="long", locale=self.locale))
        if "(" in name or (self.language != SOURCE and name == get_timezone_location(self.zone, locale=self.locale)):
            name = self.gettext("{city} time").format(city=self._city())  # the database has just a country for it
        return self.listed([name, self._gmt(at)])

    def elsewhere(self, timezone: str) -> Teller:
        """The same words for another zone's clock."""
        return replace(self, zone=ZoneInfo(timezone))

    def agrees(self, other: Teller, at: int) -> bool:
        """Whether both clocks show the same at this instant."""
        return self._offset(at) == other._offset(at)

    def _local(self, at: int) -> datetime:
        return datetime.fromtimestamp(at, self.zone)

    def _short_day(self, at: int) -> str:
        return str(format_skeleton("MMMEd", self._date(at), locale=self.locale))

    def _date(self, at: int) -> date:
        return self._local(at).date()

    def _offset(self, at: int) -> timedelta:
        return self._local(at).utcoffset() or timedelta()

    def _joined(self, day: str, at: int) -> str:
        return self.listed([day, self.clock(at)])

    def _city(self) -> str:
        if self.language == SOURCE:
            return self.zone.key.rpartition("/")[2].replace("_", " ")
        return str(get_timezone_location(self.zone, locale=self.locale, return_city=True))

    def _gmt(self, at: int) -> str:
        return str(self.locale.zone_formats["gmt"]) % _signed(self._offset(at))


@lru_cache(maxsize=1024)
def teller(timezone: str, locale: str = "en") -> Teller:
    """For an IANA zone and a BCP 47 tag. Of a tag of a language there are no words in, the region alone counts."""
    zone, language = ZoneInfo(timezone), spoken(locale) or SOURCE
    territory = region_of(locale) or _territory_of_zone(timezone)
    if language == SOURCE:
        regional = f"en_{territory}"
        english = Locale.parse(regional if territory and exists(regional) else "en_001")
        return Teller(zone, english, _is_24_hour(territory), words_in(SOURCE))
    plain = language.replace("-", "_")
    regional = f"{plain}_{territory}"
    own = Locale.parse(regional if territory and exists(regional) else plain)
    is_24_hour, is_rtl = "H" in str(own.time_formats["short"].pattern), own.text_direction == "rtl"
    return Teller(zone, own, is_24_hour, words_in(language), language, is_rtl)


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


def _signed(offset: timedelta) -> str:
    """`+1`, `-3:30`; nothing where there is none."""
    minutes = int(offset.total_seconds()) // 60
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours}{f':{rest:02d}' if rest else ''}" if minutes else ""
