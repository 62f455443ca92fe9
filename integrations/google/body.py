"""Our events in Google's JSON, and how they are laid over what the person made of them. Pure.

Ours are time, place, state, the title and our part of the description as long as the person did not change them;
colour, reminders, guests, time shown as free, notes around our text and everything else stay the person's.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from app.domain.calendar_event import CalendarEvent
from app.domain.event_text import clean_text
from app.domain.timezone_text import load_zone
from integrations.event_merge import merged_notes
from integrations.google import conferences
from integrations.google.own_ids import UID_PROPERTY

Json = dict[str, Any]

LONGEST_DESCRIPTION = 8000  # Google refuses more than 8192 characters
LONGEST_LINE = 1000
_TITLE_PROPERTY = "halfpastTitle"
_TEXT_PROPERTY = "halfpastText"
_CHUNK = 1000  # a property's value may have 1024 characters
_NOT_SENT = frozenset(
    {"kind", "etag", "htmlLink", "created", "updated", "creator", "hangoutLink", "conferenceData", "attachments"}
)
_CLEARED = ("description", "location", "source", "recurrence")
_TAG = re.compile(r"</?[a-zA-Z][\w-]*(?:\s[^<>]*)?/?>")
_BREAK = re.compile(r"<br\s*/?>|</(?:p|div|li)>", re.IGNORECASE)


def new_body(event: CalendarEvent, event_id: str) -> Json:
    """The event as it is first written. Without alarms of its own it gets those of the calendar."""
    description = _description(event)
    body = {"id": event_id, **_ours(event), **({"description": description} if description else {})}
    body["extendedProperties"] = {"private": _private(event)}
    if event.alarms:
        overrides = [{"method": "popup", "minutes": minutes} for minutes in event.alarms[:5]]  # Google takes five
        body["reminders"] = {"useDefault": False, "overrides": overrides}
    if event.attendees:
        body["attendees"] = _attendees(event, ())
    if event.conference:
        body["conferenceData"] = conferences.asked_for(event_id)
    return body


def merged_body(current: Mapping[str, Any], event: CalendarEvent) -> Json:
    """`current` brought to the event's state, to be sent whole."""
    kept = {name: value for name, value in current.items() if name not in _NOT_SENT and name not in _CLEARED}
    properties = current.get("extendedProperties") or {}
    private = properties.get("private") or {}
    ours = (_TEXT_PROPERTY, _TITLE_PROPERTY, UID_PROPERTY)
    theirs = {name: value for name, value in private.items() if not name.startswith(ours)}
    description = _merged_description(str(current.get("description", "")), _written(private), _description(event))
    body = {**kept, **_ours(event), **({"description": description} if description else {})}
    body["sequence"] = max(int(current.get("sequence") or 0), event.sequence)
    body["extendedProperties"] = {**properties, "private": {**theirs, **_private(event)}}
    if current.get("summary", "") != private.get(_TITLE_PROPERTY, current.get("summary", "")):
        body["summary"] = current.get("summary", "")  # a title of their own
    if event.status != "CANCELLED" and "transparency" in current:
        body["transparency"] = current["transparency"]
    if event.attendees:
        moved = any(_told(current, name) != _told(body, name) for name in ("start", "end"))
        there = current.get("attendees") or ()
        body["attendees"] = _attendees(event, [_asked_again(each) for each in there] if moved else there)
    if event.conference and not conferences.has_conference(current):
        body["conferenceData"] = conferences.asked_for(str(current.get("id")), str(current.get("etag")))
    return body


def is_news(current: Mapping[str, Any], body: Mapping[str, Any]) -> bool:
    """Whether those invited have to hear of a change: of another time, place or title, or because they are new."""
    return any(current.get(name) != body.get(name) for name in ("summary", "location", "status")) or any(
        _told(current, name) != _told(body, name) for name in ("start", "end", "attendees")
    )


def plain_text(description: str) -> str:
    """A description without the HTML that Google's editor puts into it."""
    text = html.unescape(_TAG.sub("", _BREAK.sub("\n", description)))
    return text.replace("\xa0", " ").replace("\r\n", "\n")


def _ours(event: CalendarEvent) -> Json:
    body: Json = {
        "status": "tentative" if event.status == "TENTATIVE" else "confirmed",
        "transparency": "transparent" if event.status == "CANCELLED" else "opaque",
        "summary": _title(event),
        "start": _time(event.start, event.timezone),
        "end": _time(event.end, event.timezone),
        "sequence": event.sequence,
    }
    if event.location:
        body["location"] = clean_text(event.location)[:LONGEST_LINE]
    if event.url:
        body["source"] = {"title": "Halfpast", "url": event.url}
    return body


def _attendees(event: CalendarEvent, current: Sequence[Mapping[str, Any]]) -> list[Json]:
    """Those of the event, and whom the person added; everybody keeps their answer."""
    there = {str(each.get("email", "")).lower() for each in current}
    new = [party for party in event.attendees if party.email.lower() not in there]
    named = [{"email": party.email, **({"displayName": party.name} if party.name else {})} for party in new]
    return [*(dict(each) for each in current), *named]


def _asked_again(attendee: Mapping[str, Any]) -> Json:
    """What people said was about the time before."""
    return dict(attendee) if attendee.get("self") else {**attendee, "responseStatus": "needsAction"}


def _told(event: Mapping[str, Any], name: str) -> object:
    """The part of a value that matters to those invited: not the zone, and not the answers."""
    value = event.get(name)
    if name == "attendees":
        return sorted(str(each.get("email", "")).lower() for each in value or ())
    return datetime.fromisoformat(value["dateTime"]) if value and "dateTime" in value else value


def _time(at: int, timezone: str) -> Json:
    return {"dateTime": datetime.fromtimestamp(at, load_zone(timezone)).isoformat(), "timeZone": timezone}


def _title(event: CalendarEvent) -> str:
    return clean_text(event.summary)[:LONGEST_LINE]


def _description(event: CalendarEvent) -> str:
    return clean_text(event.description).strip()[:LONGEST_DESCRIPTION]


def _private(event: CalendarEvent) -> dict[str, str]:
    """The UID, and title and description as they are written now, to tell later what the person made of them."""
    text = _description(event)
    chunks = (text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK))
    return {
        UID_PROPERTY: event.uid,
        _TITLE_PROPERTY: _title(event),
        **{f"{_TEXT_PROPERTY}{number}": chunk for number, chunk in enumerate(chunks)},
    }


def _written(private: Mapping[str, str]) -> str:
    numbers = sorted(
        int(name.removeprefix(_TEXT_PROPERTY)) for name in private if re.fullmatch(rf"{_TEXT_PROPERTY}\d{{1,3}}", name)
    )
    return "".join(private[f"{_TEXT_PROPERTY}{number}"] for number in numbers)


def _merged_description(shown: str, written: str, new: str) -> str:
    """Google's editor may have made HTML of it."""
    texts = (shown, plain_text(shown))
    text = next((each for each in texts if new in each or (written and written in each)), shown)
    return merged_notes(text, written, new)[: LONGEST_DESCRIPTION + 100]
