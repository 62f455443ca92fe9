"""Classes: bookings that take seats in sessions."""

from __future__ import annotations

import asyncio
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import SESSION_EMPTY, Booking, Recipient
from app.domain.errors import Conflict, Invalid, NotModifiable
from app.domain.links import Link
from app.domain.services import Need, Service, ServiceHost
from app.ports.bookings import BookingFilter
from app.ports.people import User
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.booking_changes import Actor, record_change
from app.use_cases.change_booking import expire_hold, take_step
from app.use_cases.explain_start import explain_start
from app.use_cases.find_slots import SlotQuestion, find_slots
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import change_service, create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.workspace import Workspace
from tests.support.workspace import request as asked

pytestmark = pytest.mark.anyio

HOUR = 3600
NINE = at("2027-03-02 09:00")
STAFF = Actor("system")


async def lesson(workspace: Workspace, people: list[User], capacity: int = 3, **values: Any) -> Service:
    shape = {"name": "Lesson", "durations": (60,), "capacity": capacity, **values}
    needs = values.pop("needs", ())
    shape.pop("needs", None)
    return await create_service(
        workspace.ports, workspace.owner, shape, needs, [ServiceHost(person.id) for person in people]
    )


async def class_link(workspace: Workspace, capacity: int = 3, **values: Any) -> Link:
    """A link to a class that the owner gives."""
    service = await lesson(workspace, [workspace.owner], capacity)
    return await workspace.link("lesson", service_id=service.id, **values)


def client(number: int) -> Recipient:
    return Recipient(f"Client {number}", f"client{number}@example.org")


async def book(workspace: Workspace, link: Link, start: int, number: int = 1, **values: Any) -> Booking:
    return await workspace.book(link, start, 60, recipient=client(number), **values)


async def seats(workspace: Workspace, link: Link, minutes: int = 60) -> dict[int, int]:
    """The starts of the first days of March with their seats."""
    question = SlotQuestion(date(2027, 3, 1), date(2027, 3, 8), minutes, "UTC")
    return dict((await find_slots(workspace.ports, workspace.token(link), question, workspace.clock.now)).starts)


async def check(workspace: Workspace) -> None:
    """What must hold at any time: the seats of a session are those of its active attendees, and no more than it has; it
    alone has a claim, on each of its hosts."""
    bookings = {row["id"]: row for row in await workspace.rows(m.bookings)}
    claims = await workspace.rows(m.claims)
    for claim in claims:
        owner = bookings[claim["occurrence_id"]]
        assert owner["occurrence_id"] == owner["id"]
        attendees = [each for each in bookings.values() if each["occurrence_id"] == owner["id"] and each is not owner]
        if owner["capacity"] is None:
            assert not attendees
            continue
        active = [each for each in attendees if each["status"] in {"pending", "confirmed", "in_progress"}]
        assert claim["seats_taken"] == sum(each["seats"] for each in active) <= claim["capacity"] == owner["capacity"]
    hosted = await workspace.rows(m.booking_hosts)
    for owner in bookings.values():
        if owner["capacity"] is not None and owner["status"] == "confirmed":
            of_session = {row["host_id"] for row in hosted if row["booking_id"] == owner["id"]}
            assert {claim["host_id"] for claim in claims if claim["occurrence_id"] == owner["id"]} == of_session


@pytest.fixture(autouse=True)
async def sound(workspace: Workspace) -> Any:
    yield
    await check(workspace)


