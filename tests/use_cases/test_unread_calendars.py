"""A calendar that cannot be read is never taken as free: its last copy counts for a day, then its host is not
offered and its owner is told."""

import pytest

from app.db import models as m
from app.domain.errors import CalendarUnavailable, Conflict
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
HOUR, DAY = 3600, 86400


async def test_within_the_age_limit_the_last_copy_counts(workspace: Workspace, clock: Clock) -> None:
    """The provider is not even there; what was read before still is."""
    await workspace.connected_calendar(workspace.owner, synced_at=clock.now - DAY + 1, provider="nothing")
    link = await workspace.link()
    assert NINE in await workspace.free(link, NINE, NINE)
    await workspace.book(link, NINE)
    with pytest.raises(Conflict):
        await workspace.book(link, NINE)


@pytest.mark.parametrize("age", [DAY, 400 * DAY, None], ids=["a day", "long ago", "never"])
async def test_past_the_age_limit_nothing_is_offered(workspace: Workspace, clock: Clock, age: int | None) -> None:
    link = await workspace.link()
    booked = await workspace.book(link, NINE + HOUR)
    await workspace.connected_calendar(
        workspace.owner, synced_at=None if age is None else clock.now - age, provider="nothing"
    )
    before = await workspace.counts()
    with pytest.raises(CalendarUnavailable):
        await workspace.free(link, NINE, NINE)
    with pytest.raises(CalendarUnavailable):
        await workspace.book(link, NINE)
    with pytest.raises(CalendarUnavailable):
        await reschedule_booking(workspace.ports, booked.id, Move(NINE), SYSTEM)
    after = await workspace.counts()
    assert {name: count for name, count in after.items() if count != before[name]} == {"outbox": before["outbox"] + 1}
    assert "calendar_trouble" in {row["kind"] for row in await workspace.rows(m.outbox)}
    (error,) = [row["sync_error"] for row in await workspace.rows(m.calendars) if row["provider"] == "nothing"]
    assert error


async def test_the_oldest_calendar_decides(workspace: Workspace, clock: Clock) -> None:
    await workspace.connected_calendar(workspace.owner, synced_at=clock.now, provider="nothing")
    await workspace.connected_calendar(workspace.owner, synced_at=clock.now - DAY, provider="other")
    with pytest.raises(CalendarUnavailable):
        await workspace.free(await workspace.link(), NINE, NINE)


async def test_a_calendar_that_blocks_nothing_need_not_be_read(workspace: Workspace) -> None:
    await workspace.connected_calendar(workspace.owner, synced_at=None, is_conflict=False, provider="nothing")
    await workspace.book(await workspace.link(), NINE)


async def test_a_copy_grows_too_old_while_nothing_else_happens(workspace: Workspace, clock: Clock) -> None:
    await workspace.connected_calendar(workspace.owner, synced_at=clock.now, provider="nothing")
    link = await workspace.link()
    clock.advance(DAY - 1)
    assert await workspace.free(link, clock.now + HOUR, clock.now + HOUR)
    clock.advance(1)
    with pytest.raises(CalendarUnavailable):
        await workspace.free(link, clock.now + HOUR, clock.now + HOUR)


async def test_a_calendar_that_answers_again_is_asked_before_anybody_is_turned_away(
    workspace: Workspace, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The copy is too old, but the server is back: booking brings it up to date first."""
    calendar = await workspace.connected_calendar(workspace.owner, synced_at=clock.now - 2 * DAY)

    async def answer(*_: object) -> None:
        await workspace.set(m.calendars, m.calendars.c.id == calendar.id, synced_at=clock.now)

    monkeypatch.setattr("app.use_cases.refresh_calendars.sync_calendar", answer)
    link = await workspace.link()
    booked = await workspace.book(link, NINE)
    await workspace.set(m.calendars, m.calendars.c.id == calendar.id, synced_at=clock.now - 2 * DAY)
    moved = await reschedule_booking(workspace.ports, booked.id, Move(NINE + HOUR), SYSTEM)
    assert moved.start == NINE + HOUR
