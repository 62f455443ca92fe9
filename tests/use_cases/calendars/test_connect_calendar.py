"""Connecting an account, choosing its calendars, and letting it go."""

from __future__ import annotations

import socket

import pytest
from aiohttp import web
from sqlalchemy import select

from app.db import models as m
from app.domain.calendars import BUILTIN, PERSONAL, SCHEDULE, Calendar
from app.domain.errors import AlreadyExists, Forbidden, HalfpastError, Invalid, NotFound, ProviderFailure
from app.use_cases import connect_calendar as connecting
from app.use_cases.calendar_objects import Conditions
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars, relist_calendars
from app.use_cases.connect_calendar import NewAccount, change_secret, connect_calendar
from app.use_cases.disconnect_calendar import disconnect_calendar
from app.use_cases.ids import new_id
from app.use_cases.put_calendar_object import put_calendar_object
from app.use_cases.sync_calendar import sync_lane
from tests.support.calendar_servers import PASSWORD, USER
from tests.support.clock import at
from tests.support.workspace import event_text
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = pytest.mark.anyio
NINE, TEN = at("2027-03-02 09:00"), at("2027-03-02 10:00")


async def builtin(world: CalendarWorld, name: str) -> Calendar:
    """One of the owner's built-in calendars."""
    async with world.ports.read() as work:
        found = await work.calendars.builtin_calendar(world.owner.id, name)
    assert found is not None
    return found


async def test_a_connected_account_blocks_time_from_the_start(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)
    account = await world.account(calendar)
    assert (account.provider, account.username, account.status) == ("caldav", USER, "ok")
    assert account.url == f"{world.box.url}{USER}/"
    assert (calendar.is_conflict, calendar.is_write, calendar.read_only) == (True, False, False)
    assert calendar.synced_at == world.clock.now
    assert await world.busy_times(calendar) == [(NINE, TEN)]
    assert sync_lane(calendar.id) in await world.lanes()
    rows = await world.rows(m.calendar_accounts.select().where(m.calendar_accounts.c.id == account.id))
    assert PASSWORD not in str(rows)
    entries = await world.rows(m.audit_entries.select().where(m.audit_entries.c.entity_id == account.id))
    assert [entry["action"] for entry in entries] == ["calendar.connected"]


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"provider": "nowhere"}, "provider"),
        ({"provider": "builtin"}, "provider"),
        ({"address": "", "username": "ana"}, "address"),
        ({"secret": ""}, "secret"),
        ({"username": "a" * 255}, "username"),
        ({"address": "https://example.com/" + "a" * 2000}, "address"),
        ({"secret": "pass\x00word"}, "secret"),
    ],
)
async def test_what_was_typed_is_checked_before_anybody_is_asked(
    world: CalendarWorld, values: dict[str, str], field: str
) -> None:
    typed = {"provider": "caldav", "address": world.box.url, "username": USER, "secret": PASSWORD, **values}
    with pytest.raises(Invalid) as refusal:
        await connect_calendar(world.ports, world.owner, NewAccount(**typed))
    assert [error.field for error in refusal.value.errors] == [field]
    assert world.box.seen == []


async def test_a_wrong_password_connects_nothing(world: CalendarWorld) -> None:
    before = await world.counts()
    with pytest.raises(ProviderFailure) as failure:
        await world.connect(await world.remote_calendar(), secret="wrong")
    assert failure.value.kind == "auth"
    assert await world.counts() == before


@pytest.mark.parametrize("address", ["http://10.0.0.1/", "https://localhost/", "http://example.com/", "nonsense://x"])
async def test_addresses_that_are_not_allowed_connect_nothing(world: CalendarWorld, address: str) -> None:
    before = await world.counts()
    with pytest.raises(ProviderFailure) as failure:
        await connect_calendar(world.ports, world.owner, NewAccount("caldav", address, USER, PASSWORD))
    assert failure.value.kind == "refused"
    assert await world.counts() == before


async def test_a_server_that_is_not_there_connects_nothing(world: CalendarWorld) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{closed.getsockname()[1]}/"
        with pytest.raises(ProviderFailure) as failure:
            await connect_calendar(world.ports, world.owner, NewAccount("caldav", address, USER, PASSWORD))
    assert failure.value.kind == "unreachable"


