"""Answers to invitations, as calendars and mails carry them (RFC 5545 §3.2.12, RFC 5546 §3.2.3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.bookings import Reply
from app.domain.errors import Invalid
from app.domain.ical_parse import parse_calendar

_REPLIES: Mapping[str, Reply] = {"ACCEPTED": "accepted", "DECLINED": "declined", "TENTATIVE": "tentative"}


@dataclass(frozen=True, slots=True)
class MailedReply:
    """One REPLY: who answered what, to which state of which event."""

    uid: str
    sequence: int
    address: str
    reply: Reply


def reply_in(text: str, address: str) -> Reply | None:
    """What `address` answered, by a calendar object; None when it did not, or the object cannot be read."""
    try:
        events = parse_calendar(text).calendar.events
    except Invalid:
        return None
    answers = dict(pair for event in events for pair in _answers(event))
    return answers.get(address.lower())


def mailed_reply(text: str) -> MailedReply | None:
    """The calendar part of a mail, if it is the answer of one person to one event."""
    try:
        calendar = parse_calendar(text).calendar
    except Invalid:
        return None
    if str(calendar.get("METHOD", "")).upper() != "REPLY" or len(calendar.events) != 1:
        return None
    event = calendar.events[0]
    answers = list(_answers(event))
    uid, sequence = str(event.get("UID", "")), str(event.get("SEQUENCE", 0))
    if len(answers) != 1 or not uid or not sequence.isdecimal():
        return None
    address, reply = answers[0]
    return MailedReply(uid, int(sequence), address, reply)


def _answers(event: Any) -> list[tuple[str, Reply]]:
    found = event.get("ATTENDEE", [])
    attendees = found if isinstance(found, list) else [found]
    answers = (
        (str(each).strip().lower().removeprefix("mailto:"), _REPLIES.get(str(each.params.get("PARTSTAT", "")).upper()))
        for each in attendees
    )
    return [(address, reply) for address, reply in answers if reply is not None]
