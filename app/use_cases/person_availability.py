"""When somebody of the organization is free, whatever they are booked for."""

from __future__ import annotations

from app.domain.errors import CalendarUnavailable, NotFound
from app.domain.free_ranges import free_ranges
from app.domain.intervals import Interval
from app.ports import Ports
from app.ports.people import User
from app.use_cases.find_slots import SlotQuestion
from app.use_cases.schedule_rules import no_hours, schedule_rules
from app.use_cases.walk_in_link import walk_in_context


async def person_availability(ports: Ports, user: User, person_id: str, question: SlotQuestion) -> list[Interval]:
    """By their usual hours, without bookings with their buffers, time off and busy events, in ranges of at least the
    question's duration; nothing of somebody who is switched off. `CalendarUnavailable` when their calendars were not
    read for too long."""
    window, now = question.window(), ports.clock()
    async with ports.read() as work:
        person = await work.employees.get(user.org_id, person_id)
        if person is None:
            raise NotFound("There is no such person.")
        if not person.is_active:
            return []
        (host,) = (await walk_in_context(work, user.org_id, person_id, question.duration)).hosts
        if host.judged_until is not None and host.judged_until <= now:
            raise CalendarUnavailable("Their calendar cannot be read at the moment. Please try again later.")
        times = (await work.hosts.times([person_id], *window, now)).get(person_id)
    rules = schedule_rules(host.schedule, now) if host.schedule else no_hours()
    return free_ranges(rules, times.busy if times else (), window, now, question.duration)
