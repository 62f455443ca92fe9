"""What one iCalendar resource means in time: its covering range and its busy instances.

A resource holds all components of one UID (RFC 4791 §4.1): a master with its rule, RDATEs and EXDATEs, and overrides
by RECURRENCE-ID. `recurring_ical_events` puts them together; this module bounds the work, reads floating and all-day
times in the calendar's zone, and sees to it that what cannot be understood is said and counts as busy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta, tzinfo
from math import ceil, floor
from typing import Any, NamedTuple

from icalendar.prop import vDDDTypes

from app.domain.calendars import BusyInterval, ObjectFacts
from app.domain.errors import Invalid
from app.domain.ical_parse import (
    MAX_BYTES,
    MAX_DATES,
    ParsedCalendar,
    all_values,
    first_value,
    parse_calendar,
    with_zone,
)
from app.domain.ical_series import EventInZone, EventSeries, Instance, Vcomponent, as_datetime, event_adapter
from app.domain.ical_tasks import covering_moments, free_busy_periods, stand_in
from app.domain.ical_zones import known_zone
from app.domain.intervals import join
from app.domain.rrules import BoundedRule, Effort, NotUnderstood, TooDense, dense_end, last_instant, rule_parts

MAX_INSTANCES = 5_000
MAX_RULES = 3
INSTANCE = 8
"""What an instance counts as, in starts found by a rule: making one takes longer."""
KINDS = frozenset({"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"})
"""The components that a resource is made of (RFC 4791 §4.1)."""
BEGINNING = -(2**62)
"""Where the covering range of what is always there begins."""
UNKNOWN_LENGTH = timedelta(hours=1)  # of an event whose end cannot be read
SHOWN_AS = "X-MICROSOFT-CDO-BUSYSTATUS"
"""How Outlook and Exchange say in files what TRANSP and STATUS have no words for (MS-OXCICAL)."""
_NOT_TAKEN = frozenset({"FREE", "WORKINGELSEWHERE"})
_DAY = timedelta(days=1)
_DATED = ("DTSTART", "DTEND", "RECURRENCE-ID")


def read_object(
    data: str,
    *,
    timezone: str,
    window: tuple[int, int],
    tentative_busy: bool = True,
    self_addresses: frozenset[str] = frozenset(),
    max_bytes: int = MAX_BYTES,
    effort: Effort | None = None,
) -> ObjectFacts:
    """Read one resource. `timezone` (IANA) is the calendar's, for floating and all-day times; `window` are epoch
    seconds, to which busy intervals are cut; `self_addresses` are the person's own e-mail addresses, lower-case, to
    know a declined invitation by; `effort` is shared by resources that are read together.

    `Invalid` for what is no readable calendar object of a single UID. Work and memory are bounded whatever `data` is.
    """
    zone = known_zone(timezone)
    if zone is None:
        raise Invalid(f"“{timezone[:64]}” is not a known time zone.")
    parsed = parse_calendar(data, max_bytes=max_bytes)
    components = [each for each in parsed.calendar.subcomponents if each.name in KINDS]
    if not components:
        raise Invalid("The calendar data holds no event, task, journal entry or busy time.")
    uid, kind = _identity(components)
    if kind != "VEVENT":
        return _other_facts(parsed, components, uid, kind, Reading(zone, window, tentative_busy, self_addresses))
    reading = Reading(zone, window, tentative_busy, self_addresses, Effort(whole=effort))
    return reading.facts(parsed, components, uid)


def _identity(components: Sequence[Vcomponent]) -> tuple[str, str]:
    uids = {str(first_value(each, "UID")[0] or "") for each in components}
    kinds = {str(each.name) for each in components}
    if len(uids) != 1 or len(kinds) != 1:
        raise Invalid("A calendar object must hold one UID and one kind of component.")
    uid = uids.pop()
    if not uid or len(uid) > 1000:
        raise Invalid("The event has no UID." if not uid else "The UID is longer than 1000 characters.")
    return uid, kinds.pop()


@dataclass(slots=True)
class _Span:
    """The covering range while it is being found; `end` None once it is open."""

    start: int | None = None
    end: int | None = 0

    def add(self, start: int, end: int | None) -> None:
        self.start = start if self.start is None else min(self.start, start)
        self.end = None if self.end is None or end is None else max(self.end, end)


class Placed(NamedTuple):
    """An instance in time, epoch seconds, and the component it comes from. `instance` is None where it stands for all
    that a rule makes, because that is too much to list."""

    begin: int
    until: int
    source: Vcomponent
    instance: Instance | None


@dataclass(slots=True)
class Reading:
    """One reading of one event resource; `instances` are those near the window, busy or not, with the component each
    comes from."""

    zone: tzinfo
    window: tuple[int, int]
    tentative_busy: bool
    self_addresses: frozenset[str]
    effort: Effort = field(default_factory=Effort)
    wants_span: bool = True
    """Whether the covering range is to be right beyond the window: that costs a walk to the end of a rule."""
    problems: list[str] = field(default_factory=list)
    busy: list[BusyInterval] = field(default_factory=list)
    instances: list[Placed] = field(default_factory=list)
    span: _Span = field(default_factory=_Span)

    def facts(self, parsed: ParsedCalendar, components: Sequence[Vcomponent], uid: str) -> ObjectFacts:
        usable = [each for each in components if self._prepare(parsed, each)]
        if not usable:
            raise Invalid("; ".join(self.problems) or "The event has no start.")
        for tzid in sorted(parsed.unknown):
            self.problems.append(f"The time zone “{tzid[:64]}” is not known; its times are read in {self.zone}.")
        masters = [each for each in usable if "RECURRENCE-ID" not in each]
        overrides = [each for each in usable if "RECURRENCE-ID" in each]
        if len(masters) > 1:
            self.problems.append("The event stands more than once; each copy counts.")
        for number, master in enumerate(masters or [None]):
            self._series(master, overrides if number == 0 else [])
        main = masters[0] if masters else usable[0]
        span_start = self.span.start or 0
        may_be_busy = any(self._is_busy(each) for each in usable)
        ends_late = self.span.end is None or self.span.end > self.window[1]
        return ObjectFacts(
            uid=uid,
            component="VEVENT",
            start=span_start,
            end=None if self.span.end is None else max(self.span.end, span_start),
            busy=tuple(join(self.busy)),
            recurs_beyond=ends_late and may_be_busy,
            summary=str(first_value(main, "SUMMARY")[0] or "")[:1000],
            problems=tuple(dict.fromkeys(self.problems)),
            is_recurring=any("RRULE" in each or "RDATE" in each for each in masters) or bool(overrides),
        )

    def _prepare(self, parsed: ParsedCalendar, event: Vcomponent) -> bool:
        """Leave in the event only what can be read, every time in its zone; False when it has no start."""
        for name in (*_DATED, "DURATION", "SEQUENCE"):
            value, problem = first_value(event, name)
            if name in _DATED and value is not None and not _is_moment(value):
                value, problem = None, f"{name} is no date and no time"
            if problem:
                self.problems.append(problem)
            if name in event:
                del event[name]
            if value is not None:
                event[name] = value
            elif name in {"DTEND", "DURATION"} and problem:
                event["X-UNKNOWN-END"] = problem
        for name in ("RRULE", "RDATE", "EXDATE"):
            self._prepare_list(parsed, event, name)
        if "DTSTART" not in event:
            self.problems.append("An event without a start cannot be placed in time.")
            return False
        for name in _DATED:
            if name in event:
                self._place(parsed, event[name])
        self._give_end(event)
        return True

    def _prepare_list(self, parsed: ParsedCalendar, event: Vcomponent, name: str) -> None:
        values, problems = all_values(event, name)
        if name != "RRULE":
            readable = [each for each in values if _is_list_of_moments(each)]
            problems += [f"{name} holds something that is no date and no time"] * (len(values) > len(readable))
            values = readable
        self.problems.extend(problems)
        if name in event:
            del event[name]
        if not values:
            return
        event[name] = values if len(values) > 1 else values[0]
        if name == "RRULE":
            return
        if sum(len(each.dts) for each in values) > MAX_DATES:
            raise Invalid(f"The event names more than {MAX_DATES} dates.")
        for each in values:
            for item in each.dts:
                self._place(parsed, item, each)

    def _place(self, parsed: ParsedCalendar, value: vDDDTypes, holder: Any = None) -> None:
        """Give a floating time the zone its TZID defines, else the calendar's."""
        zone = parsed.zone_of(value if holder is None else holder) or self.zone
        if isinstance(value.dt, tuple):  # a period
            value.dt = tuple(with_zone(each, zone) for each in value.dt)
        else:
            value.dt = with_zone(value.dt, zone)

    def _give_end(self, event: Vcomponent) -> None:
        """An end that cannot be read, or lies before the start, must not make the event free."""
        start = event["DTSTART"].dt
        is_timed = isinstance(start, datetime)
        if "X-UNKNOWN-END" in event and "DTEND" not in event and "DURATION" not in event and is_timed:
            event["DURATION"] = vDDDTypes(UNKNOWN_LENGTH)
        if "DTEND" in event and self._instant(event["DTEND"].dt) < self._instant(start):
            self.problems.append("The event ends before it starts; the time between counts.")
        if not isinstance(event.get("DURATION", vDDDTypes(_DAY)).dt, timedelta):
            self.problems.append("DURATION is no duration")
            event["DURATION"] = vDDDTypes(UNKNOWN_LENGTH if is_timed else _DAY)
        try:
            event_adapter(event, self.zone).raw_end  # noqa: B018
        except OverflowError:
            event.pop("DURATION", None)
            event["DTEND"] = vDDDTypes(datetime.max.replace(microsecond=0, tzinfo=UTC) if is_timed else date.max)

    def _series(self, master: Vcomponent | None, overrides: Sequence[Vcomponent]) -> None:
        """Add the instances of a master (if there is one) with its overrides."""
        rules = self._usable_rules(master) if master is not None else []
        try:
            instances = self._instances(master, overrides)
        except TooDense as error:
            assert master is not None  # noqa: S101  # only its rules can be too dense
            self.problems.append(f"The event repeats too often to list ({error}); all of that time counts as busy.")
            self._cover(master, rules)
            rule = master.pop("RRULE")
            self._series(master, overrides)
            master["RRULE"] = rule  # for another reading of the same components
            return
        except Exception as error:  # a stranger's data: whatever the library raises, the event must not become free
            self.problems.append(f"The recurrence cannot be worked out: {str(error)[:120]}")
            instances = [Instance(event_adapter(each, self.zone)) for each in (master, *overrides) if each is not None]
        for instance in instances:
            self._add(instance)
        if self.wants_span:
            self._extend_span(master, overrides, rules)

    def _usable_rules(self, master: Vcomponent) -> list[str]:
        """The rules that can be worked out; the others are taken off and told."""
        values, _ = all_values(master, "RRULE")
        usable = []
        for value in values:
            text = value.to_ical().decode(errors="replace")
            try:
                start = master["DTSTART"].dt
                last_instant(text, start, self.zone)
                BoundedRule(text, as_datetime(start), None)
            except NotUnderstood as error:
                self.problems.append(f"The rule {text[:80]} is not understood ({error}); its repetitions are unknown.")
                continue
            except TooDense:
                pass  # told, and covered, when the series is worked out
            usable.append(value)
        if "RRULE" in master:
            del master["RRULE"]
        if usable:
            master["RRULE"] = usable if len(usable) > 1 else usable[0]
        return [each.to_ical().decode(errors="replace") for each in usable]

    def _instances(self, master: Vcomponent | None, overrides: Sequence[Vcomponent]) -> list[Instance]:
        components = [
            event_adapter(each, self.zone, self.effort)
            for each in ((master, *overrides) if master is not None else overrides)
        ]
        rules = 0 if master is None else len(all_values(master, "RRULE")[0])
        if rules > MAX_RULES:
            raise TooDense(f"it has more than {MAX_RULES} rules")
        first, last = (datetime.fromtimestamp(each, UTC) for each in self.window)
        found: list[Instance] = []
        for instance in EventSeries(components).between(first - 2 * _DAY, last + 2 * _DAY):
            assert isinstance(instance, Instance)  # noqa: S101  # `occurrence` above makes no others
            found.append(instance)
            if not rules:  # MAX_DATES bounds them
                continue
            self.effort.spend(INSTANCE)
            if len(found) > MAX_INSTANCES:
                raise TooDense(f"more than {MAX_INSTANCES} times")
        return found

    def _cover(self, master: Vcomponent, rules: Sequence[str]) -> None:
        start = master["DTSTART"].dt
        ends = [dense_end(rule_parts(rule), as_datetime(start), last_instant(rule, start, self.zone)) for rule in rules]
        known = [each for each in ends if each is not None]
        length = event_adapter(master, self.zone).duration
        end = None
        if known and len(known) == len(ends):
            end = ceil(self._instant(max(known)) + length.total_seconds()) + 86400 * (not isinstance(start, datetime))
        self.span.add(floor(self._instant(start)), end)
        known_end = self.window[1] if end is None else end
        self.instances.append(Placed(floor(self._instant(start)), known_end, master, None))
        if self._is_busy(master):
            self._add_busy(floor(self._instant(start)), known_end)

    def _add(self, instance: Instance) -> None:
        start, end = self._instant(instance.start), self._instant(instance.end)
        if not (instance.is_explicit and "DTEND" in instance.source):
            # RFC 5545 §3.8.5.3 keeps the exact duration, people's clients the wall time: the later one is safe.
            end = max(end, start + _wall_seconds(instance.start, instance.end))
        self.span.add(floor(start), ceil(end))
        self.instances.append(Placed(floor(start), ceil(end), instance.source, instance))
        if self._is_busy(instance.source):
            self._add_busy(floor(start), ceil(end))

    def _add_busy(self, start: int, end: int) -> None:
        start, end = max(start, self.window[0]), min(end, self.window[1])
        if start < end:
            self.busy.append((start, end))

    def _extend_span(self, master: Vcomponent | None, overrides: Sequence[Vcomponent], rules: Sequence[str]) -> None:
        """The instances outside the window belong to the covering range too."""
        for event in (master, *overrides):
            if event is not None:
                adapter = event_adapter(event, self.zone)
                self.span.add(floor(self._instant(adapter.start)), ceil(self._instant(adapter.end)))
        if master is None:
            return
        adapter = event_adapter(master, self.zone)
        length = ceil(adapter.duration.total_seconds()) + 86400  # a day more: what zones and DST may add
        for moment in adapter.rdates:
            begin = moment[0] if isinstance(moment, tuple) else moment
            last = self._instant(begin) + length
            if isinstance(moment, tuple):
                last = self._instant(moment[1] if not isinstance(moment[1], timedelta) else begin + moment[1])
            self.span.add(floor(self._instant(begin)), ceil(last))
        for rule in rules:
            end = self._rule_end(rule, adapter)
            self.span.add(floor(self._instant(adapter.start)), None if end is None else end + length)

    def _rule_end(self, rule: str, adapter: EventInZone) -> int | None:
        last = last_instant(rule, adapter.start, self.zone)
        if last is None:
            try:
                last = BoundedRule(rule, as_datetime(adapter.start), None, self.effort).last()
            except (NotUnderstood, TooDense):
                return None
        return None if last is None else ceil(self._instant(last))

    def _is_busy(self, event: Vcomponent) -> bool:
        if str(first_value(event, "TRANSP")[0] or "").strip().upper() == "TRANSPARENT":
            return False
        status = str(first_value(event, "STATUS")[0] or "").strip().upper()
        answer = own_answer(event, self.self_addresses)
        shown = str(first_value(event, SHOWN_AS)[0] or "").strip().upper()
        if status == "CANCELLED" or answer == "DECLINED" or shown in _NOT_TAKEN:
            return False
        return self.tentative_busy or "TENTATIVE" not in (status, answer, shown)

    def _instant(self, moment: Any) -> float:
        return instant_of(moment, self.zone)


