"""Which components of a stored resource take place in a time range: the table of RFC 4791 §9.9."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.calendars import ObjectFacts
from app.domain.errors import Invalid
from app.domain.ical_parse import ParsedCalendar, all_values, first_value, parse_calendar, with_zone
from app.domain.ical_series import Vcomponent
from app.domain.ical_zones import known_zone
from app.domain.recurrence import Reading, instant_of

FAR = 1830 * 86400
"""How far an open side of a range is looked into for instances; beyond it the covering range decides."""

Range = tuple[int | None, int | None]


class ObjectTimes:
    """A parsed resource. `zone` (IANA) is what its floating and all-day times are read in. `Invalid` for data or a zone
    that cannot be read."""

    def __init__(self, data: str, zone: str) -> None:
        found = known_zone(zone)
        if found is None:
            raise Invalid(f"“{zone[:64]}” is not a known time zone.")
        self._zone: ZoneInfo = found
        self._parsed: ParsedCalendar = parse_calendar(data)
        self.calendar: Vcomponent = self._parsed.calendar
        self._listed: dict[tuple[int, int], tuple[list[tuple[int, int, Vcomponent]], ObjectFacts]] = {}

    def overlaps(self, component: Vcomponent, start: int | None, end: int | None) -> bool:
        """Whether the component takes place in [start, end), epoch seconds; None is open."""
        match str(component.name):
            case "VEVENT":
                return self._event_overlaps(component, start, end)
            case "VTODO":
                return self._todo_overlaps(component, (start, end))
            case "VJOURNAL":
                return self._journal_overlaps(component, (start, end))
            case "VALARM":
                return self._alarm_overlaps(component, start, end)
            case _:
                return False

    def _event_overlaps(self, event: Vcomponent, start: int | None, end: int | None) -> bool:
        window = _looked_into(start, end)
        instances, facts = self._near(window)
        if any(source is event and _meets(begin, until, start, end) for begin, until, source in instances):
            return True
        # Too far away to list: there the covering range decides.
        if start is None and facts.start < window[0]:
            return True
        return end is None and (facts.end is None or facts.end > window[1])

    def _near(self, window: tuple[int, int]) -> tuple[list[tuple[int, int, Vcomponent]], ObjectFacts]:
        """The instances of all events of the resource in and around the window."""
        if window not in self._listed:
            reading = Reading(self._zone, window, tentative_busy=True, self_addresses=frozenset())
            events = [each for each in self.calendar.subcomponents if each.name == "VEVENT"]
            facts = reading.facts(self._parsed, events, "")
            self._listed[window] = reading.instances, facts
        return self._listed[window]

    def _todo_overlaps(self, todo: Vcomponent, span: Range) -> bool:
        if any(name in todo for name in ("RRULE", "RDATE")):
            return True  # the covering range, by which it was found, is all that is known of its repetitions
        begin, due = self._at(todo, "DTSTART"), self._at(todo, "DUE")
        length = self._length(todo)
        if begin is not None and length is not None:
            until = begin + length
            return _at_or_before(span, until) and (_after(span, begin) or _until(span, until))
        if begin is not None and due is not None:
            return (_before(span, due) or _at_or_before(span, begin)) and (_after(span, begin) or _until(span, due))
        if begin is not None:
            return _at_or_before(span, begin) and _after(span, begin)
        if due is not None:
            return _before(span, due) and _until(span, due)
        return self._done_overlaps(todo, span)

    def _done_overlaps(self, todo: Vcomponent, span: Range) -> bool:
        """A task without times of its own: by when it was made and finished."""
        made, done = self._at(todo, "CREATED"), self._at(todo, "COMPLETED")
        if made is not None and done is not None:
            return (_at_or_before(span, made) or _at_or_before(span, done)) and (
                _until(span, made) or _until(span, done)
            )
        if done is not None:
            return _at_or_before(span, done) and _until(span, done)
        return made is None or _after(span, made)

    def _journal_overlaps(self, journal: Vcomponent, span: Range) -> bool:
        value, _ = first_value(journal, "DTSTART")
        begin = self._at(journal, "DTSTART")
        if begin is None:
            return False
        if isinstance(value.dt, datetime):
            return _at_or_before(span, begin) and _after(span, begin)
        return _before(span, begin + 86400) and _after(span, begin)

    def _alarm_overlaps(self, alarm: Vcomponent, start: int | None, end: int | None) -> bool:
        trigger, _ = first_value(alarm, "TRIGGER")
        if trigger is None:
            return False
        if isinstance(trigger.dt, datetime):
            moments = [instant_of(trigger.dt, self._zone)]
        else:
            moments = self._relative(alarm, trigger, start, end)
        repeats, every = first_value(alarm, "REPEAT")[0], self._length(alarm)
        count = min(int(repeats), 100) if repeats is not None and every is not None else 0
        times = [moment + number * (every or 0) for moment in moments for number in range(count + 1)]
        return any(_meets(int(each), int(each), start, end) for each in times)

    def _relative(self, alarm: Vcomponent, trigger: Any, start: int | None, end: int | None) -> list[float]:
        """When an alarm counted from its event's start or end goes off, near the range."""
        holder = next((each for each in self.calendar.subcomponents if alarm in each.subcomponents), None)
        if holder is None or not isinstance(trigger.dt, timedelta):
            return []
        offset = trigger.dt.total_seconds()
        from_end = str(trigger.params.get("RELATED", "START")).upper() == "END"
        if holder.name != "VEVENT":
            base = self._at(holder, "DUE" if from_end else "DTSTART")
            return [] if base is None else [base + offset]
        reach = int(abs(offset)) + 86400
        first, last = _looked_into(start, end)
        near, _ = self._near((first - reach, last + reach))
        return [(until if from_end else begin) + offset for begin, until, source in near if source is holder]

    def _at(self, component: Vcomponent, name: str) -> int | None:
        value, _ = first_value(component, name)
        moment = getattr(value, "dt", None)
        if not isinstance(moment, date):
            return None
        return int(instant_of(with_zone(moment, self._parsed.zone_of(value) or self._zone), self._zone))

    @staticmethod
    def _length(component: Vcomponent) -> int | None:
        found, _ = all_values(component, "DURATION")
        length = getattr(found[0], "dt", None) if found else None
        return int(length.total_seconds()) if isinstance(length, timedelta) else None


def _looked_into(start: int | None, end: int | None) -> tuple[int, int]:
    """The range itself, or as much of an open one as instances are listed for."""
    if start is None:
        start = (end or 0) - FAR
    return start, start + FAR if end is None else end


def _meets(begin: int, until: int, start: int | None, end: int | None) -> bool:
    """Overlap, where something without length belongs to the range that it begins in."""
    return (end is None or begin < end) and (start is None or until > start or begin >= start)


def _before(span: Range, at: int) -> bool:
    return span[0] is None or span[0] < at


def _at_or_before(span: Range, at: int) -> bool:
    return span[0] is None or span[0] <= at


def _after(span: Range, at: int) -> bool:
    return span[1] is None or span[1] > at


def _until(span: Range, at: int) -> bool:
    return span[1] is None or span[1] >= at
