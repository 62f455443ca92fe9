"""Events of Microsoft Graph as iCalendar text, one object each. Pure.

Graph's own views are expanded, so every occurrence of a series is an object of its own, by its own id; the master is
kept beside them for its names, and takes no time.

What is busy: `showAs` busy, oof (out of office), unknown, and anything not heard of yet. Not busy: free, and
workingElsewhere, which says where somebody works, not that they are taken. Tentative is told as such. Cancelled events
are not busy, nor what the account's owner declined.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import quote, unquote

from app.domain.event_text import PRODID, clean_text, text_line, utc_stamp
from app.domain.ical_zones import known_zone

Event = Mapping[str, Any]

SERIES = "X-HALFPAST-SERIES"
"""On parts of a series: `MASTER`, or the id of the part's master."""
MASTER = "MASTER"
MAX_TEXT = 10_000
MAX_ATTENDEES = 200
_FREE = frozenset({"free", "workingelsewhere"})
_ANSWERS = {
    "accepted": "ACCEPTED",
    "tentativelyaccepted": "TENTATIVE",
    "declined": "DECLINED",
    "notresponded": "NEEDS-ACTION",
    "organizer": "ACCEPTED",
}
_INHERITED = (
    "subject", "body", "bodyPreview", "showAs", "isAllDay", "isCancelled", "sensitivity", "location", "organizer",
    "isOrganizer", "responseStatus", "attendees", "categories", "isReminderOn", "reminderMinutesBeforeStart",
    "originalStartTimeZone", "createdDateTime", "lastModifiedDateTime", "webLink",
)  # fmt: skip
_TRANSACTION = re.compile(r"halfpast:([0-9a-f]+):(.+)", re.DOTALL)
_ADDRESS = re.compile(r"[^\s,;:<>\"\\]+@[^\s,;:<>\"\\]+")


def transaction_id(uid: str, generation: str) -> str:
    """What a POST of our event carries: Microsoft takes each only once, also after the event was deleted, so that a
    new event for the same booking needs another generation."""
    return f"halfpast:{generation}:{quote(uid, safe='@')}"


def generation_after(gone: str | None) -> str:
    """The generation of the event that follows one with this key, or of this generation; of the first, after None.
    Every worker comes to the same, so that they meet."""
    return "0" if gone is None else hashlib.sha256(gone.encode()).hexdigest()[:12]


def is_ours(event: Event) -> bool:
    """Whether it was made by this program, and is a single event still."""
    return event.get("type") == "singleInstance" and bool(_TRANSACTION.fullmatch(str(event.get("transactionId") or "")))


def uid_of_event(event: Event) -> str:
    """The UID of an event's object: the booking's for our own events, by the transaction id they were made with (it
    comes back in every answer); of others `iCalUId`, or, since a series has one for many objects, the id."""
    kind = event.get("type")
    is_part = kind in ("occurrence", "exception")
    own = _TRANSACTION.fullmatch(str(event.get("transactionId") or ""))
    if own and not is_part:
        return unquote(own[2])
    if is_part or not event.get("iCalUId"):
        return str(event["id"])
    return str(event["iCalUId"])


def is_bare(event: Event) -> bool:
    """Whether this is an occurrence as change lists tell of it: its times, and everything else at its master."""
    return event.get("type") == "occurrence" and "subject" not in event and "showAs" not in event


def completed(occurrence: Event, master: Event) -> dict[str, Any]:
    """A bare occurrence with what it has from its master."""
    return {**{name: master[name] for name in _INHERITED if name in master}, **occurrence}


def event_text(event: Event, account: str) -> str:
    """The object. `account` is the e-mail address whose calendar it is in. An event whose times cannot be read is
    written without them, so that reading it says so."""
    lines = "".join(_lines(event, account))
    return (
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\nCALSCALE:GREGORIAN\r\n"
        f"BEGIN:VEVENT\r\n{lines}END:VEVENT\r\nEND:VCALENDAR\r\n"
    )


def _lines(event: Event, account: str) -> Iterator[str]:
    changed = _instant(event.get("lastModifiedDateTime"))
    yield text_line("UID", uid_of_event(event))
    yield text_line("DTSTAMP", utc_stamp(changed or 0))
    yield from _time_lines(event)
    yield text_line("STATUS", _status(event))
    yield text_line("TRANSP", "TRANSPARENT" if _takes_no_time(event) else "OPAQUE")
    yield text_line("SUMMARY", _string(event.get("subject")))
    for name, instant in (("CREATED", _instant(event.get("createdDateTime"))), ("LAST-MODIFIED", changed)):
        if instant is not None:
            yield text_line(name, utc_stamp(instant))
    for name, text in (("DESCRIPTION", body_text(event)), ("LOCATION", _string(_at(event, "location", "displayName")))):
        if text:
            yield text_line(name, text[:MAX_TEXT])
    for category in _list(event.get("categories")):
        yield text_line("CATEGORIES", _string(category))
    if event.get("sensitivity") in ("private", "confidential"):
        yield text_line("CLASS", str(event["sensitivity"]).upper())
    yield from _people(event, account)
    if event.get("type") == "seriesMaster":
        yield text_line(SERIES, MASTER)
    elif event.get("seriesMasterId"):
        yield text_line(SERIES, str(event["seriesMasterId"]))
    if event.get("isReminderOn") and isinstance(event.get("reminderMinutesBeforeStart"), int):
        minutes = max(int(event["reminderMinutesBeforeStart"]), 0)
        yield "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\n"
        yield f"TRIGGER:{f'-PT{minutes}M' if minutes else 'PT0S'}\r\nEND:VALARM\r\n"


