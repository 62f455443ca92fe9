"""Services: who and what takes a booking, people and resources together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.errors import AlreadyExists, Conflict, Invalid, LinkInactive, NotFound
from app.domain.links import Link
from app.domain.services import Need, Resource, Service, ServiceHost
from app.ports.people import User
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_slot import BookingRequest
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.find_slots import SlotQuestion, service_slots
from app.use_cases.ids import new_id
from app.use_cases.manage_links import change_link
from app.use_cases.manage_resources import change_resource, create_resource, delete_resource
from app.use_cases.manage_schedules import create_schedule
from app.use_cases.manage_services import change_service, create_service, delete_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio

HOUR = 3600
NINE = at("2027-03-02 09:00")


async def team(workspace: Workspace, *names: str) -> list[User]:
    return [await workspace.user(name) for name in names]


async def service(
    workspace: Workspace, people: Sequence[User | ServiceHost], needs: Sequence[Need] = (), **values: Any
) -> Service:
    hosts = [each if isinstance(each, ServiceHost) else ServiceHost(each.id) for each in people]
    shape = {"name": "Cut", "durations": (60,), **values}
    return await create_service(workspace.ports, workspace.owner, shape, needs, hosts)


async def offered(workspace: Workspace, what: Service, slug: str = "cut") -> Link:
    return await workspace.link(slug, service_id=what.id)


async def rooms(workspace: Workspace, quantity: int, name: str = "Room") -> Resource:
    return await create_resource(workspace.ports, workspace.owner, {"name": name, "quantity": quantity})


def names(booking: Booking) -> list[str]:
    return sorted(host.name for host in booking.hosts)


def asked(start: int, minutes: int = 60, **values: Any) -> BookingRequest:
    return BookingRequest(start, minutes, "UTC", Recipient("Casey", ""), **values)


class TestWho:
    async def test_a_link_takes_lengths_buffers_and_people_from_its_service(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        link = await offered(workspace, await service(workspace, [ana, ben], durations=(45,), buffer_after=15))
        context = await workspace.context(link)
        assert (context.link.durations, context.link.buffer_after, context.link.mode) == ((45,), 15, "pool")
        assert {host.host_id for host in context.hosts} == {ana.id, ben.id}
        booking = await workspace.book(link, NINE, 45)
        assert (booking.service_id, booking.link_id, booking.buffer_after) == (context.link.service_id, link.id, 15)

    async def test_only_the_qualified_are_booked(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        link = await offered(workspace, await service(workspace, [ana, ben]))
        taken = [names(await workspace.book(link, NINE, 60)) for _ in range(2)]
        assert sorted(taken) == [["Ana"], ["Ben"]]
        with pytest.raises(Conflict):
            await workspace.book(link, NINE, 60)

    async def test_priority_comes_before_fairness(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        link = await offered(workspace, await service(workspace, [ana, ServiceHost(ben.id, priority=5)]))
        booked = [names(await workspace.book(link, NINE + hour * HOUR, 60)) for hour in range(3)]
        assert booked == [["Ben"]] * 3

    async def test_each_takes_the_lengths_they_take(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        people = [ServiceHost(ana.id, durations=(30,)), ServiceHost(ben.id, durations=(60,))]
        link = await offered(workspace, await service(workspace, people, durations=(30, 60, 90)))
        assert names(await workspace.book(link, NINE, 60)) == ["Ben"]
        assert names(await workspace.book(link, NINE, 30)) == ["Ana"]
        with pytest.raises(Invalid, match="30, 60 minutes"):
            await workspace.book(link, NINE, 90)

    async def test_somebody_may_have_other_hours_for_a_service(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        evenings = await create_schedule(
            workspace.ports,
            ana,
            {
                "name": "Evenings",
                "timezone": "UTC",
                "weekly": {"tue": [("18:00", "20:00")]},
                "overrides": (),
                "exclusions": (),
                "holiday_country": None,
                "is_default": False,
            },
        )
        link = await offered(workspace, await service(workspace, [ServiceHost(ana.id, schedule_id=evenings.id)]))
        assert await workspace.free(link, NINE, NINE, 60) == [NINE + 9 * HOUR, NINE + 10 * HOUR]

    async def test_a_collective_takes_all(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        link = await offered(workspace, await service(workspace, [ana, ben], mode="collective"))
        await workspace.busy(ben, NINE, NINE + HOUR)
        with pytest.raises(Conflict):
            await workspace.book(link, NINE, 60)
        assert names(await workspace.book(link, NINE + HOUR, 60)) == ["Ana", "Ben"]

    async def test_the_fixed_come_with_one_of_the_others(self, workspace: Workspace) -> None:
        ana, ben, cem = await team(workspace, "ana", "ben", "cem")
        people = [ServiceHost(ana.id, is_fixed=True), ServiceHost(ben.id), ServiceHost(cem.id)]
        link = await offered(workspace, await service(workspace, people, mode="fixed_pool"))
        await workspace.busy(ben, NINE, NINE + HOUR)
        assert names(await workspace.book(link, NINE, 60)) == ["Ana", "Cem"]
        await workspace.busy(ana, NINE + HOUR, NINE + 2 * HOUR)
        with pytest.raises(Conflict):
            await workspace.book(link, NINE + HOUR, 60)

    async def test_the_recipient_chooses_where_there_is_a_choice(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        what = await service(workspace, [ServiceHost(ana.id, priority=5), ben], mode="chosen")
        link = await offered(workspace, what)
        assert names(await workspace.book(link, NINE, 60, host_id=ben.id)) == ["Ben"]
        with pytest.raises(Conflict):
            await workspace.book(link, NINE, 60, host_id=ben.id)
        assert names(await workspace.book(link, NINE, 60)) == ["Ana"], "anybody will do"
        stranger = await workspace.user("stranger")
        with pytest.raises(Invalid, match="does not belong"):
            await workspace.book(link, NINE + HOUR, 60, host_id=stranger.id)
        await change_service(workspace.ports, workspace.owner, what.id, {"mode": "pool"})
        with pytest.raises(Invalid, match="does not let you choose"):
            await workspace.book(link, NINE + HOUR, 60, host_id=ben.id)


class TestResources:
    async def test_staff_and_room_are_found_together(self, workspace: Workspace) -> None:
        ana, ben, cem = await team(workspace, "ana", "ben", "cem")
        two = await rooms(workspace, 2)
        link = await offered(workspace, await service(workspace, [ana, ben, cem], [Need(two.id)]))
        taken = [names(await workspace.book(link, NINE, 60)) for _ in range(2)]
        assert [each[1] for each in taken] == ["Room 1", "Room 2"]
        with pytest.raises(Conflict):
            await workspace.book(link, NINE, 60)
        assert NINE not in await workspace.free(link, NINE, NINE, 60)

    async def test_services_share_a_room(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        one = await rooms(workspace, 1)
        first = await offered(workspace, await service(workspace, [ana], [Need(one.id)]), "first")
        second = await offered(workspace, await service(workspace, [ben], [Need(one.id)]), "second")
        booking = await workspace.book(first, NINE, 60)
        with pytest.raises(Conflict):
            await workspace.book(second, NINE, 60)
        await take_step(workspace.ports, booking.id, "cancel", Actor("user", ana.id))
        assert names(await workspace.book(second, NINE, 60)) == ["Ben", "Room"]

    async def test_several_units_are_taken_at_once(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        chairs = await rooms(workspace, 3, "Chair")
        link = await offered(workspace, await service(workspace, [ana, ben], [Need(chairs.id, 2)]))
        assert names(await workspace.book(link, NINE, 60)) == ["Ana", "Chair 1", "Chair 2"]
        with pytest.raises(Conflict):
            await workspace.book(link, NINE, 60)

    async def test_a_resource_alone_goes_by_the_hours_of_its_service(self, workspace: Workspace) -> None:
        court = await rooms(workspace, 1, "Court")
        async with workspace.ports.read() as work:
            hours = (await work.hosts.schedules(workspace.owner.id))[0].id
        link = await offered(workspace, await service(workspace, [], [Need(court.id)], schedule_id=hours))
        assert names(await workspace.book(link, NINE, 60)) == ["Court"]
        with pytest.raises(Conflict):
            await workspace.book(link, NINE, 60)

    async def test_more_of_a_resource_is_offered_at_once_and_fewer_too(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        some = await rooms(workspace, 1)
        link = await offered(workspace, await service(workspace, [ana, ben], [Need(some.id)]))
        await workspace.book(link, NINE, 60)
        await change_resource(workspace.ports, workspace.owner, some.id, {"quantity": 2})
        second = await workspace.book(link, NINE, 60)
        assert "Room 2" in names(second)
        await change_resource(workspace.ports, workspace.owner, some.id, {"quantity": 1})
        async with workspace.ports.read() as work:
            kept = await work.bookings.get(second.id)
        assert kept is not None
        assert len(kept.hosts) == 2
        await workspace.book(link, NINE + HOUR, 60)
        with pytest.raises(Conflict):
            await workspace.book(link, NINE + HOUR, 60)

    async def test_there_cannot_be_fewer_than_a_service_needs(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        chairs = await rooms(workspace, 3, "Chair")
        what = await service(workspace, [ana], [Need(chairs.id, 2)])
        with pytest.raises(Invalid, match="needs 2"):
            await change_resource(workspace.ports, ana, chairs.id, {"quantity": 1})
        with pytest.raises(AlreadyExists):
            await delete_resource(workspace.ports, ana, chairs.id)
        with pytest.raises(Invalid, match="There are 3"):
            await change_service(workspace.ports, ana, what.id, {}, needs=[Need(chairs.id, 4)])
        await change_service(workspace.ports, ana, what.id, {}, needs=[])
        await delete_resource(workspace.ports, ana, chairs.id)

    async def test_a_move_keeps_person_and_room_where_it_can(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        two = await rooms(workspace, 2)
        link = await offered(workspace, await service(workspace, [ana, ben], [Need(two.id)]))
        await workspace.book(link, NINE, 60)
        second = await workspace.book(link, NINE, 60)
        moved = await reschedule_booking(workspace.ports, second.id, Move(NINE + HOUR), Actor("recipient", second.id))
        assert names(moved) == names(second)

    async def test_of_many_at_once_no_room_is_taken_twice(self, workspace: Workspace) -> None:
        people = await team(workspace, "ana", "ben", "cem", "dee")
        two = await rooms(workspace, 2)
        link = await offered(workspace, await service(workspace, people, [Need(two.id)]))
        found = await asyncio.gather(*(workspace.book(link, NINE, 60) for _ in range(6)), return_exceptions=True)
        assert sum(isinstance(each, Booking) for each in found) == 2
        assert all(isinstance(each, Booking | Conflict) for each in found), found


class TestStaffBook:
    async def test_for_a_client_without_an_address(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        what = await service(workspace, [ana, ben])
        wanted = ClientBooking(asked(NINE, host_id=ben.id, notes="By phone"), service_id=what.id)
        booking = await book_for_client(workspace.ports, ana, wanted)
        assert (booking.status, names(booking), booking.link_id) == ("confirmed", ["Ben"], None)
        moved = await reschedule_booking(workspace.ports, booking.id, Move(NINE + HOUR), Actor("user", ana.id))
        assert (moved.start, names(moved)) == (NINE + HOUR, ["Ben"])

    async def test_rules_hold_unless_they_are_overridden(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        await workspace.hours(ana, {"tue": [("09:00", "10:00")]})
        what = await service(workspace, [ana])
        late = NINE + 10 * HOUR + 420
        with pytest.raises(Invalid, match="outside the hours"):
            await book_for_client(workspace.ports, ana, ClientBooking(asked(late), service_id=what.id))
        booking = await book_for_client(
            workspace.ports, ana, ClientBooking(asked(late, 25), service_id=what.id, override=True)
        )
        assert booking.end - booking.start == 25 * 60

    async def test_a_busy_calendar_is_overridden_but_never_a_booking(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        what = await service(workspace, [ana, ben])
        await workspace.busy(ana, NINE, NINE + HOUR)
        first = await book_for_client(
            workspace.ports, ana, ClientBooking(asked(NINE), service_id=what.id, override=True)
        )
        assert names(first) == ["Ben"], "who is free comes first"
        second = await book_for_client(
            workspace.ports, ana, ClientBooking(asked(NINE), service_id=what.id, override=True)
        )
        assert names(second) == ["Ana"]
        with pytest.raises(Conflict):
            await book_for_client(
                workspace.ports, ana, ClientBooking(asked(NINE + 600), service_id=what.id, override=True)
            )

    async def test_only_those_who_may(self, workspace: Workspace) -> None:
        boss, ana, ben = await team(workspace, "boss", "ana", "ben")
        what = await service(workspace, [ana])
        with pytest.raises(NotFound):
            await book_for_client(workspace.ports, ben, ClientBooking(asked(NINE), service_id=what.id))
        link = await workspace.link("private", boss)
        with pytest.raises(NotFound):
            await book_for_client(workspace.ports, ben, ClientBooking(asked(NINE, 30), link_id=link.id))
        assert (await book_for_client(workspace.ports, boss, ClientBooking(asked(NINE, 30), link_id=link.id))).link_id

    async def test_free_times_of_a_service(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        what = await service(workspace, [ana])
        await workspace.busy(ana, NINE, NINE + HOUR)
        day = date(2027, 3, 2)
        question = SlotQuestion(day, day, 60, "UTC")
        slots = await service_slots(workspace.ports, ana, what.id, question, workspace.clock.now)
        assert NINE not in [start for start, _ in slots.starts]
        assert NINE + HOUR in [start for start, _ in slots.starts]


class TestKeeping:
    async def test_a_service_that_a_link_offers_stays(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        what = await service(workspace, [ana])
        link = await offered(workspace, what)
        with pytest.raises(AlreadyExists):
            await delete_service(workspace.ports, ana, what.id)
        with pytest.raises(Invalid, match="needs somebody"):
            await change_service(workspace.ports, ana, what.id, {}, hosts=[])
        await change_link(workspace.ports, workspace.owner, link.id, {"service_id": None})
        await delete_service(workspace.ports, ana, what.id)
        with pytest.raises(Invalid):
            await offered(workspace, what, "again")

    async def test_nobody_of_another_organization_is_qualified(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        what = await service(workspace, [ana])
        with pytest.raises(Invalid, match="no such person"):
            await change_service(workspace.ports, ana, what.id, {}, hosts=[ServiceHost(new_id())])

    async def test_a_service_switched_off_is_offered_by_no_link(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        what = await service(workspace, [ana])
        link = await offered(workspace, what)
        await change_service(workspace.ports, ana, what.id, {"is_active": False})
        with pytest.raises(LinkInactive):
            await workspace.book(link, NINE, 60)

    async def test_what_changes_of_a_service_changes_the_stamp_of_its_links(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        some = await rooms(workspace, 1)
        what = await service(workspace, [ana], [Need(some.id)])
        link = await offered(workspace, what)
        stamps = []

        async def note() -> None:
            async with workspace.ports.read() as work:
                stamps.append(await work.links.stamp(workspace.token(link), workspace.clock.now))

        await note()
        await change_service(workspace.ports, ana, what.id, {"buffer_after": 5})
        await note()
        both = [ServiceHost(ana.id, priority=1), ServiceHost(ben.id)]
        await change_service(workspace.ports, ana, what.id, {}, hosts=both)
        await note()
        await change_resource(workspace.ports, ana, some.id, {"quantity": 2})
        await note()
        assert len(set(stamps)) == 4

    async def test_units_are_rows_of_their_own(self, workspace: Workspace) -> None:
        (ana,) = await team(workspace, "ana")
        some = await rooms(workspace, 3)
        async with workspace.parts.database.read.connect() as connection:
            query = select(m.hosts.c.name, m.hosts.c.kind).where(m.hosts.c.resource_id == some.id)
            rows = (await connection.execute(query.order_by(m.hosts.c.unit))).all()
        assert [tuple(row) for row in rows] == [(f"Room {number}", "resource") for number in (1, 2, 3)]
        assert ana.id


class TestReassigning:
    async def test_staff_give_a_booking_to_another_at_any_notice(self, workspace: Workspace) -> None:
        ana, ben = await team(workspace, "ana", "ben")
        what = await service(workspace, [ServiceHost(ana.id, priority=1), ben], [Need((await rooms(workspace, 1)).id)])
        link = await workspace.link("cut", service_id=what.id, minimum_notice=60)
        booking = await workspace.book(link, NINE, 60)
        workspace.clock.now = NINE - 60
        to_ben = Move(NINE, host_id=ben.id, reassigned=True)
        moved = await reschedule_booking(workspace.ports, booking.id, to_ben, Actor("user", ana.id))
        assert (names(moved), moved.uid, moved.sequence) == (["Ben", "Room"], booking.uid, booking.sequence + 1)
        again = await reschedule_booking(workspace.ports, booking.id, to_ben, Actor("user", ana.id))
        assert again.version == moved.version
        async with workspace.ports.read() as work:
            actions = [entry["action"] for entry in await work.audit.of_entity(booking.org_id, booking.id)]
        assert actions == ["booking.created", "booking.reassigned"]

    async def test_nobody_is_given_what_they_cannot_take(self, workspace: Workspace) -> None:
        ana, ben, cem = await team(workspace, "ana", "ben", "cem")
        link = await offered(workspace, await service(workspace, [ServiceHost(ana.id, priority=1), ben]))
        booking = await workspace.book(link, NINE, 60)
        await workspace.busy(ben, NINE, NINE + HOUR)
        with pytest.raises(Conflict):
            await reschedule_booking(
                workspace.ports, booking.id, Move(NINE, host_id=ben.id, reassigned=True), Actor("user", ana.id)
            )
        with pytest.raises(Invalid, match="does not belong"):
            await reschedule_booking(
                workspace.ports, booking.id, Move(NINE, host_id=cem.id, reassigned=True), Actor("user", ana.id)
            )
