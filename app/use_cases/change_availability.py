"""A person's working hours as calendar programs show and change them (RFC 7953 §7.2.4): their default schedule."""

from __future__ import annotations

from datetime import date
from typing import Any

from app.domain.availability import availability_text, read_availability
from app.domain.errors import NotFound
from app.domain.hours import ONE_DAY, Range, Schedule, local_date
from app.ports.hosts import ScheduleRecord
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_objects import StoragePorts
from app.use_cases.manage_schedules import change_schedule
from app.use_cases.schedule_rules import WEEKDAYS, schedule_rules


async def read_hours(work: UnitOfWork, user_id: str, now: int) -> str | None:
    """The VCALENDAR of the person's default schedule; None when they have none. One statement."""
    found = (await work.scheduling.default_schedules([user_id])).get(user_id)
    if found is None:
        return None
    return availability_text(schedule_rules(found, now), found.id, found.updated_at, _today(found, now) - ONE_DAY)


async def change_hours(ports: StoragePorts, user_id: str, text: str) -> None:
    """Let the default schedule be what the text says, but for its holidays, and for exceptions that are over. A text
    without any exception, as programs write it that show the weekly hours alone, leaves all of them: nobody's holiday
    is bookable by that. `Invalid`, with a sentence, for what weekly hours cannot tell."""
    now = ports.clock()
    async with ports.read() as work:
        user = await work.people.user(user_id)
        found = (await work.scheduling.default_schedules([user_id])).get(user_id)
    if user is None or found is None:
        raise NotFound("There is no schedule.")
    read = read_availability(text, found.timezone)
    values: dict[str, Any] = {
        "timezone": read.timezone,
        "weekly": {day: _pairs(ranges) for day, ranges in zip(WEEKDAYS, read.weekly, strict=True)},
    }
    if read.overrides or read.exclusions:
        values |= _exceptions(read, found, _today(found, now) - ONE_DAY)
    await change_schedule(ports, user, found.id, values)


def _exceptions(read: Schedule, found: ScheduleRecord, past: date) -> dict[str, Any]:
    """What is over stays as it was, and so do the words about what is to come."""
    told = {(each["from"], each["to"]): each for each in found.exclusions}
    excluded = [(f"{first}", f"{last}") for first, last in read.exclusions if last >= past]
    return {
        "overrides": [
            *(each for each in found.overrides if date.fromisoformat(each["date"]) < past),
            *({"date": f"{day}", "ranges": _pairs(ranges)} for day, ranges in read.overrides.items() if day >= past),
        ],
        "exclusions": [
            *(each for each in found.exclusions if date.fromisoformat(each["to"]) < past),
            *(told.get(each, {"from": each[0], "to": each[1]}) for each in excluded),
        ],
    }


def _today(schedule: ScheduleRecord, now: int) -> date:
    return local_date(schedule.timezone, now)


def _pairs(ranges: tuple[Range, ...]) -> list[tuple[str, str]]:
    return [(_clock(begin), _clock(end)) for begin, end in ranges]


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"
