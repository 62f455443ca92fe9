"""`/employees`: the people of the organization, what they do, how often they may be booked and when they are free."""

from __future__ import annotations

from collections.abc import Awaitable
from itertools import groupby
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Response, Router, delete, get, patch, post
from litestar.params import JSONBody, QueryParameter
from msgspec import UNSET, Meta

from app.domain.errors import NotFound
from app.domain.hours import local_date
from app.domain.intervals import Interval
from app.ports.bookings import BookingFilter
from app.ports.employees import Employee
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.change_person import change_person
from app.use_cases.find_slots import SlotQuestion
from app.use_cases.hand_over_bookings import BookingPlan, Outcomes, hand_over_bookings
from app.use_cases.idempotency import Replay
from app.use_cases.manage_people import NewUser, invite_user
from app.use_cases.manage_schedules import reachable_host
from app.use_cases.person_availability import person_availability
from app.web.api.booking_shapes import Bookings
from app.web.api.bookings import bookings_page
from app.web.api.fields import (
    DATE_PATTERN,
    LISTING,
    MAKING,
    READING,
    ZONE_PATTERN,
    Cursor,
    Email,
    FirstDate,
    Id,
    In,
    LastDate,
    Limit,
    ListZone,
    RequiredLine,
    ShortReason,
    SignedIn,
    Unset,
    Zone,
    address_text,
    given,
    line_text,
    need_admin,
    ports_of,
    problems,
    uuid_text,
)
from app.web.api.links import Count
from app.web.api.once import IdempotencyKey, Post
from app.web.times import parse_date, period, rfc3339

Roles = Annotated[list[Literal["owner", "admin", "employee"]], Meta(min_length=1, max_length=3)]


class EmployeeOut(msgspec.Struct):
    """Somebody who can be booked; the limits count the bookings of all links and services together."""

    id: str
    name: str
    email: str
    handle: str
    roles: list[str]
    timezone: str
    is_active: bool
    max_per_day: int | None
    max_per_week: int | None
    services: list[str]


class Employees(msgspec.Struct):
    """A page of people."""

    items: list[EmployeeOut]
    next_cursor: str | None


class EmployeeIn(In):
    """Somebody to invite; `timezone` is one's own when it is missing."""

    name: RequiredLine
    email: Email
    roles: Roles = msgspec.field(default_factory=lambda: ["employee"])
    timezone: Zone | None = None


class EmployeePatch(In):
    """How often somebody may be booked a day and a week, in all; for admins also who they are and whether they are
    switched on."""

    name: RequiredLine | Unset = UNSET
    roles: Roles | Unset = UNSET
    is_active: bool | Unset = UNSET
    max_per_day: Count | Unset | None = UNSET
    max_per_week: Count | Unset | None = UNSET


class FreeRange(msgspec.Struct):
    """Free time, with offset."""

    start: str
    end: str


class FreeDay(msgspec.Struct):
    """The free time that begins on a local date."""

    date: str
    ranges: list[FreeRange]


class FreeTime(msgspec.Struct):
    """When somebody is free: local dates of `timezone`, only those with free time."""

    timezone: str
    days: list[FreeDay]


class HandOverIn(In):
    """What becomes of somebody's coming bookings: `others` who take such bookings get them, or the person `host`, or
    they are cancelled for a `reason`."""

    to: Literal["others", "person", "cancel"]
    host: UUID | None = None
    reason: ShortReason | None = None


class HandedOver(msgspec.Struct):
    """What became of one booking; `detail` says why it was `left` with them."""

    id: str
    start: str
    outcome: Literal["reassigned", "cancelled", "left"]
    hosts: list[str]
    detail: str


class HandOver(msgspec.Struct):
    """What became of the first hundred coming bookings; `has_more`: there are further ones, for another request."""

    items: list[HandedOver]
    has_more: bool


def _out(employee: Employee) -> EmployeeOut:
    return EmployeeOut(
        id=employee.id,
        name=employee.name,
        email=employee.email,
        handle=employee.handle,
        roles=list(employee.roles),
        timezone=employee.timezone,
        is_active=employee.is_active,
        max_per_day=employee.max_per_day,
        max_per_week=employee.max_per_week,
        services=list(employee.service_ids),
    )


