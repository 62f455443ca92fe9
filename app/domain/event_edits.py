"""What a device did to a booking's event, by what it sent; and what of it cannot be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from app.domain.calendar_event import CalendarEvent
from app.domain.calendars import ObjectFacts
from app.domain.content_lines import Component, Line, read_calendar
from app.domain.errors import Invalid
from app.domain.event_notes import MAX_NOTES, EventNotes, notes_on, plain_text

_REPEATS = ("RRULE", "RDATE", "EXRULE", "RECURRENCE-ID")
_SPACE = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class EventEdit:
    """Where the event is now (epoch seconds), whether the person declined it, and the notes it carries."""

    start: int
    end: int
    is_declined: bool
    notes: EventNotes


def single_event(text: str) -> Component:
    """The one VEVENT that a booking can be; `Invalid` for several, a recurring one, and whole days."""
    events = [each for each in read_calendar(text).children if each.name == "VEVENT"]
    if len(events) != 1 or any(events[0].first(name) for name in _REPEATS):
        raise Invalid("A booking is a single event: it does not repeat.")
    begin = events[0].first("DTSTART")
    if begin is None or begin.param("VALUE") == "DATE" or "T" not in begin.value.upper():
        raise Invalid("A booking begins at a time of day: it takes no whole days.")
    return events[0]


def read_edit(text: str, facts: ObjectFacts, plain: CalendarEvent, own: frozenset[str]) -> EventEdit:
    """What the text says of the booking whose event is `plain`; `facts` were read from it, `own` are the person's
    addresses. `Invalid`, with a sentence, for what can never be."""
    event = single_event(text)
    if facts.problems or facts.end is None or facts.end <= facts.start:
        raise Invalid("A booking has a begin and an end.")
    if event.value("STATUS").upper() == "CANCELLED" and plain.status != "CANCELLED":
        raise Invalid("To cancel a booking, delete its event.")
    if _flat(plain_text(event.value("LOCATION"))) != _flat(plain.location):
        raise Invalid("The place of a booking cannot be changed in a calendar.")
    if any(_address(line) not in own for line in event.every("ATTENDEE")):
        raise Invalid("Nobody can be invited to a booking in a calendar.")
    notes = notes_on(event, plain)
    if len(notes.to_text()) > MAX_NOTES:
        raise Invalid(f"The notes on a booking may have {MAX_NOTES} characters.")
    return EventEdit(facts.start, facts.end, any(_declines(event, own)), notes)


def _declines(event: Component, own: frozenset[str]) -> Iterator[bool]:
    for line in event.every("ATTENDEE"):
        yield _address(line) in own and (line.param("PARTSTAT") or "").upper() == "DECLINED"


def _address(line: Line) -> str:
    return line.value.strip().lower().removeprefix("mailto:")


def _flat(text: str) -> str:
    return _SPACE.sub(" ", text).strip()
