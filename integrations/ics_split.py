"""One iCalendar file taken apart into objects: an event with all its exceptions each, and the zones it names.

Line by line, without a parser: a file may hold tens of thousands of events, and what one of them is broken by must not
hide the others. Each object is parsed by itself later, within bounds (`app.domain.ical_parse`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from app.ports.calendars import RemoteObject

MAX_OBJECTS = 50_000
MAX_ZONES = 50_000_000
"""Characters of zone definitions that are given to objects, all in all: each of 50,000 events may name a long one.
Objects after that go without, and are told of for it."""
_LINE = re.compile(r"[^\r\n]+")
_UID = re.compile(r"^UID(?:;[^:]*)?:(.*+(?:\r?\n[ \t].*+)*+)", re.MULTILINE | re.IGNORECASE)
_TZID = re.compile(r'TZID(?:;[^:=]*)?[:=]"?([^":;\r\n]+)', re.IGNORECASE)
_STAMP = re.compile(r"^(?:DTSTAMP|X-MICROSOFT-CDO-(?!BUSYSTATUS)[^:;]*)[;:].*\r?\n?", re.MULTILINE | re.IGNORECASE)
_FOLD = re.compile(r"\r?\n[ \t]")


class NotACalendar(ValueError):
    """The text is no whole iCalendar file; the message says what is wrong with it."""


@dataclass(slots=True)
class IcsFile:
    """A file taken apart. `name` and `timezone` are what its publisher says of it (X-WR-CALNAME, X-WR-TIMEZONE)."""

    name: str = ""
    timezone: str | None = None
    objects: list[RemoteObject] = field(default_factory=list)


def split(text: str) -> IcsFile:
    """Take a file apart. `NotACalendar` for what is none, breaks off, or holds more than `MAX_OBJECTS` events: what is
    missing at its end must not be taken for deleted."""
    head, blocks = _blocks(text)
    zones: dict[str, str] = {}
    events: dict[str, list[str]] = {}
    for kind, block in blocks:
        if kind == "VTIMEZONE":
            zones.update(dict.fromkeys(_TZID.findall(block)[:1], block))
        elif kind == "VEVENT":
            events.setdefault(_uid(block), []).append(block)
    if len(events) > MAX_OBJECTS:
        raise NotACalendar(f"it holds more than {MAX_OBJECTS} events")
    named = dict(_header(line) for line in head)
    found = IcsFile(named.get("X-WR-CALNAME", ""), named.get("X-WR-TIMEZONE"))
    left = MAX_ZONES
    for uid, parts in events.items():
        body = "".join(parts)
        definitions = [zones[tzid] for tzid in dict.fromkeys(_TZID.findall(body)) if tzid in zones]
        left -= sum(map(len, definitions))
        found.objects.append(_object(uid, body, definitions if left >= 0 else []))
    return found


def _blocks(text: str) -> tuple[list[str], list[tuple[str, str]]]:
    """The calendar's own lines, and (kind, text) of the components right inside it."""
    head: list[str] = []
    blocks: list[tuple[str, str]] = []
    block: list[str] = []
    depth = 0
    kind = ""
    for line in _lines(text):
        upper = line[:40].strip().upper()
        if upper.startswith("BEGIN:"):
            depth += 1
            if depth == 1 and upper != "BEGIN:VCALENDAR":
                raise NotACalendar("it does not begin with BEGIN:VCALENDAR")
            if depth == 2:
                kind, block = upper[6:], []
        if depth == 0:
            raise NotACalendar("it does not begin with BEGIN:VCALENDAR")
        (head if depth == 1 else block).append(line)
        if upper.startswith("END:"):
            depth -= 1
            if depth == 1:
                blocks.append((kind, "\r\n".join(block) + "\r\n"))
    if depth != 0 or not head:
        raise NotACalendar("it breaks off" if head else "it is empty")
    return head, blocks


def _lines(text: str) -> Iterator[str]:
    return (match[0] for match in _LINE.finditer(text.lstrip("\ufeff")) if match[0].strip())


def _header(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name.partition(";")[0].upper(), value.strip()[:255]


def _uid(block: str) -> str:
    """The event's UID; events without one are each by themselves, and are found to be broken when they are read."""
    found = _UID.search(block)
    uid = _FOLD.sub("", found[1]).strip() if found else ""
    return uid or f"\0{hashlib.sha256(block.encode(errors='replace')).hexdigest()}"


def _object(uid: str, body: str, definitions: Sequence[str]) -> RemoteObject:
    data = f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(definitions)}{body}END:VCALENDAR\r\n"
    # Many publishers stamp every event anew each time: that alone is no change.
    etag = hashlib.sha256(_STAMP.sub("", data).encode(errors="replace")).hexdigest()[:32]
    name = hashlib.sha256(uid.encode(errors="replace")).hexdigest()[:40]
    return RemoteObject(name, etag, data)
