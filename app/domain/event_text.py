"""CalendarEvent to iCalendar text (RFC 5545), by hand: feeds write thousands of these.

Every line ends with CRLF and has at most 75 octets. Text that came from people is cleaned (see `clean_text`) and
escaped, so nothing they type can add a line or a property.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import quote

from app.domain.calendar_event import CalendarEvent, Party
from app.domain.timezone_text import UTC_NAMES, load_zone, timezone_component

PRODID = "-//Halfpast//Halfpast//EN"

_BREAK = "\r\x0b\x0c\x85\u2028\u2029"
# Controls, lone surrogates and non-characters: not allowed in content lines, in UTF-8 or in the XML around CalDAV data.
_DROP = "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufffe\uffff"
_BREAKS = re.compile(f"\r\n|[{_BREAK}]")
_DROPPED = re.compile(f"[{_DROP}]")
_SPECIAL = re.compile(rf"[\\;,\n{_BREAK}{_DROP}]")
_PLAIN_ADDRESS = re.compile(r"[A-Za-z0-9!#$&'*+\-/=^_`{|}~.]+@[A-Za-z0-9.\-]+")
_URI_SAFE = "!#$%&'()*+,-./:;=?@[]_~"
_PLAIN_URI = re.compile(rf"[A-Za-z0-9{re.escape(_URI_SAFE)}]*")
_TZID = re.compile(
    r"^(?:DTSTART|DTEND|RECURRENCE-ID|EXDATE|RDATE)(?:;VALUE=[A-Z-]+)?;TZID=([^:;\r\n]+)[:;]", re.MULTILINE
)


def event_component(event: CalendarEvent, *, stamp: int | None = None) -> str:
    """The VEVENT. `stamp` is the DTSTAMP, epoch seconds: with a METHOD the instant of the message, else (None) that
    of the last change (§3.8.7.2)."""
    start, end = _times(event)
    updated = utc_stamp(event.updated)
    lines = [
        "BEGIN:VEVENT",
        f"UID:{_text(event.uid)}",
        f"DTSTAMP:{updated if stamp is None else utc_stamp(stamp)}",
        f"DTSTART{start}",
        f"DTEND{end}",
        f"SEQUENCE:{event.sequence}",
        f"STATUS:{event.status}",
        f"TRANSP:{'TRANSPARENT' if event.status == 'CANCELLED' else 'OPAQUE'}",
        f"CREATED:{utc_stamp(event.created)}",
        f"LAST-MODIFIED:{updated}",
        f"SUMMARY:{_text(event.summary)}",
    ]
    if event.description:
        lines.append(f"DESCRIPTION:{_text(event.description)}")
    if event.location:
        lines.append(f"LOCATION:{_text(event.location)}")
    if event.url:
        lines.append(f"URL:{_uri(event.url)}")
    if event.join_url:
        lines.append(f"CONFERENCE;VALUE=URI;FEATURE=AUDIO,VIDEO;LABEL=Join:{_uri(event.join_url)}")
    if event.organizer:
        lines.append(f"ORGANIZER{_common_name(event.organizer)}:{_address(event.organizer)}")
    lines += [_attendee(party) for party in event.attendees]
    for minutes in event.alarms:
        lines += _alarm(event, minutes)
    lines.append("END:VEVENT\r\n")
    return "\r\n".join([line if len(line) < 19 else _fold(line) for line in lines])


def calendar_text(event: CalendarEvent, *, method: str | None = None, stamp: int | None = None) -> str:
    """A whole VCALENDAR with one event and the VTIMEZONE it refers to. `method` only for iTIP messages: stored
    objects must have none (RFC 4791 §4.1)."""
    component = event_component(event, stamp=stamp)
    head = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\nCALSCALE:GREGORIAN\r\n"
    if method:
        head += f"METHOD:{method}\r\n"
    zones = "".join(timezone_component(tzid) for tzid in sorted(timezone_ids(component)))
    return f"{head}{zones}{component}END:VCALENDAR\r\n"


def slice_component(calendar: str) -> str:
    """The VEVENTs out of a text made by `calendar_text`, found without parsing (feeds join thousands of them)."""
    parts = []
    begin = calendar.find("\r\nBEGIN:VEVENT\r\n")
    while begin >= 0:
        end = calendar.index("\r\nEND:VEVENT\r\n", begin) + len("\r\nEND:VEVENT\r\n")
        parts.append(calendar[begin + 2 : end])
        begin = calendar.find("\r\nBEGIN:VEVENT\r\n", end - 2)
    return "".join(parts)


def timezone_ids(component: str) -> set[str]:
    """The zones a component made here refers to: those that need a VTIMEZONE beside it."""
    return set(_TZID.findall(component))


def clean_text(text: str) -> str:
    """What iCalendar, UTF-8 and XML can all carry: every kind of line end becomes a newline, other control
    characters, lone surrogates and non-characters go."""
    return _DROPPED.sub("", _BREAKS.sub("\n", text))


def text_value(value: str) -> str:
    """A TEXT value, escaped (§3.3.11)."""
    return _text(value)


def text_line(name: str, value: str) -> str:
    """A TEXT property of a calendar as a folded content line, line end included."""
    return _fold(f"{name}:{_text(value)}") + "\r\n"


def content_line(name: str, value: str) -> str:
    """A property whose value needs no escaping as a folded content line, line end included."""
    return _fold(f"{name}:{value}") + "\r\n"


def _text(value: str) -> str:
    """TEXT, escaped (§3.3.11)."""
    if not _SPECIAL.search(value):
        return value
    value = clean_text(value)
    return value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")


def _parameter(value: str) -> str:
    """A quoted parameter value; quotes, newlines and carets by RFC 6868."""
    value = clean_text(value).replace("^", "^^").replace("\n", "^n").replace('"', "^'")
    return f'"{value}"'


def _uri(value: str) -> str:
    return value if _PLAIN_URI.fullmatch(value) else quote(clean_text(value), safe=_URI_SAFE)


def _common_name(party: Party) -> str:
    return f";CN={_parameter(party.name)}" if party.name else ""


def _address(party: Party) -> str:
    email = party.email
    if not _PLAIN_ADDRESS.fullmatch(email):
        email = quote(_DROPPED.sub("", email), safe="@!#$&'*+-/=^_`{|}~.")
    return f"mailto:{email}"


def _attendee(party: Party) -> str:
    return (
        f"ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT={party.partstat};"
        f"RSVP={'TRUE' if party.rsvp else 'FALSE'}{_common_name(party)}:{_address(party)}"
    )


def _alarm(event: CalendarEvent, minutes: int) -> list[str]:
    return [
        "BEGIN:VALARM",
        "ACTION:DISPLAY",
        f"DESCRIPTION:{_text(event.summary)}",
        f"TRIGGER:-PT{minutes}M" if minutes else "TRIGGER:PT0S",
        "END:VALARM",
    ]


def _times(event: CalendarEvent) -> tuple[str, str]:
    """DTSTART and DTEND from their parameters on. The second pass of a repeated hour has no wall time of its own
    (§3.3.5: it means the first), so such an event is written in UTC."""
    if event.timezone not in UTC_NAMES:
        zone = load_zone(event.timezone)
        start, end = datetime.fromtimestamp(event.start, zone), datetime.fromtimestamp(event.end, zone)
        if not (start.fold or end.fold):
            prefix = f";TZID={event.timezone}:"
            return prefix + _wall(start), prefix + _wall(end)
    return f":{utc_stamp(event.start)}", f":{utc_stamp(event.end)}"


def _wall(at: datetime) -> str:
    iso = at.isoformat()  # the quick way: feeds call this thousands of times
    return f"{iso[:4]}{iso[5:7]}{iso[8:13]}{iso[14:16]}{iso[17:19]}"


def utc_stamp(at: int) -> str:
    """An instant as iCalendar writes it in UTC."""
    return _wall(datetime.fromtimestamp(at, UTC)) + "Z"


def _fold(line: str) -> str:
    """At most 75 octets a line, never inside a UTF-8 sequence (§3.1)."""
    if line.isascii():
        if len(line) <= 75:
            return line
        return "\r\n ".join([line[:75], *(line[at : at + 74] for at in range(75, len(line), 74))])
    data, parts, begin, room = line.encode(), [], 0, 75
    while len(data) - begin > room:
        end = begin + room
        while data[end] & 0xC0 == 0x80:  # a continuation byte: its sequence moves to the next line whole
            end -= 1
        parts.append(data[begin:end])
        begin, room = end, 74
    return b"\r\n ".join([*parts, data[begin:]]).decode()
