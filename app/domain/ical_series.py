"""The seam to `recurring_ical_events`: series whose rules are worked out within a bound, and instances that know the
component they came from."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any

from recurring_ical_events import Occurrence, Series
from recurring_ical_events.adapters.event import EventAdapter

from app.domain.rrules import BoundedRule, Effort, last_instant

Vcomponent = Any  # an icalendar component; what a property of it may be is a union of thirty types


class EventInZone(EventAdapter):
    """A VEVENT with what its rules need: the calendar's zone, and how much may be spent on them."""

    zone: tzinfo = UTC
    effort: Effort | None = None

    @property
    def source(self) -> Vcomponent:
        """The component itself."""
        return self._component


class Instance(Occurrence):
    """An occurrence that remembers the component it came from."""

    def __init__(self, adapter: Any, start: Any = None, end: Any = None, sequence: int = -1) -> None:
        super().__init__(adapter, start, end, sequence)
        self.source: Vcomponent = adapter.source
        self.is_explicit = start is None or start == adapter.start

    @property
    def moved_by(self) -> timedelta:
        """How far a change of this and all following instances has moved it from where the rule puts it."""
        moved: timedelta = self._adapter.move_recurrences_by
        return moved


class EventSeries(Series):
    """A series whose rules are worked out within a bound."""

    class RecurrenceRules(Series.RecurrenceRules):
        def create_rule_with_start(self, rule_string: str) -> BoundedRule:
            core: Any = self.core
            until = last_instant(rule_string, core.start, core.zone)
            return BoundedRule(rule_string, as_datetime(self.start), until, core.effort)

    def occurrence(self, adapter: Any, start: Any = None, end: Any = None) -> Instance:
        return Instance(adapter, start, end, self.sequence)


def event_adapter(event: Vcomponent, zone: tzinfo, effort: Effort | None = None) -> EventInZone:
    """The adapter of an event in a calendar of this zone."""
    adapter = EventInZone(event)
    adapter.zone = zone
    adapter.effort = effort
    return adapter


def as_datetime(moment: date) -> datetime:
    """A date as its midnight, without a zone."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time())
