"""Recurring sets: all or only what is free, in one transaction; cancelled together; told of in one mail."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from sqlalchemy import update

from app.db import models as m
from app.db.bookings import SqlBookingStore
from app.domain.bookings import Booking, Recipient
from app.domain.errors import Conflict, Invalid, NotModifiable, StaleVersion
from app.domain.repeats import Repeat
from app.domain.services import ServiceHost
from app.use_cases.book_for_client import ClientBooking
from app.use_cases.book_series import Series, book_series, book_series_for_client
from app.use_cases.booking_changes import Actor
from app.use_cases.cancel_series import cancel_following
from app.use_cases.change_booking import take_step
from app.use_cases.manage_links import change_link
from app.use_cases.manage_services import create_service
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.support.workspace import ALL_DAY, Workspace, request

pytestmark = pytest.mark.anyio

NINE = at("2027-03-02 09:00")
HOUR, DAY, WEEK = 3600, 86400, 7 * 86400
GUEST = Actor("recipient", "guest")


async def link_of(workspace: Workspace, slug: str = "lesson", **values: Any) -> str:
    link = await workspace.link(slug, **{"horizon_days": 400, "max_repeats": 52, **values})
    return workspace.token(link)


async def book(workspace: Workspace, token: str, repeat: Repeat, start: int = NINE, **values: Any) -> Series:
    return await book_series(workspace.ports, token, request(start, repeat=repeat, **values))


def starts(series: Series) -> list[int]:
    return [booking.start for booking in series.bookings]


class TestBooking:
    async def test_each_is_an_ordinary_booking_of_one_set(self, workspace: Workspace) -> None:
        series = await book(workspace, await link_of(workspace), Repeat(4))
        assert starts(series) == [NINE + week * WEEK for week in range(4)]
        assert {booking.series_id for booking in series.bookings} == {series.first.id}
        assert len({booking.token for booking in series.bookings}) == 4
        assert [await workspace.stored(booking) for booking in series.bookings] == list(series.bookings)
        async with workspace.ports.read() as work:
            assert await work.bookings.series(series.first.id) == list(series.bookings)

    async def test_the_wall_time_is_that_of_the_host(self, workspace: Workspace) -> None:
        await workspace.hours(workspace.owner, ALL_DAY, timezone="Europe/Berlin")
        first = at("2027-03-22 08:00")  # 09:00 in Berlin; the clock changes on 28 March
        series = await book(workspace, await link_of(workspace), Repeat(2), first, timezone="America/New_York")
        assert starts(series) == [first, first + WEEK - HOUR]

    async def test_every_other_week(self, workspace: Workspace) -> None:
        series = await book(workspace, await link_of(workspace), Repeat(3, every_weeks=2))
        assert starts(series) == [NINE, NINE + 2 * WEEK, NINE + 4 * WEEK]

    async def test_all_or_none(self, workspace: Workspace) -> None:
        token = await link_of(workspace)
        await workspace.busy(workspace.owner, NINE + WEEK, NINE + WEEK + HOUR)
        await workspace.busy(workspace.owner, NINE + 3 * WEEK, NINE + 3 * WEEK + HOUR)
        before = await workspace.counts()
        with pytest.raises(Conflict, match="2027-03-09, 2027-03-23") as refused:
            await book(workspace, token, Repeat(5))
        assert refused.value.taken == (NINE + WEEK, NINE + 3 * WEEK)
        assert NINE + WEEK - HOUR / 2 in refused.value.alternatives
        assert await workspace.counts() == before

    async def test_only_what_is_free(self, workspace: Workspace) -> None:
        token = await link_of(workspace)
        await workspace.busy(workspace.owner, NINE, NINE + HOUR)
        await workspace.time_off(workspace.owner, NINE + 2 * WEEK, NINE + 2 * WEEK + DAY)
        series = await book(workspace, token, Repeat(4, only_free=True))
        assert starts(series) == [NINE + WEEK, NINE + 3 * WEEK]
        assert series.left_out == (NINE, NINE + 2 * WEEK)
        assert {booking.series_id for booking in series.bookings} == {series.first.id}

    async def test_nothing_free_is_a_conflict(self, workspace: Workspace) -> None:
        token = await link_of(workspace)
        await workspace.time_off(workspace.owner, NINE, NINE + 3 * WEEK)
        with pytest.raises(Conflict) as refused:
            await book(workspace, token, Repeat(2, only_free=True))
        assert refused.value.taken == (NINE, NINE + WEEK)

    async def test_what_the_rules_never_offer(self, workspace: Workspace) -> None:
        token = await link_of(workspace, horizon_days=10)
        with pytest.raises(Invalid, match="2027-03-16") as refused:
            await book(workspace, token, Repeat(3))
        assert refused.value.errors[0].field == "repeat"
        series = await book(workspace, token, Repeat(3, only_free=True))
        assert (starts(series), series.left_out) == ([NINE, NINE + WEEK], (NINE + 2 * WEEK,))
        with pytest.raises(Invalid) as refused:
            await book(workspace, token, Repeat(3, only_free=True), NINE + 600)
        assert refused.value.errors[0].field == "start"

    async def test_limits_count_within_the_set(self, workspace: Workspace) -> None:
        token = await link_of(workspace)
        await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, max_per_week=1)
        await book(workspace, token, Repeat(3))
        with pytest.raises(Conflict):
            await book(workspace, token, Repeat(3), NINE + HOUR)
        limited = await link_of(workspace, "limited", max_per_day=1)
        await workspace.set(m.hosts, m.hosts.c.id == workspace.owner.id, max_per_week=None)
        await book(workspace, limited, Repeat(2), NINE + 2 * HOUR)
        with pytest.raises(Conflict):
            await book(workspace, limited, Repeat(2), NINE + 3 * HOUR)

    async def test_a_pool_keeps_to_one_host_while_they_are_free(self, workspace: Workspace) -> None:
        ana, ben = await workspace.user("ana"), await workspace.user("ben")
        link = await workspace.shared_link("pool", [ana, ben], horizon_days=400, max_repeats=10)
        first = await book(workspace, workspace.token(link), Repeat(2))
        host = first.first.hosts[0].id
        assert [booking.hosts[0].id for booking in first.bookings] == [host, host]
        other = ben.id if host == ana.id else ana.id
        busy = ana if other == ana.id else ben
        await workspace.busy(busy, NINE + HOUR + WEEK, NINE + 2 * HOUR + WEEK)
        second = await book(workspace, workspace.token(link), Repeat(3), NINE + HOUR)
        taken = [booking.hosts[0].id for booking in second.bookings]
        assert taken == [other, host, other], "the host of the first wherever they can"

    async def test_recipients_repeat_as_the_link_lets_them(self, workspace: Workspace) -> None:
        token = await link_of(workspace, max_repeats=None)
        with pytest.raises(Invalid, match="does not let you repeat"):
            await book(workspace, token, Repeat(2))
        few = await link_of(workspace, "few", max_repeats=3)
        with pytest.raises(Invalid, match="3 times") as refused:
            await book(workspace, few, Repeat(4))
        assert refused.value.errors[0].field == "repeat.times"
        assert len((await book(workspace, few, Repeat(3))).bookings) == 3

    async def test_a_one_time_link_does_not_repeat(self, workspace: Workspace) -> None:
        link = await workspace.link(max_repeats=52)
        once = await workspace.one_time(link)
        with pytest.raises(Invalid, match="one booking"):
            await book(workspace, once.token, Repeat(2))

    async def test_each_waits_for_approval(self, workspace: Workspace) -> None:
        series = await book(workspace, await link_of(workspace, requires_approval=True), Repeat(2))
        first, second = series.bookings
        assert (first.status, second.status) == ("pending", "pending")
        await take_step(workspace.ports, first.id, "confirm", Actor("user", workspace.owner.id))
        assert (await workspace.stored(second)).status == "pending"

    async def test_of_two_at_once_one_wins(self, workspace: Workspace) -> None:
        token = await link_of(workspace)
        found = await asyncio.gather(*(book(workspace, token, Repeat(6)) for _ in range(4)), return_exceptions=True)
        assert sum(isinstance(each, Series) for each in found) == 1
        assert sum(isinstance(each, Conflict) for each in found) == 3
        assert len(await workspace.rows(m.claims)) == 6


class TestStaff:
    async def test_staff_repeat_whatever_they_book(self, workspace: Workspace) -> None:
        link = await workspace.link(horizon_days=400)
        series = await self.book(workspace, link.id, Repeat(52))
        assert len(series.bookings) == 52
        assert {booking.status for booking in series.bookings} == {"confirmed"}

    async def test_override_goes_over_the_rules_never_over_a_booking(self, workspace: Workspace) -> None:
        await workspace.hours(workspace.owner, {"mon": [("09:00", "10:00")]})
        link = await workspace.link(horizon_days=10)
        series = await self.book(workspace, link.id, Repeat(4), override=True)
        assert len(series.bookings) == 4
        with pytest.raises(Conflict) as refused:
            await self.book(workspace, link.id, Repeat(2), NINE + 3 * WEEK, override=True)
        assert refused.value.taken == (NINE + 3 * WEEK,)

    async def book(
        self, workspace: Workspace, link_id: str, repeat: Repeat, start: int = NINE, **values: Any
    ) -> Series:
        wanted = ClientBooking(request(start, repeat=repeat), link_id=link_id, **values)
        return await book_series_for_client(workspace.ports, workspace.owner, wanted)


class TestCancelling:
    async def test_this_and_the_following(self, workspace: Workspace) -> None:
        series = await book(workspace, await link_of(workspace), Repeat(4))
        cancelled = await cancel_following(workspace.ports, series.bookings[1].id, GUEST, reason="Moving away")
        assert [booking.id for booking in cancelled.bookings] == [booking.id for booking in series.bookings[1:]]
        stored = [await workspace.stored(booking) for booking in series.bookings]
        assert [booking.status for booking in stored] == ["confirmed", "cancelled", "cancelled", "cancelled"]
        assert [booking.cancel_reason for booking in stored] == [None, *["Moving away"] * 3]
        assert len(await workspace.rows(m.claims)) == 1

    async def test_what_moved_before_it_and_what_is_over_stays(self, workspace: Workspace) -> None:
        series = await book(workspace, await link_of(workspace), Repeat(3))
        second, third = series.bookings[1:]
        await reschedule_booking(workspace.ports, third.id, Move(NINE + WEEK - HOUR), GUEST)
        cancelled = await cancel_following(workspace.ports, second.id, GUEST)
        assert [booking.id for booking in cancelled.bookings] == [second.id]
        await cancel_following(workspace.ports, series.first.id, GUEST)
        assert (await workspace.stored(third)).status == "cancelled"
        with pytest.raises(NotModifiable):
            await cancel_following(workspace.ports, series.first.id, GUEST)

    async def test_the_version_is_that_of_the_one_asked_for(self, workspace: Workspace) -> None:
        series = await book(workspace, await link_of(workspace), Repeat(2))
        with pytest.raises(StaleVersion):
            await cancel_following(workspace.ports, series.first.id, GUEST, version=7)
        assert len(await workspace.rows(m.claims)) == 2

    @pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)  # SQLite has one writer at a time
    @pytest.mark.parametrize("number", [1, 2])
    async def test_one_that_moves_to_the_front_meanwhile(
        self, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, number: int
    ) -> None:
        """It has been read, and starts before the others of its set when those after it are read."""
        made = (await book(workspace, await link_of(workspace), Repeat(3))).bookings
        asked, read, starts_at = made[number], SqlBookingStore.series, [NINE - HOUR]

        async def late_read(
            store: SqlBookingStore, series_id: str, since: int = 0, *, lock: bool = False
        ) -> list[Booking]:
            if starts_at:
                start = starts_at.pop()
                values = {"start_at": start, "end_at": start + asked.end - asked.start}
                async with workspace.parts.database.write.begin() as elsewhere:
                    await elsewhere.execute(update(m.bookings).where(m.bookings.c.id == asked.id).values(**values))
            return await read(store, series_id, since, lock=lock)

        monkeypatch.setattr(SqlBookingStore, "series", late_read)
        cancelled = await cancel_following(workspace.ports, asked.id, GUEST)
        others = [each.id for each in made if each is not asked]
        assert [each.id for each in cancelled.bookings] == [asked.id, *others]

    async def test_a_booking_by_itself(self, workspace: Workspace) -> None:
        alone = await workspace.book(await workspace.link(), NINE)
        cancelled = await cancel_following(workspace.ports, alone.id, GUEST)
        assert [booking.status for booking in cancelled.bookings] == ["cancelled"]


class TestLimitsOfOthers:
    async def test_a_service_says_it_for_links_that_do_not(self, workspace: Workspace) -> None:
        link = await workspace.link(max_repeats=None)
        assert (await workspace.context(link)).link.max_repeats is None
        await change_link(workspace.ports, workspace.owner, link.id, {"max_repeats": 4})
        assert (await workspace.context(link)).link.max_repeats == 4

    async def test_a_link_forbids_what_its_service_allows(self, workspace: Workspace) -> None:
        shape = {"name": "Lesson", "durations": (30,), "max_repeats": 6}
        lesson = await create_service(workspace.ports, workspace.owner, shape, (), [ServiceHost(workspace.owner.id)])
        for own, found in ((None, 6), (4, 4), (0, 0)):
            link = await workspace.link(f"lesson-{found}", service_id=lesson.id, max_repeats=own, horizon_days=400)
            assert (await workspace.context(link)).link.max_repeats == found
        with pytest.raises(Invalid, match="repeat"):
            await book_series(workspace.ports, workspace.token(link), request(NINE, repeat=Repeat(2)))
        with pytest.raises(Invalid) as refused:
            await change_link(workspace.ports, workspace.owner, link.id, {"max_repeats": 1})
        assert refused.value.errors[0].field == "max_repeats"

    async def test_somebody_without_an_address_is_told_nothing(self, workspace: Workspace) -> None:
        link = await workspace.link(horizon_days=400)
        wanted = ClientBooking(request(NINE, repeat=Repeat(2), recipient=Recipient("Walk-in", "")), link_id=link.id)
        await book_series_for_client(workspace.ports, workspace.owner, wanted)
        lanes = {row["lane"].rpartition(":")[2] for row in await workspace.rows(m.outbox)}
        assert "recipient" not in lanes
