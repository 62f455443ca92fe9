"""`/schedules` and `/employees/{id}/time-off`."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain.cursors import cut, decode_cursor, encode_cursor
from app.domain.text_rules import END
from app.ports.hosts import ScheduleRecord, TimeOff
from app.ports.unit_of_work import UnitOfWork
from app.use_cases import manage_schedules
from app.use_cases.idempotency import Replay
from app.web.api.fields import (
    CHANGING,
    LISTING,
    MAKING,
    READING,
    REMOVING,
    Cursor,
    Id,
    IfMatch,
    In,
    Limit,
    LocalDate,
    Moment,
    RequiredLine,
    ShortReason,
    SignedIn,
    Unset,
    WallTime,
    Zone,
    given,
    ports_of,
    problems,
    uuid_text,
    version_of,
    with_etag,
)
from app.web.api.once import IdempotencyKey, Post
from app.web.times import epoch, rfc3339

Ranges = Annotated[list[tuple[WallTime, WallTime]], Meta(max_length=24)]


class Weekly(In, omit_defaults=True):
    """Wall-time ranges by weekday; an end at or before its begin runs into the next day."""

    mon: Ranges = []
    tue: Ranges = []
    wed: Ranges = []
    thu: Ranges = []
    fri: Ranges = []
    sat: Ranges = []
    sun: Ranges = []


class Override(In):
    """The ranges of one date; none: closed."""

    date: LocalDate
    ranges: Ranges = []


class Exclusion(In):
    """Dates, both inclusive, on which nothing is offered."""

    first: LocalDate = msgspec.field(name="from")
    last: LocalDate = msgspec.field(name="to")
    reason: ShortReason = ""


Overrides = Annotated[list[Override], Meta(max_length=1000)]
Exclusions = Annotated[list[Exclusion], Meta(max_length=1000)]
Country = Annotated[str, Meta(min_length=2, max_length=16, pattern=rf"^[A-Z]{{2}}(-[A-Z0-9]{{1,12}})?{END}")]


class ScheduleIn(In):
    """A schedule to make."""

    name: RequiredLine
    timezone: Zone
    is_default: bool = False
    weekly: Weekly = msgspec.field(default_factory=Weekly)
    overrides: Overrides = []
    exclusions: Exclusions = []
    holiday_country: Country | None = None


class SchedulePatch(In):
    """Any subset of a schedule's writable fields."""

    name: RequiredLine | Unset = UNSET
    timezone: Zone | Unset = UNSET
    is_default: bool | Unset = UNSET
    weekly: Weekly | Unset = UNSET
    overrides: Overrides | Unset = UNSET
    exclusions: Exclusions | Unset = UNSET
    holiday_country: Country | Unset | None = UNSET


class ScheduleOut(msgspec.Struct):
    """A schedule."""

    id: str
    name: str
    timezone: str
    is_default: bool
    weekly: dict[str, list[tuple[str, str]]]
    overrides: list[Override]
    exclusions: list[Exclusion]
    holiday_country: str | None
    version: int


class Schedules(msgspec.Struct):
    """All schedules of the caller."""

    items: list[ScheduleOut]
    next_cursor: str | None


class TimeOffIn(In):
    """A period away."""

    start: Moment
    end: Moment
    reason: ShortReason = ""


class TimeOffOut(msgspec.Struct):
    """A period away, in UTC."""

    id: str
    start: str
    end: str
    reason: str


class TimesOff(msgspec.Struct):
    """Periods away that are not over."""

    items: list[TimeOffOut]
    next_cursor: str | None


def schedule_out(schedule: ScheduleRecord) -> ScheduleOut:
    """A schedule as the API shows it."""
    days = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
    return ScheduleOut(
        id=schedule.id,
        name=schedule.name,
        timezone=schedule.timezone,
        is_default=schedule.is_default,
        weekly={day: [(begin, end) for begin, end in schedule.weekly.get(day, ())] for day in days},
        overrides=[Override(date=entry["date"], ranges=list(entry["ranges"])) for entry in schedule.overrides],
        exclusions=[
            Exclusion(first=entry["from"], last=entry["to"], reason=entry.get("reason", ""))
            for entry in schedule.exclusions
        ],
        holiday_country=schedule.holiday_country,
        version=schedule.version,
    )


def schedule_values(body: ScheduleIn | SchedulePatch) -> dict[str, Any]:
    """The `ScheduleRecord` fields a body names, as they are stored."""
    values = given(body)
    for name in ("weekly", "overrides", "exclusions"):
        if name in values:
            values[name] = msgspec.to_builtins(values[name])
    return values


