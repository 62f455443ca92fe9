"""The form of weekly hours: from a schedule to time inputs, and back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from babel import Locale

from app.domain.holiday_dates import supported_countries
from app.ports.hosts import ScheduleRecord
from app.use_cases.schedule_rules import WEEKDAYS
from app.use_cases.zone_names import canonical_zone
from app.web.api.fields import RequiredLine
from app.web.api.fields import WallTime as WallTimeText
from app.web.pages.signed_in.form import Form
from app.web.pages.wording import Wording

NAMES = dict(zip(WEEKDAYS, ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"), strict=True))
_MIDNIGHT = "00:00"
_END_OF_DAY = "24:00"

Pair = tuple[str, str]


@dataclass(frozen=True, slots=True)
class DayHours:
    """One weekday of the form: its ranges as typed, and what is wrong with them."""

    key: str
    name: str
    pairs: tuple[Pair, ...]
    error: str


def schedule_form(schedule: ScheduleRecord) -> Form:
    """The form of a schedule as it is kept. Inputs for times of day know no 24:00: there the day's end is 00:00."""
    values: dict[str, Any] = {
        "name": schedule.name,
        "timezone": schedule.timezone,
        "holiday_country": schedule.holiday_country,
        "version": schedule.version,
    }
    for day in WEEKDAYS:
        pairs = schedule.weekly.get(day, ())
        values[f"{day}.begin"] = [begin for begin, _ in pairs]
        values[f"{day}.end"] = [_MIDNIGHT if end == _END_OF_DAY else end for _, end in pairs]
    return Form.of(values)


def day_hours(form: Form) -> tuple[DayHours, ...]:
    """The weekdays as the page shows them."""
    return tuple(DayHours(day, NAMES[day], tuple(typed_pairs(form, day)), form.errors.get(day, "")) for day in WEEKDAYS)


def typed_pairs(form: Form, prefix: str) -> list[Pair]:
    """The begins and ends typed for a day; what is missing is empty."""
    begins, ends = form.all(f"{prefix}.begin"), form.all(f"{prefix}.end")
    count = max(len(begins), len(ends))
    begins, ends = begins + [""] * (count - len(begins)), ends + [""] * (count - len(ends))
    return list(zip(begins, ends, strict=True))


def add_range(form: Form, day: str) -> None:
    """One more, empty, range of a day."""
    for part in ("begin", "end"):
        form.values.setdefault(f"{day}.{part}", []).append("")


def copy_to_weekdays(form: Form, day: str) -> None:
    """Give Monday to Friday the hours of one day."""
    for other in WEEKDAYS[:5]:
        for part in ("begin", "end"):
            form.values[f"{other}.{part}"] = list(form.all(f"{day}.{part}"))


def read_schedule(form: Form) -> dict[str, Any]:
    """The `ScheduleRecord` fields of a posted form; `Invalid` with everything that is wrong."""
    values = {
        "name": form.text("name", RequiredLine, "Please enter a name, on one line."),
        "timezone": canonical_zone(form.get("timezone")),
        "holiday_country": form.get("holiday_country") or None,
        "weekly": {day: read_ranges(form, day) for day in WEEKDAYS},
    }
    form.finish()
    return values


def read_ranges(form: Form, prefix: str) -> list[Pair]:
    """The ranges of a day; rows left empty do not count."""
    found: list[Pair] = []
    for begin, end in typed_pairs(form, prefix):
        if not begin and not end:
            continue
        if not begin or not end:
            form.fail(prefix, "Each range needs a begin and an end.")
            continue
        begin, end = begin[:5], _END_OF_DAY if end[:5] == _MIDNIGHT else end[:5]
        for text in (begin, end):
            form.checked(prefix, text, WallTimeText, "Times are written like 09:00.")
        found.append((begin, end))
    return sorted(found)


def form_name(field: str) -> str:
    """The form's name for a field of the use case, such as `weekly.mon.0`."""
    parts = field.split(".")
    return parts[1] if parts[0] == "weekly" and len(parts) > 1 else parts[0]


def ranges_words(pairs: Any, wording: Wording) -> str:
    """`09:00 – 12:00, 13:00 – 17:00`, or that it is closed."""
    return ", ".join(_range_words(begin, end, wording) for begin, end in pairs) or "Closed"


def _range_words(begin: str, end: str, wording: Wording) -> str:
    words = f"{_clock(begin, wording)} – {_clock(end, wording)}"
    return f"{words} the next day" if end <= begin else words


def _clock(text: str, wording: Wording) -> str:
    hours, minutes = text.split(":")
    return wording.clock(datetime(2000, 1, 1, int(hours) % 24, int(minutes)))  # noqa: DTZ001  # a time of no day


def countries() -> list[tuple[str, str]]:
    """(code, name) of all countries whose public holidays are known, by name."""
    names = Locale("en").territories
    return sorted(((code, str(names.get(code, code))) for code in supported_countries()), key=lambda pair: pair[1])
