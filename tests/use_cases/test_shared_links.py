"""Links of several hosts: pools, where the fairest free one takes a booking, and collectives, where all do."""

import asyncio
from collections import Counter
from datetime import UTC, datetime

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, Conflict, Invalid
from app.domain.links import Link
from app.ports.people import User
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.find_slots import SlotQuestion, find_slots
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
MINUTE, HOUR, DAY = 60, 3600, 86400
SYSTEM = Actor("system")


@pytest.fixture
async def team(workspace: Workspace) -> list[User]:
    """Three hosts, by rising id."""
    return [workspace.owner, await workspace.user("ana"), await workspace.user("ben")]


@pytest.fixture
async def pool(workspace: Workspace, team: list[User]) -> Link:
    return await workspace.shared_link("pool", team)


@pytest.fixture
async def together(workspace: Workspace, team: list[User]) -> Link:
    return await workspace.shared_link("collective", team, "together")


def host_of(booking: Booking) -> str:
    (host,) = booking.hosts
    return host.id


async def seats(workspace: Workspace, link: Link, start: int) -> int:
    """How many hosts are free at the start, as availability says."""
    date = datetime.fromtimestamp(start, UTC).date()
    found = await find_slots(
        workspace.ports, workspace.token(link), SlotQuestion(date, date, 30, "UTC"), workspace.clock.now
    )
    return dict(found.starts).get(start, 0)


# Pools


async def test_bookings_go_round_the_pool(workspace: Workspace, clock: Clock, team: list[User], pool: Link) -> None:
    taken = []
    for number in range(6):
        clock.advance(MINUTE)
        taken.append(host_of(await workspace.book(pool, NINE + number * HOUR)))
    assert taken == [user.id for user in team] * 2


async def test_a_pool_takes_the_next_host_when_one_is_not_free(
    workspace: Workspace, team: list[User], pool: Link
) -> None:
    owner, ana, ben = team
    assert await seats(workspace, pool, NINE) == 3
    await workspace.busy(owner, NINE, NINE + HOUR)
    assert await seats(workspace, pool, NINE) == 2
    assert host_of(await workspace.book(pool, NINE)) == ana.id
    await workspace.time_off(ben, NINE - DAY, NINE + DAY)
    assert await seats(workspace, pool, NINE) == 0
    with pytest.raises(Conflict) as refused:
        await workspace.book(pool, NINE)
    assert refused.value.alternatives == tuple(NINE + step * 30 * MINUTE for step in (-3, -2, -1, 1, 2))


async def test_priority_goes_before_fairness(workspace: Workspace, team: list[User]) -> None:
    pool = await workspace.shared_link("pool", team, priorities=[0, 5, 5])
    taken = [host_of(await workspace.book(pool, NINE + number * HOUR)) for number in range(3)]
    assert workspace.owner.id not in taken
    both = [host_of(await workspace.book(pool, NINE + 5 * HOUR)) for _ in range(3)]
    assert both[2] == workspace.owner.id


async def test_the_fewest_bookings_in_the_week_come_first(
    workspace: Workspace, clock: Clock, team: list[User], pool: Link
) -> None:
    """Of the ISO week of the start, all links together, cancelled ones left out."""
    owner, ana, ben = team
    for user, count in ((owner, 2), (ana, 1), (ben, 2)):
        own = await workspace.link(f"own-{user.handle}", user)
        for number in range(count):
            clock.advance(1)
            await workspace.book(own, NINE + (10 + number) * HOUR)
    assert host_of(await workspace.book(pool, NINE)) == ana.id
    clock.advance(1)
    next_week = NINE + 7 * DAY
    assert host_of(await workspace.book(pool, next_week)) == owner.id  # no bookings there: last booked longest ago
    cancelled = await workspace.rows(select(m.booking_hosts).where(m.booking_hosts.c.host_id == ben.id))
    for row in cancelled:
        await take_step(workspace.ports, row["booking_id"], "cancel", SYSTEM)
    assert host_of(await workspace.book(pool, NINE + HOUR)) == ben.id


async def test_then_comes_whose_last_booking_was_made_longest_ago(
    workspace: Workspace, clock: Clock, team: list[User], pool: Link
) -> None:
    owner, ana, ben = team
    for user in (ben, owner, ana):
        clock.advance(MINUTE)
        await workspace.book(await workspace.link(f"own-{user.handle}", user), NINE + 10 * HOUR)
    assert host_of(await workspace.book(pool, NINE)) == ben.id


