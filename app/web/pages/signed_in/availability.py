"""`/app/availability`: weekly hours with their zone and holidays, changed dates, days off, time away."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from litestar import Request, Response, get, post
from litestar.params import FromPath

from app.domain.errors import AlreadyExists, HalfpastError, Invalid, NotFound, StaleVersion
from app.domain.hours import day_start, local_date
from app.ports.hosts import ScheduleRecord
from app.use_cases import manage_schedules
from app.use_cases.schedule_rules import WEEKDAYS
from app.web.api.fields import RequiredLine, ShortReason
from app.web.pages.signed_in.availability_form import (
    add_range,
    copy_to_weekdays,
    countries,
    day_hours,
    form_name,
    read_ranges,
    read_schedule,
    schedule_form,
    typed_pairs,
)
from app.web.pages.signed_in.availability_views import (
    away_line,
    exclusion_key,
    exclusion_lines,
    next_holidays,
    override_lines,
)
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, app_page, done, ports_of, wording_of
from app.web.pages.signed_in.wall_time import instant_of
from app.web.pages.zones import zone_groups
from app.web.sessions import Caller

TRIES = 3


@dataclass(slots=True)
class Forms:
    """The forms of the page. One that was refused takes the place of its blank one."""

    week: Form
    override: Form
    exclusion: Form
    away: Form
    new: Form


def _blank(schedule: ScheduleRecord) -> Forms:
    return Forms(schedule_form(schedule), Form(), Form(), Form(), Form())


async def _own(request: Request[Any, Any, Any], caller: Caller, schedule_id: UUID) -> ScheduleRecord:
    async with ports_of(request).read() as work:
        return await manage_schedules.own_schedule(work, caller.user, str(schedule_id))


@get("/availability")
async def availability_page(request: Request[Any, Any, Any], caller: Member) -> Response[bytes]:
    """The default schedule."""
    async with ports_of(request).read() as work:
        schedules = await work.hosts.schedules(caller.user.id)
    if not schedules:
        raise NotFound("There is no schedule.")
    return await _page(request, caller, schedules[0])


@get("/availability/{schedule_id:uuid}")
async def schedule_page(
    request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]
) -> Response[bytes]:
    """Any of one's schedules; admins reach those of the organization."""
    return await _page(request, caller, await _own(request, caller, schedule_id))


async def _page(
    request: Request[Any, Any, Any],
    caller: Caller,
    schedule: ScheduleRecord,
    refusal: HalfpastError | None = None,
    problem: str = "",
    **refused: Form,
) -> Response[bytes]:
    ports, wording = ports_of(request), wording_of(request)
    now = ports.clock()
    async with ports.read() as work:
        schedules = await work.hosts.schedules(schedule.user_id)
        away = await work.hosts.time_off(schedule.user_id, now)
        person = await work.people.user(schedule.user_id)
    zone = person.timezone if person else schedule.timezone
    forms = _blank(schedule)
    for name, form in refused.items():
        setattr(forms, name, form)
    today = local_date(schedule.timezone, now)
    return app_page(
        request,
        caller,
        "availability",
        refusal=refusal,
        problem=problem,
        schedule=schedule,
        path=f"/app/availability/{schedule.id}",
        schedules=[(each.id, each.name, each.is_default) for each in schedules],
        person="" if schedule.user_id == caller.user.id or person is None else person.name,
        forms=forms,
        days=day_hours(forms.week),
        zones=zone_groups(now),
        countries=await asyncio.to_thread(countries),
        holidays=await asyncio.to_thread(next_holidays, schedule.holiday_country, today, wording),
        overrides=override_lines(schedule, today, wording),
        override_pairs=(typed_pairs(forms.override, "override") + [("", "")] * 2)[:2],
        exclusions=exclusion_lines(schedule, today, wording),
        away=[away_line(each, zone, wording) for each in away],
        away_zone=zone,
        is_stale=isinstance(refusal, StaleVersion),
    )


