"""Store an object that a device puts into one of its person's collections."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.calendars import Calendar, CalendarObject, ObjectFacts, etag_of
from app.domain.errors import Forbidden, NotFound
from app.ports.calendar_store import ObjectWrite
from app.use_cases.calendar_objects import Conditions, ObjectRefused, StoragePorts, read_facts, storable
from app.use_cases.expand_collection import expansion_job
from app.use_cases.mirror import expansion_window


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a put led to. `etag` is the strong tag of the stored text; `as_sent` says that this is the text that came,
    and `created` that there was none before."""

    etag: str
    as_sent: bool
    created: bool


async def put_calendar_object(
    ports: StoragePorts,
    calendar: Calendar,
    name: str,
    data: str,
    conditions: Conditions,
    addresses: frozenset[str] = frozenset(),
) -> StoredObject:
    """Create or replace the object `name`; its opaque time blocks the host at once.

    `addresses` are the person's own e-mail addresses, to know declined invitations by. Raises `ObjectRefused` for data
    that cannot be taken, `StaleVersion` for conditions that do not hold, `Forbidden` for a read-only collection.
    """
    now = ports.clock()
    text = storable(data)
    facts = await read_facts(text, calendar, addresses, now)
    etag = etag_of(text)
    async with ports.unit_of_work() as work:
        locked = await work.calendars.lock_calendar(calendar.id)
        if locked is None:
            raise NotFound("There is no such calendar.")
        if locked.read_only:
            raise Forbidden("This calendar is read-only.")
        current = _current(await work.calendars.rivals(calendar.id, name, facts.uid), name, facts, conditions)
        if current is None or current.data != text:
            await work.calendars.put_object(locked, _write(name, text, etag, facts, now), now)
            if facts.recurs_beyond:
                await work.outbox.enqueue([expansion_job(locked, now)], now)
            await work.commit()
    return StoredObject(etag, as_sent=text == data, created=current is None)


def _current(
    rivals: list[CalendarObject], name: str, facts: ObjectFacts, conditions: Conditions
) -> CalendarObject | None:
    """The object at that name, if the put may go on: its conditions hold and the UID is not another object's."""
    current = next((each for each in rivals if each.name == name), None)
    conditions.check(current.etag if current else None)
    for each in rivals:
        if each.name != name or each.uid != facts.uid:
            raise ObjectRefused("no-uid-conflict", "The UID of an object is its own, and never changes.", each.name)
    return current


def _write(name: str, text: str, etag: str, facts: ObjectFacts, now: int) -> ObjectWrite:
    return ObjectWrite(
        name=name,
        uid=facts.uid,
        component=facts.component,
        etag=etag,
        data=text,
        start=facts.start,
        end=facts.end,
        busy=facts.busy,
        expanded_until=expansion_window(now)[1] if facts.recurs_beyond else None,
    )
