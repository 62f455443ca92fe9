"""An event that turns up in a host's calendar over a booking that is there already."""

from __future__ import annotations

import pytest

from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.sync_calendar import sync_calendar
from tests.support.clock import at
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = [pytest.mark.anyio, pytest.mark.requires("radicale")]

NINE, TEN, ELEVEN = (at(f"2027-03-24 {hour}:00") for hour in ("09", "10", "11"))
SUBJECT = "A booking overlaps an event in your calendar"


async def told(world: CalendarWorld) -> list[str]:
    """The mails about conflicts, by whom they went to."""
    folder = world.parts.mail_folder
    assert folder is not None
    return [mail.to for mail in await folder.list_mails() if mail.subject == SUBJECT]


async def is_flagged(world: CalendarWorld, booking_id: str) -> bool:
    async with world.ports.read() as work:
        return booking_id in await work.bookings.conflicting([booking_id])


async def test_its_host_is_told_once_and_the_booking_is_flagged(world: CalendarWorld) -> None:
    """The booking stands: nobody cancels for the host."""
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    booking = await world.book(await world.link(), NINE)
    await world.work()
    key = await world.event(remote, NINE - 600, NINE + 600)
    for _ in range(2):
        await sync_calendar(world.ports, calendar.id)
        await world.work(10)
    assert await is_flagged(world, booking.id)
    (address,) = await told(world)
    assert world.owner.email in address
    assert (await world.stored(booking)).status == "confirmed"

    await world.event(remote, NINE, NINE + 600)
    await sync_calendar(world.ports, calendar.id)
    await world.work(10)
    assert len(await told(world)) == 1, "another event over the same time is no news"

    await world.remote.remove(remote, key)
    await sync_calendar(world.ports, calendar.id)
    assert await is_flagged(world, booking.id), "the other one is still there"


async def test_many_at_once_are_one_mail(world: CalendarWorld) -> None:
    """As when a calendar is connected that has them all."""
    remote = await world.remote_calendar()
    link = await world.link()
    bookings = [await world.book(link, start) for start in (NINE, TEN, ELEVEN)]
    for start in (NINE, TEN):
        await world.event(remote, start, start + 600)
    await world.work()
    await world.connect(remote)
    await world.work(10)
    folder = world.parts.mail_folder
    assert folder is not None
    subjects = [mail.subject for mail in await folder.list_mails() if "overlap" in mail.subject]
    assert subjects == ["Some bookings overlap events in your calendar"]
    assert [await is_flagged(world, booking.id) for booking in bookings] == [True, True, False]


async def test_the_flag_goes_with_its_cause(world: CalendarWorld) -> None:
    """And a booking that moves into another event's time is told of anew."""
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    booking = await world.book(await world.link(), NINE)
    await world.work()
    await world.event(remote, NINE, NINE + 600)
    await sync_calendar(world.ports, calendar.id)
    await world.work(10)
    await reschedule_booking(world.ports, booking.id, Move(ELEVEN), Actor("user", world.owner.id))
    assert not await is_flagged(world, booking.id)
    await world.event(remote, ELEVEN, ELEVEN + 600)
    await sync_calendar(world.ports, calendar.id)
    await world.work(10)
    assert await is_flagged(world, booking.id)
    assert len(await told(world)) == 2
    await take_step(world.ports, booking.id, "cancel", Actor("user", world.owner.id))
    assert not await is_flagged(world, booking.id)


async def test_neighbours_and_the_own_event_are_no_conflict(world: CalendarWorld) -> None:
    """Nor is an event within the time kept free around a booking: whoever put it there knows."""
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.write_to(calendar)
    booking = await world.book(await world.link(buffer_after=30), NINE)
    await world.work()
    await world.event(remote, NINE - 1800, NINE)
    await world.event(remote, NINE + 1800, TEN)
    await sync_calendar(world.ports, calendar.id)
    await world.work(10)
    assert not await is_flagged(world, booking.id)
    assert await told(world) == []


async def test_a_calendar_that_blocks_no_time_makes_no_conflict(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    booking = await world.book(await world.link(), NINE)
    await choose_calendars(world.ports, world.owner, calendar.account_id, [CalendarChoice(calendar.id, False, False)])
    await world.event(remote, NINE, NINE + 600)
    await sync_calendar(world.ports, calendar.id)
    await world.work(10)
    assert not await is_flagged(world, booking.id)
    assert await told(world) == []
