"""How many statements a use case costs: bounded, and the same with ten rows and with ten thousand."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import pytest

from app.db import models as m
from app.domain.services import Need, ServiceHost
from app.ports.bookings import BookingFilter
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.edit_booking import edit_booking
from app.use_cases.explain_start import explain_start
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.crowd import crowd
from tests.support.statements import Statements, statements_of
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
HOUR, DAY = 3600, 86400
FEW, MANY = 10, 10_000
STAFF = Actor("user", "staff")
LIMITS: dict[str, Any] = {"max_per_day": 1000, "max_per_week": 5000}
BOUNDS = {
    "free slots": 2,
    "free slots of a pool with all limits": 5,
    "book": 16,
    "book by a one-time link": 17,
    "book with ten guests": 16,
    "book a pool with all limits": 22,
    "move": 25,
    "cancel": 16,
    "edit notes": 14,
    "read a booking": 2,
    "list bookings": 2,
    "claim work": 3,
}
"""The most statements each may take on either engine."""

Action = Callable[[int], Awaitable[object]]
"""What is done twice (0, 1), the second time after the database has grown."""


async def test_more_rows_cost_no_more_statements(workspace: Workspace) -> None:
    """Ten and then ten thousand bookings, claims, audit entries, jobs, calendar objects and events of one host."""
    actions = await prepared(workspace)
    assert actions.keys() == BOUNDS.keys()
    await crowd(workspace, range(FEW))
    few = {name: await counted(workspace, action, 0) for name, action in actions.items()}
    await crowd(workspace, range(FEW, MANY))
    many = {name: await counted(workspace, action, 1) for name, action in actions.items()}
    for name, bound in BOUNDS.items():
        assert len(few[name]) == len(many[name]), f"{name}:\n\n" + "\n\n".join(many[name])
        assert 0 < len(few[name]) <= bound, f"{name}:\n\n" + "\n\n".join(few[name])


async def counted(workspace: Workspace, action: Action, turn: int) -> Statements:
    async with statements_of(workspace.parts.database) as seen:
        await action(turn)
    return seen


async def prepared(workspace: Workspace) -> Mapping[str, Action]:
    """Every use case with what it needs; each books at hours of its own."""
    ports = workspace.ports
    link = await workspace.link()
    team = [workspace.owner, *[await workspace.user(f"host-{number}") for number in range(9)]]
    pool = await workspace.shared_link("pool", team, **LIMITS)
    await workspace.set(m.hosts, m.hosts.c.kind == "user", **LIMITS)
    limited = await workspace.link("limited")
    await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, max_per_day=None, max_per_week=None)
    tokens = [await workspace.one_time(link), await workspace.one_time(link)]
    there = [await workspace.book(limited, NINE + DAY + number * HOUR) for number in range(6)]
    guests = tuple(f"guest-{number}@example.org" for number in range(10))

    async def list_bookings(_: int) -> None:
        async with ports.read() as work:
            assert (await work.bookings.page(BookingFilter(workspace.organization.id), 50, None)).items

    async def claim(_: int) -> None:
        assert len(await ports.jobs.claim("worker", NINE, 120, 5)) == 5

    return {
        "free slots": lambda _: workspace.free(link, NINE, NINE + 60 * DAY),
        "free slots of a pool with all limits": lambda _: workspace.free(pool, NINE, NINE + 60 * DAY),
        "book": lambda turn: workspace.book(link, NINE + turn * HOUR),
        "book by a one-time link": lambda turn: workspace.book(tokens[turn], NINE + (2 + turn) * HOUR),
        "book with ten guests": lambda turn: workspace.book(link, NINE + (4 + turn) * HOUR, guests=guests),
        "book a pool with all limits": lambda turn: workspace.book(pool, NINE + (6 + turn) * HOUR),
        "move": lambda turn: reschedule_booking(ports, there[turn].id, Move(NINE + (2 + turn) * DAY), STAFF),
        "cancel": lambda turn: take_step(ports, there[2 + turn].id, "cancel", STAFF),
        "edit notes": lambda turn: edit_booking(ports, there[4 + turn].id, {"notes": "Notes"}, STAFF),
        "read a booking": lambda _: workspace.stored(there[0]),
        "list bookings": list_bookings,
        "claim work": claim,
    }


async def test_the_size_of_a_pool_costs_no_statements(workspace: Workspace) -> None:
    costs = []
    for size in (2, 12):
        team = [await workspace.user(f"host-{size}-{number}") for number in range(size)]
        await workspace.set(m.hosts, m.hosts.c.kind == "user", **LIMITS)
        pool = await workspace.shared_link("pool", team, f"pool-{size}", **LIMITS)
        async with statements_of(workspace.parts.database) as seen:
            await workspace.book(pool, NINE)
        costs.append(len(seen))
    assert costs[0] == costs[1] <= BOUNDS["book a pool with all limits"]


async def test_the_people_and_rooms_of_a_service_cost_no_statements(workspace: Workspace) -> None:
    """Looking, booking and explaining, with two people and a room and with twelve and eight."""
    ports, owner, costs = workspace.ports, workspace.owner, []
    for size, rooms in ((2, 1), (12, 8)):
        people = [ServiceHost((await workspace.user(f"host-{size}-{number}")).id) for number in range(size)]
        room = await create_resource(ports, owner, {"name": "Room", "quantity": rooms})
        service = await create_service(ports, owner, {"name": "Cut", "durations": (30,)}, [Need(room.id)], people)
        link = await workspace.link(f"cut-{size}", service_id=service.id)
        cost = []
        for act in (
            lambda link=link: workspace.free(link, NINE, NINE + 60 * DAY),
            lambda link=link: workspace.book(link, NINE),
            lambda link=link: explain_start(ports, owner, link.id, NINE, 30),
        ):
            async with statements_of(workspace.parts.database) as seen:
                await act()
            cost.append(len(seen))
        costs.append(cost)
    assert costs[0] == costs[1]
    assert costs[0][0] <= BOUNDS["free slots of a pool with all limits"]
    assert costs[0][1] <= BOUNDS["book a pool with all limits"]


async def test_what_goes_straight_to_the_driver_is_counted_too(workspace: Workspace) -> None:
    """Or the figures above would say nothing of the hottest reads."""
    link = await workspace.link()
    async with statements_of(workspace.parts.database) as seen:
        await workspace.free(link, NINE, NINE)
    assert any("busy_intervals" in statement for statement in seen)
    assert any("offer_hosts" in statement for statement in seen)
