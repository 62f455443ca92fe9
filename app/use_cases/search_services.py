"""Find services, and how soon one can be had."""

from __future__ import annotations

from datetime import date, timedelta

from app.domain.errors import CalendarUnavailable, Invalid, NotFound
from app.domain.hours import local_date
from app.domain.services import Service
from app.ports import Ports
from app.ports.page import Page
from app.ports.people import User
from app.ports.services import ServiceSearch
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.find_slots import SlotQuestion, all_durations, slots_in
from app.use_cases.manage_services import found_service

MOST_DATED = 20
"""So many services are looked at on a page when a date is asked for: each needs its people's calendars."""
REACH_DAYS = (7, 31, 92)
"""How far ahead the first free start is looked for, little by little."""


async def search_services(
    ports: Ports, where: ServiceSearch, limit: int, cursor: str | None, day: tuple[date, str] | None
) -> Page[Service]:
    """Active services. `day`, a local date and its zone, leaves those with a free start on it: the page may then hold
    fewer than there are, or none, and its cursor still goes on."""
    if day is None:
        async with ports.read() as work:
            return await work.services.search(where, limit, cursor)
    question = SlotQuestion(day[0], day[0], 1, day[1])
    window, now = question.window(), ports.clock()
    async with ports.read() as work:
        page = await work.services.search(where, min(limit, MOST_DATED), cursor)
        free = [service for service in page.items if await _first_start(work, service, window, now) is not None]
    return Page(tuple(free), page.cursor)


async def wait_time(ports: Ports, user: User, service_id: str, duration: int | None) -> int | None:
    """The first free start of a service, as staff book it, within 92 days; None when there is none. `duration` in
    minutes, any of the service's when it is None."""
    now = ports.clock()
    async with ports.read() as work:
        service = await found_service(work, user, service_id)
        if duration is not None and duration not in service.durations:
            raise Invalid.field("duration", "The service does not offer this length.")
        for days in REACH_DAYS:
            question = SlotQuestion(*_days_ahead(now, days), 1, "UTC")
            start = await _first_start(work, service, question.window(), now, duration)
            if start is not None:
                return start
    return None


def _days_ahead(now: int, days: int) -> tuple[date, date]:
    today = local_date("UTC", now)
    return today, today + timedelta(days=days - 1)


async def _first_start(
    work: UnitOfWork, service: Service, window: tuple[int, int], now: int, duration: int | None = None
) -> int | None:
    """None also while nobody takes it, or nobody's calendar can be read."""
    context = await work.links.context_of_service(service.org_id, service.id)
    if context is None:
        return None
    wanted = [duration] if duration is not None else sorted(all_durations(context))[:1]
    try:
        found = [(await slots_in(work, context, minutes, window, now)).starts for minutes in wanted]
    except (CalendarUnavailable, Invalid, NotFound):
        return None
    return min((starts[0][0] for starts in found if starts), default=None)
