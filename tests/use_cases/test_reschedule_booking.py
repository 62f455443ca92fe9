"""Moving a booking: it stays the same booking, and old and new time are exchanged at once."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import Conflict, Invalid, NotFound, NotModifiable, StaleVersion
from app.domain.links import Link
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.ids import new_id
from app.use_cases.manage_links import change_link, delete_link
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace, broken_table

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
MINUTE, HOUR, DAY = 60, 3600, 86400
RECIPIENT = Actor("recipient", "someone")


async def move(
    workspace: Workspace, booking: Booking, start: int, minutes: int | None = None, **values: Any
) -> Booking:
    host = values.pop("host", None)
    return await reschedule_booking(workspace.ports, booking.id, Move(start, minutes, host), RECIPIENT, **values)


@pytest.fixture
async def link(workspace: Workspace) -> Link:
    return await workspace.link(durations=(30, 60), step=30)


@pytest.fixture
async def booked(workspace: Workspace, link: Link) -> Booking:
    return await workspace.book(link, NINE)


async def test_a_moved_booking_is_the_same_booking(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    clock.advance(MINUTE)
    moved = await move(workspace, booked, NINE + DAY, 60)
    assert moved == await workspace.stored(booked)
    assert (moved.start, moved.end, moved.duration) == (NINE + DAY, NINE + DAY + HOUR, 60)
    for name in ("id", "token", "uid", "occurrence_id", "recipient", "created_at", "status", "hosts"):
        assert getattr(moved, name) == getattr(booked, name), name
    assert (moved.version, moved.sequence, moved.updated_at) == (2, 1, clock.now)


async def test_the_previous_time_stays_as_a_record(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    await move(workspace, booked, NINE + DAY)
    clock.advance(MINUTE)
    await move(workspace, booked, NINE + DAY, 60)  # just longer: a change of time all the same
    async with workspace.ports.read() as work:
        times = await work.bookings.previous_times(booked.id)
    assert [(time["status"], time["start_at"], time["end_at"]) for time in times] == [
        ("rescheduled", NINE, NINE + 30 * MINUTE),
        ("rescheduled", NINE + DAY, NINE + DAY + 30 * MINUTE),
    ]
    assert [time["host_ids"] for time in times] == [[workspace.owner.id]] * 2
    assert times[1]["replaced_at"] == clock.now


async def test_old_and_new_time_are_exchanged(workspace: Workspace, link: Link, booked: Booking) -> None:
    await move(workspace, booked, NINE + DAY)
    assert NINE in await workspace.free(link, NINE, NINE)
    assert NINE + DAY not in await workspace.free(link, NINE + DAY, NINE + DAY)
    assert len(await workspace.rows(m.claims)) == 1
    (hosted,) = await workspace.rows(m.booking_hosts)
    assert hosted["start_at"] == NINE + DAY


@pytest.mark.parametrize(("start", "minutes"), [(NINE, 60), (NINE - 30 * MINUTE, 60)])
async def test_the_old_time_never_blocks_the_new(
    workspace: Workspace, booked: Booking, start: int, minutes: int
) -> None:
    moved = await move(workspace, booked, start, minutes)
    assert (moved.start, moved.duration) == (start, minutes)


async def test_two_bookings_can_change_places_by_way_of_a_third_time(
    workspace: Workspace, link: Link, booked: Booking
) -> None:
    other = await workspace.book(link, NINE + HOUR)
    with pytest.raises(Conflict):
        await move(workspace, booked, NINE + HOUR)
    await move(workspace, booked, NINE + 2 * HOUR)
    await move(workspace, other, NINE)
    assert (await move(workspace, booked, NINE + HOUR)).start == NINE + HOUR


PICKS = ((NINE, 30), (NINE + 10 * HOUR, 30), (NINE + DAY, 45))
"""The second lies outside the hours, and no link offers the length of the third."""


async def booked_pick(workspace: Workspace) -> Booking:
    """A booking of the first of the times picked for its recipient, whose link has expired since."""
    await workspace.hours(workspace.owner, {"tue": [("09:00", "12:00")], "wed": [("09:00", "12:00")]})
    one_time = await workspace.one_time(await workspace.link("picked", step=30), *PICKS, expires_at=NINE - HOUR)
    booking = await workspace.book(one_time, NINE)
    workspace.clock.now = NINE - MINUTE
    return booking


@pytest.mark.parametrize(("start", "minutes"), PICKS[1:])
async def test_a_picked_time_is_exchanged_for_another_pick(workspace: Workspace, start: int, minutes: int) -> None:
    booking = await booked_pick(workspace)
    moved = await move(workspace, booking, start, minutes)
    assert (moved.start, moved.duration, moved.one_time_link_id) == (start, minutes, booking.one_time_link_id)
    assert (await move(workspace, moved, NINE, 30)).start == NINE, "and back"


@pytest.mark.parametrize(("start", "minutes"), [(NINE + HOUR, 30), (NINE + DAY, 30), (NINE, 45)])
async def test_a_picked_time_is_not_exchanged_for_what_was_never_offered(
    workspace: Workspace, start: int, minutes: int
) -> None:
    booking = await booked_pick(workspace)
    with pytest.raises(Invalid) as refused:
        await move(workspace, booking, start, minutes)
    assert "not among the chosen times" in refused.value.errors[0].message
    assert await workspace.stored(booking) == booking


async def test_a_pick_that_is_taken_is_a_conflict_and_offers_no_time_but_picks(workspace: Workspace) -> None:
    booking = await booked_pick(workspace)
    evening = NINE + 10 * HOUR
    await workspace.busy(workspace.owner, evening, evening + HOUR)
    with pytest.raises(Conflict) as refused:
        await move(workspace, booking, evening)
    assert refused.value.alternatives == (), "the third pick has another length"
    with pytest.raises(Invalid):
        await move(workspace, booking, NINE + HOUR)


async def test_a_one_time_link_without_picks_moves_by_the_rules_of_its_link(workspace: Workspace, link: Link) -> None:
    booking = await workspace.book(await workspace.one_time(link, expires_at=NINE - HOUR), NINE)
    workspace.clock.now = NINE - MINUTE
    assert (await move(workspace, booking, NINE + HOUR, 60)).start == NINE + HOUR
    with pytest.raises(Invalid):
        await move(workspace, booking, NINE + HOUR + MINUTE)


async def test_its_calendar_object_is_replaced_in_place(workspace: Workspace, booked: Booking) -> None:
    (before,) = await workspace.rows(m.calendar_objects)
    await move(workspace, booked, NINE + DAY)
    (after,) = await workspace.rows(m.calendar_objects)
    for name in ("id", "name", "uid", "booking_id"):
        assert before[name] == after[name]
    assert (after["start_at"], after["deleted"]) == (NINE + DAY, False)
    assert after["revision"] > before["revision"]
    assert after["etag"] != before["etag"]
    assert "SEQUENCE:1\r\n" in after["data"]


async def test_a_move_is_audited_and_followed_up(workspace: Workspace, booked: Booking) -> None:
    await move(workspace, booked, NINE + DAY)
    query = select(m.audit_entries).where(m.audit_entries.c.entity_id == booked.id).order_by(m.audit_entries.c.id)
    entry = (await workspace.rows(query))[-1]
    assert (entry["action"], entry["actor_kind"]) == ("booking.rescheduled", "recipient")
    assert entry["changes"] == {"start": [NINE, NINE + DAY], "end": [booked.end, booked.end + DAY]}
    rows = {row["lane"].removeprefix(f"booking:{booked.id}:"): row for row in await workspace.rows(m.outbox)}
    assert rows["mail:recipient"]["requested"] == 2
    assert rows["complete"]["run_at"] == booked.end + DAY + HOUR
    assert rows["followup"]["run_at"] == booked.end + DAY


async def test_moving_it_to_where_it_is_changes_nothing(workspace: Workspace, booked: Booking) -> None:
    """A form sent twice must not send mails twice."""
    moved = await move(workspace, booked, NINE + DAY)
    before = await workspace.counts()
    assert await move(workspace, booked, NINE + DAY) == moved
    assert await workspace.stored(booked) == moved
    assert await workspace.counts() == before


async def test_what_the_rules_never_offer_is_malformed(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    for start, minutes in (
        (NINE + 10 * MINUTE, None),
        (NINE + DAY + 1, None),
        (NINE + DAY, 45),
        (clock.now - HOUR, None),
        (NINE + 61 * DAY, None),
    ):
        with pytest.raises(Invalid):
            await move(workspace, booked, start, minutes)
    assert await workspace.stored(booked) == booked


async def test_a_taken_time_is_a_conflict_with_alternatives(workspace: Workspace, link: Link, booked: Booking) -> None:
    await workspace.book(link, NINE + HOUR)
    with pytest.raises(Conflict) as refused:
        await move(workspace, booked, NINE + HOUR)
    assert NINE not in refused.value.alternatives  # that is where it is
    assert NINE + 30 * MINUTE in refused.value.alternatives
    assert await workspace.stored(booked) == booked
    await move(workspace, booked, refused.value.alternatives[0])


async def test_an_event_in_the_calendar_is_in_the_way_of_a_move(workspace: Workspace, booked: Booking) -> None:
    await workspace.busy(workspace.owner, NINE + DAY, NINE + DAY + HOUR)
    with pytest.raises(Conflict):
        await move(workspace, booked, NINE + DAY)


async def test_a_booking_does_not_count_twice_for_a_limit_while_it_is_moved(workspace: Workspace) -> None:
    link = await workspace.link("limited", max_per_day=1, max_per_week=2)
    first, second = await workspace.book(link, NINE), await workspace.book(link, NINE + DAY)
    await move(workspace, first, NINE + HOUR)
    with pytest.raises(Conflict):
        await move(workspace, first, NINE + DAY + HOUR)
    await move(workspace, second, NINE + 7 * DAY)
    await move(workspace, first, NINE + DAY)


async def test_a_stale_version_is_refused_before_anything_else(workspace: Workspace, booked: Booking) -> None:
    await move(workspace, booked, NINE + DAY, version=1)
    with pytest.raises(StaleVersion):
        await move(workspace, booked, NINE + 2 * DAY, version=1)
    await workspace.busy(workspace.owner, NINE + 2 * DAY, NINE + 3 * DAY)
    with pytest.raises(StaleVersion):
        await move(workspace, booked, NINE + 2 * DAY, version=1)
    assert (await move(workspace, booked, NINE + 4 * DAY, version=2)).version == 3


async def test_only_what_is_to_come_can_be_moved(workspace: Workspace, booked: Booking) -> None:
    with pytest.raises(NotFound):
        await reschedule_booking(workspace.ports, new_id(), Move(NINE + DAY), RECIPIENT)
    await take_step(workspace.ports, booked.id, "cancel", RECIPIENT)
    with pytest.raises(NotModifiable):
        await move(workspace, booked, NINE + DAY)


async def test_a_booking_whose_link_is_gone_has_nowhere_to_go(
    workspace: Workspace, link: Link, booked: Booking
) -> None:
    await delete_link(workspace.ports, workspace.owner, link.id)
    with pytest.raises(Invalid, match="gone"):
        await move(workspace, booked, NINE + DAY)


async def test_a_moved_booking_takes_over_the_buffers_its_link_has_by_now(
    workspace: Workspace, link: Link, booked: Booking
) -> None:
    """What is checked and what is claimed are the same, or an offered time could never be had."""
    wide = await workspace.link("wide", buffer_before=60, buffer_after=60)
    second = await workspace.book(wide, NINE + 3 * HOUR)
    await change_link(workspace.ports, workspace.owner, wide.id, {"buffer_before": 0, "buffer_after": 15})
    moved = await move(workspace, second, NINE + 30 * MINUTE)
    assert (moved.buffer_before, moved.buffer_after) == (0, 15)
    claims = await workspace.rows(select(m.claims).where(m.claims.c.occurrence_id == second.occurrence_id))
    assert [(row["start_at"], row["end_at"]) for row in claims] == [(moved.start, moved.end + 15 * MINUTE)]


@pytest.mark.parametrize("table", ["claims", "previous_times", "audit_entries", "outbox"])
async def test_all_of_a_move_happens_or_nothing(workspace: Workspace, booked: Booking, table: str) -> None:
    before, claims = await workspace.counts(), await workspace.rows(m.claims)
    async with broken_table(workspace.parts, table):
        with pytest.raises(Exception, match="broken"):
            await move(workspace, booked, NINE + DAY)
    assert await workspace.counts() == before
    assert await workspace.stored(booked) == booked
    assert await workspace.rows(m.claims) == claims


async def test_many_moves_to_one_time_are_won_by_one(workspace: Workspace, link: Link) -> None:
    bookings = [await workspace.book(link, NINE + number * HOUR) for number in range(6)]
    goal = NINE + DAY
    results = await asyncio.gather(*(move(workspace, booking, goal) for booking in bookings), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Booking"] + ["Conflict"] * 5
    assert len(await workspace.rows(m.claims)) == 6


async def test_moves_of_one_booking_at_once_end_where_the_last_one_put_it(workspace: Workspace, link: Link) -> None:
    booked = await workspace.book(link, NINE)
    goals = [NINE + day * DAY for day in range(1, 6)]
    results = await asyncio.gather(*(move(workspace, booked, goal) for goal in goals), return_exceptions=True)
    assert all(isinstance(result, Booking) for result in results), results
    stored = await workspace.stored(booked)
    assert stored.version == stored.sequence + 1 == 6
    assert stored.start in goals
    assert len(await workspace.rows(m.previous_times)) == 5
    assert len(await workspace.rows(m.claims)) == 1


async def test_of_moves_based_on_one_version_one_wins(workspace: Workspace, booked: Booking) -> None:
    goals = [NINE + day * DAY for day in range(1, 6)]
    moves = (move(workspace, booked, goal, version=1) for goal in goals)
    results = await asyncio.gather(*moves, return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Booking"] + ["StaleVersion"] * 4


async def test_a_move_and_a_cancellation_at_once_leave_one_of_both(workspace: Workspace, booked: Booking) -> None:
    cancel = take_step(workspace.ports, booked.id, "cancel", RECIPIENT)
    results = await asyncio.gather(move(workspace, booked, NINE + DAY), cancel, return_exceptions=True)
    assert isinstance(results[1], Booking)
    assert isinstance(results[0], Booking | NotModifiable)
    assert (await workspace.stored(booked)).status == "cancelled"
    assert await workspace.rows(m.claims) == []
