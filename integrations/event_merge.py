"""Changing an event in somebody's calendar without taking away what they made of it.

Ours are its time, names, place and state; theirs are alarms, colour, categories, a title of their own, notes added to
our description, and every property we do not write.
"""

from __future__ import annotations

import hashlib
import re
from typing import Any

from icalendar import Calendar, Event
from icalendar.prop import vInt, vText

from app.domain.calendar_event import CalendarEvent
from app.domain.errors import Invalid
from app.domain.event_text import calendar_text
from app.domain.ical_parse import parse_calendar

OURS = (
    "DTSTAMP", "DTSTART", "DTEND", "DURATION", "SEQUENCE", "STATUS", "CREATED", "LAST-MODIFIED", "SUMMARY", "LOCATION",
    "URL", "RRULE", "RDATE", "EXDATE",
)  # fmt: skip
WRITTEN = "X-HALFPAST-DESCRIPTION"
"""Carries the description as it was written last, to tell what the person added to it."""
TITLE = "X-HALFPAST-SUMMARY"
"""Carries the title as it was written last, to tell whether the person gave the event another one."""


def new_text(event: CalendarEvent) -> str:
    """The event as it is first written."""
    return _text(_fresh(event))


def merged_text(current: str, event: CalendarEvent) -> str:
    """`current` brought to the event's state. An object that cannot be read, or holds another event, is replaced."""
    try:
        calendar = _parse(current)
        theirs = _master(calendar, event.uid)
    except Invalid:
        return new_text(event)
    fresh = _fresh(event)
    ours = _master(fresh, event.uid)
    has_moved = _moved(theirs, ours)
    sequence = theirs.get("SEQUENCE", 0)  # a server or the person may have raised it
    _take_description(theirs, ours)
    _take_title(theirs, ours)
    for name in OURS:
        theirs.pop(name, None)
        if name in ours:
            theirs[name] = ours[name]
    theirs["SEQUENCE"] = vInt(max(sequence if isinstance(sequence, int) else 0, event.sequence))
    for name in ("ORGANIZER", "ATTENDEE"):
        if name in ours:
            theirs[name] = ours[name]
    if has_moved:
        theirs.subcomponents = [each for each in theirs.subcomponents if not _fires_at_a_fixed_time(each)]
    calendar.subcomponents = [*fresh.timezones, theirs]
    return _text(calendar)


def own_name(uid: str) -> str:
    """The name of a resource made by us, from its UID alone, in characters that no server spells differently."""
    readable = re.sub(r"[^A-Za-z0-9_-]+", "-", uid).strip("-")[:80]
    return f"{readable}-{hashlib.sha256(uid.encode()).hexdigest()[:12]}.ics"


def uid_of(text: str) -> str | None:
    """The UID of the object's first event; None when there is none to read."""
    try:
        events = _parse(text).events
    except Invalid:
        return None
    return str(events[0].get("UID", "")) or None if events else None


def _parse(text: str) -> Calendar:
    """Without VTIMEZONEs: the only zone that stays in use is that of our own times."""
    return parse_calendar(text).calendar


def _master(calendar: Calendar, uid: str) -> Any:
    for event in calendar.events:
        if str(event.get("UID", "")) == uid and "RECURRENCE-ID" not in event:
            return event
    raise Invalid("The calendar object holds another event.")


def merged_notes(shown: str, written: str, new: str) -> str:
    """Our new text, with what the person had added before or after the last one (`written`) in what is `shown`."""
    is_shorter = bool(written) and written in shown and new in written  # somebody left a session's list
    if new and new in shown and not is_shorter:
        return shown.strip()
    if written and written in shown:
        return shown.replace(written, new, 1).strip()
    return new.strip()


def _take_description(theirs: Event, ours: Event) -> None:
    shown, written = str(theirs.get("DESCRIPTION", "")), _unescaped(str(theirs.get(WRITTEN, "")))
    new = str(ours.get("DESCRIPTION", ""))
    for name, value in (("DESCRIPTION", merged_notes(shown, written, new)), (WRITTEN, new)):
        theirs.pop(name, None)
        if value:
            theirs[name] = vText(value)


def _take_title(theirs: Event, ours: Event) -> None:
    """A title of their own becomes that of `ours`; the one it hides is noted."""
    shown, written = theirs.get("SUMMARY"), _unescaped(str(theirs.get(TITLE, "")))
    theirs.pop(TITLE, None)
    theirs[TITLE] = vText(str(ours["SUMMARY"]))
    if shown is not None and written and str(shown) != written:
        ours["SUMMARY"] = shown


def _unescaped(text: str) -> str:
    """TEXT of a property whose type the parser does not know (RFC 5545 §3.3.11)."""
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] in "nN" else match[1], text)


def _moved(theirs: Event, ours: Event) -> bool:
    before, after = theirs.get("DTSTART"), ours.get("DTSTART")
    return getattr(before, "dt", None) != getattr(after, "dt", None)


def _fires_at_a_fixed_time(alarm: Any) -> bool:
    trigger = alarm.get("TRIGGER")
    return alarm.name == "VALARM" and hasattr(getattr(trigger, "dt", None), "hour")


def _fresh(event: CalendarEvent) -> Calendar:
    calendar = Calendar.from_ical(calendar_text(event))
    master = _master(calendar, event.uid)
    master[TITLE] = vText(str(master["SUMMARY"]))
    if event.description:
        master[WRITTEN] = vText(str(master["DESCRIPTION"]))
    return calendar


def _text(calendar: Calendar) -> str:
    text: bytes = calendar.to_ical(sorted=False)
    return text.decode()
