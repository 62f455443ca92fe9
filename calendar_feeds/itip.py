"""Invitations and cancellations (RFC 5546), as mails carry them (RFC 6047)."""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from app.domain.calendar_event import CalendarEvent
from app.domain.event_text import calendar_text
from app.ports.mail import Invitation


def invitation(event: CalendarEvent, now: int) -> Invitation:
    """REQUEST, or CANCEL for a cancelled event (§3.2.2, §3.2.5).

    The event's organizer must be the address the mail comes from, without SENT-BY: mail programs take an invitation
    for genuine only when ORGANIZER and From agree, and send their replies to the organizer. DTSTAMP is `now`: among
    messages of one SEQUENCE the latest counts (§2.1.5). Alarms stay out; they are the attendee's own business.
    """
    if event.organizer is None or not event.attendees:
        raise ValueError("An invitation needs an organizer and somebody invited.")
    method: Literal["REQUEST", "CANCEL"] = "CANCEL" if event.status == "CANCELLED" else "REQUEST"
    return Invitation(method, calendar_text(replace(event, alarms=()), method=method, stamp=now))