def own_answer(event: Vcomponent, addresses: frozenset[str]) -> str:
    """The PARTSTAT of the attendee who has one of these addresses, lower-case; empty without any."""
    for attendee in all_values(event, "ATTENDEE")[0]:
        address = str(attendee).strip().lower().removeprefix("mailto:")
        mail = str(attendee.params.get("EMAIL", "")).strip().lower()
        if address in addresses or mail in addresses:
            return str(attendee.params.get("PARTSTAT", "")).upper()
    return ""


def _is_moment(value: Any) -> bool:
    """A date or time that its zone can be set on."""
    return isinstance(value, vDDDTypes) and isinstance(value.dt, date)


def _is_list_of_moments(value: Any) -> bool:
    """Dates, times or periods."""
    items = getattr(value, "dts", None) or ()
    return len(items) > 0 and all(
        isinstance(item, vDDDTypes) and (_is_moment(item) or (isinstance(item.dt, tuple) and len(item.dt) == 2))
        for item in items
    )


def _wall_seconds(start: Any, end: Any) -> float:
    """The nominal length of a timed instance; dates have none but their own."""
    if not (isinstance(start, datetime) and isinstance(end, datetime)):
        return 0
    return (end - start).total_seconds()  # of one zone, Python subtracts wall times


def instant_of(moment: Any, zone: tzinfo) -> float:
    """Epoch seconds of a date (its first instant in `zone`) or time; a wall time in a gap counts by the offset before
    it, one that comes twice is the first (RFC 5545 §3.3.5)."""
    if not isinstance(moment, date):
        raise Invalid("A time of the event is neither a date nor a date-time.")
    wall = as_datetime(moment)
    try:
        return (wall if wall.tzinfo is not None else wall.replace(tzinfo=zone)).timestamp()
    except (OverflowError, ValueError):  # within a day of the first or last instant there is
        return (
            datetime(9999, 12, 31, tzinfo=UTC).timestamp()
            if wall.year > 1
            else datetime(1, 1, 1, tzinfo=UTC).timestamp()
        )


