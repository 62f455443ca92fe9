"""The text of a feed. A person's own objects come as they were rendered when the booking changed, and are joined
without parsing. What is of several people is rendered here: nobody's private notes may get into it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace

from app.domain.booking_event import host_event
from app.domain.errors import Invalid
from app.domain.event_text import PRODID, event_component, text_line, utc_stamp
from app.domain.timezone_text import timezone_component
from app.ports.feeds import BusyEntry, FeedBooking, PublishedFeed
from calendar_feeds.colors import as_hex, nearest_name

REFRESH = "PT1H"
_FIRST_EVENT = "BEGIN:VEVENT\r\n"
_BEGIN_ZONE, _END_ZONE = "BEGIN:VTIMEZONE\r\n", "END:VTIMEZONE\r\n"
_END = "END:VCALENDAR\r\n"
_END_EVENT = "\r\nEND:VEVENT\r\n"
_CANCELLED = "\r\nSTATUS:CANCELLED\r\n"
_ALARM = re.compile(r"(?<=\n)BEGIN:VALARM\r\n.*?\r\nEND:VALARM\r\n", re.DOTALL)
_DESCRIBED = {
    "busy": "Busy times, without details",
    "link": "Bookings of a link",
    "service": "Bookings of a service",
    "resource": "Bookings of a resource",
    "organization": "Bookings of the whole organization",
}


def full_feed(feed: PublishedFeed, texts: Iterable[str]) -> str:
    """Everything: the components of the stored texts, and each zone they name once."""
    alarms = feed.options.alarms
    zones: dict[str, None] = {_zone_of(feed): None}
    prefixes: set[str] = set()
    components: list[str] = []
    for stored in texts:
        prefix, _, rest = stored.partition(_FIRST_EVENT)
        component = _FIRST_EVENT + rest.removesuffix(_END)
        components.append(component if alarms is None else _reminded(component, alarms))
        if prefix not in prefixes:  # nearly all texts of a person begin alike
            prefixes.add(prefix)
            zones |= dict.fromkeys(_zones_in(prefix))
    return "".join([*_head(feed), *zones, *components, _END])


def busy_feed(feed: PublishedFeed, entries: Sequence[BusyEntry]) -> str:
    """When the person is busy, and not a word about why or with whom."""
    alarms = _alarms(feed.options.alarms or ())
    return "".join([*_head(feed), _zone_of(feed), *(_busy(entry, alarms) for entry in entries), _END])


def shared_feed(feed: PublishedFeed, bookings: Iterable[FeedBooking], base_url: str) -> str:
    """The bookings of a link, service, resource or organization, each once, with the names of its hosts."""
    events = (_shared(feed, booking, base_url) for booking in bookings)
    return "".join([*_head(feed), _zone_of(feed), *events, _END])


def _shared(feed: PublishedFeed, found: FeedBooking, base_url: str) -> str:
    booking, hosts = found
    event = host_event(booking, feed, "", f"{base_url}/app/bookings/{booking.id}")
    named = f"{'Host' if len(hosts) == 1 else 'Hosts'}: {', '.join(hosts)}\n\n" if hosts else ""
    alarms = () if event.status == "CANCELLED" else feed.options.alarms or ()
    return event_component(replace(event, description=named + event.description, alarms=alarms))


def _reminded(component: str, minutes: Sequence[int]) -> str:
    """Stored components with other alarms."""
    bare = _ALARM.sub("", component)
    if _CANCELLED in bare:
        return bare
    return bare.replace(_END_EVENT, f"\r\n{_alarms(minutes)}{_END_EVENT[2:]}")


def _alarms(minutes: Sequence[int]) -> str:
    return "".join(
        f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:Reminder\r\nTRIGGER:-PT{each}M\r\nEND:VALARM\r\n"
        for each in minutes
    )


def _head(feed: PublishedFeed) -> list[str]:
    title = feed.name if feed.kind == "schedule" else feed.label or feed.name
    lines = [
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\nCALSCALE:GREGORIAN\r\n",
        text_line("NAME", title),
        text_line("X-WR-CALNAME", title),
        text_line("X-WR-TIMEZONE", feed.timezone),
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}\r\nX-PUBLISHED-TTL:{REFRESH}\r\n",
    ]
    described = _DESCRIBED.get(feed.kind, feed.description)
    if described:
        lines += [text_line("DESCRIPTION", described), text_line("X-WR-CALDESC", described)]
    named = nearest_name(feed.color or "")
    if feed.color and named:
        lines += [f"COLOR:{named}\r\n", text_line("X-APPLE-CALENDAR-COLOR", as_hex(feed.color))]
    return lines


def _zone_of(feed: PublishedFeed) -> str:
    """The calendar's own zone; it also makes an empty feed a calendar (RFC 5545 §3.6: at least one component)."""
    try:
        return timezone_component(feed.timezone) or _UTC
    except Invalid:
        return _UTC


_UTC = (
    "BEGIN:VTIMEZONE\r\nTZID:UTC\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0000\r\n"
    "TZOFFSETTO:+0000\r\nTZNAME:UTC\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)


def _zones_in(prefix: str) -> list[str]:
    """The VTIMEZONE components before a text's first event."""
    return [_BEGIN_ZONE + part.partition(_END_ZONE)[0] + _END_ZONE for part in prefix.split(_BEGIN_ZONE)[1:]]


def _busy(entry: BusyEntry, alarms: str) -> str:
    changed = utc_stamp(entry.modified_at)
    status, transparency = ("CANCELLED", "TRANSPARENT") if entry.cancelled else ("CONFIRMED", "OPAQUE")
    return (
        f"BEGIN:VEVENT\r\n{text_line('UID', entry.id)}DTSTAMP:{changed}\r\nDTSTART:{utc_stamp(entry.start)}\r\n"
        f"DTEND:{utc_stamp(entry.end)}\r\nSEQUENCE:{entry.revision}\r\nSTATUS:{status}\r\nTRANSP:{transparency}\r\n"
        f"LAST-MODIFIED:{changed}\r\nSUMMARY:Busy\r\n{'' if entry.cancelled else alarms}END:VEVENT\r\n"
    )
