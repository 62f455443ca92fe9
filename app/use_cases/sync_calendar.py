"""Bring a connected calendar's mirror up to date.

The provider is asked, and its texts are read, outside of any transaction; what came is stored under the calendar's
lock, and only if nobody stored something newer meanwhile. What cannot be read never becomes free: a failure leaves
the last good copy with its age, an object that cannot be understood keeps its last readable state, and both are told.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from zlib import crc32

from app.domain.calendars import BUILTIN, Calendar, CalendarAccount
from app.domain.errors import AlreadyExists, NotFound, ProviderFailure
from app.ports import Ports
from app.ports.calendar_store import ObjectWrite
from app.ports.calendars import Changes, Credentials
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_trouble import trouble_is_over, trouble_job
from app.use_cases.mirror import (
    AHEAD,
    PARTLY,
    RENEW,
    Reading,
    StoredObject,
    addresses_of,
    keep_last_good,
    read_all,
    told,
)
from app.use_cases.note_conflicts import note_conflicts
from app.use_cases.note_edits import note_edits

SYNC_SECONDS = 75
POLL_SECONDS = 300
LONGEST_POLL_SECONDS = 3600
TRIES = 3


@dataclass(frozen=True, slots=True)
class _Source:
    """What a sync starts from."""

    calendar: Calendar
    account: CalendarAccount
    addresses: frozenset[str]
    known: dict[str, str]
    expiring: list[StoredObject]


def credentials_of(account: CalendarAccount) -> Credentials:
    """What the account's provider needs; the built-in one knows calendars by account and user."""
    if account.provider == BUILTIN:
        return Credentials(account.id, account.user_id, "")
    return Credentials(account.url, account.username, account.secret, account.id)


def sync_lane(calendar_id: str) -> str:
    """The outbox lane of a calendar's polling."""
    return f"calendar:{calendar_id}:sync"


def sync_job(calendar: Calendar, run_at: int) -> NewJob:
    """Ask for a calendar to be polled from `run_at` on."""
    return NewJob(calendar.org_id, sync_lane(calendar.id), "sync_calendar", calendar.id, run_at)


async def sync_calendar_job(ports: Ports, job: Job) -> int | None:
    """Outbox handler: one poll, and the instant of the next. Ends when the calendar neither blocks time nor receives
    bookings any more."""
    async with ports.read() as work:
        calendar = await work.calendars.calendar(job.subject_id)
    if calendar is None or calendar.provider == BUILTIN or not (calendar.is_conflict or calendar.is_write):
        return None
    try:
        await sync_calendar(ports, calendar.id)
    except NotFound:
        return None
    except ProviderFailure as failure:  # recorded; polling goes on, ever more slowly
        return ports.clock() + _pause(calendar, failure, ports.clock())
    return ports.clock() + POLL_SECONDS + crc32(calendar.id.encode()) % 60


