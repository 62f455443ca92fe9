"""Whoever is switched off decides nothing by their connected calendar any more, and nothing is written into it."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.calendars import Calendar
from app.ports.people import User
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.change_person import change_person
from app.use_cases.edit_booking import edit_booking
from app.use_cases.erase_person import erase_person
from app.use_cases.note_edits import GRACE_SECONDS
from tests.use_cases.calendars.test_follow_edit import ELEVEN, NINE, POLL, TEN, Desk
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = pytest.mark.anyio


@pytest.fixture
async def desk(world: CalendarWorld) -> Desk:
    remote = await world.remote_calendar()
    calendar: Calendar = await world.connect(remote)
    await world.write_to(calendar)
    return Desk(world, remote, calendar)


@pytest.fixture
async def admin(world: CalendarWorld) -> User:
    """Somebody else who runs the organization."""
    admin = await world.user("admin")
    await change_person(world.ports, world.owner, admin.id, {"roles": ["admin"]})
    async with world.ports.read() as work:
        found = await work.people.user(admin.id)
    assert found is not None
    return found


async def switch(desk: Desk, admin: User, *, on: bool) -> None:
    await change_person(desk.world.ports, admin, desk.calendar.user_id, {"is_active": on})


async def test_what_they_delete_or_move_changes_no_booking(desk: Desk, admin: User) -> None:
    first, second = await desk.written(NINE, TEN)
    await switch(desk, admin, on=False)
    await desk.delete(first)
    await desk.move(second, ELEVEN)
    for seconds in (POLL, GRACE_SECONDS + 60, POLL):
        await desk.world.work(seconds)
    for booking in (first, second):
        now = await desk.stored(booking)
        assert (now.status, now.start, now.version) == (booking.status, booking.start, booking.version)
    assert await desk.world.rows(select(m.calendar_edits)) == []
    assert len(await desk.world.remote.keys(desk.remote)) == 1, "nothing is written for them"
    await switch(desk, admin, on=True)
    await desk.world.work(POLL)
    assert [await desk.event_start(booking) for booking in (first, second)] == [NINE, TEN]
    assert (await desk.stored(first)).status == "confirmed"


async def test_nothing_new_is_written_for_them_and_what_is_off_is_taken_away(desk: Desk, admin: User) -> None:
    changed, cancelled = await desk.written(NINE, TEN)
    await switch(desk, admin, on=False)
    await edit_booking(desk.world.ports, changed.id, {"notes": "Bring the papers."}, Actor("system"))
    await take_step(desk.world.ports, cancelled.id, "cancel", Actor("system"))
    await desk.world.work(POLL)
    (key,) = await desk.world.remote.keys(desk.remote)
    assert "Bring the papers." not in await desk.world.remote.read(desk.remote, key)
    await switch(desk, admin, on=True)
    await desk.world.work(POLL)
    assert "Bring the papers." in await desk.world.remote.read(desk.remote, await desk.key(changed))


async def test_what_tells_of_somebody_erased_goes_from_their_calendar_too(desk: Desk, admin: User) -> None:
    """Nothing else of theirs is touched."""
    first, second = await desk.written(NINE, TEN)
    world = desk.world
    await switch(desk, admin, on=False)
    world.clock.now = ELEVEN + 86_400
    await desk.world.work(POLL)
    await world.set(m.bookings, m.bookings.c.id == first.id, recipient_email="rae@example.org", client_id=None)
    await erase_person(world.ports, world.organization.id, "rae@example.org", Actor("system"))
    await world.work(POLL)
    keys = await world.remote.keys(desk.remote)
    assert len(keys) == 1
    assert second.uid in await world.remote.read(desk.remote, keys[0])
