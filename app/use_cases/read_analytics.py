"""Figures of links and services: owners see their links, admins everything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from app.domain.errors import Invalid
from app.domain.hours import day_start, local_date
from app.ports import Ports
from app.ports.analytics import AnalyticsScope, Figures
from app.ports.people import User
from app.use_cases.manage_links import owned_link
from app.use_cases.manage_services import found_service

MOST_DAYS = 366
USUAL_DAYS = 30


@dataclass(frozen=True, slots=True)
class AnalyticsQuestion:
    """Local dates of `timezone`, both inclusive; the last 30 days when they are missing."""

    timezone: str
    first: date | None = None
    last: date | None = None
    link_id: str | None = None
    service_id: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The figures with the dates they are of."""

    first: date
    last: date
    timezone: str
    figures: Figures


async def read_analytics(ports: Ports, user: User, question: AnalyticsQuestion) -> Answer:
    """`NotFound` for a link that is not the user's to manage, and for a service of nobody here."""
    last = question.last or local_date(question.timezone, ports.clock())
    first = question.first or last - timedelta(days=USUAL_DAYS - 1)
    if not 0 <= (last - first).days < MOST_DAYS:
        raise Invalid.field("to", f"The last day comes after the first, at most {MOST_DAYS} days later.")
    scope = AnalyticsScope(
        org_id=user.org_id,
        start=day_start(question.timezone, first),
        end=day_start(question.timezone, last + timedelta(days=1)),
        timezone=question.timezone,
        link_id=question.link_id,
        service_id=question.service_id,
        owner_id=None if "admin" in user.roles else user.id,
    )
    async with ports.read() as work:
        if question.link_id is not None:
            await owned_link(work, user, question.link_id)
        if question.service_id is not None:
            await found_service(work, user, question.service_id)
        return Answer(first, last, question.timezone, await work.analytics.figures(scope))
