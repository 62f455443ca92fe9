"""A mailbox of the fake Microsoft: calendars, events and series, and the hands of the person whose they are."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from uuid import uuid4

from app.domain.ical_zones import known_zone

Json = dict[str, Any]
IMMUTABLE, MUTABLE = "AAkALg", "AAMkAG"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass
class Item:
    """A single event, a series' master, or an exception of it. Times are wall times in `zone` (a Windows or IANA
    name). `parts` of a master: the exceptions by the day of their origin, None for cancelled ones."""

    id: str
    calendar: str
    kind: str
    start: datetime
    end: datetime
    zone: str
    all_day: bool = False
    values: Json = field(default_factory=dict)
    named: dict[str, str] = field(default_factory=dict)
    pattern: Json | None = None
    parts: dict[date, Item | None] = field(default_factory=dict)
    master: str | None = None
    version: int = 0
    changed: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def change_key(self) -> str:
        """Another one with every change."""
        return f"ck{self.version:08d}{self.id[-6:]}"

    def instant(self, wall: datetime) -> datetime:
        """A wall time of the item's zone in UTC."""
        return wall.replace(tzinfo=zone_named(self.zone)).astimezone(UTC)


@dataclass(frozen=True)
class Shown:
    """What a view has of an item: itself, or one occurrence of it. Times are instants."""

    id: str
    kind: str
    start: datetime
    end: datetime
    item: Item

    @property
    def is_expanded(self) -> bool:
        """Whether it has nothing of its own but its times."""
        return self.kind == "occurrence"


@dataclass
class Folder:
    """A calendar."""

    id: str
    name: str
    can_edit: bool = True
    hex_color: str = ""
    color: str = "lightBlue"


@dataclass
class Mailbox:
    """One account's calendars. `told` is called with the kind of each change and the item."""

    email: str
    personal: bool = False
    zone: str | None = "W. Europe Standard Time"
    user_id: str = field(default_factory=lambda: str(uuid4()))
    folders: dict[str, Folder] = field(default_factory=dict)
    items: dict[str, Item] = field(default_factory=dict)
    deleted: list[Item] = field(default_factory=list)
    transactions: dict[str, str] = field(default_factory=dict)
    contacts: list[Json] = field(default_factory=list)
    told: Callable[[str, Item], None] = lambda _kind, _item: None
    revision: int = 0

    def __post_init__(self) -> None:
        self.add_calendar("Calendar")

    # the person's hands

    def add_calendar(self, name: str, **values: Any) -> str:
        """A new empty calendar; its id."""
        folder = Folder(f"AQMk{uuid4().hex}=", name, **values)
        self.folders[folder.id] = folder
        return folder.id

    def drop_calendar(self, calendar: str) -> None:
        """With all that is in it."""
        del self.folders[calendar]
        self.items = {key: item for key, item in self.items.items() if item.calendar != calendar}

    def add(
        self,
        calendar: str,
        start: datetime,
        end: datetime,
        *,
        zone: str = "UTC",
        all_day: bool = False,
        pattern: Json | None = None,
        named: dict[str, str] | None = None,
        **values: Any,
    ) -> Item:
        """A new event, or series with a `patternedRecurrence`. Times are wall times in `zone`."""
        kind = "seriesMaster" if pattern else "singleInstance"
        item = Item(f"{IMMUTABLE}{uuid4().hex}=", calendar, kind, start, end, zone, all_day, pattern=pattern)
        item.values = {"subject": "", "showAs": "busy", "iCalUId": uuid4().hex.upper(), **values}
        item.named = dict(named or {})
        self.items[item.id] = item
        self._touch(item, "created")
        return item

    def change(self, key: str, *, start: datetime | None = None, end: datetime | None = None, **values: Any) -> Item:
        """Change an event; an occurrence becomes an exception of its series."""
        item = self._own(key)
        item.start, item.end = start or item.start, end or item.end
        item.values |= values
        self._touch(item, "updated")
        return item

    def delete(self, key: str) -> None:
        """Delete an event, a series or one occurrence."""
        found = self.look_up(key)
        assert found is not None
        if found.kind in ("occurrence", "exception"):
            master = self.items[found.item.master or found.item.id]
            master.parts[_origin(found.id)] = None
            self._touch(master, "updated")
            return
        item = self.items.pop(found.item.id)
        self.deleted.append(item)
        self._touch(item, "deleted")

    def respond(self, key: str, response: str) -> None:
        """Answer an invitation."""
        self.change(
            key,
            responseStatus={"response": response, "time": "2026-11-21T10:00:00Z"},
            isOrganizer=False,
            organizer={"emailAddress": {"name": "Boss", "address": "boss@example.org"}},
        )

    def move(self, key: str, calendar: str) -> None:
        """Put an event into another calendar: its immutable id stays, the other one changes."""
        self.items[key].calendar = calendar
        self._touch(self.items[key], "updated")

    def restore(self, calendar: str, named: str) -> Item | None:
        """The last deleted event that had this named value, put back as Outlook does: a new item, with what it
        carried."""
        for old in reversed(self.deleted):
            if named in old.named.values() and old.calendar == calendar:
                return self.add(calendar, old.start, old.end, zone=old.zone, named=old.named, **old.values)
        return None

    def _own(self, key: str) -> Item:
        found = self.look_up(key)
        assert found is not None, f"no event {key}"
        if found.kind != "occurrence":
            return found.item
        master, day = found.item, _origin(key)
        part = Item(key, master.calendar, "exception", found.start, found.end, "UTC", master.all_day)
        part.start, part.end = (moment.replace(tzinfo=None) for moment in (found.start, found.end))
        part.values, part.master = dict(master.values), master.id
        master.parts[day] = part
        return part

    def _touch(self, item: Item, kind: str) -> None:
        self.revision += 1
        item.version, item.changed = self.revision, datetime.now(UTC)
        self.told(kind, item)

    # views

    def look_up(self, key: str) -> Shown | None:
        """By either kind of id; ids are case-sensitive, and the mutable one is of its place."""
        found = self._look_up(key)
        if found is None and key.startswith(MUTABLE):
            found = self._look_up(IMMUTABLE + key[len(MUTABLE) + 4 :])
            if found is not None and mutable_id(found.id, found.item.calendar) != key:
                return None
        return found

    def _look_up(self, key: str) -> Shown | None:
        if key in self.items:
            return _whole(self.items[key])
        master = self.items.get(key.rpartition(".")[0])
        if master is None or master.pattern is None:
            return None
        return next((each for each in occurrences(master) if each.id == key), None)

    def view(self, calendar: str, since: datetime, until: datetime) -> Iterator[Shown]:
        """What is in a window, instants: single events, and the occurrences of series; each series' master first."""
        for item in list(self.items.values()):
            if item.calendar != calendar:
                continue
            if item.kind == "singleInstance":
                whole = _whole(item)
                if whole.start < until and since < whole.end:
                    yield whole
                continue
            parts = [each for each in occurrences(item) if each.start < until and since < each.end]
            if parts:
                yield _whole(item)
                yield from parts


