"""A booking's event in the connected write calendar follows the booking: exactly one, whatever happens on the way."""

from __future__ import annotations

import pytest
from aiohttp import web
from sqlalchemy import select

from app.db import models as m
from app.domain.bookings import Booking
from app.domain.calendars import Calendar
from app.domain.recurrence import read_object
from app.ports.outbox import Job
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars, relist_calendars
from app.use_cases.connect_calendar import change_secret
from app.use_cases.disconnect_calendar import disconnect_calendar
from app.use_cases.reschedule_booking import Move, reschedule_booking
from app.use_cases.sync_calendar import sync_calendar
from app.use_cases.write_event import write_calendar_event
from app.worker import MAX_ATTEMPTS, MAX_DELAY_SECONDS, Worker
from tests.support.calendar_servers import PASSWORD
from tests.support.clock import at
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = pytest.mark.anyio
NINE, ELEVEN = at("2027-03-02 09:00"), at("2027-03-02 11:00")
STAFF = Actor("user")


async def states(world: CalendarWorld, booking: Booking) -> list[tuple[str, str, str | None]]:
    """Calendar, state and error of the booking's events."""
    events = m.calendar_events.c
    rows = await world.rows(select(m.calendar_events).where(events.booking_id == booking.id))
    return [(row["calendar_id"], row["state"], row["error"]) for row in rows]


async def shown(world: CalendarWorld, booking: Booking) -> list[str]:
    """The states that the API shows."""
    async with world.ports.read() as work:
        found = await work.bookings.event_states([booking.id])
    return [each.state for each in found.get(booking.id, [])]


async def times(world: CalendarWorld, remote: str) -> list[tuple[int, int]]:
    """When the calendar's events are."""
    found: list[tuple[int, int]] = []
    for key in await world.remote.keys(remote):
        text = await world.remote.read(remote, key)
        found += read_object(text, timezone="UTC", window=(NINE - 86400, NINE + 30 * 86400)).busy
    return sorted(found)


async def connected(world: CalendarWorld) -> tuple[str, Calendar]:
    """A calendar that bookings are written to."""
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.write_to(calendar)
    return remote, calendar


async def test_booking_moving_and_cancelling_are_followed(world: CalendarWorld) -> None:
    remote, calendar = await connected(world)
    booking = await world.book(await world.link(title="Intro call"), NINE)
    assert await shown(world, booking) == ["pending"]
    await world.work()
    assert await shown(world, booking) == ["written"]
    assert await times(world, remote) == [(NINE, NINE + 1800)]
    assert await states(world, booking) == [(calendar.id, "written", None)]
    key = (await world.remote.keys(remote))[0]
    text = await world.remote.read(remote, key)
    assert f"UID:{booking.uid}" in text
    assert "Intro call: Casey Client" in text
    assert "BEGIN:VALARM" in text
    assert booking.token not in text

    await reschedule_booking(world.ports, booking.id, Move(ELEVEN), STAFF)
    assert await shown(world, booking) == ["pending"]
    await world.work()
    assert await shown(world, booking) == ["written"]
    assert await times(world, remote) == [(ELEVEN, ELEVEN + 1800)]
    assert await world.remote.keys(remote) == [key]
    assert "SEQUENCE:1" in await world.remote.read(remote, key)

    await take_step(world.ports, booking.id, "cancel", STAFF)
    assert await shown(world, booking) == ["pending"]
    await world.work()
    assert await world.remote.keys(remote) == []
    assert await states(world, booking) == []
    assert await shown(world, booking) == []


async def test_our_own_event_does_not_block_its_time_twice(world: CalendarWorld) -> None:
    remote, calendar = await connected(world)
    booking = await world.book(await world.link(step=15), NINE)
    await world.work(600)
    assert await times(world, remote)
    assert await world.busy_times(calendar) == []
    await reschedule_booking(world.ports, booking.id, Move(NINE + 900), STAFF)


async def test_a_repeated_run_changes_nothing(world: CalendarWorld) -> None:
    await connected(world)
    booking = await world.book(await world.link(), NINE)
    await world.work()
    job = Job("", booking.org_id, "", "calendar_event", booking.id, {"host_id": world.owner.id}, 1, 0)
    world.box.seen.clear()
    assert await write_calendar_event(world.ports, job) is None
    assert world.box.seen == []


