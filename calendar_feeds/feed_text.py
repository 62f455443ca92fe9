"""The text of a feed. Objects come as they were rendered when the booking changed, and are joined without parsing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from app.domain.errors import Invalid
from app.domain.event_text import PRODID, text_line, utc_stamp
from app.domain.timezone_text import timezone_component
from app.ports.published import BusyEntry, PublishedFeed
from calendar_feeds.colors import nearest_name

REFRESH = "PT1H"
_FIRST_EVENT = "BEGIN:VEVENT\r\n"
_BEGIN_ZONE, _END_ZONE = "BEGIN:VTIMEZONE\r\n", "END:VTIMEZONE\r\n"
_END = "END:VCALENDAR\r\n"


def full_feed(feed: PublishedFeed, texts: Iterable[str]) -> str:
    """Everything: the components of the stored texts, and each zone they name once."""
    zones: dict[str, None] = {_zone_of(feed): None}
    prefixes: set[str] = set()
    components: list[str] = []
    for stored in texts:
        prefix, _, rest = stored.partition(_FIRST_EVENT)
        components.append(_FIRST_EVENT + rest.removesuffix(_END))
        if prefix not in prefixes:  # nearly all texts of a person begin alike
            prefixes.add(prefix)
            zones |= dict.fromkeys(_zones_in(prefix))
    return "".join([*_head(feed), *zones, *components, _END])


def busy_feed(feed: PublishedFeed, entries: Sequence[BusyEntry]) -> str:
    """When the person is busy, and not a word about why or with whom."""
    return "".join([*_head(feed), _zone_of(feed), *(_busy(entry) for entry in entries), _END])


def _head(feed: PublishedFeed) -> list[str]:
    title = feed.name if feed.kind == "schedule" else feed.label
    lines = [
        f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:{PRODID}\r\nCALSCALE:GREGORIAN\r\n",
        text_line("NAME", title),
        text_line("X-WR-CALNAME", title),
        text_line("X-WR-TIMEZONE", feed.timezone),
        f"REFRESH-INTERVAL;VALUE=DURATION:{REFRESH}\r\nX-PUBLISHED-TTL:{REFRESH}\r\n",
    ]
    described = feed.description if feed.kind == "schedule" else "Busy times, without details"
    if described:
        lines += [text_line("DESCRIPTION", described), text_line("X-WR-CALDESC", described)]
    named = nearest_name(feed.color or "")
    if feed.color and named:
        lines += [f"COLOR:{named}\r\n", text_line("X-APPLE-CALENDAR-COLOR", feed.color)]
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


def _busy(entry: BusyEntry) -> str:
    changed = utc_stamp(entry.modified_at)
    status, transparency = ("CANCELLED", "TRANSPARENT") if entry.cancelled else ("CONFIRMED", "OPAQUE")
    return (
        f"BEGIN:VEVENT\r\n{text_line('UID', entry.id)}DTSTAMP:{changed}\r\nDTSTART:{utc_stamp(entry.start)}\r\n"
        f"DTEND:{utc_stamp(entry.end)}\r\nSEQUENCE:{entry.revision}\r\nSTATUS:{status}\r\nTRANSP:{transparency}\r\n"
        f"LAST-MODIFIED:{changed}\r\nSUMMARY:Busy\r\nEND:VEVENT\r\n"
    )