class TestBooking:
    async def test_a_session_takes_as_many_as_it_has_seats(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booked = [await book(workspace, link, NINE, number) for number in range(3)]
        assert len({each.occurrence_id for each in booked}) == 1
        assert all(each.is_seat and each.capacity is None for each in booked)
        with pytest.raises(Conflict) as refused:
            await book(workspace, link, NINE, 4)
        assert NINE not in refused.value.alternatives and NINE + HOUR in refused.value.alternatives

    async def test_seats_left_are_counted(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        assert (await seats(workspace, link))[NINE] == 3
        await book(workspace, link, NINE)
        assert (await seats(workspace, link))[NINE] == 2
        await book(workspace, link, NINE, 2, seats=2)
        assert NINE not in await seats(workspace, link)

    async def test_two_teachers_have_the_seats_of_two_sessions(self, workspace: Workspace) -> None:
        ben = await workspace.user("ben")
        service = await lesson(workspace, [workspace.owner, ben], mode="pool")
        link = await workspace.link("lesson", service_id=service.id)
        assert (await seats(workspace, link))[NINE] == 6
        first = await book(workspace, link, NINE)
        assert (await seats(workspace, link))[NINE] == 5
        others = [await book(workspace, link, NINE, number) for number in (2, 3)]
        assert {each.hosts for each in others} == {first.hosts}
        fourth = await book(workspace, link, NINE, 4)
        assert fourth.hosts != first.hosts
        assert (await seats(workspace, link))[NINE] == 2

    async def test_a_group_goes_where_all_find_room(self, workspace: Workspace) -> None:
        ben = await workspace.user("ben")
        service = await lesson(workspace, [workspace.owner, ben])
        link = await workspace.link("lesson", service_id=service.id)
        first = await book(workspace, link, NINE, 1, seats=2)
        second = await book(workspace, link, NINE, 2, seats=2)
        assert first.occurrence_id != second.occurrence_id
        with pytest.raises(Conflict, match="so many seats"):
            await book(workspace, link, NINE, 3, seats=3)

    async def test_a_room_and_a_teacher_are_taken_once_for_all(self, workspace: Workspace) -> None:
        room = await create_resource(workspace.ports, workspace.owner, {"name": "Room", "quantity": 1})
        service = await lesson(workspace, [workspace.owner], needs=[Need(room.id)])
        link = await workspace.link("lesson", service_id=service.id)
        booked = [await book(workspace, link, NINE, number) for number in range(3)]
        assert {len(each.hosts) for each in booked} == {2}
        assert len(await workspace.rows(m.claims)) == 2

    async def test_anything_else_that_overlaps_conflicts(self, workspace: Workspace) -> None:
        link = await class_link(workspace, step=30)
        await book(workspace, link, NINE)
        left = await seats(workspace, link)
        assert left[NINE] == 2 and NINE + 1800 not in left and NINE - 1800 not in left and left[NINE + HOUR] == 3
        with pytest.raises(Conflict):
            await book(workspace, link, NINE + 1800, 2)
        other = await workspace.link("intro")
        with pytest.raises(Conflict):
            await workspace.book(other, NINE)

    async def test_busy_time_over_a_session_closes_it(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        await book(workspace, link, NINE)
        await workspace.busy(workspace.owner, NINE, NINE + HOUR)
        assert NINE not in await seats(workspace, link)
        with pytest.raises(Conflict):
            await book(workspace, link, NINE, 2)

    async def test_several_seats_need_a_class(self, workspace: Workspace) -> None:
        link = await workspace.link("intro")
        with pytest.raises(Invalid, match="one seat"):
            await workspace.book(link, NINE, seats=2)

    async def test_limits_count_attendees_and_no_session(self, workspace: Workspace) -> None:
        link = await class_link(workspace, max_per_day=2)
        await book(workspace, link, NINE)
        await book(workspace, link, NINE, 2)
        assert NINE not in await seats(workspace, link)
        with pytest.raises(Conflict):
            await book(workspace, link, NINE, 3)

    async def test_notice_binds_who_joins(self, workspace: Workspace) -> None:
        link = await class_link(workspace, minimum_notice=120)
        await book(workspace, link, NINE)
        workspace.clock.now = NINE - HOUR
        assert NINE not in await seats(workspace, link)
        with pytest.raises(Invalid, match="too soon"):
            await book(workspace, link, NINE, 2)

    async def test_many_at_once_never_overbook(self, workspace: Workspace) -> None:
        link = await class_link(workspace, 4)
        made = await asyncio.gather(
            *(book(workspace, link, NINE, number) for number in range(8)), return_exceptions=True
        )
        assert sum(isinstance(each, Booking) for each in made) == 4
        assert all(isinstance(each, Booking | Conflict) for each in made)

    async def test_the_database_itself_refuses_a_seat_too_many(self, workspace: Workspace) -> None:
        link = await class_link(workspace, 1, max_per_day=None)
        service = await lesson(workspace, [workspace.owner], 2)
        link = await workspace.link("other", service_id=service.id)
        booking = await book(workspace, link, NINE, seats=2)
        async with workspace.ports.unit_of_work() as work:
            assert not await work.sessions.take(booking.occurrence_id, 1)

    async def test_staff_book_seats_too(self, workspace: Workspace) -> None:
        service = await lesson(workspace, [workspace.owner])
        wanted = ClientBooking(asked(NINE, 60, recipient=client(1), seats=2), service_id=service.id)
        first = await book_for_client(workspace.ports, workspace.owner, wanted)
        over = ClientBooking(asked(NINE, 60, recipient=client(2)), service_id=service.id, override=True)
        second = await book_for_client(workspace.ports, workspace.owner, over)
        assert first.occurrence_id == second.occurrence_id
        with pytest.raises(Conflict):
            await book_for_client(workspace.ports, workspace.owner, over)

    async def test_fairness_and_lists_know_no_sessions(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booking = await book(workspace, link, NINE)
        async with workspace.ports.read() as work:
            starts = await work.hosts.host_starts([workspace.owner.id], NINE - HOUR, NINE + HOUR, 0)
            listed = await work.bookings.page(BookingFilter(workspace.organization.id), 10, None)
            scheduled = await work.bookings.page(BookingFilter(workspace.organization.id, view="schedule"), 10, None)
            sessions = await work.bookings.page(BookingFilter(workspace.organization.id, view="sessions"), 10, None)
        assert list(starts.values()) == [[NINE]]
        assert [each.id for each in listed.items] == [booking.id]
        assert [each.id for each in scheduled.items] == [each.id for each in sessions.items] == [booking.occurrence_id]
        (session,) = sessions.items
        assert [(each.name, each.seats) for each in session.attendees] == [("Client 1", 1)]


class TestLeaving:
    async def test_a_cancelled_seat_is_free_again(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booked = [await book(workspace, link, NINE, number) for number in range(3)]
        await take_step(workspace.ports, booked[0].id, "cancel", STAFF)
        assert (await seats(workspace, link))[NINE] == 1
        assert (await workspace.stored(booked[1].occurrence_id)).status == "confirmed"

    async def test_the_last_to_leave_ends_the_session(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booking = await book(workspace, link, NINE)
        await take_step(workspace.ports, booking.id, "cancel", STAFF)
        session = await workspace.stored(booking.occurrence_id)
        assert (session.status, session.cancel_reason) == ("cancelled", SESSION_EMPTY)
        assert await workspace.rows(m.claims) == []
        assert (await seats(workspace, link))[NINE] == 3

    async def test_pending_seats_are_held_until_they_expire(self, workspace: Workspace) -> None:
        link = await class_link(workspace, 2, requires_approval=True)
        held = [await book(workspace, link, NINE, number) for number in range(2)]
        assert {each.status for each in held} == {"pending"}
        assert NINE not in await seats(workspace, link)
        assert held[0].hold_expires_at is not None
        workspace.clock.now = held[0].hold_expires_at + 1
        assert (await seats(workspace, link))[NINE] == 2
        await book(workspace, link, NINE, 3)
        assert {(await workspace.stored(each)).status for each in held} == {"cancelled"}

    async def test_expired_holds_give_the_whole_time_back(self, workspace: Workspace) -> None:
        link = await class_link(workspace, 2, requires_approval=True, step=30)
        held = await book(workspace, link, NINE)
        assert held.hold_expires_at is not None
        workspace.clock.now = held.hold_expires_at + 1
        assert (await seats(workspace, link))[NINE + 1800] == 2
        await book(workspace, link, NINE + 1800, 2)
        assert (await workspace.stored(held)).cancel_reason == "expired"

    async def test_the_worker_expires_them_too(self, workspace: Workspace) -> None:
        link = await class_link(workspace, requires_approval=True)
        held = await book(workspace, link, NINE)
        stays = await book(workspace, link, NINE, 2)
        await take_step(workspace.ports, stays.id, "confirm", STAFF)
        assert held.hold_expires_at is not None
        workspace.clock.now = held.hold_expires_at + 1
        await expire_hold(workspace.ports, held.id)
        assert (await seats(workspace, link))[NINE] == 2
        assert (await workspace.stored(stays.occurrence_id)).status == "confirmed"

    async def test_who_came_is_counted_and_holds_nothing(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booked = [await book(workspace, link, NINE, number) for number in range(2)]
        workspace.clock.now = NINE + 60
        await take_step(workspace.ports, booked[0].id, "complete", STAFF)
        await take_step(workspace.ports, booked[1].id, "no_show", STAFF)
        session = await workspace.stored(booked[0].occurrence_id)
        assert (session.status, session.seats_taken, session.seats_held) == ("confirmed", 2, 0)
        await take_step(workspace.ports, booked[1].id, "confirm", STAFF)
        assert (await workspace.stored(session.id)).seats_held == 1


class TestMoving:
    async def test_an_attendee_moves_to_another_session(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        stays, goes = [await book(workspace, link, NINE, number) for number in range(2)]
        there = await book(workspace, link, NINE + 2 * HOUR, 3)
        moved = await reschedule_booking(workspace.ports, goes.id, Move(NINE + 2 * HOUR), STAFF)
        assert (moved.id, moved.uid, moved.token) == (goes.id, goes.uid, goes.token)
        assert (moved.occurrence_id, moved.sequence) == (there.occurrence_id, goes.sequence + 1)
        left = await seats(workspace, link)
        assert (left[NINE], left[NINE + 2 * HOUR]) == (2, 1)
        assert (await workspace.stored(stays)).start == NINE

    async def test_the_only_attendee_takes_the_time_along(self, workspace: Workspace) -> None:
        """The old time, which overlaps the new one, does not block it."""
        link = await class_link(workspace, step=30)
        booking = await book(workspace, link, NINE)
        moved = await reschedule_booking(workspace.ports, booking.id, Move(NINE + 1800), STAFF)
        assert moved.occurrence_id != booking.occurrence_id
        assert (await workspace.stored(booking.occurrence_id)).status == "cancelled"
        assert (await seats(workspace, link))[NINE + 1800] == 2

    async def test_a_seat_does_not_move_over_the_session_others_are_in(self, workspace: Workspace) -> None:
        link = await class_link(workspace, step=30)
        booking = await book(workspace, link, NINE)
        await book(workspace, link, NINE, 2)
        with pytest.raises(Conflict):
            await reschedule_booking(workspace.ports, booking.id, Move(NINE + 1800), STAFF)

    async def test_a_full_session_takes_nobody_more(self, workspace: Workspace) -> None:
        link = await class_link(workspace, 2)
        booking = await book(workspace, link, NINE, 1, seats=2)
        await book(workspace, link, NINE + HOUR, 2)
        with pytest.raises(Conflict):
            await reschedule_booking(workspace.ports, booking.id, Move(NINE + HOUR), STAFF)
        assert (await workspace.stored(booking)).occurrence_id == booking.occurrence_id

    async def test_a_session_takes_its_attendees_along(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booked = [await book(workspace, link, NINE, number) for number in range(2)]
        session = await reschedule_booking(workspace.ports, booked[0].occurrence_id, Move(NINE + 3 * HOUR), STAFF)
        assert session.seats_taken == 2
        for before in booked:
            after = await workspace.stored(before)
            assert (after.start, after.end, after.sequence) == (NINE + 3 * HOUR, NINE + 4 * HOUR, before.sequence + 1)
        previous = await workspace.rows(m.previous_times)
        assert sorted(row["booking_id"] for row in previous) == sorted([session.id, *(each.id for each in booked)])
        left = await seats(workspace, link)
        assert (left[NINE], left[NINE + 3 * HOUR]) == (3, 1)

    async def test_a_cancelled_session_cancels_its_attendees(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booked = [await book(workspace, link, NINE, number) for number in range(2)]
        await take_step(workspace.ports, booked[0].occurrence_id, "cancel", STAFF, reason="The teacher is ill.")
        for before in booked:
            after = await workspace.stored(before)
            assert (after.status, after.cancel_reason) == ("cancelled", "The teacher is ill.")
            assert after.sequence == before.sequence + 1
        lanes = {row["lane"] for row in await workspace.rows(m.outbox)}
        assert {f"booking:{each.id}:mail:recipient" for each in booked} <= lanes
        assert await workspace.rows(m.claims) == []

    async def test_what_has_begun_stays(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        booking = await book(workspace, link, NINE)
        workspace.clock.now = NINE - 600
        await take_step(workspace.ports, booking.id, "start", STAFF)
        with pytest.raises(NotModifiable):
            await take_step(workspace.ports, booking.occurrence_id, "cancel", STAFF)

    async def test_a_session_goes_to_another_teacher(self, workspace: Workspace) -> None:
        ben = await workspace.user("ben")
        service = await lesson(workspace, [workspace.owner, ben])
        link = await workspace.link("lesson", service_id=service.id)
        booking = await book(workspace, link, NINE)
        other = ({workspace.owner.id, ben.id} - {booking.hosts[0].id}).pop()
        move = Move(NINE, host_id=other, reassigned=True)
        await reschedule_booking(workspace.ports, booking.occurrence_id, move, STAFF)
        assert [host.id for host in (await workspace.stored(booking)).hosts] == [other]

    async def test_a_session_within_a_day_that_is_full(self, workspace: Workspace) -> None:
        """Its own attendees do not stand in its way."""
        link = await class_link(workspace)
        await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, max_per_day=2)
        booked = [await book(workspace, link, NINE, number) for number in range(2)]
        moved = await reschedule_booking(workspace.ports, booked[0].occurrence_id, Move(NINE + HOUR), STAFF)
        assert moved.start == NINE + HOUR


async def test_why_a_class_is_offered_or_not(workspace: Workspace) -> None:
    link = await class_link(workspace, 2)
    assert link.service_id is not None
    booked = await book(workspace, link, NINE)

    async def explained(start: int) -> tuple[bool, str]:
        found = await explain_start(workspace.ports, workspace.owner, link.id, start, 60)
        return found.is_offered, " ".join(found.reasons)

    assert await explained(NINE) == (True, "A session takes place then, with 1 seat left.")
    assert await explained(NINE + HOUR) == (True, "")
    await book(workspace, link, NINE, 2)
    assert await explained(NINE) == (False, "A session takes place then, of which no seat can be had.")
    await change_service(workspace.ports, workspace.owner, link.service_id, {"is_scheduled": True})
    offered, why = await explained(NINE + HOUR)
    assert not offered and "there is none then" in why
    assert booked.is_seat


async def test_a_smaller_class_keeps_the_sessions_it_has(workspace: Workspace) -> None:
    link = await class_link(workspace)
    assert link.service_id is not None
    await book(workspace, link, NINE)
    await change_service(workspace.ports, workspace.owner, link.service_id, {"capacity": 1})
    assert NINE not in await seats(workspace, link)
    async with workspace.ports.read() as work:
        sessions = await work.bookings.page(BookingFilter(workspace.organization.id, view="sessions"), 10, None)
    assert [each.capacity for each in sessions.items] == [3]


async def test_a_name_that_is_taken_away_goes_from_the_sessions_event_too(workspace: Workspace) -> None:
    """Of one that is over as of one to come; of a cancelled one nothing is told of who wanted to come."""
    link = await class_link(workspace)
    past, off = await book(workspace, link, NINE), await book(workspace, link, NINE + 2 * HOUR, 2)
    await take_step(workspace.ports, off.occurrence_id, "cancel", STAFF)
    workspace.clock.now = NINE + 3 * HOUR
    async with workspace.ports.unit_of_work() as work:
        session = await work.bookings.get(past.occurrence_id)
        assert session is not None
        over = session.changed(workspace.clock.now, status="completed")
        await record_change(workspace.ports, work, session, over, STAFF, "booking.complete", workspace.clock.now)
        await work.commit()
    async with workspace.ports.unit_of_work() as work:
        nameless = past.changed(workspace.clock.now, recipient=Recipient("Somebody", ""), status="completed")
        await record_change(workspace.ports, work, past, nameless, STAFF, "booking.erased", workspace.clock.now)
        await work.commit()
    texts = [row["data"] for row in await workspace.rows(m.calendar_objects) if row["booking_id"] is not None]
    assert len(texts) == 2
    assert not any("Client" in text or "example.org" in text for text in texts)


async def test_the_event_is_the_sessions_alone(workspace: Workspace) -> None:
    link = await class_link(workspace)
    booked = [await book(workspace, link, NINE, number) for number in range(2)]
    objects = m.calendar_objects.c
    query = select(m.calendar_objects).where(objects.booking_id.is_not(None), ~objects.deleted)
    (event,) = await workspace.rows(query)
    assert event["booking_id"] == booked[0].occurrence_id
    assert "SUMMARY:Lesson (2 of 3)" in event["data"]
    assert "ATTENDEE" not in event["data"] and "Client 1 <client1@example.org>" in event["data"]