@post("/availability/{schedule_id:uuid}")
async def save_week(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[Any]:
    """Keep the weekly hours, the zone and the holidays; or show the form with one more range, or a day copied."""
    schedule = await _own(request, caller, schedule_id)
    form = await Form.posted(request)
    action, _, day = form.get("action").partition("-")
    if action in {"add", "copy"} and day in WEEKDAYS:
        (add_range if action == "add" else copy_to_weekdays)(form, day)
        return await _page(request, caller, schedule, week=form)
    try:
        await manage_schedules.change_schedule(
            ports_of(request), caller.user, schedule.id, read_schedule(form), form.version
        )
    except StaleVersion as refusal:
        form.values["version"] = [str(schedule.version)]
        return await _page(request, caller, schedule, refusal, week=form)
    except Invalid as refusal:
        form.refuse(refusal, form_name)
        return await _page(request, caller, schedule, refusal, week=form)
    return done(f"/app/availability/{schedule.id}")


async def _edit(
    request: Request[Any, Any, Any],
    caller: Caller,
    schedule_id: UUID,
    change: Callable[[ScheduleRecord], dict[str, Any]],
) -> None:
    """Change a part of the schedule as it is at this moment."""
    for attempt in range(TRIES):
        schedule = await _own(request, caller, schedule_id)
        try:
            await manage_schedules.change_schedule(
                ports_of(request), caller.user, schedule.id, change(schedule), schedule.version
            )
            return
        except StaleVersion:
            if attempt == TRIES - 1:
                raise


@post("/availability/{schedule_id:uuid}/overrides")
async def add_override(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[Any]:
    """Other hours for one date, or none; what was kept for the date before is replaced."""
    form = await Form.posted(request)
    try:
        day = form.day("override.date", "Please enter the date.").isoformat()
        ranges = read_ranges(form, "override")
        form.finish()
        entry = {"date": day, "ranges": ranges}
        await _edit(
            request,
            caller,
            schedule_id,
            lambda schedule: {
                "overrides": [*(each for each in schedule.overrides if each["date"] != day), entry],
            },
        )
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "override" if field.startswith("overrides") else field)
        return await _page(request, caller, await _own(request, caller, schedule_id), refusal, override=form)
    return done(f"/app/availability/{schedule_id}", anchor="overrides")


@post("/availability/{schedule_id:uuid}/overrides/remove")
async def remove_override(
    request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]
) -> Response[Any]:
    """The usual hours again."""
    day = (await Form.posted(request)).get("key")
    await _edit(
        request,
        caller,
        schedule_id,
        lambda schedule: {"overrides": [each for each in schedule.overrides if each["date"] != day]},
    )
    return done(f"/app/availability/{schedule_id}", anchor="overrides")


@post("/availability/{schedule_id:uuid}/exclusions")
async def add_exclusion(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[Any]:
    """Dates on which nothing is offered; without a last day it is one day."""
    form = await Form.posted(request)
    try:
        first = form.day("exclusion.first", "Please enter the first day.")
        last = form.day("exclusion.last", "Please enter the last day.") if form.get("exclusion.last") else first
        reason = form.text("exclusion.reason", ShortReason, "Please keep the reason below 500 characters.")
        if not form.errors and last < first:
            form.fail("exclusion.last", "The last day lies before the first.")
        form.finish()
        entry = {"from": first.isoformat(), "to": last.isoformat(), "reason": reason}
        key = exclusion_key(entry)
        await _edit(
            request,
            caller,
            schedule_id,
            lambda schedule: {
                "exclusions": [*(each for each in schedule.exclusions if exclusion_key(each) != key), entry],
            },
        )
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "exclusion.first" if field.startswith("exclusions") else field)
        return await _page(request, caller, await _own(request, caller, schedule_id), refusal, exclusion=form)
    return done(f"/app/availability/{schedule_id}", anchor="exclusions")


@post("/availability/{schedule_id:uuid}/exclusions/remove")
async def remove_exclusion(
    request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]
) -> Response[Any]:
    """Offered again."""
    key = (await Form.posted(request)).get("key")
    await _edit(
        request,
        caller,
        schedule_id,
        lambda schedule: {"exclusions": [each for each in schedule.exclusions if exclusion_key(each) != key]},
    )
    return done(f"/app/availability/{schedule_id}", anchor="exclusions")


