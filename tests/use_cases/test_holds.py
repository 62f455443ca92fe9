"""Bookings that wait for approval: they hold their time until the hold runs out, whether a worker runs or not."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import CalendarUnavailable, Conflict, NotModifiable
from app.domain.links import Link
from app.use_cases.booking_changes import SYSTEM, Actor
from app.use_cases.change_booking import expire_hold, take_step
from app.use_cases.manage_links import delete_link
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-03 09:00")
MINUTE, HOUR, DAY = 60, 3600, 86400
HOLD = 1440 * MINUTE
STAFF = Actor("user", "staff")


@pytest.fixture
async def link(workspace: Workspace) -> Link:
    """A link that needs approval."""
    return await workspace.link(requires_approval=True)


async def confirm(workspace: Workspace, booking: Booking) -> Booking:
    return await take_step(workspace.ports, booking.id, "confirm", STAFF)


async def test_a_link_that_needs_approval_books_as_pending(workspace: Workspace, clock: Clock, link: Link) -> None:
    made = await workspace.book(link, NINE)
    assert (made.status, made.hold_expires_at) == ("pending", clock.now + HOLD)
    (claim,) = await workspace.rows(m.claims)
    assert claim["hold_expires_at"] == made.hold_expires_at
    with pytest.raises(Conflict):
        await workspace.book(link, NINE)
    lanes = {row["lane"]: row for row in await workspace.rows(m.outbox)}
    assert lanes[f"booking:{made.id}:hold"]["run_at"] == made.hold_expires_at
    assert not {f"booking:{made.id}:{target}" for target in ("complete", "followup")} & set(lanes)


async def test_a_hold_ends_at_the_latest_when_the_booking_begins(
    workspace: Workspace, clock: Clock, link: Link
) -> None:
    soon = clock.now + HOUR
    assert (await workspace.book(link, soon)).hold_expires_at == soon


async def test_a_pending_booking_is_not_in_the_schedule_until_it_is_confirmed(workspace: Workspace, link: Link) -> None:
    made = await workspace.book(link, NINE)
    assert await workspace.rows(m.calendar_objects) == []
    confirmed = await confirm(workspace, made)
    assert (confirmed.status, confirmed.hold_expires_at) == ("confirmed", None)
    (shown,) = await workspace.rows(m.calendar_objects)
    assert (shown["booking_id"], shown["deleted"]) == (made.id, False)
    (claim,) = await workspace.rows(m.claims)
    assert claim["hold_expires_at"] is None


async def test_a_hold_that_ran_out_is_in_nobodys_way(workspace: Workspace, clock: Clock, link: Link) -> None:
    """No worker has run: the booking that needs the time cancels the other, in one transaction."""
    held = await workspace.book(link, NINE)
    clock.advance(HOLD - 1)
    assert NINE not in await workspace.free(link, NINE, NINE)
    clock.advance(1)
    assert NINE in await workspace.free(link, NINE, NINE)
    made = await workspace.book(link, NINE)
    cancelled = await workspace.stored(held)
    assert (cancelled.status, cancelled.cancel_reason, cancelled.version) == ("cancelled", "expired", 2)
    assert [row["occurrence_id"] for row in await workspace.rows(m.claims)] == [made.occurrence_id]
    query = select(m.audit_entries).where(m.audit_entries.c.entity_id == held.id).order_by(m.audit_entries.c.id)
    assert [(row["action"], row["actor_kind"]) for row in await workspace.rows(query)] == [
        ("booking.created", "recipient"),
        ("booking.expired", "system"),
    ]
    lanes = {row["lane"] for row in await workspace.rows(m.outbox)}
    assert f"booking:{held.id}:mail:recipient" in lanes
    assert f"booking:{held.id}:hold" not in lanes


async def test_only_what_is_in_the_way_is_cancelled_by_a_booking(
    workspace: Workspace, clock: Clock, link: Link
) -> None:
    other = await workspace.book(link, NINE + 30 * MINUTE)
    clock.advance(HOLD)
    await workspace.book(link, NINE)
    assert (await workspace.stored(other)).status == "pending"


async def test_a_refused_booking_leaves_expired_holds_to_others(workspace: Workspace, clock: Clock, link: Link) -> None:
    """The whole transaction is rolled back."""
    long = await workspace.link("long", durations=(60,), step=30)
    held = await workspace.book(link, NINE)
    await workspace.book(await workspace.link("firm"), NINE + 30 * MINUTE)
    clock.advance(HOLD)
    with pytest.raises(Conflict):
        await workspace.book(long, NINE, 60)
    assert (await workspace.stored(held)).status == "pending"


@pytest.mark.parametrize("limit", [{"max_per_day": 1}, {"max_per_week": 1}], ids=["day", "week"])
@pytest.mark.parametrize("whose", ["link", "host"])
async def test_a_hold_that_ran_out_does_not_count_for_limits(
    workspace: Workspace, clock: Clock, limit: dict[str, Any], whose: str
) -> None:
    """Wherever it lies in the day or week: expiry does not depend on a worker."""
    link = await workspace.link("limited", requires_approval=True, **(limit if whose == "link" else {}))
    if whose == "host":
        await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, **limit)
    later = NINE + (5 * HOUR if "max_per_day" in limit else 2 * DAY)
    held = await workspace.book(link, NINE)
    assert await workspace.free(link, later, later) == []
    with pytest.raises(Conflict):
        await workspace.book(link, later)
    clock.advance(HOLD)
    assert later in await workspace.free(link, later, later)
    await workspace.book(link, later)
    assert (await workspace.stored(held)).status == "pending"  # until a worker comes, or its time is needed
    with pytest.raises(Conflict):
        await confirm(workspace, held)


async def test_a_worker_cancels_what_was_not_confirmed_in_time(workspace: Workspace, clock: Clock, link: Link) -> None:
    held = await workspace.book(link, NINE)
    assert await expire_hold(workspace.ports, held.id) == held.hold_expires_at
    clock.advance(HOLD)
    assert await expire_hold(workspace.ports, held.id) is None
    stored = await workspace.stored(held)
    assert (stored.status, stored.cancel_reason, stored.hold_expires_at) == ("cancelled", "expired", None)
    assert await workspace.rows(m.claims) == []
    assert await expire_hold(workspace.ports, held.id) is None  # once is enough
    assert await workspace.stored(held) == stored


async def test_a_late_confirmation_takes_the_time_anew(workspace: Workspace, clock: Clock, link: Link) -> None:
    held = await workspace.book(link, NINE)
    clock.advance(HOLD + HOUR)
    confirmed = await confirm(workspace, held)
    assert (confirmed.status, confirmed.hold_expires_at) == ("confirmed", None)
    with pytest.raises(Conflict):
        await workspace.book(link, NINE)


@pytest.mark.parametrize("what", ["event", "time off", "unread calendar", "past", "link"])
async def test_a_late_confirmation_finds_the_time_gone(
    workspace: Workspace, clock: Clock, link: Link, what: str
) -> None:
    held = await workspace.book(link, NINE)
    clock.advance(HOLD)
    refusal: type[Exception] = Conflict
    match what:
        case "event":
            await workspace.busy(workspace.owner, NINE, NINE + HOUR)
        case "time off":
            await workspace.time_off(workspace.owner, NINE, NINE + HOUR)
        case "unread calendar":
            await workspace.connected_calendar(workspace.owner, synced_at=None, provider="nothing")
            refusal = CalendarUnavailable
        case "past":
            clock.now = NINE
        case _:
            await delete_link(workspace.ports, workspace.owner, link.id)
    with pytest.raises(refusal):
        await confirm(workspace, held)
    assert (await workspace.stored(held)).status == "pending"


async def test_a_confirmation_in_time_asks_nothing_anew(workspace: Workspace, link: Link) -> None:
    """The time is held: an event that came since does not matter, as with every booking."""
    held = await workspace.book(link, NINE)
    await workspace.busy(workspace.owner, NINE, NINE + HOUR)
    assert (await confirm(workspace, held)).status == "confirmed"


async def test_a_late_confirmation_after_somebody_else_booked_is_refused(
    workspace: Workspace, clock: Clock, link: Link
) -> None:
    held = await workspace.book(link, NINE)
    clock.advance(HOLD)
    made = await workspace.book(await workspace.link("firm"), NINE)
    with pytest.raises(NotModifiable):
        await confirm(workspace, held)
    assert [row["occurrence_id"] for row in await workspace.rows(m.claims)] == [made.occurrence_id]


async def test_what_ran_out_cannot_be_moved(workspace: Workspace, clock: Clock, link: Link) -> None:
    held = await workspace.book(link, NINE)
    clock.advance(HOLD)
    with pytest.raises(NotModifiable):
        await reschedule_booking(workspace.ports, held.id, Move(NINE + HOUR), STAFF)


async def test_a_moved_pending_booking_is_held_until_its_new_begin(
    workspace: Workspace, clock: Clock, link: Link
) -> None:
    held = await workspace.book(link, NINE)
    moved = await reschedule_booking(workspace.ports, held.id, Move(clock.now + HOUR), STAFF)
    assert (moved.status, moved.hold_expires_at) == ("pending", clock.now + HOUR)
    (claim,) = await workspace.rows(m.claims)
    assert (claim["start_at"], claim["hold_expires_at"]) == (clock.now + HOUR, clock.now + HOUR)
    await expire_hold(workspace.ports, held.id)
    assert (await workspace.stored(held)).status == "pending"


async def test_of_confirmation_and_booking_at_the_same_moment_one_wins(
    workspace: Workspace, clock: Clock, link: Link
) -> None:
    held = await workspace.book(link, NINE)
    clock.advance(HOLD)
    attempts = [confirm(workspace, held), *(workspace.book(link, NINE) for _ in range(4))]
    results = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(result, Booking) for result in results) == 1, results
    assert all(isinstance(result, Booking | Conflict | NotModifiable) for result in results), results
    assert len(await workspace.rows(m.claims)) == 1


async def test_a_hold_of_several_hosts_is_released_without_a_deadlock(workspace: Workspace, clock: Clock) -> None:
    """A booking on one host releases a team's hold, while others of the team are being booked: every transaction
    takes the hosts' locks in one order."""
    team = [workspace.owner, await workspace.user("ana"), await workspace.user("ben")]
    together = await workspace.shared_link("collective", team, "together", requires_approval=True)
    singles = [await workspace.link(f"only-{number}", user) for number, user in enumerate(team)]
    for turn in range(4):
        start = NINE + turn * HOUR + DAY * (turn + 1)
        held = await workspace.book(together, start)
        clock.advance(HOLD)
        attempts = [workspace.book(link, start) for link in singles[::-1]]
        attempts += [workspace.book(together, start), workspace.book(singles[0], start)]
        results = await asyncio.gather(*attempts, return_exceptions=True)
        assert all(isinstance(result, Booking | Conflict) for result in results), results
        assert (await workspace.stored(held)).status == "cancelled"


async def test_a_cancelled_pending_booking_frees_its_time(workspace: Workspace, link: Link) -> None:
    held = await workspace.book(link, NINE)
    await take_step(workspace.ports, held.id, "cancel", SYSTEM, reason="No time")
    assert (await workspace.stored(held)).cancel_reason == "No time"
    assert await workspace.rows(m.calendar_objects) == []
    await workspace.book(link, NINE)
