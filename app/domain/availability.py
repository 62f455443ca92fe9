"""Working hours as VAVAILABILITY (RFC 7953), and back.

Weekly hours are one VAVAILABILITY without an end. Single dates and excluded periods are further ones of higher priority
(§3.2), each over whole days. Public holidays are worked out anew every year, and stay out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from app.domain.content_lines import Component, Line, read_calendar
from app.domain.errors import Invalid
from app.domain.event_text import PRODID, utc_stamp
from app.domain.hours import MINUTES_A_DAY, ONE_DAY, Range, Schedule
from app.domain.ical_parse import parse_calendar
from app.domain.ical_zones import known_zone
from app.domain.scheduling.objects import wall_time
from app.domain.timezone_text import UTC_NAMES, timezone_component

DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
MAX_DAYS = 366
_MONDAY = date(2020, 1, 6)  # whence weekly hours are counted; from 2020 on the zones' rules are written
_EXCEPTION, _USUAL = 1, 9
_DURATION = re.compile(r"\+?P(?:([0-9]{1,4})D)?(?:T(?:([0-9]{1,4})H)?(?:([0-9]{1,4})M)?(?:0+S)?)?")
_EVERY_DAY = frozenset(range(7))


def availability_text(schedule: Schedule, uid: str, now: int, since: date) -> str:
    """The schedule as a VCALENDAR; exceptions that ended before `since` are left out."""
    writer = _Writer(schedule.timezone, uid, utc_stamp(now))
    blocks = [writer.usual(schedule.weekly)]
    for first, last in schedule.exclusions:
        if last >= since:
            blocks.append(writer.exception(first, last, ()))
    for day, ranges in sorted(schedule.overrides.items()):
        if day >= since:
            blocks.append(writer.exception(day, day, ranges))
    head = [Line("VERSION", (), "2.0"), Line("PRODID", (), PRODID)]
    zones = [] if schedule.timezone in UTC_NAMES else [_vtimezone(schedule.timezone)]
    return Component("VCALENDAR", head, [*zones, *blocks]).render()


def _vtimezone(timezone: str) -> Component:
    text = f"BEGIN:VCALENDAR\r\n{timezone_component(timezone)}END:VCALENDAR\r\n"
    return read_calendar(text).children[0]


@dataclass(frozen=True, slots=True)
class _Writer:
    timezone: str
    uid: str
    stamp: str

    def usual(self, weekly: tuple[tuple[Range, ...], ...]) -> Component:
        """Weekly hours: one AVAILABLE for each range, over all its weekdays."""
        days_of: dict[Range, list[int]] = {}
        for weekday, ranges in enumerate(weekly):
            for each in ranges:
                days_of.setdefault(each, []).append(weekday)
        block = self._block("usual", _USUAL, [self._moment("DTSTART", _MONDAY, 0)])
        for number, (each, days) in enumerate(sorted(days_of.items())):
            rule = Line("RRULE", (), f"FREQ=WEEKLY;BYDAY={','.join(DAYS[day] for day in days)}")
            block.children.append(self._available(f"usual-{number}", _MONDAY + days[0] * ONE_DAY, each, rule))
        return block

    def exception(self, first: date, last: date, ranges: tuple[Range, ...]) -> Component:
        """Whole days on which these hours count instead."""
        bounds = [self._moment("DTSTART", first, 0), self._moment("DTEND", last + ONE_DAY, 0)]
        block = self._block(f"{first:%Y%m%d}", _EXCEPTION, bounds)
        for number, each in enumerate(ranges):
            block.children.append(self._available(f"{first:%Y%m%d}-{number}", first, each))
        return block

    def _block(self, name: str, priority: int, bounds: list[Line]) -> Component:
        lines = [
            Line("UID", (), f"{name}-{self.uid}"),
            Line("DTSTAMP", (), self.stamp),
            *bounds,
            Line("BUSYTYPE", (), "BUSY-UNAVAILABLE"),
            Line("PRIORITY", (), str(priority)),
        ]
        return Component("VAVAILABILITY", lines)

    def _available(self, name: str, day: date, hours: Range, *more: Line) -> Component:
        begin, end = hours
        until = end if end > begin else end + MINUTES_A_DAY
        times = [self._moment("DTSTART", day, begin), self._moment("DTEND", day, until)]
        lines = [Line("UID", (), f"{name}-{self.uid}"), Line("DTSTAMP", (), self.stamp), *times, *more]
        return Component("AVAILABLE", lines)

    def _moment(self, name: str, day: date, minute: int) -> Line:
        wall = f"{datetime.combine(day, time()) + timedelta(minutes=minute):%Y%m%dT%H%M%S}"
        if self.timezone in UTC_NAMES:
            return Line(name, (), f"{wall}Z")
        return Line(name, (("TZID", self.timezone),), wall)


def read_availability(text: str, timezone: str) -> Schedule:
    """The weekly hours, overrides and exclusions that a VCALENDAR of VAVAILABILITYs tells; floating times are those of
    `timezone`. `Invalid`, with a sentence, for what is none, and for what cannot be told in weekly hours."""
    parse_calendar(text)  # within bounds?
    blocks = [each for each in read_calendar(text).children if each.name != "VTIMEZONE"]
    if not blocks or any(each.name != "VAVAILABILITY" for each in blocks):
        raise Invalid("Availability is made of VAVAILABILITY components alone.")
    reader = _Reader(timezone)
    usual = [each for each in blocks if each.first("DTEND") is None and each.first("DURATION") is None]
    if len(usual) != 1:
        raise Invalid("Working hours need one VAVAILABILITY without an end; what is told by no other counts as free.")
    reader.usual(usual[0])
    for each in sorted((each for each in blocks if each is not usual[0]), key=_weight):
        reader.exception(each)
    return reader.schedule()


def _weight(block: Component) -> int:
    """By rising importance: 9 to 1, with none and 0 before them (RFC 7953 §3.1)."""
    text = block.value("PRIORITY")
    priority = int(text) if text.isdecimal() and len(text) < 3 else 0
    return -(priority or 10)


@dataclass(slots=True)
class _Reader:
    timezone: str
    _zone: str | None = None
    _weekly: list[list[Range]] = field(default_factory=lambda: [[] for _ in DAYS])
    _dated: dict[date, list[Range]] = field(default_factory=dict)
    _excluded: list[tuple[date, date]] = field(default_factory=list)

    def usual(self, block: Component) -> None:
        """The weekly hours, then what single dates change about them."""
        if block.first("DTSTART") is not None:
            self._at(block, "DTSTART")
        repeated: list[Component] = []
        single: list[Component] = []
        for each in _available(block):
            (repeated if each.first("RRULE") else single).append(each)
        by_uid: dict[str, Range] = {}
        for each in repeated:
            day, hours = self._hours(each)
            by_uid[each.value("UID")] = hours
            for weekday in _weekdays(each, day):
                self._weekly[weekday].append(hours)
        for each in repeated:
            for out in self._out(each):
                self._on(out).remove(by_uid[each.value("UID")])
        for each in single:
            replaced = by_uid.get(each.value("UID"))
            if each.first("RECURRENCE-ID") is not None and replaced is not None:
                day = self._at(each, "RECURRENCE-ID").date()
                if replaced in self._on(day):
                    self._on(day).remove(replaced)
            day, hours = self._hours(each)
            self._on(day).append(hours)

    def exception(self, block: Component) -> None:
        """Whole days: closed, or with hours of their own."""
        first, end = self._at(block, "DTSTART"), self._end(block, self._at(block, "DTSTART"))
        if first.time() != time() or end.time() != time() or end <= first:
            raise Invalid("An exception to working hours is made of whole days.")
        days = (end.date() - first.date()).days
        entries = _available(block)
        if not entries:
            self._excluded.append((first.date(), end.date() - ONE_DAY))
            return
        if days > MAX_DAYS:
            raise Invalid(f"Hours of their own are kept for {MAX_DAYS} days at most.")
        dates = [first.date() + number * ONE_DAY for number in range(days)]
        self._dated |= {day: [] for day in dates}
        for each in entries:
            begun, hours = self._hours(each)
            weekdays = _weekdays(each, begun) if each.first("RRULE") else frozenset()
            for day in dates:
                if day == begun or (day > begun and day.weekday() in weekdays):
                    self._dated[day].append(hours)

    def schedule(self) -> Schedule:
        """What was read."""
        weekly = tuple(tuple(sorted(set(ranges))) for ranges in self._weekly)
        overrides: Mapping[date, tuple[Range, ...]] = {
            day: tuple(sorted(set(ranges))) for day, ranges in sorted(self._dated.items())
        }
        return Schedule(self._zone or self.timezone, weekly, overrides, tuple(sorted(self._excluded)), frozenset())

    def _on(self, day: date) -> list[Range]:
        """The hours of one date, which from now on are its own."""
        return self._dated.setdefault(day, list(self._weekly[day.weekday()]))

    def _out(self, entry: Component) -> Iterator[date]:
        hours = self._hours(entry)[1]
        for line in entry.every("EXDATE"):
            for value in line.value.split(","):
                day = self._wall(line, value).date()
                if hours in self._on(day):
                    yield day

    def _hours(self, entry: Component) -> tuple[date, Range]:
        """On which date an AVAILABLE begins, and its hours as minutes of the day."""
        start = self._at(entry, "DTSTART")
        end = self._end(entry, start)
        length = int((end - start).total_seconds())
        if start.second or length % 60 or not 0 < length <= 86400:
            raise Invalid("Working hours begin and end on a minute, and last a day at most.")
        begin = start.hour * 60 + start.minute
        until = begin + length // 60
        return start.date(), (begin, until if until <= MINUTES_A_DAY else until - MINUTES_A_DAY)

    def _at(self, entry: Component, name: str) -> datetime:
        line = entry.first(name)
        if line is None:
            raise Invalid(f"{entry.name} has no {name}.")
        return self._wall(line, line.value)

    def _end(self, entry: Component, start: datetime) -> datetime:
        if entry.first("DTEND") is not None:
            return self._at(entry, "DTEND")
        return start + _length(entry.value("DURATION"))

    def _wall(self, line: Line, value: str) -> datetime:
        """Wall time; all of it must be in one zone, which becomes the schedule's."""
        text = value.strip().upper()
        named = "UTC" if text.endswith("Z") else line.param("TZID") or self.timezone
        zone = known_zone(named)
        wall = wall_time(text)
        if zone is None or wall is None:
            raise Invalid(f"{line.name} is no time in a known zone.")
        if self._zone is None:
            self._zone = zone.key
        if zone.key != self._zone:
            raise Invalid("Working hours are told in one time zone.")
        return wall


