"""What changed in a calendar, by `calendarView/delta`: a window in time, frozen in the link that asks for more.

The list tells of events, of masters of series and of each of their occurrences, these with their times alone. A
changed series is read whole once more, since its occurrences change with their master without being told of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from urllib.parse import quote

from app.domain.errors import ProviderFailure
from app.ports.calendars import Changes, RemoteObject, Texts
from integrations.microsoft.events import MASTER, SERIES, Event, completed, event_text, is_bare, is_ours
from integrations.microsoft.graph import PAGE, Graph

MAX_ASKED = 50
"""How many events that were removed are asked for one by one; more at once is a calendar that was emptied."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where reading goes on: the window, epoch seconds, and the link to what changed in it."""

    since: int
    until: int
    link: str

    def text(self) -> str:
        """As it is kept."""
        return json.dumps({"since": self.since, "until": self.until, "link": self.link})

    @classmethod
    def read(cls, text: str | None) -> Cursor | None:
        """What was kept; None for nothing, and for what is no cursor."""
        try:
            values = json.loads(text or "")
            return cls(int(values["since"]), int(values["until"]), str(values["link"]))
        except (ValueError, TypeError, KeyError):
            return None


@dataclass(slots=True)
class _Round:
    """One round of the list, told until its end. Of an event told twice, the later telling counts. Whole events are
    kept as the objects they become, which are smaller."""

    account: str
    objects: dict[str, RemoteObject] = field(default_factory=dict)
    masters: dict[str, Event] = field(default_factory=dict)
    bare: dict[str, Event] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)
    link: str = ""

    def add(self, item: Event) -> None:
        key = str(item["id"])
        for kept in (self.objects, self.masters, self.bare):
            kept.pop(key, None)
        self.removed.discard(key)
        if "@removed" in item:
            self.removed.add(key)
        elif is_bare(item):
            self.bare[key] = item
        else:
            self.objects[key] = remote_object(item, self.account)
            if item.get("type") == "seriesMaster":
                self.masters[key] = item


@dataclass(frozen=True, slots=True)
class ChangeReader:
    """Reads one calendar; `account` is the e-mail address it belongs to."""

    graph: Graph
    calendar: str
    account: str

    async def anew(self, since: int, until: int) -> Changes:
        """Everything in a window, epoch seconds."""
        query = {"startDateTime": _iso(since), "endDateTime": _iso(until)}
        found = await self._round(self.graph.url(f"{calendar_path(self.calendar)}/calendarView/delta", **query))
        await self._complete(found)
        return Changes(tuple(found.objects.values()), (), Cursor(since, until, found.link).text(), full=True)

    async def after(self, cursor: Cursor, known: Mapping[str, str], texts: Texts) -> Changes:
        """What changed since; `invalid_cursor` when the link expired."""
        found = await self._round(cursor.link)
        for master in list(found.masters):
            await self._read_series(found, master, cursor)
        await self._complete(found)
        await self._far_away(found, known, texts)
        removed = (found.removed & known.keys() | await _parts_held(found, known, texts)) - found.objects.keys()
        changed = [each for each in found.objects.values() if known.get(each.name) != each.etag]
        following = Cursor(cursor.since, cursor.until, found.link)
        return Changes(tuple(changed), tuple(sorted(removed)), following.text(), full=False)

    async def _round(self, url: str) -> _Round:
        found = _Round(self.account)
        async for page in self.graph.pages(url):
            for item in items_of(page):
                found.add(item)
            found.link = str(page.get("@odata.deltaLink", ""))
        if not found.link:
            raise ProviderFailure("protocol", "Microsoft forgets to say where reading goes on.")
        return found

    async def _read_series(self, found: _Round, master: str, cursor: Cursor) -> None:
        """The parts of a changed series in the window, as they are now."""
        path = f"/me/events/{quote(master, safe='')}/instances"
        window = {"startDateTime": _iso(cursor.since), "endDateTime": _iso(cursor.until)}
        try:
            async for page in self.graph.pages(self.graph.url(path, **window, __top=PAGE), page=None):
                for item in items_of(page):
                    found.add(item)
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise
            # deleted since, or in a calendar of somebody else's, whose events have no such address: read everything
            raise ProviderFailure("invalid_cursor", "A series changed that cannot be read alone.") from failure

    async def _complete(self, found: _Round) -> None:
        """Give bare occurrences what they have from their masters."""
        masters: dict[str, Event] = dict(found.masters)
        for key, event in found.bare.items():
            master = str(event.get("seriesMasterId"))
            if master not in masters:
                masters[master] = await self._told(master)
            found.objects[key] = remote_object(completed(event, masters[master]), self.account)

    async def _far_away(self, found: _Round, known: Mapping[str, str], texts: Texts) -> None:
        """What leaves the window is told as removed. An event of ours may have been moved years ahead, which is no
        deletion: it is asked for by its id, and told as it is."""
        removed = sorted(found.removed & known.keys())
        held = await texts(removed) if removed else {}
        single = [key for key in removed if not _series_mark(held.get(key, ""))]
        for key in single[:MAX_ASKED]:
            event = await self._told(key)
            if is_ours(event):
                found.objects[key] = remote_object(event, self.account)

    async def _told(self, key: str) -> Event:
        """An event that was not told of; nothing when it is not there."""
        try:
            return await self.graph.get(self.graph.url(f"{calendar_path(self.calendar)}/events/{quote(key, safe='')}"))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise
            return {}


def calendar_path(calendar: str) -> str:
    """The path of a calendar by its id."""
    return f"/me/calendars/{quote(calendar, safe='')}"


def items_of(page: Event) -> list[Event]:
    """The items of a listing's page. `protocol` for what is no listing."""
    items = page.get("value")
    if not isinstance(items, list) or not all(isinstance(each, dict) and "id" in each for each in items):
        raise ProviderFailure("protocol", "Microsoft answers with something that is no listing.")
    return items


def remote_object(event: Event, account: str) -> RemoteObject:
    """An event as an object. Occurrences have no state of their own: theirs is what they say."""
    text = event_text(event, account)
    etag = "" if event.get("type") == "occurrence" else str(event.get("@odata.etag", ""))
    return RemoteObject(str(event["id"]), shortened(etag) or shortened(text), text)


def shortened(etag: str) -> str:
    """The etag, or a digest of what is longer than we keep."""
    return etag if len(etag) <= 200 else "sha256-" + hashlib.sha256(etag.encode()).hexdigest()


async def _parts_held(found: _Round, known: Mapping[str, str], texts: Texts) -> set[str]:
    """The parts held of the series that were removed or read once more: those that were not read are gone, whether
    anybody tells of them or not."""
    removed = sorted(found.removed & known.keys())
    held = await texts(removed) if removed else {}
    masters = {key for key, text in held.items() if _series_mark(text) == f"{SERIES}:{MASTER}"}
    masters |= found.masters.keys() & known.keys()
    if not masters:
        return set()
    marks = {f"{SERIES}:{master}" for master in masters}
    everything = await texts(sorted(known))
    return {key for key, text in everything.items() if _series_mark(text) in marks}


def _series_mark(text: str) -> str:
    """The unfolded line that says what part of a series this is, empty for none."""
    begin = text.find(f"\r\n{SERIES}:")
    return text[begin:].replace("\r\n ", "").split("\r\n", 2)[1] if begin >= 0 else ""


def _iso(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