async def test_a_pools_limit_counts_the_bookings_of_all_its_hosts(workspace: Workspace, team: list[User]) -> None:
    pool = await workspace.shared_link("pool", team, max_per_day=2)
    await workspace.book(pool, NINE)
    await workspace.book(pool, NINE)
    with pytest.raises(Conflict):
        await workspace.book(pool, NINE + HOUR)


async def test_a_host_at_its_own_limit_is_passed_over(workspace: Workspace, team: list[User], pool: Link) -> None:
    await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, max_per_day=1)
    taken = Counter([host_of(await workspace.book(pool, NINE + number * HOUR)) for number in range(5)])
    assert taken == {team[0].id: 1, team[1].id: 2, team[2].id: 2}


async def test_a_host_outside_its_hours_is_passed_over(workspace: Workspace, team: list[User], pool: Link) -> None:
    evening = {"tue": [("18:00", "20:00")]}
    await workspace.hours(team[0], evening)
    assert host_of(await workspace.book(pool, NINE)) == team[1].id
    await workspace.hours(team[1], evening)
    await workspace.hours(team[2], evening)
    with pytest.raises(Invalid):
        await workspace.book(pool, NINE + HOUR)


async def test_one_hosts_dead_calendar_takes_the_others_not_away(
    workspace: Workspace, clock: Clock, team: list[User], pool: Link
) -> None:
    await workspace.connected_calendar(team[0], synced_at=clock.now - 25 * HOUR, provider="nothing")
    assert await seats(workspace, pool, NINE) == 2
    assert host_of(await workspace.book(pool, NINE)) == team[1].id
    for user in team[1:]:
        await workspace.connected_calendar(user, synced_at=None, provider="nothing")
    with pytest.raises(CalendarUnavailable):
        await workspace.book(pool, NINE + HOUR)


async def test_as_many_win_as_there_are_hosts(workspace: Workspace, team: list[User], pool: Link) -> None:
    results = await asyncio.gather(*(workspace.book(pool, NINE) for _ in range(12)), return_exceptions=True)
    won = [result for result in results if isinstance(result, Booking)]
    lost = [result for result in results if isinstance(result, Conflict)]
    assert (len(won), len(lost)) == (3, 9), results
    assert {host_of(booking) for booking in won} == {user.id for user in team}
    assert all(conflict.alternatives for conflict in lost)


async def test_pools_that_share_hosts_never_wait_in_a_circle(workspace: Workspace, team: list[User]) -> None:
    """Whatever order the links name their hosts in, their rows are locked by id."""
    owner, ana, ben = team
    circles = [(owner, ana), (ana, ben), (ben, owner), (ben, ana, owner)]
    links = [
        await workspace.shared_link(mode, hosts, f"{mode}-{number}")
        for number, hosts in enumerate(circles)
        for mode in ("pool", "collective")
    ]
    attempts = [workspace.book(link, NINE + (turn % 3) * HOUR) for turn in range(6) for link in links]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert all(isinstance(result, Booking | Conflict) for result in results), results
    claims = [(row["host_id"], row["start_at"]) for row in await workspace.rows(m.claims)]
    assert len(set(claims)) == len(claims) == 9


async def test_a_moved_booking_keeps_its_host_when_it_can(workspace: Workspace, team: list[User], pool: Link) -> None:
    owner, ana, ben = team
    booked = await workspace.book(pool, NINE)
    assert host_of(await move(workspace, booked, NINE + HOUR)) == owner.id
    await workspace.busy(owner, NINE + 2 * HOUR, NINE + 3 * HOUR)
    await workspace.busy(ana, NINE + 2 * HOUR, NINE + 3 * HOUR)
    moved = await move(workspace, booked, NINE + 2 * HOUR)
    assert host_of(moved) == ben.id
    (claim,) = await workspace.rows(m.claims)
    assert (claim["host_id"], claim["start_at"]) == (ben.id, NINE + 2 * HOUR)
    (previous, last) = await workspace.rows(select(m.previous_times).order_by(m.previous_times.c.id))
    assert (previous["host_ids"], last["host_ids"]) == ([owner.id], [owner.id])


