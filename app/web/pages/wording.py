"""Dates and times in words: English, with the order, hour cycle and first weekday of the reader's region.

The pages are in English, so that dates in another language would be read out wrongly; what differs from region to
region within one language is what the reader's `Accept-Language` decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.dates import format_date, format_skeleton, format_time
from babel.localedata import exists
from babel.numbers import format_currency

from app.domain.languages import accepted
from app.domain.money import minor_digits

_YEAR = re.compile(r",?\s*y$")


@dataclass(frozen=True, slots=True)
class Wording:
    """How one reader wants dates told. `first_weekday` counts from Monday = 0."""

    locale: Locale
    first_weekday: int
    is_24_hour: bool

    def time(self, instant: int, timezone: str) -> str:
        """`14:30` or `2:30 PM`."""
        return self.clock(datetime.fromtimestamp(instant, ZoneInfo(timezone)))

    def weekday(self, instant: int, timezone: str) -> str:
        """`Mon`."""
        day = datetime.fromtimestamp(instant, ZoneInfo(timezone)).date()
        return str(format_date(day, "EEE", locale=self.locale))

    def clock(self, at: datetime) -> str:
        """The same for a wall time."""
        return str(format_time(at, "HH:mm" if self.is_24_hour else "h:mm a", tzinfo=at.tzinfo, locale=self.locale))

    def day(self, day: date) -> str:
        """`Monday, 23 November`, where the year goes without saying."""
        full = str(self.locale.date_formats["full"].pattern)
        return str(format_date(day, _YEAR.sub("", full), locale=self.locale))

    def full_day(self, day: date) -> str:
        """`Monday, 23 November 2026`."""
        return str(format_date(day, "full", locale=self.locale))

    def short_day(self, day: date) -> str:
        """`Mon, 23 Nov`."""
        return str(format_skeleton("MMMEd", day, locale=self.locale))

    def month(self, day: date) -> str:
        """`November 2026`."""
        return str(format_skeleton("yMMMM", day, locale=self.locale))

    def day_of(self, instant: int, timezone: str) -> str:
        """`full_day` of an instant."""
        return self.full_day(datetime.fromtimestamp(instant, ZoneInfo(timezone)).date())

    def span(self, start: int, end: int, timezone: str) -> str:
        """`14:30 – 15:00`; the end carries its date when that is another one."""
        zone = ZoneInfo(timezone)
        first, last = datetime.fromtimestamp(start, zone), datetime.fromtimestamp(end, zone)
        until = self.clock(last)
        if last.date() != first.date():
            until = f"{until} ({self.short_day(last.date())})"
        return f"{self.clock(first)} – {until}"

    def moment(self, instant: int, timezone: str) -> str:
        """`Monday, 23 November 2026, 14:30`."""
        return f"{self.day_of(instant, timezone)}, {self.time(instant, timezone)}"

    def money(self, amount: int, currency: str) -> str:
        """`€20.00`, `20,00 €`: an amount in minor units, as the reader's region writes it."""
        units = Decimal(amount).scaleb(-minor_digits(currency))
        return str(format_currency(units, currency, locale=self.locale))

    def weekdays(self) -> tuple[tuple[str, str], ...]:
        """(short, full) names, the first day of the reader's week first."""
        order = [(self.first_weekday + index) % 7 for index in range(7)]
        days = self.locale.days["format"]
        return tuple((str(days["abbreviated"][day]), str(days["wide"][day])) for day in order)


@lru_cache(maxsize=256)
def language_name(tag: str) -> str:
    """`German (Austria)` for `de-AT`; a tag that nobody knows stays what it is."""
    try:
        return str(Locale.parse(tag, sep="-").get_display_name("en") or tag)
    except (ValueError, UnknownLocaleError):
        return tag


def wording_for(accept_language: str | None) -> Wording:
    """The wording for an `Accept-Language` header; the first tag that means something decides."""
    for tag in accepted(accept_language):
        if (found := _wording(tag)) is not None:
            return found
    return _wording_of(Locale("en", "US"))


@lru_cache(maxsize=256)
def _wording(tag: str) -> Wording | None:
    try:
        own = Locale.parse(tag, sep="-" if "-" in tag else "_")
    except (ValueError, UnknownLocaleError, TypeError):
        return None
    return _wording_of(own)


def _wording_of(own: Locale) -> Wording:
    territory = own.territory or _likely_territory(own)
    regional = f"en_{territory}"
    english = Locale.parse(regional if exists(regional) else "en_001")
    pattern = str(own.time_formats["short"].pattern)
    return Wording(english, _with_territory(own, territory).first_week_day, "H" in pattern or "k" in pattern)


def _with_territory(own: Locale, territory: str | None) -> Locale:
    """The reader's own locale with its territory, which decides the first weekday."""
    if own.territory or territory is None:
        return own
    try:
        return Locale(own.language, territory=territory, script=own.script)
    except UnknownLocaleError:
        return own


def _likely_territory(own: Locale) -> str | None:
    likely: str | None = get_global("likely_subtags").get(own.language)
    return likely.rpartition("_")[2] if likely else None
