"""A session in its host's connected calendar: one event, whoever comes, which can be moved and deleted there."""

from __future__ import annotations

import pytest

from app.domain.bookings import Booking, Recipient
from app.domain.services import ServiceHost
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.manage_services import create_service
from app.use_cases.note_edits import GRACE_SECONDS
from tests.use_cases.calendars.test_follow_edit import ELEVEN, NINE, POLL, Desk, desk

__all__ = ["desk"]

pytestmark = pytest.mark.anyio


async def attended(desk: Desk) -> tuple[list[Booking], Booking]:
    """Two who attend a session, and the session, whose event is written."""
    world = desk.world
    values = {"name": "Lesson", "durations": (30,), "capacity": 4}
    service = await create_service(world.ports, world.owner, values, [], [ServiceHost(world.owner.id)])
    link = await world.link("lesson", service_id=service.id)
    people = [Recipient(name, f"{name.lower()}@example.org") for name in ("Casey", "Robin")]
    bookings = [await world.book(link, NINE, recipient=each) for each in people]
    await world.work(POLL)
    return bookings, await world.stored(bookings[0].occurrence_id)


async def text_of(desk: Desk, session: Booking) -> str:
    return (await desk.world.remote.read(desk.remote, await desk.key(session))).replace("\r\n ", "")


async def test_there_is_one_event_that_follows_who_comes(desk: Desk) -> None:
    bookings, session = await attended(desk)
    assert len(await desk.world.remote.keys(desk.remote)) == 1
    text = await text_of(desk, session)
    assert "SUMMARY:Lesson (2 of 4)" in text
    assert "ATTENDEE" not in text
    await take_step(desk.world.ports, bookings[0].id, "cancel", Actor("system"))
    await desk.world.work(POLL)
    assert len(await desk.world.remote.keys(desk.remote)) == 1
    text = await text_of(desk, session)
    assert "SUMMARY:Lesson (1 of 4)" in text and "Casey" not in text
    await take_step(desk.world.ports, bookings[1].id, "cancel", Actor("system"))
    await desk.world.work(POLL)
    assert not await desk.world.remote.keys(desk.remote)


async def test_a_moved_event_moves_all_who_attend(desk: Desk) -> None:
    bookings, session = await attended(desk)
    await desk.move(session, ELEVEN)
    await desk.world.work(POLL)
    for booking in bookings:
        moved = await desk.stored(booking)
        assert (moved.start, moved.status, moved.sequence) == (ELEVEN, "confirmed", 1)
    for mine, other in (("casey", "robin"), ("robin", "casey")):
        mails = [mail.lower() for mail in desk.mails(f"To: {mine.title()}")]
        assert len(mails) == 2
        assert not any(other in mail for mail in mails)


async def test_a_deleted_event_cancels_all_who_attend(desk: Desk) -> None:
    bookings, session = await attended(desk)
    await desk.delete(session)
    await desk.world.work(POLL)
    await desk.world.work(GRACE_SECONDS + 1)
    assert {(await desk.stored(each)).status for each in (session, *bookings)} == {"cancelled"}