@get("/employees", responses=problems(*LISTING), summary="List people")
async def list_employees(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Employees:
    async with ports_of(request).read() as work:
        page = await work.employees.page(caller.user.org_id, limit, cursor)
    return Employees([_out(employee) for employee in page.items], page.cursor)


@get("/employees/{employee_id:uuid}", responses=problems(*READING), summary="Show somebody")
async def show_employee(request: Request[Any, Any, Any], caller: SignedIn, employee_id: Id) -> EmployeeOut:
    async with ports_of(request).read() as work:
        found = await work.employees.get(caller.user.org_id, uuid_text(employee_id))
    if found is None:
        raise NotFound("There is no such person.")
    return _out(found)


async def _shown(work: UnitOfWork, user: User) -> EmployeeOut:
    found = await work.employees.get(user.org_id, user.id)
    if found is None:
        raise NotFound("There is no such person.")
    return _out(found)


@post(
    "/employees",
    responses=problems(*MAKING, 409, 422),
    summary="Invite somebody",
    description="For admins. They are mailed a link to set their password.",
)
async def invite_employee(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    data: JSONBody[EmployeeIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[EmployeeOut]:
    need_admin(caller)
    ports, zone = ports_of(request), data.timezone or caller.user.timezone
    name, email = line_text(data.name, "name"), address_text(data.email, "email")
    new = NewUser(caller.user.org_id, email, name, tuple(data.roles), zone)

    def act(replay: Replay[User] | None) -> Awaitable[User]:
        return invite_user(ports, new, caller.user, replay)

    return await Post(caller.user.id, data, act, _shown).answer(request, idempotency_key)


@patch(
    "/employees/{employee_id:uuid}",
    responses=problems(401, 403, 404, 409, 413),
    summary="Change somebody",
    description="How often they may be booked: for oneself, and for admins; the rest for admins. Whoever is switched "
    "off is signed out and not offered any more, and their links answer 410 until they are handed over; bookings they "
    "have stay. The last admin stays: 409.",
)
async def change_employee(
    request: Request[Any, Any, Any], caller: SignedIn, employee_id: Id, data: JSONBody[EmployeePatch]
) -> EmployeeOut:
    return _out(await change_person(ports_of(request), caller.user, uuid_text(employee_id), given(data)))


@delete(
    "/employees/{employee_id:uuid}",
    status_code=200,
    responses=problems(401, 403, 404, 409),
    summary="Switch somebody off",
    description="For admins; as `PATCH` with `is_active` false. Nothing is erased by it.",
)
async def deactivate_employee(request: Request[Any, Any, Any], caller: SignedIn, employee_id: Id) -> EmployeeOut:
    need_admin(caller)
    return _out(await change_person(ports_of(request), caller.user, uuid_text(employee_id), {"is_active": False}))


@post(
    "/employees/{employee_id:uuid}/hand-over",
    status_code=200,
    responses=problems(*MAKING, 404, 422),
    summary="Hand over somebody's coming bookings",
    description="For admins. Each by itself: what nobody can take is left, and says why.",
)
async def hand_over_schedule(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    employee_id: Id,
    data: JSONBody[HandOverIn],
    idempotency_key: IdempotencyKey = None,
) -> Response[HandOver]:
    need_admin(caller)
    plan = BookingPlan(data.to, uuid_text(data.host) if data.host else None, data.reason)
    ports = ports_of(request)

    def act(replay: Replay[Outcomes] | None) -> Awaitable[Outcomes]:
        return hand_over_bookings(ports, caller.user, uuid_text(employee_id), plan, replay)

    async def show(_: UnitOfWork, outcomes: Outcomes) -> HandOver:
        return _handed_over(outcomes, caller.user.timezone)

    return await Post(caller.user.id, data, act, show).answer(request, idempotency_key, 200)


def _handed_over(outcomes: Outcomes, timezone: str) -> HandOver:
    items = [
        HandedOver(
            each.booking.id,
            rfc3339(each.booking.start, timezone),
            each.kind,
            [host.id for host in each.booking.hosts],
            each.detail,
        )
        for each in outcomes.items
    ]
    return HandOver(items, outcomes.more)


@get(
    "/employees/{employee_id:uuid}/availability",
    responses=problems(*READING, 503),
    summary="When somebody is free",
    description="Their working hours without bookings, time off and busy events; `duration` leaves out shorter times.",
)
async def employee_availability(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    employee_id: Id,
    first: Annotated[str, QueryParameter(name="from", pattern=DATE_PATTERN)],
    last: Annotated[str, QueryParameter(name="to", pattern=DATE_PATTERN)],
    timezone: Annotated[str, QueryParameter(pattern=ZONE_PATTERN)],
    duration: Annotated[int, QueryParameter(ge=1, le=1440)] = 1,
) -> FreeTime:
    question = SlotQuestion(parse_date(first, "from"), parse_date(last, "to"), duration, timezone)
    free = await person_availability(ports_of(request), caller.user, uuid_text(employee_id), question)
    return FreeTime(timezone, _free_days(free, timezone))


def _free_days(free: list[Interval], timezone: str) -> list[FreeDay]:
    days = groupby(free, key=lambda each: local_date(timezone, each[0]))
    return [
        FreeDay(day.isoformat(), [FreeRange(rfc3339(begin, timezone), rfc3339(end, timezone)) for begin, end in ranges])
        for day, ranges in days
    ]


@get(
    "/employees/{employee_id:uuid}/schedule",
    responses=problems(*READING),
    summary="Somebody's bookings",
    description="Those that are confirmed, by start; for oneself, and for admins.",
)
async def employee_schedule(
    request: Request[Any, Any, Any],
    caller: SignedIn,
    employee_id: Id,
    limit: Limit = 50,
    cursor: Cursor = None,
    first: FirstDate = None,
    last: LastDate = None,
    timezone: ListZone = None,
) -> Bookings:
    ports = ports_of(request)
    start, end = period(first, last, timezone or caller.user.timezone)
    async with ports.read() as work:
        person = await reachable_host(work, caller.user, uuid_text(employee_id))
    where = BookingFilter(
        caller.user.org_id,
        status=("confirmed", "in_progress"),
        host_id=person.id,
        start=start,
        end=end,
        view="schedule",
    )
    return await bookings_page(ports, where, limit, cursor)


router = Router(
    "/",
    route_handlers=[
        list_employees,
        invite_employee,
        show_employee,
        change_employee,
        deactivate_employee,
        hand_over_schedule,
        employee_availability,
        employee_schedule,
    ],
    tags=["employees"],
)
