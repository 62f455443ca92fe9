"""The zone that floating and all-day times are read in: the query's own (RFC 4791 §9.8, RFC 7809 §4), else the
calendar's."""

from __future__ import annotations

from datetime import UTC, tzinfo

from app.domain.calendars import Calendar
from app.domain.errors import Invalid
from app.domain.ical_tree import Branch, parse_tree
from app.domain.ical_zones import known_zone, zone_of_definition
from calendar_feeds.caldav.xml import CALDAV, Element, name, text_of
from calendar_feeds.messages import Refusal


def calendar_zone(calendar: Calendar) -> tzinfo:
    """The calendar's own."""
    return known_zone(calendar.timezone) or UTC


def query_zone(root: Element, calendar: Calendar) -> tzinfo | None:
    """The zone that a query names, when it is another than the calendar's. 403 with C:valid-timezone or
    C:valid-calendar-data for one that nobody knows."""
    named = text_of(root.find(name("timezone-id", CALDAV)))
    definition = root.find(name("timezone", CALDAV))
    if named:
        zone: tzinfo | None = known_zone(named)
        if zone is None:
            raise Refusal(403, "<C:valid-timezone/>", f"The time zone {named[:64]} is not known here.")
    elif definition is not None:
        zone = _defined("".join(str(part) for part in definition.itertext()))
    else:
        return None
    return None if zone == known_zone(calendar.timezone) else zone


def _defined(text: str) -> tzinfo:
    """The zone of a VCALENDAR with one VTIMEZONE."""
    try:
        parts = parse_tree(text.strip()).branches
        zone = _zone(parts[0]) if [each.name for each in parts] == ["VTIMEZONE"] else None
    except Invalid:
        zone = None
    if zone is None:
        raise Refusal(403, "<C:valid-calendar-data/>", "C:timezone is one VTIMEZONE that can be understood.")
    return zone


def _zone(definition: Branch) -> tzinfo | None:
    tzid = definition.first("TZID")
    known = known_zone(tzid.value) if tzid is not None else None
    return known or zone_of_definition(definition.text().splitlines())
