"""Stays by the night: rooms from check-in to check-out, booked, moved and told of like anything else."""

from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.errors import Conflict, Invalid
from app.domain.links import Link
from app.domain.repeats import Repeat
from app.domain.services import Need, Service, ServiceHost
from app.ports.hosts import TimeOff
from app.use_cases.book_for_client import ClientBooking, book_for_client
from app.use_cases.book_series import book_series
from app.use_cases.book_slot import book_slot
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.explain_start import explain_start
from app.use_cases.find_slots import SlotQuestion, find_slots
from app.use_cases.ids import new_id
from app.use_cases.manage_links import change_link
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_schedules import create_schedule
from app.use_cases.manage_services import change_service, create_service
from app.use_cases.offered_hosts import is_by_night
from app.use_cases.reschedule_booking import Move, moved_end, reschedule_booking
from tests.support.workspace import Workspace, request

pytestmark = pytest.mark.anyio

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = 1440
EVERYDAY = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
GUEST = Actor("recipient", "guest")
TURNED: dict[str, Any] = {"check_in": "10:00", "check_out": "18:00", "buffer_before": 600, "buffer_after": 600}
"""Of which 30 nights take more than the 31 days of a claim."""


def at(text: str) -> int:
    """An instant by the clock of Berlin, which goes forward on 28 March 2027."""
    return int(datetime.fromisoformat(text).replace(tzinfo=BERLIN).timestamp())


async def rooms(
    workspace: Workspace, quantity: int = 1, arrivals: tuple[str, ...] = EVERYDAY, **values: Any
) -> tuple[Service, Link]:
    """Rooms of a house in Berlin, from 15:00 to 11:00, with a link."""
    ports, owner = workspace.ports, workspace.owner
    house = {
        "name": "House", "timezone": "Europe/Berlin", "weekly": {day: [("09:00", "17:00")] for day in arrivals},
        "overrides": ({"date": "2027-03-20", "ranges": []},), "is_default": False, "holiday_country": None,
        "exclusions": ({"from": "2027-03-22", "to": "2027-03-23", "reason": "Closed"},),
    }  # fmt: skip
    hours = await create_schedule(ports, owner, house)
    room = await create_resource(ports, owner, {"name": "Room", "quantity": quantity})
    shape: dict[str, Any] = {
        "name": "Room", "durations": (NIGHT, 2 * NIGHT, 3 * NIGHT), "check_in": "15:00", "check_out": "11:00",
        "schedule_id": hours.id,
    }  # fmt: skip
    service = await create_service(ports, owner, {**shape, **values}, [Need(room.id)])
    return service, await workspace.link("room", service_id=service.id, horizon_days=90)


async def off(workspace: Workspace, service: Service, begin: str, end: str) -> str:
    """Time off of the service's first room; its id."""
    async with workspace.ports.read() as work:
        context = await work.links.context_of_service(workspace.organization.id, service.id)
    assert context is not None
    room = min(host.host_id for host in context.hosts)
    async with workspace.ports.unit_of_work() as work:
        away = TimeOff(new_id(), workspace.organization.id, room, at(begin), at(end), "")
        await work.hosts.add_time_off(away, workspace.clock.now)
        await work.commit()
    return room


async def free(workspace: Workspace, link: Link, first: str, last: str, nights: int) -> dict[int, int]:
    question = SlotQuestion(date.fromisoformat(first), date.fromisoformat(last), nights * NIGHT, "Europe/Berlin")
    return dict((await find_slots(workspace.ports, workspace.token(link), question, workspace.clock.now)).starts)


def nights_of(booking: Booking) -> tuple[int, str, str]:
    first, last = (datetime.fromtimestamp(each, BERLIN) for each in (booking.start, booking.end))
    return booking.duration // NIGHT, f"{first:%m-%d %H:%M}", f"{last:%m-%d %H:%M}"