def _other_facts(
    parsed: ParsedCalendar, components: Sequence[Vcomponent], uid: str, kind: str, reading: Reading
) -> ObjectFacts:
    """Tasks and journal entries take no time; their range only serves queries (RFC 4791 §9.9), so it may be wide.
    What a VFREEBUSY says is busy is."""
    is_recurring = any(name in each for each in components for name in ("RRULE", "RDATE", "RECURRENCE-ID"))
    start, end = _range_of_tasks(parsed, components, reading)
    stand_ins = [made for each in components if (made := stand_in(each)) is not None] if is_recurring else []
    if stand_ins:
        try:
            times = reading.facts(parsed, stand_ins, uid)
        except Invalid:
            start, end = BEGINNING, None
        else:
            start, end = min(start, times.start), None if end is None or times.end is None else max(end, times.end)
    busy = [(begin, until) for each in components for begin, until, word in free_busy_periods(each) if word != "FREE"]
    first, last = reading.window
    return ObjectFacts(
        uid=uid,
        component=kind,
        start=start,
        end=None if end is None else end + 86400,
        busy=tuple(join((max(begin, first), min(until, last)) for begin, until in busy)),
        recurs_beyond=any(until > last for _, until in busy),
        summary=str(first_value(components[0], "SUMMARY")[0] or "")[:1000],
        is_recurring=is_recurring,
    )


def _range_of_tasks(
    parsed: ParsedCalendar, components: Sequence[Vcomponent], reading: Reading
) -> tuple[int, int | None]:
    """From when until when (None: for ever) the components themselves may be asked for."""
    start, end = 2**62, BEGINNING
    for component in components:
        moments, is_open = covering_moments(component)
        at = [instant_of(with_zone(each.dt, parsed.zone_of(each) or reading.zone), reading.zone) for each in moments]
        at += [float(edge) for begin, until, _ in free_busy_periods(component) for edge in (begin, until)]
        start = min(start, floor(min(at)) if at else BEGINNING)
        end = 2**62 if is_open or not at else max(end, ceil(max(at)))
    return start, None if end == 2**62 else end
