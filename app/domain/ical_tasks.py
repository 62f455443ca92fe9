"""Times of the components that are no events: tasks, journal entries, and busy time as VFREEBUSY."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

from icalendar import Event

from app.domain.ical_parse import all_values, first_value
from app.domain.ical_series import Vcomponent

_KEPT = ("UID", "SEQUENCE", "DTSTART", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")


def stand_in(component: Vcomponent) -> Event | None:
    """An event that takes place when the task or journal entry does, to work out its repetitions with; None for one
    without a date."""
    event = Event()
    for name in _KEPT:
        if name in component:
            event[name] = component[name]
    if "DUE" in component:
        event["DTEND" if "DTSTART" in component else "DTSTART"] = component["DUE"]
    return event if "DTSTART" in event else None


def covering_moments(component: Vcomponent) -> tuple[list[Any], bool]:
    """The values that bound when a component may be asked for (RFC 4791 §9.9), and whether it is so for ever after."""
    found = {}
    for name in ("DTSTART", "DUE", "DTEND", "COMPLETED", "CREATED"):
        value, _ = first_value(component, name)
        if value is not None and isinstance(getattr(value, "dt", None), date):
            found[name] = value
    is_dated = any(name in found for name in ("DTSTART", "DUE", "COMPLETED"))
    return list(found.values()), "DURATION" in component or (component.name == "VTODO" and not is_dated)


def free_busy_periods(component: Vcomponent) -> Iterator[tuple[int, int, str]]:
    """The FREEBUSY values of a component as (begin, end, FBTYPE), epoch seconds; those that cannot be read are left
    out."""
    for value in all_values(component, "FREEBUSY")[0]:
        word = str(getattr(value, "params", {}).get("FBTYPE", "BUSY")).upper()
        for period in getattr(value, "dts", None) or [value]:
            edges = _edges(getattr(period, "dt", None))
            if edges is not None:
                yield *edges, word


def _edges(period: Any) -> tuple[int, int] | None:
    """A period as epoch seconds; it is always in UTC (RFC 5545 §3.8.2.6)."""
    if not isinstance(period, tuple) or len(period) != 2 or not isinstance(period[0], datetime):
        return None
    begin, last = period
    try:
        until = begin + last if isinstance(last, timedelta) else last
        return _instant(begin), _instant(until)
    except (OverflowError, ValueError, AttributeError):
        return None


def _instant(moment: datetime) -> int:
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
