"""`/app/analytics`: how often links are looked at and booked. Tables with bars, which need no script."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from litestar import Request, Response, get

from app.domain.errors import Invalid
from app.ports.analytics import Figures, Tally
from app.use_cases.read_analytics import USUAL_DAYS, AnalyticsQuestion, Answer, read_analytics
from app.web.api.analytics import question_of
from app.web.api.fields import DATE_PATTERN
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, need_link_role, ports_of, wording_of
from app.web.pages.wording import Wording
from app.web.sessions import Caller

ID_PATTERN = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"
FILTERS = ("link", "service", "from", "to")
CHOICES = 200


@dataclass(frozen=True, slots=True)
class Bar:
    """A row with a figure: `share` is in percent of the largest."""

    label: str
    count: int
    share: int


@dataclass(frozen=True, slots=True)
class DayRow:
    """A local date."""

    label: str
    views: int
    bookings: int
    views_share: int
    bookings_share: int


@dataclass(frozen=True, slots=True)
class Cell:
    """An hour of the week; `level` from 0 (none) to 4."""

    count: int
    level: int


@get("/analytics")
async def analytics_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The figures of a period: all links one manages, one of them, or a service."""
    need_link_role(caller)
    ports, wording = ports_of(request), wording_of(request)
    asked = {name: request.query_params.get(name, "").strip() for name in FILTERS}
    form = Form.of(asked)
    answer = await _answer(request, caller, form)
    async with ports.read() as work:
        links = await work.links.page(caller.user.org_id, caller.scope, CHOICES, None)
        services = await work.services.page(caller.user.org_id, CHOICES, None)
    shown = {"from": answer.first.isoformat(), "to": answer.last.isoformat()}
    chosen = {name: asked[name] for name in ("link", "service") if asked[name] and name not in form.errors}
    form.values.update({name: [value] for name, value in shown.items() if name not in form.errors})
    return app_page(
        request,
        caller,
        "analytics",
        form=form,
        links=[(link.id, link.title) for link in links.items],
        services=[(service.id, service.name) for service in services.items],
        query=urlencode({**chosen, **shown, "timezone": answer.timezone}),
        period=f"{wording.full_day(answer.first)} – {wording.full_day(answer.last)}",
        zone=answer.timezone,
        figures=answer.figures,
        conversion=_percent(answer.figures.total),
        lead_median=_span(answer.figures.lead_median),
        lead_mean=_span(answer.figures.lead_mean),
        days=_days(answer, wording),
        week=_week(answer.figures, wording),
        hours=[f"{hour:02}" for hour in _hours(answer.figures)],
        referrers=_bars([(host or "Not told", views) for host, views in answer.figures.referrers[:20]]),
        tables=[
            ("Links", [(each.name or "Deleted", each, _percent(each)) for each in answer.figures.links]),
            ("Services", [(each.name or "Deleted", each, _percent(each)) for each in answer.figures.services]),
        ],
    )


async def _answer(request: Request[Any, Any, Any], caller: Caller, form: Form) -> Answer:
    """What is wrong with the form is said beside it; the usual period is shown then."""
    link = form.optional("link", ID_PATTERN, "Please choose a link of the list.")
    service = form.optional("service", ID_PATTERN, "Please choose a service of the list.")
    first = form.optional("from", DATE_PATTERN, "Please choose a date.")
    last = form.optional("to", DATE_PATTERN, "Please choose a date.")
    try:
        question = question_of(caller, first, last, None, link, service)
        return await read_analytics(ports_of(request), caller.user, question)
    except Invalid as refusal:
        form.refuse(refusal)
        question = AnalyticsQuestion(caller.user.timezone, link_id=link, service_id=service)
        return await read_analytics(ports_of(request), caller.user, question)


def _percent(tally: Tally) -> str:
    return "–" if tally.conversion is None else f"{tally.conversion * 100:.0f} %"


def _span(minutes: int | None) -> str:
    """A time between booking and begin, coarsely."""
    if minutes is None:
        return "–"
    for length, name in ((1440, "day"), (60, "hour")):
        if minutes >= length:
            count = round(minutes / length)
            return f"{count} {name}{'s' if count != 1 else ''}"
    return f"{minutes} minutes"


def _bars(counts: Sequence[tuple[str, int]]) -> list[Bar]:
    most = max((count for _, count in counts), default=0)
    return [Bar(label, count, _share(count, most)) for label, count in counts]


def _share(count: int, most: int) -> int:
    return round(100 * count / most) if most else 0


def _days(answer: Answer, wording: Wording) -> list[DayRow]:
    """Every date of a short period, the eventful ones of a long one."""
    found = {day.key: day for day in answer.figures.days}
    span = (answer.last - answer.first).days + 1
    dates = [answer.first + timedelta(days=number) for number in range(span)]
    if span > USUAL_DAYS + 1:
        dates = [date.fromisoformat(key) for key in sorted(found)]
    nothing = Tally("", "", 0, 0)
    tallies = [(day, found.get(day.isoformat(), nothing)) for day in dates]
    most = max((max(each.views, each.bookings) for _, each in tallies), default=0)
    return [
        DayRow(
            wording.short_day(day),
            each.views,
            each.bookings,
            _share(each.views, most),
            _share(each.bookings, most),
        )
        for day, each in tallies
    ]


def _hours(figures: Figures) -> range:
    """Those between the first and the last with bookings, so that on a phone little is out of sight; a working day at
    least."""
    used = {hour for _, hour, bookings in figures.hours if bookings}
    return range(min(used | {9}), max(used | {16}) + 1)


def _week(figures: Figures, wording: Wording) -> list[tuple[str, list[Cell]]]:
    """The hours of each weekday, the first day of the reader's week first."""
    counts = {(weekday, hour): bookings for weekday, hour, bookings in figures.hours}
    most = max(counts.values(), default=0)
    rows = []
    for index, (_, name) in enumerate(wording.weekdays()):
        weekday = (wording.first_weekday + index) % 7
        cells = [counts.get((weekday, hour), 0) for hour in _hours(figures)]
        rows.append((name, [Cell(count, -(-4 * count // most) if most else 0) for count in cells]))
    return rows


routes: Sequence[Any] = (analytics_page,)