def _available(block: Component) -> list[Component]:
    return [each for each in block.children if each.name == "AVAILABLE"]


def _weekdays(entry: Component, day: date) -> frozenset[int]:
    """The weekdays of a rule (0 is Monday); `Invalid` for one that is not the same in every week."""
    rules = entry.every("RRULE")
    parts = dict(part.partition("=")[::2] for part in rules[0].value.upper().split(";") if part)
    parts.pop("WKST", None)
    frequency = parts.pop("FREQ", "")
    names = [each for each in parts.pop("BYDAY", "").split(",") if each]
    if parts.pop("INTERVAL", "1") != "1" or parts or len(rules) > 1 or not set(names) <= set(DAYS):
        raise Invalid("Working hours repeat every week, without end.")
    if frequency not in {"WEEKLY", "DAILY"}:
        raise Invalid("Working hours repeat every week.")
    if names:
        return frozenset(DAYS.index(each) for each in names)
    return frozenset({day.weekday()}) if frequency == "WEEKLY" else _EVERY_DAY


def _length(text: str) -> timedelta:
    """A DURATION of hours and minutes, or days."""
    found = _DURATION.fullmatch(text.strip().upper())
    if found is None or not any(found.groups()):
        raise Invalid("Working hours have a DTEND, or a DURATION in days, hours and minutes.")
    days, hours, minutes = (int(each or 0) for each in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes)