class TestOffering:
    async def test_a_start_is_the_check_in_of_a_day_with_hours(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, arrivals=("fri", "sat", "mon", "tue"))
        offered = await free(workspace, link, "2027-03-15", "2027-03-30", 3)
        days = ("15", "16", "19", "26", "27", "29", "30")  # not the closed 20th, 22nd and 23rd; passing them is fine
        assert offered == {at(f"2027-03-{day}T15:00"): 1 for day in days}

    async def test_the_seats_are_the_rooms_that_are_left(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, 3)
        await workspace.book(link, at("2027-03-10T15:00"), 2 * NIGHT)
        offered = await free(workspace, link, "2027-03-08", "2027-03-13", 2)
        left = {datetime.fromtimestamp(start, BERLIN).day: seats for start, seats in offered.items()}
        assert left == {8: 3, 9: 2, 10: 2, 11: 2, 12: 3, 13: 3}

    async def test_other_starts_and_lengths_are_malformed(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        for start, minutes, field in (
            ("2027-03-10T16:00", NIGHT, "start"), ("2027-03-20T15:00", NIGHT, "start"),
            ("2027-03-10T15:00", 4 * NIGHT, "duration"), ("2027-03-10T15:00", 1200, "duration"),
        ):  # fmt: skip
            with pytest.raises(Invalid) as refused:
                await workspace.book(link, at(start), minutes)
            assert refused.value.errors[0].field == field

    async def test_notice_horizon_and_limits_hold(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, 2)
        limits = {"minimum_notice": 3 * NIGHT, "horizon_days": 12, "max_per_week": 1}
        await change_link(workspace.ports, workspace.owner, link.id, limits)
        offered = await free(workspace, link, "2027-03-01", "2027-03-30", 1)
        assert sorted(offered) == [at(f"2027-03-{day:02}T15:00") for day in range(4, 14)]
        await workspace.book(link, at("2027-03-09T15:00"), NIGHT)
        offered = await free(workspace, link, "2027-03-01", "2027-03-30", 1)
        assert sorted(offered) == [at(f"2027-03-{day:02}T15:00") for day in range(4, 8)]

    async def test_why_a_day_is_not_offered(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        await workspace.book(link, at("2027-03-10T15:00"), 2 * NIGHT)
        owner, ports = workspace.owner, workspace.ports
        taken = await explain_start(ports, owner, link.id, at("2027-03-09T15:00"), 2 * NIGHT)
        closed = await explain_start(ports, owner, link.id, at("2027-03-22T15:00"), NIGHT)
        early = await explain_start(ports, owner, link.id, at("2027-03-12T14:00"), NIGHT)
        wrong = [{each.rule for each in found.hosts[0].findings if not each.ok} for found in (taken, closed, early)]
        assert wrong == [{"busy"}, {"hours"}, {"step"}]
        fine = await explain_start(ports, owner, link.id, at("2027-03-12T15:00"), 3 * NIGHT)
        assert fine.is_offered


class TestBooking:
    async def test_a_stay_ends_at_check_out_whatever_the_clock_does(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, 2)
        plain = await workspace.book(link, at("2027-03-12T15:00"), 3 * NIGHT)
        longer = await workspace.book(link, at("2027-03-26T15:00"), 3 * NIGHT)
        assert nights_of(plain) == (3, "03-12 15:00", "03-15 11:00")
        assert nights_of(longer) == (3, "03-26 15:00", "03-29 11:00")
        assert (plain.end - plain.start) - (longer.end - longer.start) == 3600
        assert plain.is_stay
        assert longer.is_stay

    async def test_back_to_back_stays_fit_and_overlapping_ones_do_not(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        await workspace.book(link, at("2027-03-10T15:00"), 2 * NIGHT)
        for day, nights in (("09", 2), ("10", 1), ("11", 1), ("08", 3)):
            with pytest.raises(Conflict) as refused:
                await workspace.book(link, at(f"2027-03-{day}T15:00"), nights * NIGHT)
            assert at("2027-03-12T15:00") in refused.value.alternatives
        await workspace.book(link, at("2027-03-12T15:00"), NIGHT)
        await workspace.book(link, at("2027-03-09T15:00"), NIGHT)
        claims = sorted((row["start_at"], row["end_at"]) for row in await workspace.rows(m.claims))
        assert all(claims[index][1] < claims[index + 1][0] for index in range(2))

    async def test_a_late_check_out_needs_the_arrival_day_free(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, check_in="11:00", check_out="15:00")
        await workspace.book(link, at("2027-03-10T11:00"), NIGHT)
        with pytest.raises(Conflict):
            await workspace.book(link, at("2027-03-11T11:00"), NIGHT)
        made = await workspace.book(link, at("2027-03-12T11:00"), 2 * NIGHT)
        assert nights_of(made) == (2, "03-12 11:00", "03-14 15:00")

    async def test_cleaning_counts(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, buffer_after=300)
        await workspace.book(link, at("2027-03-10T15:00"), NIGHT)
        with pytest.raises(Conflict):
            await workspace.book(link, at("2027-03-11T15:00"), NIGHT)
        await workspace.book(link, at("2027-03-12T15:00"), NIGHT)

    async def test_of_many_at_once_as_many_win_as_there_are_rooms(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, 2)
        wishes = [(at(f"2027-03-{10 + turn % 2}T15:00"), (2 + turn % 2) * NIGHT) for turn in range(8)]
        found = await asyncio.gather(*(workspace.book(link, *wish) for wish in wishes), return_exceptions=True)
        assert sum(isinstance(each, Booking) for each in found) == 2
        assert sum(isinstance(each, Conflict) for each in found) == 6

    async def test_staff_override_arrival_days_never_a_booking(self, workspace: Workspace) -> None:
        service, link = await rooms(workspace)

        async def book(start: str, minutes: int) -> Booking:
            wanted = ClientBooking(request(at(start), minutes), service_id=service.id, override=True)
            return await book_for_client(workspace.ports, workspace.owner, wanted)

        made = await book("2027-03-20T18:00", 5 * NIGHT)
        assert nights_of(made) == (5, "03-20 18:00", "03-25 11:00")
        with pytest.raises(Conflict):
            await book("2027-03-24T15:00", NIGHT)
        for minutes in (1000, 31 * NIGHT):
            with pytest.raises(Invalid, match="nights"):
                await book("2027-04-20T15:00", minutes)
        assert await free(workspace, link, "2027-03-19", "2027-03-24", 1) == {at("2027-03-19T15:00"): 1}

    async def test_staff_see_who_is_free_all_the_nights(self, workspace: Workspace) -> None:
        service, _ = await rooms(workspace, 2, durations=(NIGHT,))
        first = await off(workspace, service, "2027-03-19T12:00", "2027-03-19T13:00")
        wanted = ClientBooking(request(at("2027-03-10T15:00"), 10 * NIGHT), service_id=service.id, override=True)
        made = await book_for_client(workspace.ports, workspace.owner, wanted)
        assert first not in {host.id for host in made.hosts}

    async def test_staff_book_nothing_longer_than_a_claim(self, workspace: Workspace) -> None:
        service, _ = await rooms(workspace, **TURNED)
        for nights, start in ((30, "10:00"), (30, "09:00")):
            wanted = request(at(f"2027-03-10T{start}"), nights * NIGHT)
            with pytest.raises(Invalid) as refused:
                await book_for_client(
                    workspace.ports, workspace.owner, ClientBooking(wanted, service_id=service.id, override=True)
                )
            assert refused.value.errors[0].field == "duration"
        wanted = request(at("2027-03-10T10:00"), 29 * NIGHT)
        made = await book_for_client(
            workspace.ports, workspace.owner, ClientBooking(wanted, service_id=service.id, override=True)
        )
        assert nights_of(made) == (29, "03-10 10:00", "04-08 18:00")

    async def test_a_stay_with_somebody_follows_their_days(self, workspace: Workspace) -> None:
        guide = await workspace.user("guide", timezone="Europe/Berlin")
        await workspace.hours(guide, {"sat": [("08:00", "09:00")]}, timezone="Europe/Berlin")
        shape = {"name": "Tour", "durations": (2 * NIGHT,), "check_in": "08:00", "check_out": "20:00"}
        tour = await create_service(workspace.ports, workspace.owner, shape, (), [ServiceHost(guide.id)])
        link = await workspace.link("tour", service_id=tour.id)
        await workspace.busy(guide, at("2027-03-07T12:00"), at("2027-03-07T13:00"))
        assert sorted(await free(workspace, link, "2027-03-01", "2027-03-21", 2)) == [
            at("2027-03-13T08:00"), at("2027-03-20T08:00"),
        ]  # fmt: skip

    async def test_the_same_weekend_every_week(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        await change_link(workspace.ports, workspace.owner, link.id, {"max_repeats": 4})
        wanted = request(at("2027-03-12T15:00"), 2 * NIGHT, repeat=Repeat(3))
        series = await book_series(workspace.ports, workspace.token(link), wanted)
        assert [nights_of(each) for each in series.bookings] == [
            (2, "03-12 15:00", "03-14 11:00"), (2, "03-19 15:00", "03-21 11:00"), (2, "03-26 15:00", "03-28 11:00"),
        ]  # fmt: skip


class TestMoving:
    async def test_a_moved_stay_keeps_its_nights(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        made = await workspace.book(link, at("2027-03-12T15:00"), 3 * NIGHT)
        moved = await reschedule_booking(workspace.ports, made.id, Move(at("2027-03-26T15:00")), GUEST)
        assert nights_of(moved) == (3, "03-26 15:00", "03-29 11:00")
        assert nights_of(await reschedule_booking(workspace.ports, made.id, Move(moved.start, NIGHT), GUEST)) == (
            1, "03-26 15:00", "03-27 11:00",
        )  # fmt: skip
        with pytest.raises(Invalid):
            await reschedule_booking(workspace.ports, made.id, Move(at("2027-03-26T16:00")), GUEST)

    async def test_a_calendar_moves_it_by_days(self, workspace: Workspace) -> None:
        """It tells the elapsed time, which is another one over a change of the clock."""
        _, link = await rooms(workspace)
        made = await workspace.book(link, at("2027-03-12T15:00"), 3 * NIGHT)
        elapsed = (at("2027-03-29T11:00") - at("2027-03-26T15:00")) // 60
        moved = await reschedule_booking(
            workspace.ports, made.id, Move(at("2027-03-26T15:00"), elapsed, anywhere=True, elapsed=True), GUEST
        )
        assert nights_of(moved) == (3, "03-26 15:00", "03-29 11:00")
        elapsed = (at("2027-03-30T09:00") - at("2027-03-25T18:00")) // 60
        longer = Move(at("2027-03-25T18:00"), elapsed, anywhere=True, elapsed=True)
        moved = await reschedule_booking(workspace.ports, made.id, longer, GUEST)
        assert nights_of(moved) == (5, "03-25 15:00", "03-30 11:00"), "the times of day are the house's"

    async def test_a_calendar_that_tells_another_time_of_day_moves_nothing(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        made = await workspace.book(link, at("2027-03-12T15:00"), 3 * NIGHT)
        early = Move(at("2027-03-12T09:00"), (made.end - made.start) // 60, anywhere=True, elapsed=True)
        assert await reschedule_booking(workspace.ports, made.id, early, GUEST) == made

    async def test_recipients_and_staff_tell_whole_nights(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        made = await workspace.book(link, at("2027-03-12T15:00"), 3 * NIGHT)
        for actor in (GUEST, Actor("user", workspace.owner.id)):
            for minutes in (1, NIGHT - 240, 2 * NIGHT + 1):
                with pytest.raises(Invalid) as refused:
                    await reschedule_booking(workspace.ports, made.id, Move(made.start, minutes), actor)
                assert refused.value.errors[0].field == "duration"
        assert (await workspace.stored(made)).end == made.end

    async def test_a_length_the_service_gave_up_is_not_moved_over_time_off(self, workspace: Workspace) -> None:
        service, link = await rooms(workspace, durations=(7 * NIGHT,))
        made = await workspace.book(link, at("2027-03-02T15:00"), 7 * NIGHT)
        await off(workspace, service, "2027-04-07T12:00", "2027-04-07T13:00")
        await change_service(workspace.ports, workspace.owner, service.id, {"durations": (NIGHT,)})
        with pytest.raises(Conflict):
            await reschedule_booking(workspace.ports, made.id, Move(at("2027-04-01T15:00")), GUEST)
        moved = await reschedule_booking(workspace.ports, made.id, Move(at("2027-03-31T15:00")), GUEST)
        assert nights_of(moved) == (7, "03-31 15:00", "04-07 11:00")

    async def test_a_calendar_does_not_stretch_it_over_time_off(self, workspace: Workspace) -> None:
        service, link = await rooms(workspace)
        made = await workspace.book(link, at("2027-03-02T15:00"), NIGHT)
        await off(workspace, service, "2027-03-11T12:00", "2027-03-11T13:00")

        def until(day: str) -> Move:
            elapsed = (at(f"2027-03-{day}T11:00") - made.start) // 60
            return Move(made.start, elapsed, anywhere=True, elapsed=True)

        with pytest.raises(Conflict):
            await reschedule_booking(workspace.ports, made.id, until("12"), GUEST)
        moved = await reschedule_booking(workspace.ports, made.id, until("11"), GUEST)
        assert nights_of(moved) == (9, "03-02 15:00", "03-11 11:00")

    async def test_one_longer_than_a_claim_is_refused(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, **TURNED)
        made = await workspace.book(link, at("2027-03-02T10:00"), NIGHT)
        elapsed = (at("2027-04-01T18:00") - made.start) // 60
        long = Move(made.start, elapsed, anywhere=True, elapsed=True)
        with pytest.raises(Invalid) as refused:
            await reschedule_booking(workspace.ports, made.id, long, GUEST)
        assert refused.value.errors[0].field == "duration"

    async def test_where_one_of_24_hours_ends_over_a_change_of_the_clock(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, check_out="15:00")
        made = await workspace.book(link, at("2027-03-12T15:00"), NIGHT)
        assert not made.is_stay, "which its times alone do not say"
        end = await moved_end(workspace.ports, made, at("2027-03-27T15:00"), NIGHT)
        assert end == at("2027-03-28T15:00")
        async with workspace.ports.read() as work:
            assert await is_by_night(work, made)
        plain = await workspace.book(await workspace.link("day", durations=(NIGHT,)), at("2027-03-15T01:00"), NIGHT)
        assert await moved_end(workspace.ports, plain, at("2027-03-27T15:00"), NIGHT) == at("2027-03-28T16:00")
        async with workspace.ports.read() as work:
            assert not await is_by_night(work, plain)

    async def test_a_late_confirmation_takes_the_room_anew(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        await change_link(workspace.ports, workspace.owner, link.id, {"requires_approval": True})
        made = await workspace.book(link, at("2027-03-12T15:00"), 3 * NIGHT)
        workspace.clock.advance(workspace.organization.hold_minutes * 60 + 1)
        other = await workspace.book(link, at("2027-03-14T15:00"), NIGHT)
        assert (await workspace.stored(made)).cancel_reason == "expired"
        late = await workspace.book(link, at("2027-03-16T15:00"), NIGHT)
        workspace.clock.advance(workspace.organization.hold_minutes * 60 + 1)
        done = await take_step(workspace.ports, late.id, "confirm", Actor("user", workspace.owner.id))
        assert (done.status, done.end) == ("confirmed", at("2027-03-17T11:00"))
        assert other.end == at("2027-03-15T11:00")


class TestPicking:
    async def test_only_stays_can_be_picked(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        for slot, field in (
            ((at("2027-03-10T15:00"), 30), "duration"), ((at("2027-03-10T15:00"), 31 * NIGHT), "duration"),
            ((at("2027-03-10T16:00"), NIGHT), "start"),
        ):  # fmt: skip
            with pytest.raises(Invalid) as refused:
                await workspace.one_time(link, (at("2027-03-09T15:00"), NIGHT), slot)
            assert [error.field for error in refused.value.errors] == [f"slots.1.{field}"]
        plain = await workspace.link("plain")
        with pytest.raises(Invalid) as refused:
            await workspace.one_time(plain, (at("2027-03-10T15:00"), 2 * NIGHT))
        assert [error.field for error in refused.value.errors] == ["slots.0.duration"]

    async def test_a_picked_stay_is_booked_whatever_the_hours_and_lengths(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace)
        one_time = await workspace.one_time(link, (at("2027-03-20T15:00"), 5 * NIGHT))
        wanted = request(at("2027-03-20T15:00"), 5 * NIGHT)
        made = await book_slot(workspace.ports, one_time.token, wanted)
        assert nights_of(made) == (5, "03-20 15:00", "03-25 11:00")

    async def test_a_picked_stay_is_not_booked_over_time_off(self, workspace: Workspace) -> None:
        service, link = await rooms(workspace)
        await off(workspace, service, "2027-03-19T12:00", "2027-03-19T13:00")
        one_time = await workspace.one_time(link, (at("2027-03-10T15:00"), 10 * NIGHT))
        question = SlotQuestion(date(2027, 3, 10), date(2027, 3, 10), 10 * NIGHT, "Europe/Berlin")
        assert not (await find_slots(workspace.ports, one_time.token, question, workspace.clock.now)).starts
        with pytest.raises(Conflict):
            await book_slot(workspace.ports, one_time.token, request(at("2027-03-10T15:00"), 10 * NIGHT))

    async def test_minutes_picked_before_it_was_a_stay_are_refused(self, workspace: Workspace) -> None:
        service, link = await rooms(workspace, check_in=None, check_out=None, durations=(30,))
        start = at("2027-03-10T15:00")
        one_time = await workspace.one_time(link, (start, 30))
        nights = {"check_in": "15:00", "check_out": "11:00", "durations": (NIGHT,)}
        await change_service(workspace.ports, workspace.owner, service.id, nights)
        question = SlotQuestion(date(2027, 3, 10), date(2027, 3, 10), 30, "Europe/Berlin")
        for asked in (
            find_slots(workspace.ports, one_time.token, question, workspace.clock.now),
            book_slot(workspace.ports, one_time.token, request(start, 30)),
        ):
            with pytest.raises(Invalid) as refused:
                await asked
            assert refused.value.errors[0].field == "duration"


class TestServices:
    @pytest.mark.parametrize(
        ("values", "field"),
        [
            ({"check_out": None}, "check_out"),
            ({"check_in": None}, "check_out"),
            ({"check_in": None, "check_out": None}, "durations"),
            ({"durations": (1500,)}, "durations"),
            ({"durations": (31 * NIGHT,)}, "durations"),
            ({"durations": (30 * NIGHT,), "check_in": "00:00", "check_out": "23:59"}, "durations"),
            ({"durations": (30 * NIGHT,), "buffer_after": 1440, "buffer_before": 1440}, "durations"),
            ({"check_in": "24:00"}, "check_in"),
            ({"capacity": 2}, "check_in"),
        ],
    )
    async def test_what_cannot_be_kept(self, workspace: Workspace, values: dict[str, Any], field: str) -> None:
        service, _ = await rooms(workspace)
        with pytest.raises(Invalid) as refused:
            await change_service(workspace.ports, workspace.owner, service.id, values)
        assert field in {error.field for error in refused.value.errors}

    async def test_thirty_nights_are_kept_and_booked(self, workspace: Workspace) -> None:
        _, link = await rooms(workspace, durations=(30 * NIGHT,))
        made = await workspace.book(link, at("2027-03-08T15:00"), 30 * NIGHT)
        assert nights_of(made) == (30, "03-08 15:00", "04-07 11:00")
