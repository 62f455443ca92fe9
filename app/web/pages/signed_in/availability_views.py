"""Schedules and time off as their page lists them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from app.domain.holiday_dates import country_holidays
from app.domain.hours import day_start, local_date
from app.ports.hosts import ScheduleRecord, TimeOff
from app.web.pages.signed_in.availability_form import ranges_words
from app.web.pages.wording import Wording

SHOWN_HOLIDAYS = 4


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of a list that can be removed: `key` says which."""

    key: str
    title: str
    text: str


def next_holidays(country: str | None, today: date, wording: Wording) -> list[str]:
    """The coming public holidays of a country."""
    if country is None:
        return []
    dates = sorted(day for day in country_holidays(country, today.year, today.year + 1) if day >= today)
    return [wording.short_day(day) for day in dates[:SHOWN_HOLIDAYS]]


def override_lines(schedule: ScheduleRecord, today: date, wording: Wording) -> list[Line]:
    """Dates ahead with hours of their own."""
    ahead = sorted(
        (entry for entry in schedule.overrides if date.fromisoformat(entry["date"]) >= today),
        key=lambda entry: str(entry["date"]),
    )
    return [
        Line(
            entry["date"],
            wording.full_day(date.fromisoformat(entry["date"])),
            ranges_words(entry["ranges"], wording),
        )
        for entry in ahead
    ]


def exclusion_lines(schedule: ScheduleRecord, today: date, wording: Wording) -> list[Line]:
    """Periods ahead in which nothing is offered."""
    ahead = sorted(
        (entry for entry in schedule.exclusions if date.fromisoformat(entry["to"]) >= today),
        key=lambda entry: str(entry["from"]),
    )
    return [
        Line(exclusion_key(entry), _period(entry["from"], entry["to"], wording), entry.get("reason", ""))
        for entry in ahead
    ]


def exclusion_key(entry: Mapping[str, Any]) -> str:
    """Tells one period of a schedule from the others."""
    return f"{entry['from']}/{entry['to']}"


def _period(first: str, last: str, wording: Wording) -> str:
    begin, end = wording.full_day(date.fromisoformat(first)), wording.full_day(date.fromisoformat(last))
    return begin if first == last else f"{begin} – {end}"


def away_line(away: TimeOff, zone: str, wording: Wording) -> Line:
    """Time off in words: days alone where it is whole ones."""
    first, last = local_date(zone, away.start), local_date(zone, away.end - 1)
    is_whole = away.start == day_start(zone, first) and away.end == day_start(zone, last + timedelta(days=1))
    if is_whole:
        title = _period(first.isoformat(), last.isoformat(), wording)
    elif first == last:
        title = f"{wording.full_day(first)}, {wording.span(away.start, away.end, zone)}"
    else:
        begin = f"{wording.full_day(first)}, {wording.time(away.start, zone)}"
        title = f"{begin} – {wording.full_day(last)}, {wording.time(away.end, zone)}"
    return Line(away.id, title, away.reason)
