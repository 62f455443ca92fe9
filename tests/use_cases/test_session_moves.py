"""Sessions that move: limits count all who come along, staff go over them, and other times are offered."""

from __future__ import annotations

from typing import Any

import pytest

from app.db import models as m
from app.domain.bookings import Booking, Recipient
from app.domain.errors import Conflict, Invalid
from app.domain.links import Link
from app.domain.repeats import Repeat
from app.domain.services import ServiceHost
from app.use_cases.book_series import Series, book_series
from app.use_cases.booking_changes import Actor
from app.use_cases.cancel_series import cancel_following
from app.use_cases.change_booking import take_step
from app.use_cases.manage_services import create_service
from app.use_cases.manage_sessions import NewSession, create_session
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.workspace import Workspace, request

pytestmark = pytest.mark.anyio

HOUR, DAY = 3600, 86400
NINE = at("2027-03-02 09:00")
THERE = NINE + DAY
STAFF = Actor("user", "somebody")


async def class_link(workspace: Workspace, **values: Any) -> Link:
    hosts = [ServiceHost(workspace.owner.id)]
    shape = {"name": "Lesson", "durations": (60,), "capacity": 4}
    service = await create_service(workspace.ports, workspace.owner, shape, (), hosts)
    return await workspace.link("lesson", service_id=service.id, **values)


async def attend(workspace: Workspace, link: Link, start: int, *numbers: int) -> list[Booking]:
    people = [Recipient(f"Client {number}", f"client{number}@example.org") for number in numbers]
    return [await workspace.book(link, start, 60, recipient=person) for person in people]


async def limit(workspace: Workspace, **values: int) -> None:
    await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, **values)