async def test_a_server_that_takes_too_long_connects_nothing(
    world: CalendarWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connecting, "CONNECT_SECONDS", 0.3)
    world.box.delay = 1
    with pytest.raises(ProviderFailure) as failure:
        await connect_calendar(world.ports, world.owner, NewAccount("caldav", world.box.url, USER, PASSWORD))
    assert failure.value.kind == "unreachable"


async def test_an_account_without_calendars_is_told(world: CalendarWorld) -> None:
    world.only()
    with pytest.raises(ProviderFailure) as failure:
        await connect_calendar(world.ports, world.owner, NewAccount("caldav", world.box.url, USER, PASSWORD))
    assert failure.value.kind == "gone"


async def test_an_account_is_connected_once(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.connect(remote)
    with pytest.raises(AlreadyExists):
        await world.connect(remote)


async def test_a_first_reading_that_fails_is_told_and_not_free(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()

    async def interfere(request: web.Request, text: str) -> web.Response | None:
        return web.Response(status=503) if "getctag" in text else None

    world.box.interfere = interfere
    calendar = await world.connect(remote)
    assert calendar.synced_at is None
    assert calendar.sync_error
    assert (await world.account(calendar)).status == "error"
    link = await world.link()
    with pytest.raises(HalfpastError) as refusal:
        await world.free(link, NINE, NINE)
    assert refusal.value.code == "CALENDAR_UNAVAILABLE"
    world.box.interfere = None
    await world.work(120)
    assert await world.free(link, NINE, NINE)


async def test_choosing_what_blocks_time(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)
    link = await world.link()
    off = CalendarChoice(calendar.id, is_conflict=False)
    chosen = await choose_calendars(world.ports, world.owner, calendar.account_id, [off])
    assert [each.is_conflict for each in chosen] == [False]
    assert NINE in await world.free(link, NINE, NINE)
    assert sync_lane(calendar.id) not in await world.lanes()

    await world.event(remote, TEN, TEN + 3600)
    world.clock.advance(3600)
    on = CalendarChoice(calendar.id, is_conflict=True)
    chosen = await choose_calendars(world.ports, world.owner, calendar.account_id, [on])
    assert [each.synced_at for each in chosen] == [world.clock.now]
    free = await world.free(link, NINE, NINE)
    assert NINE not in free
    assert TEN not in free
    assert sync_lane(calendar.id) in await world.lanes()


async def test_tentative_events_block_time_unless_the_owner_says_otherwise(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    uid = new_id()
    text = event_text(uid, NINE, TEN).replace("SUMMARY", "STATUS:TENTATIVE\r\nSUMMARY")
    await world.remote.put(remote, uid, text)
    await world.event(remote, TEN, TEN + 3600)
    calendar = await world.connect(remote)
    link = await world.link()
    for tentative_busy in (True, False, True):
        choice = CalendarChoice(calendar.id, tentative_busy=tentative_busy)
        chosen = await choose_calendars(world.ports, world.owner, calendar.account_id, [choice])
        assert [each.tentative_busy for each in chosen] == [tentative_busy]
        await world.work()
        free = await world.free(link, NINE, NINE)
        assert (NINE in free, TEN in free) == (not tentative_busy, False)
    await choose_calendars(
        world.ports, world.owner, calendar.account_id, [CalendarChoice(calendar.id, tentative_busy=False)]
    )
    await world.work(600)
    await world.remote.put(remote, uid, text.replace("DTSTAMP:2027", "DTSTAMP:2028"))
    await world.work(600)
    assert await world.busy_times(calendar) == [(TEN, TEN + 3600)]


async def test_what_the_own_calendar_holds_tentatively_can_be_free_too(world: CalendarWorld) -> None:
    personal = await builtin(world, PERSONAL)
    text = event_text("x", NINE, TEN).replace("SUMMARY", "STATUS:TENTATIVE\r\nSUMMARY")
    await put_calendar_object(world.ports, personal, "x.ics", text, Conditions())
    link = await world.link()
    assert NINE not in await world.free(link, NINE, NINE)
    choice = CalendarChoice(personal.id, tentative_busy=False)
    await choose_calendars(world.ports, world.owner, personal.account_id, [choice])
    await world.work()
    assert NINE in await world.free(link, NINE, NINE)


async def test_one_calendar_receives_the_bookings(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    assert (await builtin(world, SCHEDULE)).is_write
    await world.write_to(calendar)
    assert (await world.calendar(calendar)).is_write
    assert not (await builtin(world, SCHEDULE)).is_write
    back = CalendarChoice(calendar.id, is_write=False)
    await choose_calendars(world.ports, world.owner, calendar.account_id, [back])
    assert not (await world.calendar(calendar)).is_write
    assert (await builtin(world, SCHEDULE)).is_write


async def test_choices_that_cannot_be_are_refused_and_change_nothing(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.set(m.calendars, m.calendars.c.id == calendar.id, read_only=True)
    schedule, personal = await builtin(world, SCHEDULE), await builtin(world, PERSONAL)
    refused = [
        (calendar.account_id, [CalendarChoice(calendar.id, is_write=True)], Invalid),
        (calendar.account_id, [CalendarChoice(calendar.id, False), CalendarChoice(new_id(), False)], NotFound),
        (calendar.account_id, [CalendarChoice(schedule.id, is_write=True)], NotFound),
        (schedule.account_id, [CalendarChoice(personal.id, is_write=True)], Invalid),
        (schedule.account_id, [CalendarChoice(schedule.id, is_conflict=True)], Invalid),
        (new_id(), [], NotFound),
    ]
    before = await world.rows(select(m.calendars).order_by(m.calendars.c.id))
    for account_id, choices, refusal in refused:
        with pytest.raises(refusal):
            await choose_calendars(world.ports, world.owner, account_id, choices)
    assert await world.rows(select(m.calendars).order_by(m.calendars.c.id)) == before


async def test_strangers_find_no_account(world: CalendarWorld) -> None:
    calendar = await world.connect(await world.remote_calendar())
    stranger = await world.user("ben")
    choice = CalendarChoice(calendar.id, is_conflict=False)
    for question in (
        choose_calendars(world.ports, stranger, calendar.account_id, [choice]),
        relist_calendars(world.ports, stranger, calendar.account_id),
        change_secret(world.ports, stranger, calendar.account_id, "x"),
        disconnect_calendar(world.ports, stranger, calendar.account_id),
    ):
        with pytest.raises(NotFound):
            await question


async def test_disconnecting_frees_the_time_and_forgets_the_secret(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)
    await world.write_to(calendar)
    link = await world.link()
    assert NINE not in await world.free(link, NINE, NINE)
    await disconnect_calendar(world.ports, world.owner, calendar.account_id)
    assert NINE in await world.free(link, NINE, NINE)
    assert (await builtin(world, SCHEDULE)).is_write
    left = await world.rows(m.calendar_accounts)
    assert [row["provider"] for row in left] == [BUILTIN]
    assert sync_lane(calendar.id) not in await world.lanes()
    assert len(await world.remote.keys(remote)) == 1


async def test_the_built_in_account_stays(world: CalendarWorld) -> None:
    with pytest.raises(Forbidden):
        await disconnect_calendar(world.ports, world.owner, (await builtin(world, SCHEDULE)).account_id)


async def test_a_new_password_is_proved_and_mends_the_account(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.set(m.calendar_accounts, m.calendar_accounts.c.id == calendar.account_id, status="error", error="x")
    with pytest.raises(ProviderFailure):
        await change_secret(world.ports, world.owner, calendar.account_id, "wrong")
    assert (await world.account(calendar)).secret == PASSWORD
    account = await change_secret(world.ports, world.owner, calendar.account_id, PASSWORD)
    assert (account.status, account.error) == ("ok", None)


async def test_calendars_made_later_are_found_and_block_time(world: CalendarWorld) -> None:
    first = await world.remote_calendar()
    calendar = await world.connect(first)
    second = await world.remote_calendar()
    await world.event(second, NINE, TEN)
    world.only(first, second)
    listed = await relist_calendars(world.ports, world.owner, calendar.account_id)
    added = next(each for each in listed if each.id != calendar.id)
    assert (len(listed), added.name, added.is_conflict) == (2, world.seen_here(second), True)
    assert await world.busy_times(added) == [(NINE, TEN)]
    world.only(first)
    assert len(await relist_calendars(world.ports, world.owner, calendar.account_id)) == 2