async def test_a_booking_handed_over_leaves_one_schedule_for_the_other(
    workspace: Workspace, team: list[User], pool: Link
) -> None:
    booked = await workspace.book(pool, NINE)
    moved = await move(workspace, booked, NINE, host=team[2].id)
    assert host_of(moved) == team[2].id
    shown = await workspace.rows(
        select(m.calendars.c.user_id, m.calendar_objects.c.deleted).join_from(m.calendar_objects, m.calendars)
    )
    assert {row["user_id"]: row["deleted"] for row in shown} == {team[0].id: True, team[2].id: False}
    lanes = {row["lane"].removeprefix(f"booking:{booked.id}:") for row in await workspace.rows(m.outbox)}
    assert {f"mail:host:{team[0].id}", f"mail:host:{team[2].id}"} <= lanes


async def test_a_host_can_be_asked_for_by_name(workspace: Workspace, team: list[User], pool: Link) -> None:
    booked = await workspace.book(pool, NINE)
    assert host_of(await move(workspace, booked, NINE + HOUR, host=team[1].id)) == team[1].id
    await workspace.busy(team[2], NINE, NINE + HOUR)
    with pytest.raises(Conflict):
        await move(workspace, booked, NINE, host=team[2].id)
    with pytest.raises(Invalid):
        await move(workspace, booked, NINE, host=(await workspace.user("stranger")).id)
    await workspace.hours(team[2], {"tue": [("18:00", "20:00")]})
    with pytest.raises(Invalid):
        await move(workspace, booked, NINE + 2 * HOUR, host=team[2].id)


async def move(workspace: Workspace, booking: Booking, start: int, host: str | None = None) -> Booking:
    return await reschedule_booking(workspace.ports, booking.id, Move(start, None, host), SYSTEM)


# Collectives


async def test_a_collective_booking_takes_all_its_hosts(workspace: Workspace, team: list[User], together: Link) -> None:
    booked = await workspace.book(together, NINE)
    assert [host.id for host in booked.hosts] == sorted(user.id for user in team)
    assert {row["host_id"] for row in await workspace.rows(m.claims)} == {user.id for user in team}
    assert len(await workspace.rows(m.calendar_objects)) == 3
    with pytest.raises(Conflict):
        await workspace.book(await workspace.link("own", team[2]), NINE)


@pytest.mark.parametrize("who", [0, 1, 2])
async def test_a_collective_needs_all_its_hosts(
    workspace: Workspace, team: list[User], together: Link, who: int
) -> None:
    await workspace.busy(team[who], NINE, NINE + HOUR)
    assert NINE not in await workspace.free(together, NINE, NINE)
    with pytest.raises(Conflict) as refused:
        await workspace.book(together, NINE)
    assert NINE + HOUR in refused.value.alternatives
    assert await workspace.rows(m.claims) == []


async def test_what_one_host_of_a_collective_never_offers_is_malformed(
    workspace: Workspace, team: list[User], together: Link
) -> None:
    await workspace.hours(team[1], {"tue": [("18:00", "20:00")]})
    await workspace.busy(team[0], NINE, NINE + HOUR)
    with pytest.raises(Invalid):
        await workspace.book(together, NINE)


async def test_a_collective_cannot_be_judged_without_all_calendars(
    workspace: Workspace, clock: Clock, team: list[User], together: Link
) -> None:
    await workspace.connected_calendar(team[1], synced_at=clock.now - 25 * HOUR, provider="nothing")
    with pytest.raises(CalendarUnavailable):
        await workspace.free(together, NINE, NINE)
    with pytest.raises(CalendarUnavailable):
        await workspace.book(together, NINE)


async def test_a_collective_booking_moves_and_ends_for_all(
    workspace: Workspace, team: list[User], together: Link
) -> None:
    booked = await workspace.book(together, NINE)
    await move(workspace, booked, NINE + HOUR)
    assert {row["start_at"] for row in await workspace.rows(m.claims)} == {NINE + HOUR}
    await workspace.book(await workspace.link("own", team[1]), NINE)
    await take_step(workspace.ports, booked.id, "cancel", SYSTEM)
    for number, user in enumerate(team):
        await workspace.book(await workspace.link(f"own-{number}", user), NINE + HOUR)
