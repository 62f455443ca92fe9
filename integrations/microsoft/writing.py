"""What is sent to Microsoft Graph for our own events, and what of the person's is left alone. Pure.

Our event carries, beside its transaction id, three named properties: the UID, to find it by, and title and text as
they were written last, to tell what the person changed since.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from app.domain.calendar_event import CalendarEvent
from app.domain.event_text import clean_text
from integrations.event_merge import merged_notes
from integrations.microsoft.events import Event, body_text, times_of, transaction_id, uid_of_event

_NAMESPACE = "{8f0d6b0e-6c1d-4a52-9f0b-3c9c4f2f7a51}"
UID, TITLE, TEXT = (f"String {_NAMESPACE} Name Halfpast{name}" for name in ("Uid", "Title", "Text"))
_ANY_OF_OURS = " or ".join(f"id eq '{name}'" for name in (UID, TITLE, TEXT))
EXPAND = f"singleValueExtendedProperties($filter={_ANY_OF_OURS})"


def with_uid(uid: str) -> str:
    """The `$filter` that finds our event."""
    quoted = uid.replace("'", "''")
    return f"singleValueExtendedProperties/Any(ep: ep/id eq '{UID}' and ep/value eq '{quoted}')"


def with_ical_uid(uid: str) -> str:
    """The `$filter` that finds an event of somebody else's."""
    quoted = uid.replace("'", "''")
    return f"iCalUId eq '{quoted}'"


def is_own(event: Event, uid: str) -> bool:
    """Whether this is our event with this UID."""
    return _named(event).get(UID) == uid or uid_of_event(event) == uid


def new_event(event: CalendarEvent, generation: str) -> dict[str, Any]:
    """The body of the POST. With attendees Microsoft invites them, and tells them of every later change."""
    return {
        "transactionId": transaction_id(event.uid, generation),
        "subject": clean_text(event.summary),
        "body": _body(clean_text(event.description)),
        "start": _time(event.start),
        "end": _time(event.end),
        "location": {"displayName": clean_text(event.location)},
        "showAs": _SHOWN[event.status],
        **({"attendees": _attendees(event, ())} if event.attendees else {}),
        "isReminderOn": bool(event.alarms),
        **(
            {"isOnlineMeeting": True} if event.conference else {}
        ),  # by the mailbox's own service, which is mostly Teams
        **({"reminderMinutesBeforeStart": min(event.alarms)} if event.alarms else {}),
        "singleValueExtendedProperties": [
            {"id": UID, "value": event.uid},
            *_written(clean_text(event.summary), clean_text(event.description)),
        ],
    }


def is_as_meant(made: Event, event: CalendarEvent) -> bool:
    """Whether what a POST answered with is the event that was meant by it."""
    return _instants(made) == (event.start, event.end) and made.get("subject") == clean_text(event.summary)


def changes_to(current: Event, event: CalendarEvent) -> dict[str, Any]:
    """The body of the PATCH that brings the event to its state; empty when it is there. The person's reminder and
    categories, a title of theirs, the time shown as free, and notes added to our text stay."""
    body: dict[str, Any] = {}
    if _instants(current) != (event.start, event.end) or current.get("isAllDay"):
        body |= {"start": _time(event.start), "end": _time(event.end), "isAllDay": False}
    if (current.get("location") or {}).get("displayName", "") != clean_text(event.location):
        body["location"] = {"displayName": clean_text(event.location)}
    attendees = current.get("attendees") or ()
    if len(invited := _attendees(event, attendees)) > len(attendees):
        body["attendees"] = invited
    if event.conference and not current.get("isOnlineMeeting"):
        body["isOnlineMeeting"] = True  # it cannot be taken back
    shown = _shown(str(current.get("showAs", "")), event)
    if shown != current.get("showAs"):
        body["showAs"] = shown
    return body | _wording(current, clean_text(event.summary), clean_text(event.description))


def _wording(current: Event, title: str, text: str) -> dict[str, Any]:
    """Title and text, where ours changed and the person's allows."""
    written = _named(current)
    if (written.get(TITLE), written.get(TEXT)) == (title, text):
        return {}
    body: dict[str, Any] = {"singleValueExtendedProperties": _written(title, text)}
    if current.get("subject") in (written.get(TITLE), None):
        body["subject"] = title
    if text != written.get(TEXT) and not current.get("isOnlineMeeting"):  # a new body would end the meeting
        body["body"] = _body(merged_notes(body_text(current), _plain(written.get(TEXT, "")), _plain(text)))
    return body


def _attendees(event: CalendarEvent, current: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Those there are, with their answers, and those of the event that are missing."""
    there = {str((each.get("emailAddress") or {}).get("address", "")).lower() for each in current}
    new = [party for party in event.attendees if party.email.lower() not in there]
    named = [
        {"type": "required", "emailAddress": {"address": each.email, "name": each.name or each.email}} for each in new
    ]
    return [*(dict(each) for each in current), *named]


def _instants(event: Event) -> tuple[float, float] | None:
    times = times_of(event)
    return (times[0].timestamp(), times[1].timestamp()) if times else None


_SHOWN = {"TENTATIVE": "tentative", "CONFIRMED": "busy", "CANCELLED": "free"}


def _shown(current: str, event: CalendarEvent) -> str:
    """Ours where it speaks of the booking's state; the person may show its time as something else."""
    if event.status == "CONFIRMED" and current not in ("", "tentative", "unknown"):
        return current
    return _SHOWN[event.status]


def _time(at: int) -> dict[str, str]:
    """An instant, in UTC: exact also in the hour that comes twice."""
    return {"dateTime": f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%S}", "timeZone": "UTC"}


def _body(text: str) -> dict[str, str]:
    return {"contentType": "text", "content": text}


def _written(title: str, text: str) -> list[dict[str, str]]:
    return [{"id": TITLE, "value": title}, {"id": TEXT, "value": text}]


def _named(event: Event) -> Mapping[str, str]:
    found = event.get("singleValueExtendedProperties") or ()
    return {str(each.get("id")): str(each.get("value") or "") for each in found if isinstance(each, Mapping)}


def _plain(text: str) -> str:
    """Text as a body shows it again: without space at its ends."""
    return text.strip()
