"""Public holidays of a country, from the library `holidays`."""

from __future__ import annotations

from datetime import date
from functools import cache, lru_cache


@cache
def supported_countries() -> frozenset[str]:
    """The ISO 3166 alpha-2 codes whose public holidays are known."""
    import holidays  # takes a tenth of a second and many megabytes; most processes never need it

    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=512)
def country_holidays(country: str, first_year: int, last_year: int) -> frozenset[date]:
    """The local dates of a country's public holidays in these years, both inclusive; ValueError for another code."""
    import holidays

    if country not in supported_countries():
        raise ValueError(f"no public holidays are known for {country!r}")
    return frozenset(holidays.country_holidays(country, years=range(first_year, last_year + 1)))
