"""The steps of a booking's life, and what each of them leaves behind."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.booking_state import EARLY_START_SECONDS, Step
from app.domain.bookings import Booking
from app.domain.errors import Conflict, NotFound, NotModifiable, StaleVersion
from app.domain.links import Link
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import complete_when_over, take_step
from app.use_cases.edit_booking import edit_booking
from app.use_cases.ids import new_id
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace, broken_table

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
MINUTE, HOUR, DAY = 60, 3600, 86400
STAFF = Actor("user", "staff")

LIFE: dict[str, dict[Step, str]] = {
    "pending": {"confirm": "confirmed", "cancel": "cancelled"},
    "confirmed": {"start": "in_progress", "complete": "completed", "no_show": "no_show", "cancel": "cancelled"},
    "in_progress": {"complete": "completed"},
    "completed": {"correct": "confirmed", "confirm": "confirmed"},
    "no_show": {"correct": "confirmed", "confirm": "confirmed"},
    "cancelled": {},
}
WAY: dict[str, tuple[Step, ...]] = {
    "pending": (),
    "confirmed": ("confirm",),
    "in_progress": ("confirm", "start"),
    "completed": ("confirm", "complete"),
    "no_show": ("confirm", "no_show"),
    "cancelled": ("cancel",),
}
STEPS: tuple[Step, ...] = ("confirm", "start", "complete", "no_show", "cancel", "correct")
ACTIVE = {"pending", "confirmed", "in_progress"}


async def step(workspace: Workspace, booking: Booking, verb: Step, **values: Any) -> Booking:
    return await take_step(workspace.ports, booking.id, verb, STAFF, **values)


async def brought_to(workspace: Workspace, status: str) -> Booking:
    """A booking that has come to `status` step by step; since its confirmation it has begun."""
    workspace.clock.now = NINE - DAY
    link = await workspace.link(f"for-{status.replace('_', '-')}", requires_approval=True)
    booking = await workspace.book(link, NINE)
    for verb in WAY[status]:
        if verb != "confirm":
            workspace.clock.now = NINE
        booking = await step(workspace, booking, verb)
    assert booking.status == status
    return booking


@pytest.fixture
async def link(workspace: Workspace) -> Link:
    return await workspace.link()


@pytest.fixture
async def booked(workspace: Workspace, link: Link) -> Booking:
    return await workspace.book(link, NINE)


@pytest.mark.parametrize("status", LIFE)
async def test_every_step_that_a_state_allows_and_no_other(workspace: Workspace, status: str) -> None:
    for verb in STEPS:
        booking = await brought_to(workspace, status)
        if status == "confirmed":
            workspace.clock.now = NINE
        if verb in LIFE[status]:
            after = await step(workspace, booking, verb)
            assert after == await workspace.stored(booking)
            assert (after.status, after.version) == (LIFE[status][verb], booking.version + 1)
        else:
            with pytest.raises(NotModifiable):
                await step(workspace, booking, verb)
            after = await workspace.stored(booking)
            assert after == booking
        claimed = [row["occurrence_id"] for row in await workspace.rows(m.claims)]
        assert claimed == ([booking.occurrence_id] if after.status in ACTIVE else []), (status, verb)
        await workspace.set(m.links, m.links.c.id == booking.link_id, slug=new_id())
        await _forget(workspace, booking)


async def _forget(workspace: Workspace, booking: Booking) -> None:
    async with workspace.parts.database.write.begin() as connection:
        for table, column in ((m.claims, m.claims.c.occurrence_id), (m.bookings, m.bookings.c.id)):
            await connection.execute(table.delete().where(column == booking.id))


async def test_a_cancelled_booking_frees_its_time_and_stays_known(workspace: Workspace, booked: Booking) -> None:
    link = await workspace.link("other")
    after = await step(workspace, booked, "cancel", reason="Ill")
    assert (after.status, after.cancel_reason, after.sequence) == ("cancelled", "Ill", 1)
    assert await workspace.rows(m.claims) == []
    await workspace.book(link, NINE)
    (shown,) = await workspace.rows(select(m.calendar_objects).where(m.calendar_objects.c.booking_id == booked.id))
    assert shown["deleted"]
    assert "STATUS:CANCELLED" in shown["data"]


async def test_a_cancellation_withdraws_what_it_makes_needless(workspace: Workspace, booked: Booking) -> None:
    await step(workspace, booked, "cancel")
    lanes = {row["lane"].removeprefix(f"booking:{booked.id}:") for row in await workspace.rows(m.outbox)}
    assert lanes == {"client", "mail:recipient", f"mail:host:{workspace.owner.id}"}


async def test_every_change_writes_one_audit_entry(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    clock.now = NINE
    await edit_booking(workspace.ports, booked.id, {"notes": "Very secret"}, STAFF)
    await step(workspace, booked, "no_show")
    await step(workspace, booked, "correct")
    await step(workspace, booked, "cancel", reason="Private reason")
    query = select(m.audit_entries).where(m.audit_entries.c.entity_id == booked.id).order_by(m.audit_entries.c.id)
    entries = (await workspace.rows(query))[1:]
    assert [(entry["action"], entry["actor_kind"], entry["actor_id"]) for entry in entries] == [
        ("booking.edited", "user", "staff"),
        ("booking.no_show", "user", "staff"),
        ("booking.correct", "user", "staff"),
        ("booking.cancel", "user", "staff"),
    ]
    assert entries[1]["changes"] == {"status": ["confirmed", "no_show"]}
    assert "Very secret" not in str(entries)


async def test_actual_times_are_noted(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    clock.now = NINE + 2 * MINUTE
    assert (await step(workspace, booked, "start")).actual_start == clock.now
    clock.advance(20 * MINUTE)
    done = await step(workspace, booked, "complete")
    assert (done.actual_start, done.actual_end) == (NINE + 2 * MINUTE, clock.now)


@pytest.mark.parametrize(
    ("verb", "earliest"), [("start", NINE - EARLY_START_SECONDS), ("complete", NINE), ("no_show", NINE)]
)
async def test_what_has_not_begun_is_not_over(
    workspace: Workspace, clock: Clock, booked: Booking, verb: Step, earliest: int
) -> None:
    """Or its time would be sold again while it is still to come."""
    clock.now = earliest - 1
    with pytest.raises(NotModifiable):
        await step(workspace, booked, verb)
    assert await workspace.stored(booked) == booked
    assert len(await workspace.rows(m.claims)) == 1
    clock.now = earliest
    assert (await step(workspace, booked, verb)).status == LIFE["confirmed"][verb]


async def test_one_that_was_started_early_is_completed_after_its_begin(
    workspace: Workspace, clock: Clock, booked: Booking
) -> None:
    clock.now = NINE - 10 * MINUTE
    await step(workspace, booked, "start")
    with pytest.raises(NotModifiable):
        await step(workspace, booked, "complete")
    clock.now = NINE
    await step(workspace, booked, "complete")


@pytest.mark.parametrize("verb", ["complete", "no_show"])
async def test_what_is_over_before_its_end_frees_the_rest_of_its_time(
    workspace: Workspace, clock: Clock, verb: Step
) -> None:
    link = await workspace.link(durations=(30, 60), step=30)
    long = await workspace.book(link, NINE, 60)
    clock.now = NINE + 10 * MINUTE
    assert NINE + 30 * MINUTE not in await workspace.free(link, NINE, NINE)
    await step(workspace, long, verb)
    assert NINE + 30 * MINUTE in await workspace.free(link, NINE, NINE)
    assert (await workspace.book(link, NINE + 30 * MINUTE)).status == "confirmed"


async def test_a_stale_version_is_refused_and_writes_nothing(workspace: Workspace, booked: Booking) -> None:
    await edit_booking(workspace.ports, booked.id, {"notes": "First"}, STAFF, version=1)
    before = await workspace.counts()
    with pytest.raises(StaleVersion):
        await edit_booking(workspace.ports, booked.id, {"notes": "Second"}, STAFF, version=1)
    with pytest.raises(StaleVersion):
        await step(workspace, booked, "cancel", version=1)
    assert await workspace.counts() == before
    stored = await workspace.stored(booked)
    assert (stored.notes, stored.version, stored.status) == ("First", 2, "confirmed")
    await step(workspace, booked, "cancel", version=2)


async def test_notes_are_no_news_to_calendars(workspace: Workspace, booked: Booking) -> None:
    edited = await edit_booking(workspace.ports, booked.id, {"notes": "Call first"}, STAFF)
    assert (edited.version, edited.sequence) == (2, 0)


async def test_an_unknown_booking_is_not_found(workspace: Workspace) -> None:
    with pytest.raises(NotFound):
        await take_step(workspace.ports, new_id(), "cancel", STAFF)


async def test_a_correction_is_possible_for_a_day(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    clock.now = NINE
    await step(workspace, booked, "no_show")
    clock.now = booked.end + DAY
    corrected = await step(workspace, booked, "correct")
    assert corrected.status == "confirmed"
    await step(workspace, booked, "complete")
    clock.advance(1)
    with pytest.raises(NotModifiable):
        await step(workspace, booked, "correct")


@pytest.mark.parametrize("verb", ["complete", "no_show"])
async def test_to_confirm_what_is_over_is_to_correct_it(
    workspace: Workspace, clock: Clock, booked: Booking, verb: Step
) -> None:
    clock.now = NINE
    await step(workspace, booked, verb)
    clock.now = booked.end + DAY
    corrected = await step(workspace, booked, "confirm")
    assert (corrected.status, corrected.actual_end, corrected.sequence) == ("confirmed", None, booked.sequence)
    (entry,) = await workspace.rows(select(m.audit_entries).where(m.audit_entries.c.action == "booking.correct"))
    assert entry["changes"]["status"][1] == "confirmed"
    await step(workspace, booked, verb)
    clock.advance(1)
    with pytest.raises(NotModifiable):
        await step(workspace, booked, "confirm")


async def test_a_correction_needs_its_time_back(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    clock.now = NINE
    await step(workspace, booked, "no_show")
    other = await workspace.book(await workspace.link("other", step=15), NINE + 15 * MINUTE)
    with pytest.raises(Conflict):
        await step(workspace, booked, "correct")
    assert (await workspace.stored(booked)).status == "no_show"
    await step(workspace, other, "cancel")
    await step(workspace, booked, "correct")


async def test_a_confirmed_booking_completes_by_itself(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    due = booked.end + HOUR
    assert await complete_when_over(workspace.ports, booked.id) == due
    clock.now = due
    assert await complete_when_over(workspace.ports, booked.id) is None
    assert (await workspace.stored(booked)).status == "completed"
    assert await complete_when_over(workspace.ports, booked.id) is None


async def test_a_corrected_booking_does_not_complete_by_itself_at_once(
    workspace: Workspace, clock: Clock, booked: Booking
) -> None:
    """Or staff could never make a no-show of what completed by itself."""
    clock.now = booked.end + HOUR
    await complete_when_over(workspace.ports, booked.id)
    clock.advance(2 * HOUR)
    await step(workspace, booked, "correct")
    (job,) = await workspace.rows(select(m.outbox).where(m.outbox.c.kind == "complete_booking"))
    assert job["run_at"] == clock.now + HOUR
    assert await complete_when_over(workspace.ports, booked.id) == clock.now + HOUR
    await step(workspace, booked, "no_show")


async def test_what_is_in_progress_waits_for_staff(workspace: Workspace, clock: Clock, booked: Booking) -> None:
    clock.now = NINE
    await step(workspace, booked, "start")
    clock.now = booked.end + DAY
    assert await complete_when_over(workspace.ports, booked.id) is None
    assert (await workspace.stored(booked)).status == "in_progress"


@pytest.mark.parametrize("table", ["audit_entries", "outbox"])
async def test_all_of_a_cancellation_happens_or_nothing(workspace: Workspace, booked: Booking, table: str) -> None:
    before = await workspace.counts()
    async with broken_table(workspace.parts, table):
        with pytest.raises(Exception, match="broken"):
            await step(workspace, booked, "cancel")
    assert await workspace.counts() == before
    assert await workspace.stored(booked) == booked


async def test_of_cancellations_at_once_one_counts(workspace: Workspace, booked: Booking) -> None:
    results = await asyncio.gather(*(step(workspace, booked, "cancel") for _ in range(6)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["Booking"] + ["NotModifiable"] * 5
    query = select(m.audit_entries).where(m.audit_entries.c.entity_id == booked.id)
    assert len(await workspace.rows(query)) == 2


async def test_a_time_freed_by_a_cancellation_goes_to_one_of_those_who_wait(
    workspace: Workspace, link: Link, booked: Booking
) -> None:
    results = await asyncio.gather(
        step(workspace, booked, "cancel"), *(workspace.book(link, NINE) for _ in range(6)), return_exceptions=True
    )
    winners = [result for result in results[1:] if isinstance(result, Booking)]
    assert len(winners) <= 1
    assert all(isinstance(result, Booking | Conflict) for result in results), results
    assert len(await workspace.rows(m.claims)) == len(winners)