def body_text(event: Event) -> str:
    """The notes. Bodies are asked for as plain text; of HTML, Microsoft's own preview is taken."""
    content = _string(_at(event, "body", "content"))
    if str(_at(event, "body", "contentType") or "text").lower() == "html":
        content = _string(event.get("bodyPreview"))
    return clean_text(content).strip()


def _status(event: Event) -> str:
    if event.get("isCancelled"):
        return "CANCELLED"
    return "TENTATIVE" if _shown(event) == "tentative" else "CONFIRMED"


def _takes_no_time(event: Event) -> bool:
    return event.get("type") == "seriesMaster" or _shown(event) in _FREE


def _shown(event: Event) -> str:
    return str(event.get("showAs") or "").lower()


# times


def times_of(event: Event) -> tuple[datetime, datetime] | None:
    """Begin and end of a timed event as instants; None when they cannot be read."""
    start, end = _moment(event.get("start")), _moment(event.get("end"))
    return (start, end) if start is not None and end is not None else None


def _time_lines(event: Event) -> Iterator[str]:
    times = times_of(event)
    if times is None:
        return
    dates = _dates(event, *times) if event.get("isAllDay") else None
    if dates is not None:
        for name, day in zip(("DTSTART", "DTEND"), dates, strict=True):
            yield f"{name};VALUE=DATE:{day:%Y%m%d}\r\n"
        return
    for name, moment in zip(("DTSTART", "DTEND"), times, strict=True):
        yield f"{name}:{utc_stamp(int(moment.timestamp()))}\r\n"


def _dates(event: Event, start: datetime, end: datetime) -> tuple[date, date] | None:
    """The days of an all-day event, the last one exclusive. They are midnights of the zone asked for, or of the zone
    the event was made in, told in the one asked for; None when they are neither, and the instants have to do."""
    zones = (None, known_zone(_string(event.get("originalStartTimeZone"))))
    for zone in zones:
        days = [moment if zone is None else moment.astimezone(zone) for moment in (start, end)]
        if all(day.timetz().replace(tzinfo=None) == datetime.min.time() for day in days):
            first, last = (day.date() for day in days)
            return first, max(last, first + timedelta(days=1))
    return None


def _moment(value: Any) -> datetime | None:
    """A `dateTimeTimeZone` in the zone it names, a Windows or an IANA one; None when it cannot be read."""
    zone = known_zone(_string(_at({"value": value}, "value", "timeZone")) or "UTC")
    try:
        wall = datetime.fromisoformat(_short(value["dateTime"]))
    except (ValueError, TypeError, KeyError):
        return None
    if wall.tzinfo is not None:
        return wall
    return None if zone is None else wall.replace(tzinfo=zone)


def _instant(value: Any) -> int | None:
    """Epoch seconds of a point in time; None for none."""
    try:
        moment = datetime.fromisoformat(_short(value))
    except (ValueError, TypeError):
        return None
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp()) if moment.year > 1 else None


def _short(value: Any) -> str:
    """A date-time with six digits after the second: Microsoft gives seven."""
    if not isinstance(value, str):
        raise TypeError("no date-time")
    return re.sub(r"(\.\d{6})\d+", r"\1", value)


# people


def _people(event: Event, account: str) -> Iterator[str]:
    organizer = _address(event.get("organizer"))
    if organizer and organizer != account.lower():
        yield text_line("ORGANIZER", f"mailto:{organizer}")
    own = _answer(event.get("responseStatus"))
    if own and not event.get("isOrganizer") and _address({"emailAddress": {"address": account}}):
        yield text_line(f"ATTENDEE;PARTSTAT={own}", f"mailto:{account.lower()}")
    for attendee in _list(event.get("attendees"))[:MAX_ATTENDEES]:
        address = _address(attendee)
        if address and address != account.lower():
            answer = _answer(_at(attendee, "status")) or "NEEDS-ACTION"
            yield text_line(f"ATTENDEE;PARTSTAT={answer}", f"mailto:{address}")


def _answer(status: Any) -> str | None:
    return _ANSWERS.get(str(_at({"status": status}, "status", "response") or "").lower())


def _address(party: Any) -> str | None:
    found = _string(_at({"party": party}, "party", "emailAddress", "address")).lower()
    return found if _ADDRESS.fullmatch(found) else None


def _at(value: Any, *path: str) -> Any:
    """What is at the end of a path of names; None where it breaks off."""
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""