async def test_a_crash_after_the_server_took_it_makes_no_second_event(world: CalendarWorld) -> None:
    """The answer is lost, and with it what the program knew."""
    remote, calendar = await connected(world)
    booking = await world.book(await world.link(), NINE)

    async def lose(request: web.Request, text: str) -> web.Response | None:
        if request.method == "PUT":
            world.box.interfere = None
            await world.box._forward(request, text)
            return web.Response(status=504)
        return None

    world.box.interfere = lose
    await world.work()
    assert await times(world, remote) == [(NINE, NINE + 1800)]
    assert [state for _, state, _ in await states(world, booking)] == ["failed"]
    await world.set(m.calendar_events, m.calendar_events.c.booking_id == booking.id, event_key=None, etag=None)
    await reschedule_booking(world.ports, booking.id, Move(ELEVEN), STAFF)
    await world.work(60)
    assert await times(world, remote) == [(ELEVEN, ELEVEN + 1800)]
    assert await states(world, booking) == [(calendar.id, "written", None)]


async def test_a_server_that_fails_is_told_and_tried_again(world: CalendarWorld) -> None:
    remote, calendar = await connected(world)

    async def refuse(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=503, headers={"Retry-After": "900"}) if request.method == "PUT" else None

    world.box.interfere = refuse
    booking = await world.book(await world.link(), NINE)
    await world.work()
    [(where, state, error)] = await states(world, booking)
    assert (where, state) == (calendar.id, "failed")
    assert error is not None
    lane = f"booking:{booking.id}:event:{world.owner.id}"
    assert (await world.lanes())[lane] - world.clock.now >= 900

    world.box.interfere = None
    await world.work(899)
    assert await times(world, remote) == []
    await world.work(400)
    assert await times(world, remote) == [(NINE, NINE + 1800)]
    assert await states(world, booking) == [(calendar.id, "written", None)]


async def test_an_event_the_person_deleted_is_cancelled_without_trouble(world: CalendarWorld) -> None:
    remote, _ = await connected(world)
    booking = await world.book(await world.link(), NINE)
    await world.work()
    await world.remote.remove(remote, (await world.remote.keys(remote))[0])
    await take_step(world.ports, booking.id, "cancel", STAFF)
    await world.work()
    assert await states(world, booking) == []


async def test_a_booking_cancelled_before_it_was_written_leaves_nothing(world: CalendarWorld) -> None:
    remote, _ = await connected(world)
    booking = await world.book(await world.link(), NINE)
    await take_step(world.ports, booking.id, "cancel", STAFF)
    await world.work()
    assert await world.remote.keys(remote) == []
    assert await states(world, booking) == []


async def test_a_booking_that_waits_for_approval_is_written_once_it_is_confirmed(world: CalendarWorld) -> None:
    remote, _ = await connected(world)
    booking = await world.book(await world.link(requires_approval=True), NINE)
    assert booking.status == "pending"
    await world.work()
    assert await world.remote.keys(remote) == []
    await take_step(world.ports, booking.id, "confirm", STAFF)
    await world.work()
    assert await times(world, remote) == [(NINE, NINE + 1800)]


async def test_another_write_calendar_takes_the_coming_events_over(world: CalendarWorld) -> None:
    first_remote, second_remote = await world.remote_calendar(), await world.remote_calendar()
    first = await world.connect(first_remote)
    world.only(first_remote, second_remote)
    account = await world.account(first)
    listed = await relist_calendars(world.ports, world.owner, account.id)
    second = next(each for each in listed if each.name == world.seen_here(second_remote))
    await world.write_to(first)
    booking = await world.book(await world.link(), NINE)
    await world.work()
    assert await times(world, first_remote) == [(NINE, NINE + 1800)]

    await world.write_to(second)
    await world.work()
    assert await times(world, first_remote) == []
    assert await times(world, second_remote) == [(NINE, NINE + 1800)]
    assert await states(world, booking) == [(second.id, "written", None)]

    await choose_calendars(world.ports, world.owner, account.id, [CalendarChoice(second.id, is_write=False)])
    await world.work()
    assert await times(world, second_remote) == []
    assert await states(world, booking) == []


async def test_a_server_that_has_a_uid_once_gets_the_event_when_the_other_one_is_gone(world: CalendarWorld) -> None:
    """As Fastmail does: two calendars of an account cannot have the same event."""
    first_remote, second_remote = await world.remote_calendar(), await world.remote_calendar()
    first = await world.connect(first_remote)
    world.only(first_remote, second_remote)
    listed = await relist_calendars(world.ports, world.owner, first.account_id)
    second = next(each for each in listed if each.name == world.seen_here(second_remote))
    await world.write_to(first)
    booking = await world.book(await world.link(), NINE)
    await world.work()

    async def once(request: web.Request, _: str) -> web.StreamResponse | None:
        is_second = request.method == "PUT" and request.path.startswith(second_remote.replace(world.server.url, "/"))
        return web.Response(status=403) if is_second and await world.remote.keys(first_remote) else None

    world.box.interfere = once
    await world.write_to(second)
    await world.work()
    await world.work(60)
    assert await times(world, first_remote) == []
    assert await times(world, second_remote) == [(NINE, NINE + 1800)]
    assert await states(world, booking) == [(second.id, "written", None)]


