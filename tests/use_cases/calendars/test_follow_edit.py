"""What the owner does to a booking's event in their own calendar becomes real, or is put back and told."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.calendars import PERSONAL, Calendar
from app.domain.errors import NotFound
from app.domain.services import ServiceHost
from app.use_cases.booking_changes import Actor
from app.use_cases.calendar_objects import Conditions
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars, relist_calendars
from app.use_cases.follow_edit import answer_edit
from app.use_cases.manage_services import create_service
from app.use_cases.note_edits import GRACE_SECONDS
from app.use_cases.put_calendar_object import put_calendar_object
from app.use_cases.reschedule_booking import Move, reschedule_booking
from tests.support.clock import at
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = pytest.mark.anyio
NINE, TEN, ELEVEN = (at(f"2027-03-02 {hour:02}:00") for hour in (9, 10, 11))
NIGHT = at("2027-03-02 03:10")
POLL = 600


def readable(path: Path) -> str:
    """A kept mail with its parts decoded."""
    mail = message_from_bytes(path.read_bytes(), policy=default)
    parts = [part.get_content() for part in mail.walk() if part.get_content_maintype() == "text"]
    return "\n".join([f"To: {mail['To']}", *map(str, parts)])


class Desk:
    """The owner at their own calendar, which bookings are written to."""

    def __init__(self, world: CalendarWorld, remote: str, calendar: Calendar) -> None:
        self.world = world
        self.remote = remote
        self.calendar = calendar

    async def written(self, *starts: int, **link: Any) -> list[Booking]:
        """Bookings whose events are there."""
        made = await self.world.link(**link)
        bookings = [await self.world.book(made, start) for start in starts]
        await self.world.work(POLL)
        assert len(await self.world.remote.keys(self.remote)) == len(starts)
        return bookings

    async def key(self, booking: Booking) -> str:
        for key in await self.world.remote.keys(self.remote):
            if booking.uid in await self.world.remote.read(self.remote, key):
                return key
        raise AssertionError("it is not there")

    async def move(self, booking: Booking, start: int, minutes: float = 30) -> None:
        """Drag the event to another time."""
        key = await self.key(booking)
        text = await self.world.remote.read(self.remote, key)
        await self.world.remote.put_at(self.remote, key, self._moved(text, start, minutes))

    @staticmethod
    def _moved(text: str, start: int, minutes: float) -> str:
        """The event as a device writes it back: its own zone, the rest as it was."""
        walls = [datetime.fromtimestamp(at_, UTC).strftime("%Y%m%dT%H%M%SZ") for at_ in (start, start + minutes * 60)]
        body = text[text.index("BEGIN:VEVENT") : text.index("END:VEVENT")]
        body = re.sub(r"DTSTART[^\r\n]*", f"DTSTART:{walls[0]}", body)
        body = re.sub(r"DTEND[^\r\n]*", f"DTEND:{walls[1]}", body)
        return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Device//EN\r\n{body}END:VEVENT\r\nEND:VCALENDAR\r\n"

    async def delete(self, booking: Booking) -> None:
        await self.world.remote.remove(self.remote, await self.key(booking))

    async def stored(self, booking: Booking) -> Booking:
        async with self.world.ports.read() as work:
            found = await work.bookings.get(booking.id)
        assert found is not None
        return found

    async def event_start(self, booking: Booking) -> int:
        text = await self.world.remote.read(self.remote, await self.key(booking))
        wall = re.search(r"BEGIN:VEVENT.*?DTSTART(?:;TZID=UTC)?:(\d{8}T\d{6})Z?", text, re.DOTALL)
        assert wall is not None
        return int(datetime.strptime(wall[1], "%Y%m%dT%H%M%S").replace(tzinfo=UTC).timestamp())

    def mails(self, words: str) -> list[str]:
        """Mails that hold these words, their parts decoded."""
        folder = self.world.parts.settings.data_dir / "mail"
        return [text for text in map(readable, folder.rglob("*.eml")) if words in text]

    async def policy(self, edits: str) -> None:
        accounts = m.calendar_accounts.c
        await self.world.set(m.calendar_accounts, accounts.id == self.calendar.account_id, edits=edits)


@pytest.fixture
async def desk(world: CalendarWorld) -> Desk:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.write_to(calendar)
    return Desk(world, remote, calendar)


async def test_a_moved_event_moves_its_booking(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    await desk.move(booking, ELEVEN)
    await desk.world.work(POLL)
    moved = await desk.stored(booking)
    assert (moved.start, moved.end, moved.status, moved.sequence) == (ELEVEN, ELEVEN + 1800, "confirmed", 1)
    assert moved.uid == booking.uid
    assert [mail for mail in desk.mails("To: Casey") if "SEQUENCE:1" in mail]


async def test_our_own_writes_do_not_come_back_as_edits(desk: Desk) -> None:
    """No echo: after everything has settled nothing changes any more, however often both sides look."""
    (booking,) = await desk.written(NINE)
    await desk.move(booking, ELEVEN)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    before = await desk.stored(booking)
    etag = [row["etag"] for row in await desk.world.rows(select(m.calendar_objects))]
    for _ in range(3):
        await desk.world.work(POLL)
    assert await desk.stored(booking) == before
    assert [row["etag"] for row in await desk.world.rows(select(m.calendar_objects))] == etag


@pytest.mark.parametrize(
    ("start", "minutes"), [(NIGHT, 30), (TEN, 25), (TEN + 300, 30)], ids=["at night", "length", "off step"]
)
async def test_what_the_rules_never_offer_is_put_back_and_told(desk: Desk, start: int, minutes: int) -> None:
    weekly = {day: [("09:00", "17:00")] for day in ("mon", "tue", "wed", "thu", "fri")}
    await desk.world.hours(desk.world.owner, weekly)
    (booking,) = await desk.written(NINE, step=30)
    await desk.move(booking, start, minutes)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).start == NINE
    assert await desk.event_start(booking) == NINE
    (mail,) = desk.mails("The booking could not be moved")
    assert f"/app/bookings/{booking.id}" in mail


async def test_a_taken_time_is_put_back_whatever_the_owner_allows(desk: Desk) -> None:
    first, second = await desk.written(NINE, ELEVEN)
    await desk.policy("outside")
    await desk.move(first, ELEVEN)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert ((await desk.stored(first)).start, (await desk.stored(second)).start) == (NINE, ELEVEN)
    assert await desk.event_start(first) == NINE
    assert len(desk.mails("The booking could not be moved")) == 1


async def test_outside_the_hours_when_the_owner_allows_it(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    await desk.policy("outside")
    await desk.move(booking, NIGHT, 25)
    await desk.world.work(POLL)
    moved = await desk.stored(booking)
    assert (moved.start, moved.duration) == (NIGHT, 25)


@pytest.mark.parametrize("accept", [True, False])
async def test_the_owner_is_asked_when_they_want_to_be(desk: Desk, accept: bool) -> None:
    (booking,) = await desk.written(NINE)
    await desk.policy("ask")
    await desk.move(booking, ELEVEN)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).start == NINE
    assert len(desk.mails("Please say what you meant")) == 1
    await answer_edit(desk.world.ports, desk.world.owner.id, booking.id, desk.calendar.id, accept=accept)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).start == (ELEVEN if accept else NINE)
    assert await desk.event_start(booking) == (ELEVEN if accept else NINE)
    with pytest.raises(NotFound):
        await answer_edit(desk.world.ports, desk.world.owner.id, booking.id, desk.calendar.id, accept=accept)


async def test_a_deleted_event_cancels_its_booking_after_the_grace_time(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    await desk.delete(booking)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).status == "confirmed"
    await desk.world.work(GRACE_SECONDS)
    cancelled = await desk.stored(booking)
    assert cancelled.status == "cancelled"
    await desk.world.work(60)
    assert await desk.world.remote.keys(desk.remote) == []
    assert [mail for mail in desk.mails("To: Casey") if "METHOD:CANCEL" in mail]


async def test_an_event_put_somewhere_else_is_not_deleted(desk: Desk) -> None:
    """iPhones move an event between calendars by deleting it here and putting it there."""
    other = await desk.world.remote_calendar()
    desk.world.only(desk.remote, other)
    await relist_calendars(desk.world.ports, desk.world.owner, desk.calendar.account_id)
    (booking,) = await desk.written(NINE)
    text = await desk.world.remote.read(desk.remote, await desk.key(booking))
    await desk.delete(booking)
    await desk.world.work(POLL)
    await desk.world.remote.put(other, booking.uid, text)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).status == "confirmed"
    await reschedule_booking(desk.world.ports, booking.id, Move(ELEVEN), Actor("user"))
    await desk.world.work(POLL)
    keys = [await desk.world.remote.keys(remote) for remote in (desk.remote, other)]
    assert sum(map(len, keys)) == 1


async def test_an_event_that_was_moved_into_a_calendar_of_our_own_is_not_deleted(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    text = await desk.world.remote.read(desk.remote, await desk.key(booking))
    await desk.delete(booking)
    async with desk.world.ports.read() as work:
        personal = await work.calendars.builtin_calendar(desk.world.owner.id, PERSONAL)
    assert personal is not None
    await put_calendar_object(desk.world.ports, personal, "moved.ics", text, Conditions())
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).status == "confirmed"
    assert await desk.event_start(booking) == NINE  # it is in its calendar, too


async def test_an_event_that_comes_back_within_the_grace_time_was_not_deleted(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    text = await desk.world.remote.read(desk.remote, await desk.key(booking))
    await desk.delete(booking)
    await desk.world.work(POLL)
    await desk.world.remote.put(desk.remote, booking.uid, text)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).status == "confirmed"


@pytest.mark.parametrize("accept", [True, False])
async def test_several_deletions_at_once_wait_for_the_owners_word(desk: Desk, accept: bool) -> None:
    bookings = await desk.written(NINE, TEN, ELEVEN)
    for booking in bookings:
        await desk.delete(booking)
    for _ in range(3):
        await desk.world.work(POLL)
    assert {(await desk.stored(booking)).status for booking in bookings} == {"confirmed"}
    assert len(desk.mails("Please say what you meant")) == 1
    for booking in bookings:
        await answer_edit(desk.world.ports, desk.world.owner.id, booking.id, desk.calendar.id, accept=accept)
    await desk.world.work(POLL)
    statuses = {(await desk.stored(booking)).status for booking in bookings}
    assert statuses == ({"cancelled"} if accept else {"confirmed"})
    assert len(await desk.world.remote.keys(desk.remote)) == (0 if accept else 3)


async def test_a_calendar_that_vanished_cancels_nothing(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    await desk.world.remote.drop_calendar(desk.remote)
    for _ in range(4):
        await desk.world.work(POLL)
    assert (await desk.stored(booking)).status == "confirmed"
    assert (await desk.world.account(desk.calendar)).status == "error"


async def test_what_is_over_may_be_tidied_away(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    desk.world.clock.now = NINE + 2000
    await desk.delete(booking)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).status in {"confirmed", "completed"}


async def test_a_write_calendar_that_blocks_nothing_is_followed_too(desk: Desk) -> None:
    off = CalendarChoice(desk.calendar.id, is_conflict=False)
    await choose_calendars(desk.world.ports, desk.world.owner, desk.calendar.account_id, [off])
    (booking,) = await desk.written(NINE)
    await desk.move(booking, ELEVEN)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).start == ELEVEN


async def test_a_change_here_wins_over_one_there(desk: Desk) -> None:
    """Both at once: the booking as it is here is written, and nothing goes back and forth."""
    (booking,) = await desk.written(NINE)
    await desk.move(booking, ELEVEN)
    await reschedule_booking(desk.world.ports, booking.id, Move(TEN), Actor("user"))
    for _ in range(3):
        await desk.world.work(POLL)
    assert (await desk.stored(booking)).start == TEN
    assert await desk.event_start(booking) == TEN


async def stay(desk: Desk) -> Booking:
    """Three nights with the owner, from 15:00 to 11:00, whose event is there."""
    world = desk.world
    shape = {"name": "Tour", "durations": (1440, 3 * 1440), "check_in": "15:00", "check_out": "11:00"}
    tour = await create_service(world.ports, world.owner, shape, (), [ServiceHost(world.owner.id)])
    booking = await world.book(await world.link("tour", service_id=tour.id), at("2027-03-12 15:00"), 3 * 1440)
    await world.work(POLL)
    return await desk.stored(booking)


@pytest.mark.parametrize("policy", ["rules", "outside", "ask"])
@pytest.mark.parametrize(("begin", "end"), [("15:00", "09:30"), ("08:00", "18:00"), ("00:00", "00:00")])
async def test_a_stay_on_the_same_dates_has_not_moved(desk: Desk, policy: str, begin: str, end: str) -> None:
    """Whatever time of day a phone makes of it. It is put back, and nobody is asked; where the rules bind, another
    check-in is refused in words."""
    booking = await stay(desk)
    await desk.policy(policy)
    start, until = at(f"2027-03-12 {begin}"), at(f"2027-03-15 {end}")
    await desk.move(booking, start, (until - start) // 60)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert await desk.stored(booking) == booking
    assert await desk.event_start(booking) == booking.start
    assert not desk.mails("Please say what you meant")
    is_told = policy == "rules" and begin != "15:00"
    assert len(desk.mails("The booking could not be moved")) == is_told
    async with desk.world.ports.read() as work:
        assert await work.calendar_edits.of_user(desk.world.owner.id) == []
        (state,) = await work.event_states.in_calendar(desk.calendar.id, [booking.id])
    assert (state.state, state.written_version) == ("written", booking.version)
    etags = [row["etag"] for row in await desk.world.rows(select(m.calendar_objects))]
    await desk.world.work(POLL)
    assert [row["etag"] for row in await desk.world.rows(select(m.calendar_objects))] == etags, "nothing goes on"


async def test_a_stay_that_is_dragged_by_a_day_moves(desk: Desk) -> None:
    booking = await stay(desk)
    await desk.policy("outside")
    start = at("2027-03-13 09:00")
    await desk.move(booking, start, (at("2027-03-16 18:00") - start) // 60)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    moved = await desk.stored(booking)
    assert (moved.start, moved.end) == (at("2027-03-13 15:00"), at("2027-03-16 11:00"))
    assert await desk.event_start(booking) == moved.start, "at the house's time of day"


async def test_an_answer_that_comes_too_late_is_none(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    await desk.policy("ask")
    await desk.move(booking, ELEVEN)
    await desk.world.work(POLL)
    await reschedule_booking(desk.world.ports, booking.id, Move(TEN), Actor("user"))
    with pytest.raises(NotFound):
        await answer_edit(desk.world.ports, desk.world.owner.id, booking.id, desk.calendar.id, accept=True)
    assert (await desk.stored(booking)).start == TEN
    assert await desk.world.rows(select(m.calendar_edits)) == []


async def test_half_a_minute_is_no_length_of_a_booking(desk: Desk) -> None:
    (booking,) = await desk.written(NINE)
    await desk.policy("outside")
    await desk.move(booking, TEN, 30.5)
    await desk.world.work(POLL)
    await desk.world.work(POLL)
    assert (await desk.stored(booking)).start == NINE
    assert await desk.event_start(booking) == NINE
    assert "whole minutes" in desk.mails("The booking could not be moved")[0]
