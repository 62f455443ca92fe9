"""Scheduling objects (RFC 6638 §3.1): who organizes, who is invited, and to which instances."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import cached_property, lru_cache

from app.domain.content_lines import Component, Line, read_calendar
from app.domain.ical_zones import known_zone, zone_of_definition
from app.domain.scheduling.addresses import address_key, normal_address
from app.domain.wall_times import read_date_time

SERVER = "SERVER"
SCHEDULE_PARAMS = ("SCHEDULE-AGENT", "SCHEDULE-STATUS", "SCHEDULE-FORCE-SEND")
_ENTRIES = frozenset({"VEVENT", "VTODO", "VJOURNAL"})

Key = str
"""Which instance: the original start as UTC (`20270301T090000Z`), as floating time, or as a date; `` is the series."""
SERIES: Key = ""


@dataclass
class SchedulingObject:
    """One calendar object as a tree that may be changed; `series` is the component without RECURRENCE-ID."""

    calendar: Component
    _zones: dict[str, tzinfo | None] = field(default_factory=dict)

    @classmethod
    def read(cls, text: str) -> SchedulingObject:
        """`app.domain.errors.Invalid` for what is no calendar."""
        return cls(read_calendar(text))

    @property
    def entries(self) -> list[Component]:
        """The components that happen: no time zones."""
        return [each for each in self.calendar.children if each.name in _ENTRIES]

    @property
    def by_key(self) -> dict[Key, Component]:
        """The entries by instance."""
        return {self.key(each): each for each in self.entries}

    @property
    def series(self) -> Component | None:
        """The entry for the event as a whole."""
        return self.by_key.get(SERIES)

    @property
    def uid(self) -> str:
        """The UID all entries share."""
        return next((each.value("UID") for each in self.entries), "")

    @cached_property
    def organizer(self) -> str | None:
        """The organizer's address as `address_key` writes it; None when there is none."""
        line = self.organizer_line
        return None if line is None else address_key(line.value)

    @property
    def organizer_line(self) -> Line | None:
        """The ORGANIZER property."""
        return next((line for each in self.entries if (line := each.first("ORGANIZER"))), None)

    @property
    def has_one_organizer(self) -> bool:
        """Whether all entries that name one name the same (RFC 6638 §3.2.4.2)."""
        lines = [line for each in self.entries if (line := each.first("ORGANIZER"))]
        return len({address_key(line.value) for line in lines}) <= 1

    @property
    def organizer_agent(self) -> str:
        """Who sends an attendee's answers (§7.1)."""
        return agent_of(self.organizer_line)

    def attendees(self) -> dict[str, Line]:
        """Everybody invited to anything, by address."""
        return {address_key(line.value): line for each in self.entries for line in each.every("ATTENDEE")}

    def key(self, entry: Component) -> Key:
        """Which instance an entry is."""
        line = entry.first("RECURRENCE-ID")
        return SERIES if line is None else self.moment(line, line.value)

    def left_out(self, entry: Component) -> dict[Key, Line]:
        """The instances that EXDATE takes out, each as an EXDATE line of its own."""
        return {
            self.moment(line, value): Line("EXDATE", line.params, value.strip())
            for line in entry.every("EXDATE")
            for value in line.value.split(",")
            if value.strip()
        }

    def moment(self, line: Line, value: str) -> Key:
        """A date or time so that the same instant is the same text, whatever zone it is written in."""
        text = value.strip().upper()
        tzid = line.param("TZID")
        zone = self.zone(tzid) if tzid and not text.endswith("Z") else None
        wall = wall_time(text)
        if zone is None or wall is None:
            return text
        return wall.replace(tzinfo=zone).astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")

    def zone(self, tzid: str) -> tzinfo | None:
        """The zone a TZID names here."""
        if tzid not in self._zones:
            self._zones[tzid] = known_zone(tzid) or self._defined(tzid)
        return self._zones[tzid]

    def _defined(self, tzid: str) -> tzinfo | None:
        for each in self.calendar.children:
            if each.name == "VTIMEZONE" and each.value("TZID") == tzid:
                return zone_of_definition([line for line in each.render().split("\r\n") if line])
        return None

    def text(self) -> str:
        """As iCalendar."""
        return self.calendar.render()

    def copy(self) -> SchedulingObject:
        """One to be changed by itself."""
        return SchedulingObject(self.calendar.copy(), dict(self._zones))


def agent_of(line: Line | None) -> str:
    """Who is to send the message to this ORGANIZER or ATTENDEE (§7.1); what is not known means nobody here."""
    return ((line.param("SCHEDULE-AGENT") if line else None) or SERVER).upper()


def attendee_line(entry: Component, who: frozenset[str]) -> Line | None:
    """The ATTENDEE property of somebody with these addresses."""
    return next((line for line in entry.every("ATTENDEE") if address_key(line.value) in who), None)


def partstat(line: Line | None) -> str:
    """What was answered (RFC 5545 §3.2.12)."""
    return ((line.param("PARTSTAT") if line else None) or "NEEDS-ACTION").upper()


def is_cancelled(entry: Component) -> bool:
    """Whether it does not happen."""
    return entry.value("STATUS").upper() == "CANCELLED"


def answer_of(line: Line) -> dict[str, str | None]:
    """An answer as parameters for `change_attendee`; who has given one is asked no more (RFC 5545 §3.2.17)."""
    answer = partstat(line)
    return {"PARTSTAT": answer} if answer == "NEEDS-ACTION" else {"PARTSTAT": answer, "RSVP": None}