def _time_off_out(away: TimeOff) -> TimeOffOut:
    return TimeOffOut(away.id, rfc3339(away.start), rfc3339(away.end), away.reason)


@get("/schedules", responses=problems(*LISTING), summary="List schedules")
async def list_schedules(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Schedules:
    async with ports_of(request).read() as work:
        found = await work.hosts.schedules(caller.user.id)
    page, next_cursor = cut(found, lambda schedule: schedule.id, limit, cursor)
    return Schedules([schedule_out(schedule) for schedule in page], next_cursor)


@post("/schedules", responses=problems(*MAKING, 422), summary="Make a schedule")
async def create_schedule(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[ScheduleIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[ScheduleOut]:
    values = schedule_values(data)

    def act(replay: Replay[ScheduleRecord] | None) -> Awaitable[ScheduleRecord]:
        return manage_schedules.create_schedule(ports_of(request), caller.user, values, replay)

    async def show(_: UnitOfWork, made: ScheduleRecord) -> ScheduleOut:
        return schedule_out(made)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key)


@get("/schedules/{schedule_id:uuid}", responses=problems(*READING), summary="Show a schedule")
async def show_schedule(request: Request[Any, Any, Any], caller: SignedIn, schedule_id: Id) -> Response[ScheduleOut]:
    async with ports_of(request).read() as work:
        schedule = await manage_schedules.own_schedule(work, caller.user, uuid_text(schedule_id))
    return with_etag(schedule_out(schedule), schedule.version)


@patch("/schedules/{schedule_id:uuid}", responses=problems(*CHANGING), summary="Change a schedule")
async def change_schedule(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    schedule_id: Id,
    data: JSONBody[SchedulePatch],
    if_match: IfMatch = None,
) -> Response[ScheduleOut]:
    schedule = await manage_schedules.change_schedule(
        ports_of(request), caller.user, uuid_text(schedule_id), schedule_values(data), version_of(if_match)
    )
    return with_etag(schedule_out(schedule), schedule.version)


@delete(
    "/schedules/{schedule_id:uuid}",
    responses=problems(*REMOVING, 409),
    summary="Delete a schedule",
    description="One that is the default, or that a link uses, stays: 409.",
)
async def delete_schedule(
    request: Request[Any, Any, Any], caller: SignedIn, schedule_id: Id, if_match: IfMatch = None
) -> None:
    await manage_schedules.delete_schedule(ports_of(request), caller.user, uuid_text(schedule_id), version_of(if_match))


@get("/employees/{host_id:uuid}/time-off", responses=problems(*READING), summary="List time off that is not over")
async def list_time_off(
    request: Request[Any, Any, Any], caller: SignedIn, host_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> TimesOff:
    ports = ports_of(request)
    behind: tuple[int, str] | None = None
    if cursor is not None:
        start, last_id = decode_cursor(cursor, "number", "id")
        behind = start, last_id
    async with ports.read() as work:
        person = await manage_schedules.reachable_host(work, caller.user, uuid_text(host_id))
        found = await work.hosts.time_off(person.id, ports.clock(), limit + 1, behind)
    page = found[:limit]
    more = len(found) > limit
    next_cursor = encode_cursor(page[-1].start, page[-1].id) if more else None
    return TimesOff([_time_off_out(away) for away in page], next_cursor)


@post("/employees/{host_id:uuid}/time-off", responses=problems(*MAKING, 404, 422), summary="Take time off")
async def add_time_off(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    host_id: Id,
    data: JSONBody[TimeOffIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[TimeOffOut]:
    ports, host = ports_of(request), uuid_text(host_id)
    start, end = epoch(data.start, "start"), epoch(data.end, "end")

    def act(replay: Replay[TimeOff] | None) -> Awaitable[TimeOff]:
        return manage_schedules.add_time_off(ports, caller.user, host, start, end, data.reason, replay)

    async def show(_: UnitOfWork, made: TimeOff) -> TimeOffOut:
        return _time_off_out(made)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key)


@delete(
    "/employees/{host_id:uuid}/time-off/{time_off_id:uuid}",
    responses=problems(401, 403, 404),
    summary="Drop time off",
)
async def remove_time_off(request: Request[Any, Any, Any], caller: SignedIn, host_id: Id, time_off_id: Id) -> None:
    await manage_schedules.remove_time_off(ports_of(request), caller.user, uuid_text(host_id), uuid_text(time_off_id))


router = Router(
    "/",
    route_handlers=[
        list_schedules,
        create_schedule,
        show_schedule,
        change_schedule,
        delete_schedule,
        list_time_off,
        add_time_off,
        remove_time_off,
    ],
    tags=["schedules"],
)