def zone_named(name: str) -> Any:
    """The zone of a Windows or an IANA name."""
    zone = known_zone(name)
    assert zone is not None, f"no zone {name}"
    return zone


def mutable_id(key: str, calendar: str) -> str:
    """The id that an event has while it is in a calendar."""
    return f"{MUTABLE}{hashlib.sha256(calendar.encode()).hexdigest()[:4]}{key.removeprefix(IMMUTABLE)}"


def occurrences(master: Item) -> Iterator[Shown]:
    """The occurrences of a series, at most a thousand."""
    assert master.pattern is not None
    length = master.end - master.start
    for number, day in enumerate(_days(master)):
        if number >= 1000:
            return
        part = master.parts.get(day, master)
        if part is None:
            continue
        if part is not master:
            yield _whole(part)
            continue
        start = datetime.combine(day, master.start.time())
        key = f"{master.id}.{day:%Y%m%d}"
        yield Shown(key, "occurrence", master.instant(start), master.instant(start + length), master)


def _days(master: Item) -> Iterator[date]:
    assert master.pattern is not None
    pattern, limit = master.pattern["pattern"], master.pattern["range"]
    day, made, first = master.start.date(), 0, master.start.date()
    last = date.fromisoformat(limit["endDate"]) if limit["type"] == "endDate" else first + timedelta(days=3650)
    count = limit.get("numberOfOccurrences", 10**6) if limit["type"] == "numbered" else 10**6
    interval = pattern.get("interval", 1)
    while day <= last and made < count:
        if pattern["type"] == "daily":
            matches = (day - first).days % interval == 0
        else:
            weeks = (day - first + timedelta(days=first.weekday())).days // 7
            matches = weeks % interval == 0 and WEEKDAYS[day.weekday()] in pattern["daysOfWeek"]
        if matches:
            made += 1
            yield day
        day += timedelta(days=1)


def _whole(item: Item) -> Shown:
    return Shown(item.id, item.kind, item.instant(item.start), item.instant(item.end), item)


def _origin(key: str) -> date:
    return datetime.strptime(key.rpartition(".")[2], "%Y%m%d").replace(tzinfo=UTC).date()


def midnight(day: date) -> datetime:
    """The wall time a day begins at."""
    return datetime.combine(day, time())