@pytest.mark.parametrize("mended_by", ["the server", "a new password"])
async def test_what_was_given_up_is_written_once_the_account_works_again(world: CalendarWorld, mended_by: str) -> None:
    """However long it was away: nobody has to ask for it."""
    remote, calendar = await connected(world)
    status = 503 if mended_by == "the server" else 401

    async def refuse(*_: object) -> web.StreamResponse:
        return web.Response(status=status)

    world.box.interfere = refuse
    start = NINE + 7 * 86400
    booking = await world.book(await world.link(), start)
    for _ in range(MAX_ATTEMPTS):
        await world.work(2 * MAX_DELAY_SECONDS)
    letters = [row for row in await world.rows(m.outbox) if row["state"] == "dead"]
    assert [letter["kind"] for letter in letters] == ["calendar_event"]
    world.box.interfere = None
    if mended_by == "the server":
        await sync_calendar(world.ports, calendar.id)
    else:
        await change_secret(world.ports, world.owner, calendar.account_id, PASSWORD)
    await world.work()
    assert await times(world, remote) == [(start, start + 1800)]
    assert await states(world, booking) == [(calendar.id, "written", None)]
    assert [row for row in await world.rows(m.outbox) if row["state"] == "dead"] == []


async def test_bookings_go_on_without_the_account_once_it_is_disconnected(world: CalendarWorld) -> None:
    remote, calendar = await connected(world)
    link = await world.link()
    kept = await world.book(link, NINE)
    await world.work()
    await disconnect_calendar(world.ports, world.owner, calendar.account_id)
    booking = await world.book(link, ELEVEN)
    await take_step(world.ports, kept.id, "cancel", STAFF)
    await world.work()
    assert await times(world, remote) == [(NINE, NINE + 1800)]
    assert await states(world, booking) == await states(world, kept) == []
    assert not [row for row in await world.rows(m.outbox) if row["last_error"]]


@pytest.mark.parametrize("die_at", ["before the request", "after the request"])
async def test_a_worker_that_dies_leaves_the_work_to_the_next_one(
    world: CalendarWorld, die_at: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends in the middle: no state is noted after it."""
    remote, calendar = await connected(world)
    booking = await world.book(await world.link(), NINE)
    provider = world.ports.providers["caldav"]
    write = provider.write_event

    async def die(*arguments: object) -> object:
        if die_at == "after the request":
            await write(*arguments)  # type: ignore[arg-type]  # handed through
        raise RuntimeError("killed")

    monkeypatch.setattr(provider, "write_event", die)
    await world.work()
    assert [state for _, state, _ in await states(world, booking)] == ["pending"]
    monkeypatch.undo()
    world.clock.advance(3600)
    await Worker(world.ports, world.parts.handlers).drain()
    assert await times(world, remote) == [(NINE, NINE + 1800)]
    assert await states(world, booking) == [(calendar.id, "written", None)]


def trouble_mails(world: CalendarWorld) -> list[str]:
    """What the owner was told of events that did not get into their calendar."""
    mails = (world.parts.settings.data_dir / "mail").rglob("*.eml")
    return [text for text in (mail.read_text() for mail in mails) if "Your calendar is behind" in text]


async def test_trouble_that_lasts_is_told_once(world: CalendarWorld) -> None:
    remote, _ = await connected(world)

    async def refuse(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=503) if request.method == "PUT" else None

    world.box.interfere = refuse
    booking = await world.book(await world.link(), NINE)
    await world.work()
    assert trouble_mails(world) == []
    await world.work(3 * 3600)
    await world.work(2 * 3600)
    (mail,) = trouble_mails(world)
    assert f"To: Owner <{world.owner.email}>" in mail
    assert f"/app/bookings/{booking.id}" in mail
    await world.work(6 * 3600)
    assert len(trouble_mails(world)) == 1

    world.box.interfere = None
    await world.work(6 * 3600)
    assert await times(world, remote) == [(NINE, NINE + 1800)]
    assert len(trouble_mails(world)) == 1


async def test_trouble_only_the_owner_can_mend_is_told_at_once(world: CalendarWorld) -> None:
    await connected(world)

    async def refuse(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=403) if request.method == "PUT" else None

    world.box.interfere = refuse
    await world.book(await world.link(), NINE)
    await world.work()
    assert len(trouble_mails(world)) == 1


async def test_trouble_that_passes_is_not_told(world: CalendarWorld) -> None:
    await connected(world)

    async def refuse(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=503) if request.method == "PUT" else None

    world.box.interfere = refuse
    booking = await world.book(await world.link(), NINE)
    await world.work()
    world.box.interfere = None
    await world.work(600)
    assert f"booking:{booking.id}:write-trouble:{world.owner.id}" not in await world.lanes()
    await world.work(5 * 3600)
    assert trouble_mails(world) == []
