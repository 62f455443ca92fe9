"""From a stored schedule to what the slot engine reads, and the checks of what people enter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from app.domain.errors import FieldError, Invalid
from app.domain.holiday_dates import country_holidays, supported_countries
from app.domain.hours import Range, Schedule
from app.ports.hosts import ScheduleRecord

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MAX_RANGES_A_DAY = 24
MAX_ENTRIES = 1000

_cache: dict[tuple[str, int, int], Schedule] = {}
_CACHE_SIZE = 1024


def schedule_rules(record: ScheduleRecord, now: int) -> Schedule:
    """The engine's schedule; holidays cover the year before `now` and the two after."""
    year = datetime.fromtimestamp(now, UTC).year
    key = (record.id, record.version, year)
    found = _cache.get(key)
    if found is None:
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        found = _cache[key] = _read(record, year)
    return found


def _read(record: ScheduleRecord, year: int) -> Schedule:
    country = record.holiday_country
    return Schedule(
        timezone=record.timezone,
        weekly=tuple(_ranges(record.weekly.get(day, ())) for day in WEEKDAYS),
        overrides={date.fromisoformat(entry["date"]): _ranges(entry["ranges"]) for entry in record.overrides},
        exclusions=tuple(
            (date.fromisoformat(entry["from"]), date.fromisoformat(entry["to"])) for entry in record.exclusions
        ),
        holidays=country_holidays(country, year - 1, year + 2) if country else frozenset(),
    )


def no_hours(timezone: str = "UTC") -> Schedule:
    """The schedule of a host that has none: never open."""
    return Schedule(timezone=timezone, weekly=((),) * 7, overrides={}, exclusions=(), holidays=frozenset())


def _ranges(pairs: Sequence[Sequence[str]]) -> tuple[Range, ...]:
    return tuple((minutes_of(begin), minutes_of(end)) for begin, end in pairs)


def minutes_of(text: str) -> int:
    """`HH:MM` (00:00 to 24:00) as minutes of the day; ValueError otherwise."""
    hours, colon, minutes = text.partition(":")
    if not (colon and len(hours) == 2 and len(minutes) == 2 and hours.isdecimal() and minutes.isdecimal()):
        raise ValueError("a time is written HH:MM")
    value = int(hours) * 60 + int(minutes)
    if int(minutes) > 59 or value > 1440:
        raise ValueError("a time lies between 00:00 and 24:00")
    return value


# These mean whatever a machine makes of them, and nothing to calendars elsewhere.
_ZONES = available_timezones() - {"localtime", "posixrules", "Factory"}


def check_timezone(name: str, field: str = "timezone") -> str:
    """An IANA zone of this server's database, or `Invalid`."""
    if name not in _ZONES:
        raise Invalid.field(field, f"“{name[:64]}” is not a time zone this server knows.")
    return name


def zone(name: str) -> ZoneInfo:
    """The zone itself."""
    return ZoneInfo(name)


def check_schedule(values: Mapping[str, Any]) -> None:
    """Every problem of an entered schedule at once, by field."""
    errors = [*_check_weekly(values["weekly"]), *_check_overrides(values["overrides"])]
    errors += _check_exclusions(values["exclusions"])
    if values["timezone"] not in _ZONES:
        errors.append(FieldError("timezone", "This is not a time zone this server knows."))
    country = values["holiday_country"]
    if country is not None and country not in supported_countries():
        errors.append(FieldError("holiday_country", "The public holidays of this country are not known."))
    if errors:
        raise Invalid("The schedule cannot be kept as sent.", errors)


def _check_weekly(weekly: Mapping[str, Any]) -> list[FieldError]:
    errors = [FieldError(f"weekly.{day}", "Days are mon to sun.") for day in weekly if day not in WEEKDAYS]
    for day in WEEKDAYS:
        errors += _check_ranges(f"weekly.{day}", weekly.get(day, ()))
    return errors


def _check_ranges(field: str, ranges: Sequence[Sequence[str]]) -> list[FieldError]:
    if len(ranges) > MAX_RANGES_A_DAY:
        return [FieldError(field, f"At most {MAX_RANGES_A_DAY} ranges a day.")]
    errors = []
    for index, pair in enumerate(ranges):
        try:
            begin, _ = (minutes_of(text) for text in pair)
        except ValueError as problem:
            errors.append(FieldError(f"{field}.{index}", f"A range is a begin and an end: {problem}."))
            continue
        if begin == 1440:
            errors.append(FieldError(f"{field}.{index}", "A range begins before 24:00."))
    return errors


def _check_overrides(overrides: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    if len(overrides) > MAX_ENTRIES:
        return [FieldError("overrides", f"At most {MAX_ENTRIES} date overrides.")]
    errors = []
    seen: set[str] = set()
    for index, entry in enumerate(overrides):
        errors += _check_date(f"overrides.{index}.date", entry["date"])
        if entry["date"] in seen:
            errors.append(FieldError(f"overrides.{index}.date", "There are two overrides for this date."))
        seen.add(entry["date"])
        errors += _check_ranges(f"overrides.{index}.ranges", entry["ranges"])
    return errors


def _check_exclusions(exclusions: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    if len(exclusions) > MAX_ENTRIES:
        return [FieldError("exclusions", f"At most {MAX_ENTRIES} excluded periods.")]
    errors = []
    for index, entry in enumerate(exclusions):
        wrong = _check_date(f"exclusions.{index}.from", entry["from"])
        wrong += _check_date(f"exclusions.{index}.to", entry["to"])
        if not wrong and entry["to"] < entry["from"]:
            wrong.append(FieldError(f"exclusions.{index}.to", "The last day lies before the first."))
        errors += wrong
    return errors


def _check_date(field: str, text: str) -> list[FieldError]:
    try:
        date.fromisoformat(text)
    except ValueError:
        return [FieldError(field, "A date is written YYYY-MM-DD.")]
    return [] if len(text) == 10 else [FieldError(field, "A date is written YYYY-MM-DD.")]
