"""Google's events as iCalendar text, one object for each event or series. Pure.

Google tells of a series part by part: its master, and each changed or cancelled instance. Every part becomes one VEVENT
that carries its Google id (a cancelled one: an EXDATE of the master), so that a text kept by the mirror can be taken
apart and one part replaced (`parts_of`, `composed`). What the fields mean says the Calendar API's discovery document.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from app.domain.calendars import etag_of
from app.domain.errors import Invalid
from app.domain.event_text import PRODID, content_line, text_line, timezone_ids, utc_stamp
from app.domain.ical_zones import known_zone
from app.domain.timezone_text import UTC_NAMES, timezone_component
from app.ports.calendars import RemoteObject
from integrations.google.own_ids import uid_of

Json = Mapping[str, Any]

_ID = "X-HALFPAST-ID"
_SERIES = "X-HALFPAST-SERIES"
_PART = re.compile(
    rf"^BEGIN:VEVENT\r\n{_ID}:((?:[^\r\n]|\r\n )*)\r\n(UID:(?:[^\r\n]|\r\n )*\r\n)(.*?)^END:VEVENT\r\n",
    re.MULTILINE | re.DOTALL,
)
_EXCLUDED = re.compile(rf'^EXDATE;{_ID}="([^"]*)"[^\r\n]*\r\n(?: [^\r\n]*\r\n)*', re.MULTILINE)
_RECURRENCE = re.compile(r"(?:RRULE|EXRULE|RDATE|EXDATE)[;:][^\r\n]+", re.IGNORECASE)
_ZONE_NAME = re.compile(r"[\w+\-/]{1,64}", re.ASCII)
_ANSWERS = {"declined": "DECLINED", "tentative": "TENTATIVE", "accepted": "ACCEPTED"}
_ALWAYS_FREE = frozenset({"workingLocation", "birthday"})
_ALWAYS_BUSY = frozenset({"outOfOffice", "focusTime"})


@dataclass(frozen=True, slots=True)
class Part:
    """A single event, the master of a series, or an instance of it that differs. `series` is the master's id, `uid`
    the UID line (None when Google does not say it), `lines` are those between UID and END (of a cancelled instance, its
    EXDATE), `etag` is Google's, when it is known."""

    id: str
    series: str
    etag: str
    is_cancelled: bool
    is_recurring: bool
    uid: str | None
    lines: str

    @property
    def is_master(self) -> bool:
        return self.id == self.series


def part_of(event: Json, account: str) -> Part:
    """One item of a list of events; `account` is the e-mail address of whose account it is read with."""
    event_id = str(event.get("id", ""))
    uid = uid_of(event)
    return Part(
        id=event_id,
        series=str(event.get("recurringEventId") or event_id),
        etag=str(event.get("etag", "")),
        is_cancelled=_is_cancelled(event),
        is_recurring=bool(event.get("recurrence")),
        uid=text_line("UID", uid) if uid else None,
        lines=_exclusion(event) if _is_excluded(event) else "".join(_lines(event, account)),
    )


def parts_of(text: str) -> list[Part]:
    """A text made by `composed`, taken apart; nothing for any other text."""
    parts: list[Part] = []
    for event in _PART.finditer(text):
        event_id, lines = _unfolded(event[1]), _EXCLUDED.sub("", event[3])
        series = re.search(rf"^{_SERIES}:((?:[^\r\n]|\r\n )*)\r\n", lines, re.MULTILINE)
        is_recurring = bool(re.search(r"^(?:RRULE|RDATE)[;:]", lines, re.MULTILINE | re.IGNORECASE))
        name = _unfolded(series[1]) if series else event_id
        parts.append(Part(event_id, name, "", is_cancelled=False, is_recurring=is_recurring, uid=event[2], lines=lines))
        parts += [
            Part(_unfolded(each[1]), event_id, "", is_cancelled=True, is_recurring=False, uid=None, lines=each[0])
            for each in _EXCLUDED.finditer(event[3])
        ]
    return parts


def composed(series: str, parts: Iterable[Part]) -> RemoteObject | None:
    """The object of these parts; None when nothing of them is left. Instances outlive a master only where somebody is
    invited to them alone."""
    by_id = {each.id: each for each in parts}
    master = by_id.get(series)
    instances = [each for each in by_id.values() if not each.is_master and not each.is_cancelled]
    excluded = "".join(each.lines for each in by_id.values() if not each.is_master and each.is_cancelled)
    if master is None or master.is_cancelled:
        kept = instances
    elif master.is_recurring:
        kept = [replace(master, lines=master.lines + excluded), *instances]
    else:
        kept = [master]
    if not kept:
        return None
    uid = next((each.uid for each in kept if each.uid), None) or text_line("UID", f"{series}@google.com")
    text = _calendar(f"BEGIN:VEVENT\r\n{text_line(_ID, each.id)}{uid}{each.lines}END:VEVENT\r\n" for each in kept)
    return RemoteObject(series, kept[0].etag if kept == [master] and kept[0].etag else etag_of(text), text)