@post("/availability/{schedule_id:uuid}/time-off")
async def add_time_off(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[Any]:
    """Away, whatever schedule a link uses: whole days, or from a time until a time."""
    schedule = await _own(request, caller, schedule_id)
    form = await Form.posted(request)
    ports = ports_of(request)
    async with ports.read() as work:
        person = await manage_schedules.reachable_host(work, caller.user, schedule.user_id)
    try:
        start, end = _read_away(form, person.timezone)
        reason = form.text("away.reason", ShortReason, "Please keep the reason below 500 characters.")
        form.finish()
        await manage_schedules.add_time_off(ports, caller.user, person.id, start, end, reason)
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "away.last" if field == "end" else field)
        return await _page(request, caller, schedule, refusal, away=form)
    return done(f"/app/availability/{schedule.id}", "away", "away")


def _read_away(form: Form, zone: str) -> tuple[int, int]:
    first = form.day("away.first", "Please enter the first day.")
    last = form.day("away.last", "Please enter the last day.") if form.get("away.last") else first
    if form.errors:
        return 0, 0
    start, end = day_start(zone, first), day_start(zone, last + timedelta(days=1))
    try:
        if form.get("away.from"):
            start = instant_of(zone, first, form.get("away.from"))
        if form.get("away.until"):
            end = instant_of(zone, last, form.get("away.until"))
    except ValueError:
        form.fail("away.from", "Times are written like 09:00.")
    return start, end


@post("/availability/{schedule_id:uuid}/time-off/{time_off_id:uuid}/remove")
async def remove_time_off(
    request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID], time_off_id: FromPath[UUID]
) -> Response[Any]:
    """Back at work."""
    schedule = await _own(request, caller, schedule_id)
    await manage_schedules.remove_time_off(ports_of(request), caller.user, schedule.user_id, str(time_off_id))
    return done(f"/app/availability/{schedule.id}", anchor="away")


@post("/availability/{schedule_id:uuid}/copy")
async def copy_schedule(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[Any]:
    """A further schedule, beginning as a copy of this one."""
    schedule = await _own(request, caller, schedule_id)
    form = await Form.posted(request)
    try:
        values = {
            "name": form.text("new.name", RequiredLine, "Please enter a name, on one line."),
            "timezone": schedule.timezone,
            "is_default": False,
            "weekly": dict(schedule.weekly),
            "overrides": [],
            "exclusions": [],
            "holiday_country": schedule.holiday_country,
        }
        form.finish()
        made = await manage_schedules.create_schedule(ports_of(request), caller.user, values)
    except Invalid as refusal:
        form.refuse(refusal, lambda field: "new.name" if field == "name" else field)
        return await _page(request, caller, schedule, refusal, new=form)
    return done(f"/app/availability/{made.id}", "made")


@post("/availability/{schedule_id:uuid}/default")
async def make_default(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[Any]:
    """Links without a schedule of their own use this one from now on."""
    await _edit(request, caller, schedule_id, lambda _: {"is_default": True})
    return done(f"/app/availability/{schedule_id}")


@get("/availability/{schedule_id:uuid}/delete")
async def delete_page(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[bytes]:
    """Asks before deleting."""
    schedule = await _own(request, caller, schedule_id)
    return app_page(
        request,
        caller,
        "confirm",
        title="Delete this schedule?",
        what=schedule.name,
        text="Its hours, changed dates and days off are gone for good. Bookings stay.",
        action=f"/app/availability/{schedule.id}/delete",
        button="Delete schedule",
        back=f"/app/availability/{schedule.id}",
    )


@post("/availability/{schedule_id:uuid}/delete")
async def delete(request: Request[Any, Any, Any], caller: Member, schedule_id: FromPath[UUID]) -> Response[Any]:
    """Delete a schedule that nothing uses."""
    schedule = await _own(request, caller, schedule_id)
    try:
        await manage_schedules.delete_schedule(ports_of(request), caller.user, schedule.id)
    except AlreadyExists as refusal:
        return await _page(request, caller, schedule, refusal, problem=refusal.detail)
    return done("/app/availability", "deleted")


routes: Sequence[Any] = (
    availability_page,
    schedule_page,
    save_week,
    add_override,
    remove_override,
    add_exclusion,
    remove_exclusion,
    add_time_off,
    remove_time_off,
    copy_schedule,
    make_default,
    delete_page,
    delete,
)
