"""When the components of one parsed resource take place: the instances of what recurs, worked out once a window."""

from __future__ import annotations

from datetime import date, tzinfo

from app.domain.calendars import ObjectFacts
from app.domain.errors import Invalid
from app.domain.ical_parse import ParsedCalendar, first_value, parse_calendar, with_zone
from app.domain.ical_series import Vcomponent
from app.domain.ical_tasks import stand_in
from app.domain.ical_tree import Branch
from app.domain.recurrence import KINDS, Placed, Reading, instant_of
from app.domain.rrules import Effort

FAR = 1830 * 86400
"""How far an open side of a range is looked into for instances; beyond it the covering range decides."""
_RECURRING = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID")


class ObjectTimes:
    """A parsed resource. `zone` is what its floating and all-day times are read in; `effort` is shared by resources
    that are read together. `Invalid` for data that cannot be read."""

    def __init__(self, data: str, zone: tzinfo, effort: Effort | None = None) -> None:
        self.zone = zone
        self.effort = effort
        self.parsed: ParsedCalendar = parse_calendar(data)
        self.calendar: Vcomponent = self.parsed.calendar
        self.main: list[Vcomponent] = [each for each in self.calendar.subcomponents if each.name in KINDS]
        self.recurs = any(name in each for each in self.main for name in _RECURRING)
        self._stand_ins = _stand_ins(self.main)
        self._near: dict[tuple[tuple[int, int], bool], tuple[list[Placed], ObjectFacts | None]] = {}

    def near(self, window: tuple[int, int]) -> list[Placed]:
        """The instances in and around the window, each with its own component. Where a rule makes more than can be
        listed, one entry without an instance stands for them."""
        return self._listed(window, wants_span=False)[0]

    def near_and_far(self, window: tuple[int, int]) -> tuple[list[Placed], ObjectFacts | None]:
        """The same, and what is known of the whole; None when there is nothing with a date."""
        return self._listed(window, wants_span=True)

    def _listed(self, window: tuple[int, int], *, wants_span: bool) -> tuple[list[Placed], ObjectFacts | None]:
        key = window, wants_span
        if key not in self._near:
            self._near[key] = self._read(window, wants_span)
        return self._near[key]

    def at(self, component: Vcomponent, name: str) -> int | None:
        """A property that is a time, epoch seconds."""
        value, _ = first_value(component, name)
        moment = getattr(value, "dt", None)
        if not isinstance(moment, date):
            return None
        return int(instant_of(with_zone(moment, self.parsed.zone_of(value) or self.zone), self.zone))

    def paired(self, calendar: Branch) -> list[tuple[Branch, Vcomponent | None]]:
        """The components of the same resource as a tree, each with its parsed self; zones have none."""
        return pairs(calendar, self.calendar)

    def _read(self, window: tuple[int, int], wants_span: bool) -> tuple[list[Placed], ObjectFacts | None]:
        effort = Effort(whole=self.effort)
        reading = Reading(self.zone, window, True, frozenset(), effort, wants_span)
        events = list(self._stand_ins.values()) or [each for each in self.main if each.name == "VEVENT"]
        try:
            facts = reading.facts(self.parsed, events, "")
        except Invalid:  # nothing in it has a date
            return [], None
        owners = {id(event): self.main[number] for number, event in self._stand_ins.items()}
        found = [each._replace(source=owners.get(id(each.source), each.source)) for each in reading.instances]
        return found, facts


def _stand_ins(components: list[Vcomponent]) -> dict[int, Vcomponent]:
    """An event for each task and journal entry with a date, by its number."""
    made = {number: stand_in(each) for number, each in enumerate(components) if each.name in {"VTODO", "VJOURNAL"}}
    return {number: each for number, each in made.items() if each is not None}


def pairs(branch: Branch, component: Vcomponent) -> list[tuple[Branch, Vcomponent | None]]:
    """What is in a component as a tree, each with the same as it was parsed."""
    parsed = iter(component.subcomponents)
    return [(each, None if each.name == "VTIMEZONE" else next(parsed, None)) for each in branch.branches]