def change_attendee(entry: Component, who: frozenset[str], **params: str | None) -> bool:
    """Set parameters (`SCHEDULE_STATUS` for SCHEDULE-STATUS) of somebody's ATTENDEE; whether that changed anything."""
    changed = False
    for at, line in enumerate(entry.lines):
        if line.name == "ATTENDEE" and address_key(line.value) in who:
            new = line
            for name, value in params.items():
                new = new.with_param(name.replace("_", "-"), value)
            changed |= new != line
            entry.lines[at] = new
    return changed


def tidy_people(item: SchedulingObject) -> None:
    """Write everybody once in each entry, whatever a client repeats, with the first answer they gave, and `mailto:` in
    lower case (RFC 3986 §6.2.2.1), since some programs compare addresses as text."""
    for entry in item.entries:
        answers: dict[str, str] = {}
        for line in entry.every("ATTENDEE"):
            if answers.get(address_key(line.value), "NEEDS-ACTION") == "NEEDS-ACTION":
                answers[address_key(line.value)] = partstat(line)
        entry.lines = list(_once(entry.lines, answers))


def _once(lines: list[Line], answers: dict[str, str]) -> Iterator[Line]:
    for line in lines:
        if line.name not in {"ATTENDEE", "ORGANIZER"}:
            yield line
            continue
        tidy = replace(line, value=normal_address(line.value))
        if line.name == "ORGANIZER":
            yield tidy
        elif (answer := answers.pop(address_key(line.value), None)) is not None:
            yield tidy if answer == partstat(line) else tidy.with_param("PARTSTAT", answer)


def keep_status(known: Component, entry: Component, status: str | None = None) -> None:
    """What became of an attendee's answer stays on ORGANIZER (RFC 6638 §3.2.9) until there is another `status`."""
    was, line = known.first("ORGANIZER"), entry.first("ORGANIZER")
    kept = status or (was.param("SCHEDULE-STATUS") if was else None)
    if line is not None and kept is not None:
        entry.put(line.with_param("SCHEDULE-STATUS", kept))


def sequence_of(entry: Component | None) -> int:
    """The revision by RFC 5546 §2.1.4."""
    text = entry.value("SEQUENCE") if entry else ""
    return int(text) if text.isdecimal() and len(text) < 10 else 0


@lru_cache(maxsize=10_000)
def wall_time(text: str) -> datetime | None:
    """A DATE-TIME's wall time; None for a date or anything else, also for years that no calendar reaches."""
    wall = read_date_time(text)
    return wall if wall is not None and 1600 < wall.year < 9000 else None


def instance_of(item: SchedulingObject, key: Key) -> Component | None:
    """An entry for one instance of a series, made from the series: what changes it begins with (RFC 5545 §3.8.4.4).
    None when the key does not fit the series' own times."""
    series = item.series
    start = series.first("DTSTART") if series else None
    if series is None or start is None:
        return None
    begin = _written_like(item, start, key)
    if begin is None:
        return None
    entry = series.copy()
    entry.drop("RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID")
    entry.put(Line("DTSTART", start.params, begin))
    end = series.first("DTEND") or series.first("DUE")
    if end is not None:
        moved = _moved(start.value.strip(), begin, end.value.strip())
        if moved is None:
            return None
        entry.put(Line(end.name, end.params, moved))
    at = next(number for number, line in enumerate(entry.lines) if line.name == "DTSTART")
    entry.lines.insert(at, Line("RECURRENCE-ID", start.params, begin))
    return entry


def _written_like(item: SchedulingObject, start: Line, key: Key) -> str | None:
    """The key as a value for the parameters of `start`."""
    tzid = start.param("TZID")
    wall = wall_time(key)
    if wall is None:
        return key if date_of(key) and date_of(start.value.strip()) else None
    if not key.endswith("Z") or start.value.strip().endswith("Z"):
        return key if key.endswith("Z") == start.value.strip().endswith("Z") else None
    zone = item.zone(tzid) if tzid else None
    return None if zone is None else wall.replace(tzinfo=UTC).astimezone(zone).strftime("%Y%m%dT%H%M%S")


def _moved(start: str, begin: str, end: str) -> str | None:
    """The end, as far from `begin` as `end` is from `start`, by the clock on the wall."""
    walls = [wall_time(each) for each in (start, begin, end)]
    dates = [date_of(each) for each in (start, begin, end)]
    try:
        if walls[0] and walls[1] and walls[2]:
            return (walls[2] + (walls[1] - walls[0])).strftime("%Y%m%dT%H%M%S") + ("Z" if end.endswith("Z") else "")
        if dates[0] and dates[1] and dates[2]:
            return (dates[2] + timedelta(days=(dates[1] - dates[0]).days)).strftime("%Y%m%d")
    except OverflowError:
        return None
    return None


def date_of(text: str) -> date | None:
    """A DATE; None for anything else."""
    if len(text) != 8 or not text.isdecimal():
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None


def zones_for(
    entries: Iterable[Component], *sources: Component, missing_in: Component | None = None
) -> list[Component]:
    """The VTIMEZONEs that these entries refer to, each once, from the calendars that have them; with `missing_in` but
    for those that this calendar has."""
    there = [each for each in (missing_in.children if missing_in else []) if each.name == "VTIMEZONE"]
    wanted = {tzid for entry in entries for tzid in _tzids(entry)} - {each.value("TZID") for each in there}
    found: dict[str, Component] = {}
    for source in sources:
        for each in source.children:
            if each.name == "VTIMEZONE" and each.value("TZID") in wanted:
                found.setdefault(each.value("TZID"), each.copy())
    return list(found.values())


def _tzids(entry: Component) -> set[str]:
    own = {tzid for line in entry.lines if (tzid := line.param("TZID"))}
    return own.union(*(_tzids(child) for child in entry.children))
