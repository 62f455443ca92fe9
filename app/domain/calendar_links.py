"""Addresses that open a person's web calendar with an event filled in."""

from __future__ import annotations

from datetime import UTC, datetime
from urllib.parse import quote, urlencode

from app.domain.calendar_event import CalendarEvent
from app.domain.event_text import clean_text

_DESCRIPTION_LENGTH = 600  # addresses past 2,000 characters or so are cut by some mail programs


def google_link(event: CalendarEvent) -> str:
    """Google Calendar's form for a new event."""
    return "https://calendar.google.com/calendar/render?" + _query(
        action="TEMPLATE",
        text=event.summary,
        dates=f"{_utc(event.start, '%Y%m%dT%H%M%SZ')}/{_utc(event.end, '%Y%m%dT%H%M%SZ')}",
        ctz=event.timezone,
        details=event.description[:_DESCRIPTION_LENGTH],
        location=event.location,
    )


def outlook_link(event: CalendarEvent, *, work: bool = False) -> str:
    """Outlook's form, for a personal account or for one of work or school."""
    host = "outlook.office.com" if work else "outlook.live.com"
    return f"https://{host}/calendar/0/deeplink/compose?" + _query(
        path="/calendar/action/compose",
        rru="addevent",
        subject=event.summary,
        startdt=_utc(event.start, "%Y-%m-%dT%H:%M:%SZ"),
        enddt=_utc(event.end, "%Y-%m-%dT%H:%M:%SZ"),
        body=event.description[:_DESCRIPTION_LENGTH].replace("\n", "<br>"),
        location=event.location,
    )


def _query(**values: str) -> str:
    return urlencode({name: clean_text(value) for name, value in values.items() if value}, quote_via=quote)


def _utc(at: int, pattern: str) -> str:
    return datetime.fromtimestamp(at, UTC).strftime(pattern)
