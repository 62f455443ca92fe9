"""One calendar of one account, in the Calendar API's own words: events are its JSON."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.google.own_ids import UID_PROPERTY, uid_of
from integrations.google.session import GoogleSession, Json

MAX_PAGES = 500
MAX_ATTENDEES = 50
"""Of larger meetings only the person's own answer is read."""


async def pages(
    session: GoogleSession, credentials: Credentials, method: Callable[[Any], Any], asked: Json
) -> AsyncIterator[Json]:
    """All pages of a listing; any of them may be empty. `method` names what lists, as `lambda service: ...list`."""
    for _ in range(MAX_PAGES):
        page = await session.call(credentials, _request(method, asked))
        yield page
        if not page.get("nextPageToken"):
            return
        asked = {**asked, "pageToken": page["nextPageToken"]}
    raise ProviderFailure("protocol", "Google's list does not end.")


@dataclass(frozen=True, slots=True)
class CalendarApi:
    """The events of one calendar. Every method may raise `ProviderFailure`."""

    session: GoogleSession
    credentials: Credentials
    calendar: str

    def listed(self, **asked: Any) -> AsyncIterator[Json]:
        """Pages of events: single ones, masters of series, and their instances that differ."""
        query = {"calendarId": self.calendar, "maxAttendees": MAX_ATTENDEES, **asked}
        return pages(self.session, self.credentials, lambda service: service.events().list, query)

    async def get(self, key: str) -> Json | None:
        """An event, deleted ones too; None when there never was one. Google says alike that an event and that a
        calendar is not there, so the calendar is looked for."""
        try:
            return await self._call("get", eventId=key)
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise
        await self._call("list", maxResults=1)
        return None

    async def living(self, key: str) -> Json | None:
        """An event that is not deleted."""
        event = await self.get(key)
        return event if event and event.get("status") != "cancelled" else None

    async def find(self, uid: str) -> Json | None:
        """By our property, then by Google's UID."""
        for query in ({"privateExtendedProperty": f"{UID_PROPERTY}={uid}"}, {"iCalUID": uid}):
            async for page in self.listed(**query):
                for event in page.get("items", ()):
                    is_whole = event.get("status") != "cancelled" and not event.get("recurringEventId")
                    if is_whole and uid_of(event) == uid:
                        found: Json = event
                        return found
        return None

    async def insert(self, body: Json, *, tells: bool = False) -> Json:
        """Make an event; `conflict` when its id is taken, be it by a deleted one. `tells` has Google invite."""
        return await self._call("insert", body=body, **_version(body), **_updates(tells=tells))

    async def update(self, key: str, body: Json, etag: str, *, tells: bool = False) -> Json:
        """Replace an event; `conflict` when it is not the one with this etag any more."""
        return await self._call("update", etag=etag, eventId=key, body=body, **_version(body), **_updates(tells=tells))

    async def delete(self, key: str) -> bool:
        """False when it is not there (any more). Whoever is invited to it, by whom ever, hears that it is off."""
        try:
            await self._call("delete", eventId=key, **_updates(tells=True))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise
            return False
        return True

    async def watch(self, body: Json) -> Json:
        """Open a channel."""
        return await self._call("watch", body=body)

    async def _call(self, method: str, *, etag: str | None = None, **asked: Any) -> Json:
        query = {"calendarId": self.calendar, **asked}
        return await self.session.call(
            self.credentials, lambda service: getattr(service.events(), method)(**query), etag=etag
        )


def _updates(*, tells: bool) -> Json:
    """Whether Google writes to the attendees; where our mail is the invitation, it does not."""
    return {"sendUpdates": "all" if tells else "none"}


def _version(body: Json) -> Json:
    """Without it Google leaves an event's conference alone, and makes none."""
    return {"conferenceDataVersion": 1} if "conferenceData" in body else {}


def _request(method: Callable[[Any], Any], asked: Json) -> Callable[[Any], Any]:
    return lambda service: method(service)(**asked)