def _pause(calendar: Calendar, failure: ProviderFailure, now: int) -> int:
    """Seconds until the next poll of a failing calendar: a quarter of the time that it has failed, at least as long as
    the provider asks for, and up to a quarter more, so that not all calendars come back at once."""
    silent = now - (calendar.synced_at or calendar.modified_at)
    pause = max(min(max(silent // 4, 60), LONGEST_POLL_SECONDS), failure.retry_after or 0)
    return pause + crc32(f"{calendar.id} {now}".encode()) % (pause // 4 + 1)


async def sync_calendar(ports: Ports, calendar_id: str) -> None:
    """One sync. Raises `NotFound` when the calendar is gone here, and the `ProviderFailure` after recording it.

    When another process stored an answer meanwhile, the question is asked again from there: that answer may be older
    than this question.
    """
    for _ in range(TRIES):
        if await _sync(ports, calendar_id):
            return


async def _sync(ports: Ports, calendar_id: str) -> bool:
    """Whether the answer could be stored."""
    now = ports.clock()
    async with ports.read() as work:
        source = await _start(work, calendar_id, now)
    try:
        changes = await _ask(ports, source)
    except ProviderFailure as failure:
        await _record_failure(ports, source, failure, now)
        raise
    readings = await asyncio.to_thread(_read, source, changes, now)
    return await _apply(ports, source, changes, readings, now)


async def _start(work: UnitOfWork, calendar_id: str, now: int) -> _Source:
    calendar = await work.calendars.calendar(calendar_id)
    account = await work.calendars.account(calendar.account_id) if calendar else None
    user = await work.people.user(calendar.user_id) if calendar else None
    if calendar is None or account is None or user is None:
        raise NotFound("There is no such calendar.")
    expiring = await work.calendars.expiring_expansions(calendar_id, now + AHEAD - RENEW)
    return _Source(
        calendar,
        account,
        addresses_of(user, account),
        await work.calendars.etags(calendar_id),
        [StoredObject(item.name, item.etag, item.data) for item in expiring],
    )


async def _ask(ports: Ports, source: _Source) -> Changes:
    calendar = source.calendar
    provider = ports.providers.get(calendar.provider)
    if provider is None:
        raise ProviderFailure("protocol", f"Calendars of the kind {calendar.provider} are not supported here.")
    try:
        async with asyncio.timeout(SYNC_SECONDS):
            return await provider.changes(
                credentials_of(source.account),
                calendar.name,
                calendar.sync_cursor,
                source.known,
                lambda names: _texts(ports, calendar.id, names),
            )
    except TimeoutError as error:
        raise ProviderFailure("unreachable", "The calendar server did not answer in time.") from error


async def _texts(ports: Ports, calendar_id: str, names: Sequence[str]) -> dict[str, str]:
    async with ports.read() as work:
        return {item.name: item.data for item in await work.calendars.objects(calendar_id, names)}


def _read(source: _Source, changes: Changes, now: int) -> list[Reading]:
    """Everything that changed, and what must be worked out anew because time went on."""
    fresh = [StoredObject(item.name, item.etag, item.data) for item in changes.changed]
    names = {item.name for item in fresh} | set(changes.removed)
    stale = [item for item in source.expiring if item.name not in names and not changes.full]
    return read_all([*fresh, *stale], source.calendar, source.addresses, now)


async def _apply(ports: Ports, source: _Source, changes: Changes, readings: Sequence[Reading], now: int) -> bool:
    async with ports.unit_of_work() as work:
        calendar = await work.calendars.lock_calendar(source.calendar.id)
        if calendar is None:
            raise NotFound("There is no such calendar.")
        if _basis(calendar) != _basis(source.calendar):
            return False
        readings = await _with_last_good(work, source, readings, now)
        await work.calendars.remove_objects(calendar, await _gone(work, calendar, changes), now)
        written = await _put(work, calendar, [reading.write for reading in readings], now)
        await note_edits(work, calendar, written, now)
        await note_conflicts(work, calendar, written, now)
        await work.calendars.update_calendar(
            calendar.id,
            sync_cursor=changes.cursor,
            synced_at=now,
            sync_error=await _warning(work, source, calendar, changes, readings, now),
        )
        await _account_is_fine(work, source.account, calendar, now)
        if calendar.is_conflict and (calendar.synced_at or 0) + ports.calendar_age_limit <= now:
            await work.hosts.bump([calendar.user_id])  # it counted as unreadable, and does not any more
        await work.commit()
    return True


def _basis(calendar: Calendar) -> tuple[object, ...]:
    """What an answer rests on: when it has changed meanwhile, the question must be asked, or read, again."""
    return calendar.sync_cursor, calendar.timezone, calendar.tentative_busy


async def _with_last_good(
    work: UnitOfWork, source: _Source, readings: Sequence[Reading], now: int
) -> Sequence[Reading]:
    broken = [reading.write.name for reading in readings if not reading.is_readable]
    if not broken:
        return readings
    last = {item.name: item.data for item in await work.calendars.objects(source.calendar.id, broken)}
    return [
        reading
        if reading.is_readable or reading.write.name not in last
        else keep_last_good(reading, last[reading.write.name], source.calendar, source.addresses, now)
        for reading in readings
    ]


async def _gone(work: UnitOfWork, calendar: Calendar, changes: Changes) -> list[str]:
    if not changes.full:
        return list(changes.removed)
    there = {item.name for item in changes.changed}
    return sorted(set(await work.calendars.etags(calendar.id)) - there)


async def _put(work: UnitOfWork, calendar: Calendar, writes: Sequence[ObjectWrite], now: int) -> Sequence[ObjectWrite]:
    """Store; the events of this host's own bookings are known by their UID and are not busy: the booking is."""
    uids = [write.uid for write in writes]
    own = await work.calendars.booking_ids_by_uid(calendar.org_id, uids, calendar.user_id)
    writes = [replace(write, booking_id=own[write.uid], busy=()) if write.uid in own else write for write in writes]
    try:
        await work.calendars.put_objects(calendar, writes, now)
    except AlreadyExists:  # two resources with one UID: against RFC 4791 §4.1, but the second one's time counts too
        for write in writes:
            await _put_one(work, calendar, write, now)
    return writes


async def _put_one(work: UnitOfWork, calendar: Calendar, write: ObjectWrite, now: int) -> None:
    try:
        await work.calendars.put_object(calendar, write, now)
    except AlreadyExists:
        await work.calendars.put_object(calendar, replace(write, uid=f"{write.uid[:400]} in {write.name}"[:1000]), now)


async def _warning(
    work: UnitOfWork, source: _Source, calendar: Calendar, changes: Changes, readings: Sequence[Reading], now: int
) -> str | None:
    """What to tell of objects that are not understood, also of those that were stored by earlier syncs."""
    had = (calendar.sync_error or "").startswith(PARTLY)
    if changes.full or not had:
        return told(readings)
    if not readings and not changes.removed:
        return calendar.sync_error
    stored = await work.calendars.objects_between(calendar.id, None, None, None)
    everything = [StoredObject(item.name, item.etag, item.data) for item in stored]
    return told(await asyncio.to_thread(read_all, everything, calendar, source.addresses, now))


async def _account_is_fine(work: UnitOfWork, account: CalendarAccount, calendar: Calendar, now: int) -> None:
    others = [each for each in await work.calendars.calendars_in(account.id) if each.id != calendar.id]
    if any(each.is_conflict and each.sync_error and not each.sync_error.startswith(PARTLY) for each in others):
        await work.calendars.update_account(account.id, last_ok_at=now)
        return
    await work.calendars.update_account(account.id, status="ok", error=None, last_ok_at=now)
    if account.status != "ok":
        await trouble_is_over(work, account, now)


async def _record_failure(ports: Ports, source: _Source, failure: ProviderFailure, now: int) -> None:
    """Tell: on the calendar, on its account, and in time by mail. The copy and its age stay as they are."""
    async with ports.unit_of_work() as work:
        calendar = await work.calendars.lock_calendar(source.calendar.id)
        if calendar is None or calendar.synced_at != source.calendar.synced_at:
            return  # gone, or a later question was answered
        detail = failure.detail[:2000]
        await work.calendars.update_calendar(calendar.id, sync_error=detail)
        await work.calendars.update_account(source.account.id, status="error", error=detail, updated_at=now)
        if source.account.status == "ok":
            await work.outbox.enqueue([trouble_job(source.account, failure.kind, now)], now)
        await work.commit()
