"""Which components of a stored resource take place in a time range: the table of RFC 4791 §9.9."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from app.domain.ical_parse import all_values, first_value
from app.domain.ical_series import Vcomponent
from app.domain.ical_tasks import free_busy_periods
from app.domain.ical_times import FAR, ObjectTimes
from app.domain.recurrence import Placed, instant_of

SOON = 40 * 86400
MAX_REPEATS = 100
"""How many repetitions of an alarm are looked at."""
REACHES = (86400, 8 * 86400, 60 * 86400, 400 * 86400)
"""How far from its event an alarm of an instance is looked for, seconds."""

Range = tuple[int | None, int | None]


def overlaps(times: ObjectTimes, component: Vcomponent, start: int | None, end: int | None) -> bool:
    """Whether the component takes place in [start, end), epoch seconds; None is open."""
    span = (start, end)
    match str(component.name):
        case "VEVENT":
            return _is_endless(component, span) or _takes_place(times, component, span)
        case "VTODO" | "VJOURNAL":
            return _dated_overlaps(times, component, span)
        case "VFREEBUSY":
            return _free_busy_overlaps(times, component, span)
        case "VALARM":
            return _alarm_overlaps(times, component, span)
        case _:
            return False


def _takes_place(times: ObjectTimes, component: Vcomponent, span: Range) -> bool:
    """Whether there is an instance in the range. Most series have one soon: that is looked for first."""
    start, end = looked_into(span)
    if times.recurs and end - start > 2 * SOON:
        near = times.near((start, start + SOON))
        if any(each.source is component and _placed_in(component, each, span) for each in near):
            return True
    return any(True for _ in meeting(times, component, span))


def meeting(times: ObjectTimes, component: Vcomponent, span: Range) -> Iterator[Placed]:
    """The instances that a component has in the range. Those too far away on an open side to be listed are told by
    one, if the covering range says that there are any."""
    window = looked_into(span)
    is_open = None in span
    instances, facts = times.near_and_far(window) if is_open else (times.near(window), None)
    for each in instances:
        if each.source is component and _placed_in(component, each, span):
            yield each
    if facts is None:
        return
    if (span[0] is None and facts.start < window[0]) or (span[1] is None and _ends_after(facts.end, window[1])):
        yield Placed(facts.start, facts.end or window[1], component, None)


def looked_into(span: Range) -> tuple[int, int]:
    """The range itself, or as much of an open one as instances are listed for."""
    start = (span[1] or 0) - FAR if span[0] is None else span[0]
    return start, start + FAR if span[1] is None else span[1]


def _ends_after(end: int | None, at: int) -> bool:
    return end is None or end > at


def _is_endless(component: Vcomponent, span: Range) -> bool:
    """Whether a rule without end goes on beyond all that an open range leaves out."""
    if span[1] is not None or "RRULE" not in component:
        return False
    rules, _ = all_values(component, "RRULE")
    return any("COUNT" not in rule and "UNTIL" not in rule for rule in rules)


def _placed_in(component: Vcomponent, placed: Placed, span: Range) -> bool:
    """Whether an instance is in the range, by the row of the table for its component."""
    begin, until = placed.begin, placed.until
    match str(component.name):
        case "VTODO":
            if "DTSTART" not in component:  # it stands where it is due
                return _todo_row(span, None, begin, by_duration=False)
            has_end = "DUE" in component or "DURATION" in component
            return _todo_row(span, begin, until if has_end else None, by_duration="DURATION" in component)
        case "VJOURNAL":
            return _journal_row(span, begin, is_day=_is_day(component))
        case _:
            return _meets(begin, until, span)


def _dated_overlaps(times: ObjectTimes, component: Vcomponent, span: Range) -> bool:
    if times.recurs and ("DTSTART" in component or "DUE" in component):
        return _takes_place(times, component, span)
    begin = times.at(component, "DTSTART")
    if component.name == "VJOURNAL":
        return begin is not None and _journal_row(span, begin, is_day=_is_day(component))
    due, length = times.at(component, "DUE"), _length(component)
    if begin is None and due is None:
        return _done_row(span, times.at(component, "CREATED"), times.at(component, "COMPLETED"))
    if begin is not None and length is not None:
        return _todo_row(span, begin, begin + length, by_duration=True)
    return _todo_row(span, begin, due, by_duration=False)


def _todo_row(span: Range, begin: int | None, until: int | None, by_duration: bool) -> bool:
    if begin is not None and until is not None:
        ends_late = _at_or_before(span, until) if by_duration else _before(span, until) or _at_or_before(span, begin)
        return ends_late and (_after(span, begin) or _until(span, until))
    if begin is not None:
        return _at_or_before(span, begin) and _after(span, begin)
    return until is None or (_before(span, until) and _until(span, until))


def _done_row(span: Range, made: int | None, done: int | None) -> bool:
    """A task without times of its own: by when it was made and finished."""
    if made is not None and done is not None:
        return (_at_or_before(span, made) or _at_or_before(span, done)) and (_until(span, made) or _until(span, done))
    if done is not None:
        return _at_or_before(span, done) and _until(span, done)
    return made is None or _after(span, made)


def _journal_row(span: Range, begin: int, *, is_day: bool) -> bool:
    return (_before(span, begin + 86400) if is_day else _at_or_before(span, begin)) and _after(span, begin)


def _is_day(component: Vcomponent) -> bool:
    return not isinstance(getattr(first_value(component, "DTSTART")[0], "dt", None), datetime)


def _free_busy_overlaps(times: ObjectTimes, component: Vcomponent, span: Range) -> bool:
    begin, until = times.at(component, "DTSTART"), times.at(component, "DTEND")
    if begin is not None and until is not None:
        return _at_or_before(span, until) and _after(span, begin)
    return any(_before(span, last) and _after(span, first) for first, last, _ in free_busy_periods(component))


def _alarm_overlaps(times: ObjectTimes, alarm: Vcomponent, span: Range) -> bool:
    trigger, _ = first_value(alarm, "TRIGGER")
    if trigger is None:
        return False
    repeats, every = first_value(alarm, "REPEAT")[0], _length(alarm) or 0
    lags = [number * every for number in range((min(int(repeats), MAX_REPEATS) if repeats and every else 0) + 1)]
    if isinstance(trigger.dt, datetime):
        moments = [instant_of(trigger.dt, times.zone)]
    else:
        moments = _relative(times, alarm, trigger, span, lags[-1])
    return any(_meets(int(each + lag), int(each + lag), span) for each in moments for lag in lags)


def _relative(times: ObjectTimes, alarm: Vcomponent, trigger: Any, span: Range, lag: int) -> list[float]:
    """When an alarm counted from its component's start or end goes off, near the range."""
    holder = next((each for each in times.main if any(alarm is inner for inner in each.subcomponents)), None)
    if holder is None or not isinstance(trigger.dt, timedelta):
        return []
    offset = trigger.dt.total_seconds()
    from_end = str(trigger.params.get("RELATED", "START")).upper() == "END"
    # Of few sizes, so that many alarms share a listing of instances.
    reach = next((each for each in REACHES if each > abs(offset) + abs(lag)), REACHES[-1])
    first, last = looked_into(span)
    near = times.near((first - reach, last + reach))
    return [(each.until if from_end else each.begin) + offset for each in near if each.source is holder]


def _length(component: Vcomponent) -> int | None:
    found, _ = all_values(component, "DURATION")
    length = getattr(found[0], "dt", None) if found else None
    return int(length.total_seconds()) if isinstance(length, timedelta) else None


def _meets(begin: int, until: int, span: Range) -> bool:
    """Overlap, where something without length belongs to the range that it begins in."""
    start, end = span
    return (end is None or begin < end) and (start is None or until > start or begin >= start)


def _before(span: Range, at: int) -> bool:
    return span[0] is None or span[0] < at


def _at_or_before(span: Range, at: int) -> bool:
    return span[0] is None or span[0] <= at


def _after(span: Range, at: int) -> bool:
    return span[1] is None or span[1] > at


def _until(span: Range, at: int) -> bool:
    return span[1] is None or span[1] >= at
