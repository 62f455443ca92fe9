"""What a person keeps of their own in a booking's event: their words, alarms and whatever their devices note.

The booking's side of the event (when, where, with whom) is written by the program each time anew; these notes are laid
over it, in the person's own schedule and nowhere else.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from app.domain.calendar_event import CalendarEvent
from app.domain.content_lines import Component, Line, read_calendar
from app.domain.event_text import calendar_text, clean_text, text_value

MAX_NOTES = 100_000
"""Characters that the notes on one event may have."""

OURS = frozenset(
    {"UID", "DTSTAMP", "DTSTART", "DTEND", "DURATION", "SEQUENCE", "STATUS", "CREATED", "LAST-MODIFIED", "LOCATION",
     "URL", "ORGANIZER", "ATTENDEE", "RECURRENCE-ID", "REQUEST-STATUS", "SUMMARY", "DESCRIPTION", "TRANSP"}
)  # fmt: skip
"""Properties that are the booking's, or have a place of their own in the notes."""
_NO_ALARMS = "X-HALFPAST-NO-ALARMS"
_ALARM_FREE = frozenset({"DESCRIPTION"})


@dataclass(frozen=True, slots=True)
class EventNotes:
    """`summary` takes the place of the event's own, `description` is added to it; both are plain text. `alarms` None:
    those of the event. `lines` are further properties as they came."""

    summary: str | None = None
    description: str = ""
    is_transparent: bool = False
    lines: tuple[Line, ...] = ()
    alarms: tuple[Component, ...] | None = None

    def __bool__(self) -> bool:
        return self != EventNotes()

    def to_text(self) -> str:
        """For keeping; `from_text` reads it."""
        event = Component("VEVENT", list(self.lines), list(self.alarms or ()))
        if self.summary is not None:
            event.set("SUMMARY", text_value(self.summary))
        if self.description:
            event.set("DESCRIPTION", text_value(self.description))
        if self.is_transparent:
            event.set("TRANSP", "TRANSPARENT")
        if self.alarms == ():
            event.set(_NO_ALARMS, "TRUE")
        return Component("VCALENDAR", [], [event]).render()

    @classmethod
    def from_text(cls, text: str) -> EventNotes:
        """What `to_text` wrote."""
        event = read_calendar(text).children[0]
        own = {"SUMMARY", "DESCRIPTION", "TRANSP", _NO_ALARMS}
        return cls(
            summary=None if event.first("SUMMARY") is None else plain_text(event.value("SUMMARY")),
            description=plain_text(event.value("DESCRIPTION")),
            is_transparent=event.value("TRANSP") == "TRANSPARENT",
            lines=tuple(line for line in event.lines if line.name not in own),
            alarms=tuple(event.children) if event.children or event.first(_NO_ALARMS) else None,
        )


def notes_on(sent: Component, plain: CalendarEvent) -> EventNotes:
    """What the VEVENT a device sent says beyond the booking's own event `plain`."""
    (own,) = (each for each in read_calendar(calendar_text(plain)).children if each.name == "VEVENT")
    written = {line.text() for line in own.lines}
    summary = plain_text(sent.value("SUMMARY"))
    alarms = [each for each in sent.children if each.name == "VALARM"]
    return EventNotes(
        summary=summary if summary and summary != plain_text(own.value("SUMMARY")) else None,
        description=_added(plain_text(sent.value("DESCRIPTION")), clean_text(plain.description)),
        is_transparent=sent.value("TRANSP").upper() == "TRANSPARENT" and own.value("TRANSP") == "OPAQUE",
        lines=tuple(
            line
            for line in sent.lines
            if line.name not in OURS and line.text() not in written and not line.name.startswith("X-HALFPAST-")
        ),
        alarms=None if _alarm_keys(alarms) == _alarm_keys(own.children) else tuple(alarms),
    )


def noted_text(event: CalendarEvent, notes: EventNotes | None, *, stamp: int | None = None) -> str:
    """The event's text with the notes laid over it; `stamp` as in `event_text.calendar_text`."""
    if not notes:
        return calendar_text(event, stamp=stamp)
    words = "\n\n".join(each for each in (event.description, notes.description) if each)
    alarms = event.alarms if notes.alarms is None else ()
    event = replace(event, summary=notes.summary or event.summary, description=words, alarms=alarms)
    text = calendar_text(event, stamp=stamp)
    if notes.is_transparent:
        text = text.replace("\r\nTRANSP:OPAQUE\r\n", "\r\nTRANSP:TRANSPARENT\r\n", 1)
    head, end, tail = text.rpartition("END:VEVENT\r\n")
    properties, alarm, rest = head.partition("BEGIN:VALARM\r\n")
    own = _inside(Component("VEVENT", list(notes.lines)))
    return properties + own + alarm + rest + "".join(each.render() for each in notes.alarms or ()) + end + tail


def plain_text(value: str) -> str:
    """A TEXT value without its escapes (RFC 5545 §3.3.11)."""
    parts = value.strip().split("\\\\")
    return "\\".join(
        part.replace("\\n", "\n").replace("\\N", "\n").replace("\\,", ",").replace("\\;", ";") for part in parts
    )


_FOLD = re.compile(r"\r?\n[ \t]")
_TITLE = re.compile(r"^SUMMARY(?:;[^:\r\n]*)?:(.*?)\r?$", re.MULTILINE | re.IGNORECASE)


def title_in(text: str) -> str:
    """What the first event or task of an iCalendar text is called; empty when that is not said."""
    found = _TITLE.search(_FOLD.sub("", text))
    return plain_text(found[1]) if found else ""


def _inside(component: Component) -> str:
    text = component.render()
    return text[text.index("\r\n") + 2 : text.rindex("END:")]


def _added(words: str, written: str) -> str:
    """What was added to the text that is written there: what stands before and after it, or, where it was changed
    inside, the lines that it does not have. What somebody struck out of it comes back."""
    before, found, after = words.partition(written)
    if found:
        return "\n\n".join(each for each in (before.strip(), after.strip()) if each)
    known = {line.strip() for line in written.splitlines()}
    return "\n".join(line for line in words.splitlines() if not line.strip() or line.strip() not in known).strip()


def _alarm_keys(alarms: list[Component]) -> list[list[str]]:
    """Alarms without their words, which follow the event's name."""
    return sorted(
        sorted(line.text() for line in alarm.lines if line.name not in _ALARM_FREE)
        for alarm in alarms
        if alarm.name == "VALARM"
    )
