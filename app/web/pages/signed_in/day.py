"""`/app/today` and `/app/week`: the work of the person who is signed in, in their zone, for a phone first."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from litestar import Request, Response, get

from app.domain.bookings import BookingStatus
from app.domain.errors import Invalid
from app.domain.hours import day_start, local_date, week_start
from app.domain.stays import LONGEST_CLAIM
from app.ports.bookings import BookingFilter
from app.web.pages.rendering import see_other
from app.web.pages.signed_in.day_views import WorkDay, work_days
from app.web.pages.signed_in.frame import Member, app_page, ports_of, wording_of
from app.web.sessions import Caller
from app.web.times import parse_date

MOST = 200
LONGEST = LONGEST_CLAIM * 60
SHOWN: tuple[BookingStatus, ...] = ("confirmed", "in_progress", "completed", "no_show")
_BACK = re.compile(r"(today|week):([0-9]{4}-[0-9]{2}-[0-9]{2})")


def _day_asked(request: Request[Any, Any, Any], today: date) -> date:
    """The date in the address; today when there is none, or none that can be."""
    try:
        return parse_date(request.query_params.get("day", ""), "day")
    except Invalid:
        return today


@dataclass(frozen=True, slots=True)
class Shown:
    """The days; `is_cut` when there are more bookings than one page holds."""

    days: tuple[WorkDay, ...]
    is_cut: bool


async def _days(request: Request[Any, Any, Any], caller: Caller, first: date, number: int) -> Shown:
    """Three statements for the bookings, and three for what else is in the calendars, whatever the number."""
    ports, user = ports_of(request), caller.user
    now = ports.clock()
    start = day_start(user.timezone, first)
    end = day_start(user.timezone, first + timedelta(days=number))
    where = BookingFilter(
        user.org_id,
        status=SHOWN,
        host_id=user.id,
        start=start - LONGEST,
        end=end,
        ends_after=start,
        view="schedule",
    )
    async with ports.read() as work:
        page = await work.bookings.page(where, MOST, None)
        blockers = await work.hosts.blockers([user.id], start, end, now)
    days = work_days(first, number, page.items, blockers, user, wording_of(request), now)
    return Shown(days, page.cursor is not None)


@get("/today")
async def today_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """One day; `day` names another one than today."""
    today = local_date(caller.user.timezone, ports_of(request).clock())
    day = _day_asked(request, today)
    shown = await _days(request, caller, day, 1)
    return _page(request, caller, "today", shown, day, 1, is_now=day == today)


@get("/week")
async def week_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The week, from its Monday on, in which `day` lies."""
    today = local_date(caller.user.timezone, ports_of(request).clock())
    monday = week_start(_day_asked(request, today))
    shown = await _days(request, caller, monday, 7)
    return _page(request, caller, "week", shown, monday, 7, is_now=monday == week_start(today))


def _page(
    request: Request[Any, Any, Any],
    caller: Caller,
    view: str,
    shown: Shown,
    first: date,
    number: int,
    *,
    is_now: bool,
) -> Response[bytes]:
    step = timedelta(days=number)
    return app_page(
        request,
        caller,
        "day",
        view=view,
        days=shown.days,
        is_cut=shown.is_cut,
        is_now=is_now,
        before=f"/app/{view}?day={(first - step).isoformat()}",
        after=f"/app/{view}?day={(first + step).isoformat()}",
        other=f"/app/{'week' if view == 'today' else 'today'}?day={first.isoformat()}",
        back=f"{view}:{first.isoformat()}",
        zone=caller.user.timezone,
    )


def back_to_day(back: str, did: str, booking_id: str) -> Response[None] | None:
    """To the day a step was taken on, as the form named it; None when it named none."""
    named = _BACK.fullmatch(back)
    return see_other(f"/app/{named[1]}?day={named[2]}&did={did}#b-{booking_id}") if named else None


routes: Sequence[Any] = (today_page, week_page)
