"""Calendars that people add, and remove, from their devices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from app.domain.calendars import BUILTIN, Calendar
from app.domain.errors import Forbidden, NotFound
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import StoragePorts
from app.use_cases.ids import new_id
from app.use_cases.schedule_event import in_locked_order, need_people, settle_removal

MOST_CALENDARS = 200
EVERYTHING = ("VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY")


@dataclass(frozen=True, slots=True)
class NewCollection:
    """A calendar to make. `name` is the last segment of its address; what is None is chosen here."""

    name: str
    display_name: str | None = None
    description: str = ""
    color: str | None = None
    position: int | None = None
    timezone: str | None = None
    components: tuple[str, ...] = EVERYTHING
    is_conflict: bool = True
    properties: Mapping[str, str | None] = field(default_factory=dict)


async def make_collection(ports: StoragePorts, user_id: str, new: NewCollection) -> Calendar:
    """A calendar of the person's own, which blocks their time unless it is said to be transparent. `AlreadyExists` for
    a name that is taken, `Forbidden` when there are too many."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        there = await work.calendars.builtin_calendars(user_id)
        user = await work.people.user(user_id)
        if user is None or not there:
            raise NotFound("There is no such person.")
        if len(there) >= MOST_CALENDARS:
            raise Forbidden(f"A person can have {MOST_CALENDARS} calendars.")
        calendar = Calendar(
            id=new_id(),
            org_id=user.org_id,
            account_id=there[0].account_id,
            user_id=user_id,
            provider=BUILTIN,
            name=new.name,
            display_name=new.display_name or new.name,
            color=new.color,
            position=max(each.position for each in there) + 1 if new.position is None else new.position,
            description=new.description,
            timezone=new.timezone or user.timezone,
            components=new.components,
            is_conflict=new.is_conflict,
            is_write=False,
            read_only=False,
            revision=0,
            modified_at=now,
            sync_cursor=None,
            synced_at=now,
            sync_error=None,
            properties={each: value for each, value in new.properties.items() if value is not None},
        )
        await work.calendars.add_calendar(calendar)
        await work.commit()
    return calendar


async def remove_collection(ports: StoragePorts, calendar: Calendar) -> None:
    """Delete a calendar a person made, with all that is in it; the time is free again at once, and who takes part in
    one of its events hears of it as if that were deleted by itself."""
    now = ports.clock()

    async def remove(work: UnitOfWork, hosts: frozenset[str]) -> None:
        locked = await work.calendars.lock_calendar(calendar.id)
        if locked is None:
            raise NotFound("There is no such calendar.")
        events = await work.scheduling.events_with_people(calendar.id)
        await need_people(work, locked, events, hosts)
        for event in events:
            await settle_removal(work, locked, event, hosts, now, answers=True)
        await work.calendars.delete_calendar(calendar.id)
        await work.commit()

    await in_locked_order(ports, remove)
