"""iTIP messages (RFC 5546): a method, whom it is for, and the text."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from app.domain.content_lines import Component, Line
from app.domain.event_text import PRODID, utc_stamp
from app.domain.scheduling.objects import SCHEDULE_PARAMS, SchedulingObject, zones_for

Method = Literal["REQUEST", "CANCEL", "REPLY"]
_OWN_BUSINESS = ("X-MOZ-",)


@dataclass(frozen=True, slots=True)
class Message:
    """`recipient` is an address as `address_key` writes it. `is_told_again`: a message that follows says the same."""

    method: Method
    recipient: str
    text: str
    is_told_again: bool = False


def message(
    method: Method, recipient: str, entries: Iterable[Component], source: SchedulingObject, now: int
) -> Message:
    """Entries as a message of the instant `now`: what is between a person and their server stays out (RFC 6638 §7),
    and so do their alarms."""
    cleaned = [_cleaned(entry, source, now) for entry in entries]
    head = [Line("VERSION", (), "2.0"), Line("PRODID", (), PRODID), Line("CALSCALE", (), "GREGORIAN")]
    whole = Component(
        "VCALENDAR", [*head, Line("METHOD", (), method)], [*zones_for(cleaned, source.calendar), *cleaned]
    )
    return Message(method, recipient, whole.render())


def _cleaned(entry: Component, source: SchedulingObject, now: int) -> Component:
    kept = [
        line.without(*SCHEDULE_PARAMS) if line.name in {"ATTENDEE", "ORGANIZER"} else line
        for line in entry.lines
        if not line.name.startswith(_OWN_BUSINESS)
    ]
    others = [child for child in entry.children if child.name != "VALARM"]
    copy = Component(entry.name, kept, others)
    organizer = source.organizer_line
    if organizer is not None and entry.first("ORGANIZER") is None:  # named in other entries only; messages need it
        copy.lines.append(organizer.without(*SCHEDULE_PARAMS))
    copy.set("DTSTAMP", utc_stamp(now))
    return copy
