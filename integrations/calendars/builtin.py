"""The calendars that live here, behind the same port as everybody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager

from app.domain.calendar_event import CalendarEvent
from app.domain.calendars import Calendar, CalendarObject, etag_of
from app.domain.errors import ProviderFailure
from app.domain.recurrence import read_object
from app.ports.calendar_store import ObjectWrite
from app.ports.calendars import (
    Capabilities,
    Changes,
    Credentials,
    RemoteCalendar,
    RemoteObject,
    Texts,
    WrittenEvent,
    no_texts,
)
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.mirror import AHEAD
from integrations.event_merge import merged_text, new_text, own_name

OpenUnit = Callable[[], AbstractAsyncContextManager[UnitOfWork]]


class BuiltinProvider:
    """`CalendarProvider` over the calendar store. In the credentials, `url` is the account's id and `username` the
    user's; a calendar's name is the last segment of its path."""

    name = "builtin"
    capabilities = Capabilities(writable=True, incremental=True, push=False, needs_connection=False)

    def __init__(self, unit_of_work: OpenUnit, read: OpenUnit, clock: Callable[[], int]) -> None:
        self._unit_of_work = unit_of_work
        self._read = read
        self._clock = clock

    async def aclose(self) -> None:
        """Nothing to close: the database is the program's."""

    async def discover(self, credentials: Credentials) -> Credentials:
        """The account must be the user's."""
        async with self._read() as work:
            await _calendars(work, credentials)
        return credentials

    async def list_calendars(self, credentials: Credentials) -> list[RemoteCalendar]:
        """The account's collections."""
        async with self._read() as work:
            return [
                RemoteCalendar(
                    name=each.name,
                    display_name=each.display_name,
                    color=each.color,
                    timezone=each.timezone,
                    read_only=each.read_only,
                    components=each.components,
                )
                for each in await _calendars(work, credentials)
            ]

    async def changes(
        self,
        credentials: Credentials,
        calendar: str,
        cursor: str | None,
        known: Mapping[str, str],  # noqa: ARG002  # the port's; revisions tell more
        texts: Texts = no_texts,  # noqa: ARG002  # the port's; they are here
    ) -> Changes:
        """By revision."""
        async with self._read() as work:
            collection = await _calendar(work, credentials, calendar)
            since = int(cursor) if cursor and cursor.isdecimal() else None
            is_full = since is None or since > collection.revision
            entries = await work.calendars.entries_since(collection.id, -1 if is_full or since is None else since)
            names = [entry.name for entry in entries if not entry.deleted]
            objects = {each.name: _remote(each) for each in await work.calendars.objects(collection.id, names)}
        removed = () if is_full else tuple(entry.name for entry in entries if entry.name not in objects)
        latest = max((entry.revision for entry in entries), default=collection.revision)
        return Changes(tuple(objects.values()), removed, str(max(latest, collection.revision)), is_full)

    async def fetch(self, credentials: Credentials, calendar: str, key: str) -> RemoteObject | None:
        """By name."""
        async with self._read() as work:
            collection = await _calendar(work, credentials, calendar)
            found = await work.calendars.object(collection.id, key)
        return _remote(found) if found else None

    async def find(self, credentials: Credentials, calendar: str, uid: str) -> RemoteObject | None:
        """By UID."""
        async with self._read() as work:
            collection = await _calendar(work, credentials, calendar)
            found = await work.calendars.object_by_uid(collection.id, uid)
        return _remote(found) if found else None

    async def write_event(
        self,
        credentials: Credentials,
        calendar: str,
        event: CalendarEvent,
        key: str | None,  # noqa: ARG002  # the port's; the UID is enough
    ) -> WrittenEvent:
        """Under the collection's lock."""
        now = self._clock()
        async with self._unit_of_work() as work:
            collection = await _calendar(work, credentials, calendar)
            await work.calendars.lock_calendar(collection.id)
            there = await work.calendars.object_by_uid(collection.id, event.uid)
            text = merged_text(there.data, event) if there else new_text(event)
            name = there.name if there else own_name(event.uid)
            own = await work.calendars.booking_ids_by_uid(collection.org_id, [event.uid], collection.user_id)
            write = _write(name, text, collection, own.get(event.uid), now)
            await work.calendars.put_object(collection, write, now)
            await work.commit()
        return WrittenEvent(name, write.etag)

    async def delete_event(
        self,
        credentials: Credentials,
        calendar: str,
        uid: str,
        key: str | None,  # noqa: ARG002  # the port's; the UID is enough
    ) -> None:
        """Under the collection's lock."""
        async with self._unit_of_work() as work:
            collection = await _calendar(work, credentials, calendar)
            await work.calendars.lock_calendar(collection.id)
            there = await work.calendars.object_by_uid(collection.id, uid)
            if there is not None:
                await work.calendars.remove_objects(collection, [there.name], self._clock())
                await work.commit()


async def _calendars(work: UnitOfWork, credentials: Credentials) -> list[Calendar]:
    account = await work.calendars.account(credentials.url)
    if account is None or account.user_id != credentials.username or account.provider != BuiltinProvider.name:
        raise ProviderFailure("auth", "This is not an account of the user's.")
    return await work.calendars.calendars_in(account.id)


async def _calendar(work: UnitOfWork, credentials: Credentials, name: str) -> Calendar:
    found = next((each for each in await _calendars(work, credentials) if each.name == name), None)
    if found is None:
        raise ProviderFailure("gone", "There is no such calendar (any more).")
    return found


def _remote(found: CalendarObject) -> RemoteObject:
    return RemoteObject(found.name, found.etag, found.data)


def _write(name: str, text: str, calendar: Calendar, booking_id: str | None, now: int) -> ObjectWrite:
    window = (now - 86400, now + AHEAD)
    facts = read_object(text, timezone=calendar.timezone, window=window, tentative_busy=calendar.tentative_busy)
    return ObjectWrite(
        name=name,
        uid=facts.uid,
        component=facts.component,
        etag=etag_of(text),
        data=text,
        start=facts.start,
        end=facts.end,
        busy=() if booking_id else facts.busy,
        expanded_until=window[1] if facts.recurs_beyond else None,
        booking_id=booking_id,
    )
