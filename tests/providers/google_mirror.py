"""A mirror of a Google calendar without a database, and events of March 2027 to put into it."""

from __future__ import annotations

from typing import Any

from app.domain.calendars import BusyInterval
from app.domain.recurrence import read_object
from app.ports.calendars import Changes, RemoteObject
from tests.fakes.google import PERSON
from tests.fakes.google_events import Json
from tests.providers.google_backend import GoogleBackend
from tests.support.clock import at

MONDAY = at("2027-03-01 00:00")
WINDOW = (MONDAY, MONDAY + 28 * 86400)


def timed(start: str, end: str, timezone: str = "Europe/Berlin", **fields: Any) -> Json:
    """An event from one wall time of March 2027 to another, as `timed("02 09:00", "02 10:00")`."""
    first, last = ({"dateTime": f"2027-03-{each.replace(' ', 'T')}:00", "timeZone": timezone} for each in (start, end))
    return {"summary": "Dentist", "start": first, "end": last, **fields}


def all_day(first: str, last: str, **fields: Any) -> Json:
    return {"summary": "Trip", "start": {"date": f"2027-03-{first}"}, "end": {"date": f"2027-03-{last}"}, **fields}


WEEKLY: Json = {"recurrence": ["RRULE:FREQ=WEEKLY;COUNT=4"]}


def berlin(text: str) -> int:
    return at(f"2027-03-{text}", "Europe/Berlin")


class Mirror:
    """What a sync keeps: texts and etags by name, and the cursor."""

    def __init__(self, gmail: GoogleBackend, calendar: str = PERSON) -> None:
        self.gmail, self.calendar = gmail, calendar
        self.objects: dict[str, RemoteObject] = {}
        self.cursor: str | None = None

    async def sync(self) -> Changes:
        """One question, and its answer stored."""
        known = {name: item.etag for name, item in self.objects.items()}
        changes = await self.gmail.provider.changes(
            self.gmail.credentials, self.calendar, self.cursor, known, self._texts
        )
        if changes.full:
            self.objects.clear()
        self.objects |= {item.name: item for item in changes.changed}
        for name in changes.removed:
            del self.objects[name]
        self.cursor = changes.cursor
        return changes

    async def _texts(self, names: Any) -> dict[str, str]:
        return {name: self.objects[name].data for name in names if name in self.objects}

    def busy(self) -> list[BusyInterval]:
        """The busy time of the four weeks from the first of March 2027 on."""
        return sorted(span for item in self.objects.values() for span in busy_of(item))


def busy_of(item: RemoteObject, timezone: str = "Europe/Berlin") -> tuple[BusyInterval, ...]:
    facts = read_object(item.data, timezone=timezone, window=WINDOW, self_addresses=frozenset({PERSON}))
    assert facts.problems == ()
    return facts.busy
