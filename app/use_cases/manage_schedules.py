"""Weekly hours, overrides, exclusions, holidays and time off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any

from app.domain.errors import AlreadyExists, Invalid, NotFound, StaleVersion
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.hosts import ScheduleRecord, TimeOff
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.audit_changes import difference
from app.use_cases.calendar_objects import StoragePorts
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id
from app.use_cases.schedule_rules import check_schedule
from app.use_cases.zone_names import canonical_zone

MAX_SCHEDULES = 50
MAX_TIME_OFF_SECONDS = 5 * 366 * 86400


async def create_schedule(
    ports: Ports, user: User, values: Mapping[str, Any], replay: Replay[ScheduleRecord] | None = None
) -> ScheduleRecord:
    """A further schedule of the user."""
    now = ports.clock()
    schedule = _checked(
        ScheduleRecord(
            **values, id=new_id(), org_id=user.org_id, user_id=user.id, version=1, created_at=now, updated_at=now
        )
    )
    async with ports.unit_of_work() as work:
        await work.hosts.lock([user.id])  # two of them becoming the default one at once queue here
        if len(await work.hosts.schedules(user.id)) >= MAX_SCHEDULES:
            raise Invalid(f"At most {MAX_SCHEDULES} schedules.")
        await work.hosts.add_schedule(replace(schedule, is_default=False))
        if schedule.is_default:
            await work.hosts.update_schedule(schedule)
        await _record(work, user, "schedule.created", schedule, now)
        await remember(work, replay, schedule, now)
        await work.commit()
    return schedule


async def change_schedule(
    ports: StoragePorts, user: User, schedule_id: str, values: Mapping[str, Any], version: int | None = None
) -> ScheduleRecord:
    """Any subset of the writable fields. The default schedule stays one until another is made it."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        schedule = await _locked_schedule(work, user, schedule_id, version)
        if schedule.is_default and values.get("is_default") is False:
            raise Invalid.field("is_default", "Make another schedule the default one instead.")
        changed = _checked(replace(schedule, **values, version=schedule.version + 1, updated_at=now))
        await work.hosts.update_schedule(changed)
        await _record(work, user, "schedule.changed", changed, now, schedule)
        await work.commit()
    return changed


async def delete_schedule(ports: Ports, user: User, schedule_id: str, version: int | None = None) -> None:
    """A schedule that is neither the default one nor a link's."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        schedule = await _locked_schedule(work, user, schedule_id, version)
        if schedule.is_default:
            raise AlreadyExists("The default schedule cannot be deleted; make another one the default first.")
        if await work.hosts.schedule_in_use(schedule.id):
            raise AlreadyExists("A link uses this schedule; give the link another one first.")
        await work.hosts.delete_schedule(user.org_id, schedule.id)
        await _record(work, user, "schedule.deleted", schedule, now)
        await work.commit()


async def _locked_schedule(work: UnitOfWork, user: User, schedule_id: str, version: int | None) -> ScheduleRecord:
    """The schedule as it is under its host's lock; `version` is that of If-Match, when it was sent."""
    seen = await own_schedule(work, user, schedule_id)
    await work.hosts.lock([seen.user_id])
    schedule = await own_schedule(work, user, schedule_id)
    if version is not None and version != schedule.version:
        raise StaleVersion(f"The schedule is at version {schedule.version} by now.")
    return schedule


async def own_schedule(work: UnitOfWork, user: User, schedule_id: str) -> ScheduleRecord:
    """A schedule of the user; admins reach those of the whole organization."""
    schedule = await work.hosts.schedule(user.org_id, schedule_id)
    if schedule is None or (schedule.user_id != user.id and "admin" not in user.roles):
        raise NotFound("There is no such schedule.")
    return schedule


def _checked(schedule: ScheduleRecord) -> ScheduleRecord:
    if not schedule.name.strip():
        raise Invalid.field("name", "A schedule needs a name.")
    check_schedule(asdict(schedule))
    return replace(schedule, timezone=canonical_zone(schedule.timezone))


async def _record(
    work: UnitOfWork, user: User, action: str, schedule: ScheduleRecord, now: int, before: ScheduleRecord | None = None
) -> None:
    """Why somebody is away may be nobody else's business."""
    changes = {} if action == "schedule.deleted" else difference(before, schedule, withheld={"exclusions"})
    await work.audit.write(AuditEntry(user.org_id, "user", user.id, action, "schedule", schedule.id, changes), now)


async def add_time_off(
    ports: Ports,
    user: User,
    host_id: str,
    start: int,
    end: int,
    reason: str,
    replay: Replay[TimeOff] | None = None,
) -> TimeOff:
    """Time the host is away; bookings already there stay."""
    if not 0 < end - start <= MAX_TIME_OFF_SECONDS:
        raise Invalid.field("end", "Time off ends after it begins, and lasts five years at most.")
    now = ports.clock()
    away = TimeOff(new_id(), user.org_id, host_id, start, end, reason)
    async with ports.unit_of_work() as work:
        await reachable_host(work, user, host_id)
        await work.hosts.add_time_off(away, now)
        await work.audit.write(
            AuditEntry(user.org_id, "user", user.id, "time_off.added", "host", host_id, {"start": start, "end": end}),
            now,
        )
        await remember(work, replay, away, now)
        await work.commit()
    return away


async def remove_time_off(ports: Ports, user: User, host_id: str, time_off_id: str) -> None:
    """Back at work."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        await reachable_host(work, user, host_id)
        if not await work.hosts.delete_time_off(host_id, time_off_id):
            raise NotFound("There is no such time off.")
        await work.audit.write(
            AuditEntry(user.org_id, "user", user.id, "time_off.removed", "host", host_id, {"id": time_off_id}), now
        )
        await work.commit()


async def reachable_host(work: UnitOfWork, user: User, host_id: str) -> User:
    """Oneself, or for admins anybody of the organization."""
    if host_id == user.id:
        return user
    other = await work.people.user(host_id) if "admin" in user.roles else None
    if other is None or other.org_id != user.org_id:
        raise NotFound("There is no such person.")
    return other