class TestLimits:
    async def test_a_hosts_day_must_have_room_for_all_who_come_along(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        await attend(workspace, link, THERE + 3 * HOUR, 8)
        first, _ = await attend(workspace, link, NINE, 1, 2)
        await limit(workspace, max_per_day=2)
        with pytest.raises(Conflict) as refused:
            await reschedule_booking(workspace.ports, first.occurrence_id, Move(THERE), STAFF)
        others = refused.value.alternatives
        assert others and not any(THERE - 9 * HOUR <= start < THERE + 15 * HOUR for start in others), "that day is full"
        await limit(workspace, max_per_day=3)
        assert (await reschedule_booking(workspace.ports, first.occurrence_id, Move(THERE), STAFF)).start == THERE

    async def test_a_hosts_week_as_well(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        await attend(workspace, link, NINE + 7 * DAY, 8)
        first, second = await attend(workspace, link, NINE, 1, 2)
        await limit(workspace, max_per_week=2)
        move = Move(NINE + 8 * DAY)
        with pytest.raises(Conflict):
            await reschedule_booking(workspace.ports, first.occurrence_id, move, STAFF)
        await take_step(workspace.ports, second.id, "cancel", STAFF)
        assert (await reschedule_booking(workspace.ports, first.occurrence_id, move, STAFF)).start == move.start

    @pytest.mark.parametrize("kind", ["max_per_day", "max_per_week"])
    async def test_the_link_that_they_booked_through(self, workspace: Workspace, kind: str) -> None:
        """Each link counts its own."""
        link = await class_link(workspace)
        assert link.service_id is not None
        other = await workspace.link("other", service_id=link.service_id)
        there = NINE + 8 * DAY
        await attend(workspace, link, there + 3 * HOUR, 8)
        first, _ = await attend(workspace, link, NINE, 1, 2)
        await attend(workspace, other, NINE, 3)
        await workspace.set(m.links, m.links.c.id == link.id, **{kind: 2})
        for anywhere in (True, False):
            with pytest.raises(Conflict):
                await reschedule_booking(workspace.ports, first.occurrence_id, Move(there, anywhere=anywhere), STAFF)
        await workspace.set(m.links, m.links.c.id == link.id, **{kind: 3})
        assert (await reschedule_booking(workspace.ports, first.occurrence_id, Move(there), STAFF)).seats_taken == 3

    async def test_within_its_day_its_own_attendees_count_once(self, workspace: Workspace) -> None:
        link = await class_link(workspace, max_per_day=2)
        first, _ = await attend(workspace, link, NINE, 1, 2)
        moved = await reschedule_booking(workspace.ports, first.occurrence_id, Move(NINE + HOUR), STAFF)
        assert moved.start == NINE + HOUR

    async def test_a_class_that_nobody_attends_counts_for_nothing(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        assert link.service_id is not None
        session = await create_session(workspace.ports, workspace.owner, NewSession(link.service_id, NINE, 60))
        await attend(workspace, link, THERE + 3 * HOUR, 8)
        await limit(workspace, max_per_day=1)
        assert (await reschedule_booking(workspace.ports, session.id, Move(THERE), STAFF)).start == THERE

    async def test_who_waits_counts_until_their_hold_runs_out(self, workspace: Workspace) -> None:
        link = await class_link(workspace, requires_approval=True)
        (there,) = await attend(workspace, link, THERE + 3 * HOUR, 8)
        first, second = await attend(workspace, link, NINE, 1, 2)
        for booking in (there, first):
            await take_step(workspace.ports, booking.id, "confirm", STAFF)
        await limit(workspace, max_per_day=2)
        with pytest.raises(Conflict):
            await reschedule_booking(workspace.ports, first.occurrence_id, Move(THERE), STAFF)
        assert second.hold_expires_at is not None
        workspace.clock.now = second.hold_expires_at
        moved = await reschedule_booking(workspace.ports, first.occurrence_id, Move(THERE), STAFF)
        assert (moved.start, (await workspace.stored(second)).status) == (THERE, "cancelled")


class TestStaffOverride:
    async def test_over_limits_and_calendars(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        await attend(workspace, link, THERE + 3 * HOUR, 8)
        first, _ = await attend(workspace, link, NINE, 1, 2)
        await limit(workspace, max_per_day=2)
        await workspace.busy(workspace.owner, THERE, THERE + HOUR)
        move = Move(THERE + 60, override=True)
        moved = await reschedule_booking(workspace.ports, first.occurrence_id, move, STAFF)
        assert (moved.start, (await workspace.stored(first)).start) == (THERE + 60, THERE + 60)

    async def test_never_over_a_booking(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        await attend(workspace, link, THERE, 8)
        (first,) = await attend(workspace, link, NINE, 1)
        with pytest.raises(Conflict):
            await reschedule_booking(workspace.ports, first.occurrence_id, Move(THERE + 1800, override=True), STAFF)

    async def test_never_into_the_past(self, workspace: Workspace) -> None:
        (first,) = await attend(workspace, await class_link(workspace), NINE, 1)
        past = Move(workspace.clock.now - 600, override=True)
        with pytest.raises(Invalid, match="past"):
            await reschedule_booking(workspace.ports, first.occurrence_id, past, STAFF)

    async def test_a_booking_by_itself_with_the_host_it_is_given_to(self, workspace: Workspace) -> None:
        ben = await workspace.user("ben")
        link = await workspace.shared_link("pool", [workspace.owner, ben])
        booking = await workspace.book(link, NINE)
        (host,) = booking.hosts
        other = ben.id if host.id == workspace.owner.id else workspace.owner.id
        for user in (ben, workspace.owner):
            await workspace.hours(user, {})
        kept = await reschedule_booking(workspace.ports, booking.id, Move(NINE + 60, override=True), STAFF)
        assert [each.id for each in kept.hosts] == [host.id]
        given = await reschedule_booking(workspace.ports, booking.id, Move(THERE, host_id=other, override=True), STAFF)
        assert [each.id for each in given.hosts] == [other]

    async def test_a_seat_moves_by_the_rules(self, workspace: Workspace) -> None:
        (first,) = await attend(workspace, await class_link(workspace), NINE, 1)
        with pytest.raises(Invalid, match="session"):
            await reschedule_booking(workspace.ports, first.id, Move(THERE, override=True), STAFF)


class TestAlternatives:
    async def test_sessions_that_could_be_joined_are_no_times_to_move_to(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        await attend(workspace, link, NINE + HOUR, 3)
        first, _ = await attend(workspace, link, NINE, 1, 2)
        with pytest.raises(Conflict) as refused:
            await reschedule_booking(workspace.ports, first.occurrence_id, Move(NINE + HOUR), STAFF)
        others = refused.value.alternatives
        assert NINE + HOUR not in others and NINE + 2 * HOUR in others
        await reschedule_booking(workspace.ports, first.occurrence_id, Move(others[0]), STAFF)

    async def test_a_class_that_staff_alone_set_has_some_too(self, workspace: Workspace) -> None:
        link = await class_link(workspace)
        assert link.service_id is not None
        await workspace.set(m.services, m.services.c.id == link.service_id, is_scheduled=True)
        made = [
            await create_session(workspace.ports, workspace.owner, NewSession(link.service_id, start, 60))
            for start in (NINE, NINE + HOUR)
        ]
        with pytest.raises(Conflict) as refused:
            await reschedule_booking(workspace.ports, made[0].id, Move(NINE + HOUR), STAFF)
        others = refused.value.alternatives
        assert others and NINE + HOUR not in others
        for start in others:
            assert (await reschedule_booking(workspace.ports, made[0].id, Move(start), STAFF)).start == start


class TestTeams:
    @pytest.mark.parametrize("mode", ["collective", "fixed_pool"])
    async def test_a_class_of_several_teachers_moves_when_all_can(self, workspace: Workspace, mode: str) -> None:
        ben, cleo = await workspace.user("ben"), await workspace.user("cleo")
        hosts = [
            ServiceHost(workspace.owner.id, is_fixed=mode == "fixed_pool"),
            ServiceHost(ben.id),
            *([ServiceHost(cleo.id)] if mode == "fixed_pool" else []),
        ]
        shape = {"name": "Lesson", "durations": (60,), "capacity": 4, "mode": mode}
        service = await create_service(workspace.ports, workspace.owner, shape, (), hosts)
        link = await workspace.link("lesson", service_id=service.id)
        first, second = await attend(workspace, link, NINE, 1, 2)
        assert first.occurrence_id == second.occurrence_id and len(first.hosts) == 2
        assert workspace.owner.id in {host.id for host in first.hosts}
        partner = next(host.id for host in first.hosts if host.id != workspace.owner.id)
        busy = next(user for user in (ben, cleo) if user.id == partner)
        await workspace.busy(busy, THERE, THERE + HOUR)
        if mode == "collective":
            with pytest.raises(Conflict):
                await reschedule_booking(workspace.ports, first.occurrence_id, Move(THERE), STAFF)
            there = THERE + HOUR
        else:
            there = THERE  # another one of the pool takes it
        moved = await reschedule_booking(workspace.ports, first.occurrence_id, Move(there), STAFF)
        assert len(moved.hosts) == 2 and workspace.owner.id in {host.id for host in moved.hosts}
        assert (partner in {host.id for host in moved.hosts}) == (mode == "collective")
        for each in (first, second):
            after = await workspace.stored(each)
            assert (after.start, after.hosts) == (there, moved.hosts)
        claims = [row for row in await workspace.rows(m.claims) if row["occurrence_id"] == moved.id]
        assert {row["host_id"] for row in claims} == {host.id for host in moved.hosts}
        assert {row["seats_taken"] for row in claims} == {2}

    async def test_two_classes_of_a_fixed_teacher_never_overlap(self, workspace: Workspace) -> None:
        ben, cleo = await workspace.user("ben"), await workspace.user("cleo")
        hosts = [ServiceHost(workspace.owner.id, is_fixed=True), ServiceHost(ben.id), ServiceHost(cleo.id)]
        shape = {"name": "Lesson", "durations": (60,), "capacity": 2, "mode": "fixed_pool"}
        service = await create_service(workspace.ports, workspace.owner, shape, (), hosts)
        link = await workspace.link("lesson", service_id=service.id)
        await attend(workspace, link, NINE, 1, 2)
        with pytest.raises(Conflict):
            await attend(workspace, link, NINE, 3)
        assert NINE not in await workspace.free(link, NINE, NINE + HOUR, 60)


class TestWeeklySets:
    """A recipient takes a seat in each week's session."""

    async def weekly(self, workspace: Workspace, link: Link, number: int, start: int = NINE, **values: Any) -> Series:
        person = Recipient(f"Client {number}", f"client{number}@example.org")
        wanted = request(start, 60, recipient=person, **{"repeat": Repeat(3), **values})
        return await book_series(workspace.ports, workspace.token(link), wanted)

    async def test_those_who_repeat_meet_in_each_weeks_session(self, workspace: Workspace) -> None:
        link = await class_link(workspace, max_repeats=10, horizon_days=100)
        first, second = [await self.weekly(workspace, link, number, seats=number) for number in (1, 2)]
        for week, (one, other) in enumerate(zip(first.bookings, second.bookings, strict=True)):
            session = await workspace.stored(one.occurrence_id)
            assert one.occurrence_id == other.occurrence_id != one.id
            assert (session.start, session.seats_taken, session.series_id) == (NINE + week * 7 * DAY, 3, None)
        assert len({each.occurrence_id for each in first.bookings}) == 3

    async def test_a_week_without_seats_is_told_of(self, workspace: Workspace) -> None:
        link = await class_link(workspace, max_repeats=10, horizon_days=100)
        await attend(workspace, link, NINE + 7 * DAY, 7, 8, 9)
        before = await workspace.counts()
        with pytest.raises(Conflict) as refused:
            await self.weekly(workspace, link, 1, seats=2)
        assert refused.value.taken == (NINE + 7 * DAY,)
        assert await workspace.counts() == before, "all or none"
        some = await self.weekly(workspace, link, 1, seats=2, repeat=Repeat(3, only_free=True))
        assert [each.start for each in some.bookings] == [NINE, NINE + 14 * DAY]

    async def test_a_set_through_a_class_that_staff_set(self, workspace: Workspace) -> None:
        link = await class_link(workspace, max_repeats=10, horizon_days=100)
        assert link.service_id is not None
        await workspace.set(m.services, m.services.c.id == link.service_id, is_scheduled=True)
        made = [
            await create_session(workspace.ports, workspace.owner, NewSession(link.service_id, start, 60))
            for start in (NINE, NINE + 14 * DAY)
        ]
        some = await self.weekly(workspace, link, 1, repeat=Repeat(3, only_free=True))
        assert [each.occurrence_id for each in some.bookings] == [each.id for each in made]

    async def test_one_week_moves_with_all_and_the_set_goes_on(self, workspace: Workspace) -> None:
        link = await class_link(workspace, max_repeats=10, horizon_days=100)
        first, second = [await self.weekly(workspace, link, number) for number in (1, 2)]
        middle = first.bookings[1]
        await reschedule_booking(workspace.ports, middle.occurrence_id, Move(middle.start + 2 * HOUR), STAFF)
        for series in (first, second):
            found = [(await workspace.stored(each)).start for each in series.bookings]
            assert found == [NINE, NINE + 7 * DAY + 2 * HOUR, NINE + 14 * DAY]
        await cancel_following(workspace.ports, middle.id, Actor("recipient", middle.id))
        last = await workspace.stored(second.bookings[2].occurrence_id)
        assert (last.status, last.seats_taken) == ("confirmed", 1)
        await cancel_following(workspace.ports, second.bookings[0].id, Actor("recipient"))
        states = [(await workspace.stored(each.occurrence_id)).status for each in first.bookings]
        assert states == ["confirmed", "cancelled", "cancelled"], "with nobody left a session ends"

    async def test_a_link_limits_how_many_of_a_set_share_a_day(self, workspace: Workspace) -> None:
        link = await class_link(workspace, max_repeats=10, horizon_days=100, max_per_day=1)
        await self.weekly(workspace, link, 1)
        with pytest.raises(Conflict):
            await self.weekly(workspace, link, 2)

    @pytest.mark.parametrize("mode", ["collective", "fixed_pool"])
    async def test_of_several_teachers(self, workspace: Workspace, mode: str) -> None:
        """The pool's teacher may change from week to week, where the first one is away."""
        ben, cleo = await workspace.user("ben"), await workspace.user("cleo")
        people = (ben, cleo) if mode == "fixed_pool" else (ben,)
        hosts = [ServiceHost(workspace.owner.id, is_fixed=mode == "fixed_pool"), *(ServiceHost(p.id) for p in people)]
        shape = {"name": "Lesson", "durations": (60,), "capacity": 2, "mode": mode}
        service = await create_service(workspace.ports, workspace.owner, shape, (), hosts)
        link = await workspace.link("team", service_id=service.id, max_repeats=10, horizon_days=100)
        await workspace.busy(ben, NINE + 7 * DAY, NINE + 7 * DAY + HOUR)
        if mode == "collective":
            with pytest.raises(Conflict) as refused:
                await self.weekly(workspace, link, 1)
            assert refused.value.taken == (NINE + 7 * DAY,)
            return
        first, second = [await self.weekly(workspace, link, number) for number in (1, 2)]
        assert [each.occurrence_id for each in first.bookings] == [each.occurrence_id for each in second.bookings]
        assert {host.id for host in first.bookings[1].hosts} == {workspace.owner.id, cleo.id}
        for each in first.bookings:
            assert len(each.hosts) == 2 and workspace.owner.id in {host.id for host in each.hosts}
        with pytest.raises(Conflict):
            await self.weekly(workspace, link, 3)