def _calendar(events: Iterable[str]) -> str:
    body = "".join(events)
    zones = "".join(_definition(tzid) for tzid in sorted(timezone_ids(body)))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\n{zones}{body}END:VCALENDAR\r\n"


def _definition(tzid: str) -> str:
    try:
        return timezone_component(tzid)
    except Invalid:  # whoever reads the text will say that the zone is not known
        return ""


def _unfolded(value: str) -> str:
    return re.sub(r"\r\n ", "", value)


def _is_cancelled(event: Json) -> bool:
    return event.get("status") == "cancelled"


def _is_excluded(event: Json) -> bool:
    return _is_cancelled(event) and bool(event.get("recurringEventId"))


def _exclusion(event: Json) -> str:
    """A cancelled instance, as a line of its master; of such Google tells hardly more than when it would have been."""
    return _moment(f'EXDATE;{_ID}="{event.get("id", "")}"', event.get("originalStartTime") or {})


def _lines(event: Json, account: str) -> Iterator[str]:
    start = event.get("start") or event.get("originalStartTime") or {}
    updated = _stamp(event.get("updated"))
    yield content_line("DTSTAMP", updated or "19700101T000000Z")
    if event.get("recurringEventId"):
        yield text_line(_SERIES, str(event["recurringEventId"]))
        yield _moment("RECURRENCE-ID", event.get("originalStartTime") or start)
    repeats = bool(event.get("recurrence"))
    yield _moment("DTSTART", start, repeats=repeats)
    if event.get("end"):
        yield _moment("DTEND", event["end"], repeats=repeats)
    for rule in event.get("recurrence") or ():
        if _RECURRENCE.fullmatch(str(rule)):
            name, _, value = str(rule).partition(":")
            yield content_line(name, value)
    yield content_line("STATUS", _status(event))
    yield content_line("TRANSP", "TRANSPARENT" if is_free(event) else "OPAQUE")
    yield content_line("SEQUENCE", str(int(event.get("sequence") or 0)))
    if updated:
        yield content_line("LAST-MODIFIED", updated)
    for name, field in (("SUMMARY", "summary"), ("DESCRIPTION", "description"), ("LOCATION", "location")):
        if event.get(field):
            yield text_line(name, str(event[field]))
    yield from _people(event, account)


def is_free(event: Json) -> bool:
    """Whether the event takes no time, by its kind or by the person's choice."""
    kind = event.get("eventType", "default")
    return kind in _ALWAYS_FREE or (kind not in _ALWAYS_BUSY and event.get("transparency") == "transparent")


def _status(event: Json) -> str:
    return "TENTATIVE" if event.get("status") == "tentative" else "CONFIRMED"


def _people(event: Json, account: str) -> Iterator[str]:
    """The organizer and the answers. The calendar's own answer comes first, under the account's address: readers take
    the first one that is the person's, and a calendar's address need not be."""
    organizer = (event.get("organizer") or {}).get("email")
    if organizer:
        yield content_line("ORGANIZER", _mailto(organizer))
    attendees = [each for each in event.get("attendees") or () if each.get("email") or each.get("self")]
    for each in sorted(attendees, key=lambda each: not each.get("self")):
        answer = _ANSWERS.get(each.get("responseStatus", ""), "NEEDS-ACTION")
        address = account if each.get("self") else each["email"]
        yield content_line(f"ATTENDEE;PARTSTAT={answer}", _mailto(address))


def _mailto(address: str) -> str:
    return "mailto:" + quote(address, safe="@!#$&'*+-/=^_`{|}~.")


def _stamp(text: Any) -> str | None:
    try:
        return utc_stamp(int(datetime.fromisoformat(str(text)).timestamp()))
    except (ValueError, OverflowError):
        return None


def _moment(name: str, value: Json, *, repeats: bool = False) -> str:
    """A time as Google writes it; what cannot be read is left to the reader of the text to complain of. A zone that is
    not known matters only where the time repeats: else its offset says everything."""
    if value.get("date"):
        return content_line(f"{name};VALUE=DATE", re.sub(r"[^\d]", "", str(value["date"])))
    zone_name = str(value.get("timeZone") or "")
    try:
        moment = datetime.fromisoformat(str(value.get("dateTime")))
        zone = known_zone(zone_name) if zone_name else None
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=zone)
        elif zone is not None and zone.key not in UTC_NAMES:
            moment = moment.astimezone(zone)
    except (ValueError, OverflowError):
        return text_line(name, "unreadable")
    wall = moment.strftime("%Y%m%dT%H%M%S")
    if zone is not None and zone.key not in UTC_NAMES and not moment.fold:
        return content_line(f"{name};TZID={zone.key}", wall)
    if repeats and zone_name and zone is None and _ZONE_NAME.fullmatch(zone_name):
        return content_line(f"{name};TZID={zone_name}", wall)
    if moment.tzinfo is None:
        return content_line(name, wall)
    return content_line(name, moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ"))
