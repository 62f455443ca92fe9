"""Google in the contract suite: iCalendar text is what another client of Google would make of it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any

import pytest
from icalendar import Calendar

from app.ports.calendars import Credentials
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.ids import new_id
from integrations.calendars.google import GoogleProvider
from integrations.google.text import composed, part_of
from tests.capabilities import need
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.google_events import ID, Json
from tests.providers.backends import Backend
from tests.support.clock import Clock

TOMATO = "11"
_THEIRS = ("CATEGORIES", "X-APPLE-TRAVEL-DURATION")
_PRIVATE = "X-GOOGLE-PRIVATE"


def no_accounts() -> AbstractAsyncContextManager[UnitOfWork]:
    """A unit of work that nothing needs: accounts without an id are kept nowhere."""
    raise AssertionError("nothing is to be stored")


class GoogleBackend(Backend):
    """A fake Google with one person."""

    def __init__(self, fake: FakeGoogle, clock: Clock) -> None:
        self.fake = fake
        self.provider = self.google = GoogleProvider(fake.client, no_accounts, clock)
        self.credentials = Credentials("", PERSON, fake.person().to_text())

    @classmethod
    async def make(cls) -> GoogleBackend:
        """With a server of its own."""
        clock = Clock()
        return cls(await FakeGoogle(clock).start(), clock)

    async def make_calendar(self) -> str:
        return self.fake.calendar(f"{new_id()}@group.calendar.google.com").id

    async def drop_calendar(self, calendar: str) -> None:
        self.fake.drop_calendar(calendar)

    async def put(self, calendar: str, uid: str, text: str) -> str:
        store = self.fake.service.calendars[calendar]
        body = google_event(text)
        for event in store.events.values():
            if event.get("iCalUID") == uid and event["status"] != "cancelled":
                store.replace(event["id"], {**event, **body})
                return str(event["id"])
        plain = re.sub(r"[^a-v0-9]", "", uid.lower())
        is_free = ID.fullmatch(plain) and plain not in store.events
        return str(store.insert({**body, "iCalUID": uid, **({"id": plain} if is_free else {})})["id"])

    async def read(self, calendar: str, key: str) -> str:
        event = self.fake.service.calendars[calendar].events[key]
        found = composed(key, [part_of(event, PERSON)])
        assert found is not None
        lines = [f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT{_minutes(each)}\r\nEND:VALARM"
                 for each in event["reminders"].get("overrides", ())]  # fmt: skip
        private = dict((event.get("extendedProperties") or {}).get("private") or {})
        lines += [f"{name}:{private.pop(name)}" for name in _THEIRS if name in private]
        lines += [f"{_PRIVATE}:{json.dumps(private)}"] if private else []
        lines += ["COLOR:tomato"] if event.get("colorId") == TOMATO else []
        return found.data.replace("END:VEVENT", "\r\n".join([*lines, "END:VEVENT"]))

    async def remove(self, calendar: str, key: str) -> None:
        self.fake.service.calendars[calendar].delete(key)

    async def keys(self, calendar: str) -> list[str]:
        return sorted(each["id"] for each in self.fake.service.calendars[calendar].living())

    async def close(self) -> None:
        await self.google.aclose()
        await self.fake.stop()
        assert self.fake.broken == [], self.fake.broken


@pytest.fixture
async def gmail() -> AsyncIterator[GoogleBackend]:
    """A fake Google with one person; that nobody breaks its contracts is part of every test."""
    need("contracts")
    made = await GoogleBackend.make()
    yield made
    await made.close()


@pytest.fixture
def google(gmail: GoogleBackend) -> FakeGoogle:
    """Google, behind `gmail`."""
    return gmail.fake


def google_event(text: str) -> Json:
    """The event of a text in Google's words."""
    event: Any = Calendar.from_ical(text).walk("VEVENT")[0]
    body: Json = {
        "summary": str(event.get("SUMMARY", "")),
        "start": _time(event["DTSTART"].dt),
        "end": _time(event["DTEND"].dt),
        "reminders": {"useDefault": False, "overrides": [_reminder(each) for each in event.walk("VALARM")]},
    }
    for name, field in (("DESCRIPTION", "description"), ("LOCATION", "location")):
        if name in event:
            body[field] = str(event[name])
    if str(event.get("COLOR", "")) == "tomato":
        body["colorId"] = TOMATO
    private = json.loads(str(event.get(_PRIVATE, "{}")))
    private |= {name: event[name].to_ical().decode() for name in _THEIRS if name in event}
    return {**body, "extendedProperties": {"private": private}} if private else body


def _time(at: Any) -> Json:
    if not isinstance(at, datetime):
        return {"date": at.isoformat()}
    return {"dateTime": at.isoformat(), "timeZone": str(getattr(at.tzinfo, "key", "UTC"))}


def _reminder(alarm: Any) -> Json:
    return {"method": "popup", "minutes": int(-alarm["TRIGGER"].dt.total_seconds() // 60)}


def _minutes(reminder: Json) -> str:
    minutes = int(reminder["minutes"])
    return f"{minutes // 60}H" if minutes % 60 == 0 else f"{minutes}M"
