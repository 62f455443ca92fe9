"""A connected calendar's mirror: up to date, never free by accident, and its troubles told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest
from aiohttp import web

from app.db import models as m
from app.domain.errors import CalendarUnavailable, Conflict, NotFound, ProviderFailure
from app.use_cases.choose_calendars import relist_calendars
from app.use_cases.ids import new_id
from app.use_cases.mirror import AHEAD
from app.use_cases.refresh_calendars import refresh_calendars
from app.use_cases.sync_calendar import sync_calendar, sync_calendar_job, sync_lane
from tests.support.clock import MONDAY, at
from tests.support.workspace import event_text
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = pytest.mark.anyio
TUESDAY = at("2027-03-02 00:00")
NINE, TEN = at("2027-03-02 09:00"), at("2027-03-02 10:00")
DAY = 86400
POLL = 600


def recurring(uid: str, *lines: str) -> str:
    """An event of these lines."""
    return event_text(uid, NINE, TEN).replace("SUMMARY:Dentist", "\r\n".join(["SUMMARY:Dentist", *lines]))


def refusing(status: int, **headers: str) -> Callable[[web.Request, str], Awaitable[web.Response]]:
    """Answers everything with this status."""

    async def interfere(request: web.Request, text: str) -> web.Response:
        return web.Response(status=status, headers=headers)

    return interfere


async def test_events_become_busy_time_and_free_time_again(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    key = await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)
    assert await world.busy_times(calendar) == [(NINE, TEN)]
    link = await world.link()
    assert NINE not in await world.free(link, TUESDAY, TUESDAY)

    before = await world.revision()
    await sync_calendar(world.ports, calendar.id)
    assert await world.revision() == before

    await world.remote.remove(remote, key)
    await sync_calendar(world.ports, calendar.id)
    assert await world.busy_times(calendar) == []
    assert await world.revision() > before
    assert NINE in await world.free(link, TUESDAY, TUESDAY)


async def test_a_change_that_frees_nothing_leaves_cached_times_alone(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    uid = new_id()
    await world.event(remote, NINE, TEN, uid)
    calendar = await world.connect(remote)
    before = await world.revision()
    await world.remote.put(remote, uid, event_text(uid, NINE, TEN).replace("Dentist", "Doctor"))
    await sync_calendar(world.ports, calendar.id)
    assert await world.revision() == before


async def test_recurrences_are_stored_ahead_and_worked_out_anew_as_time_passes(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    uid = new_id()
    await world.remote.put(remote, uid, recurring(uid, "RRULE:FREQ=WEEKLY"))
    calendar = await world.connect(remote)
    busy = await world.busy_times(calendar)
    assert len(busy) == 105
    assert MONDAY + AHEAD - 8 * DAY < busy[-1][0] < MONDAY + AHEAD

    world.clock.advance(40 * DAY)
    await sync_calendar(world.ports, calendar.id)
    later = await world.busy_times(calendar)
    assert later[-1][0] > busy[-1][0]
    assert later[0][0] > world.clock.now - 8 * DAY


async def test_own_bookings_in_the_calendar_are_known_and_not_busy(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    booking = await world.book(await world.link(), NINE)
    await world.event(remote, NINE, NINE + 1800, booking.uid)
    await sync_calendar(world.ports, calendar.id)
    assert await world.busy_times(calendar) == []
    rows = await world.rows(m.calendar_objects.select().where(m.calendar_objects.c.calendar_id == calendar.id))
    assert [row["booking_id"] for row in rows] == [booking.id]


async def test_a_guests_copy_of_somebody_elses_booking_is_busy(world: CalendarWorld) -> None:
    """The invitation has the booking's UID, but the guest is no host of it."""
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    other = await world.user("ben")
    booking = await world.book(await world.link("ben", other), NINE)
    await world.event(remote, NINE, NINE + 1800, booking.uid)
    await sync_calendar(world.ports, calendar.id)
    assert await world.busy_times(calendar) == [(NINE, NINE + 1800)]


async def test_declined_invitations_are_not_busy(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    uid = new_id()
    declined = f"ATTENDEE;PARTSTAT=DECLINED:mailto:{world.owner.email}"
    await world.remote.put(remote, uid, recurring(uid, "ORGANIZER:mailto:boss@example.org", declined))
    calendar = await world.connect(remote)
    assert await world.busy_times(calendar) == []


@pytest.mark.parametrize(("status", "kind"), [(401, "auth"), (403, "auth"), (404, "gone"), (503, "busy")])
async def test_a_failure_is_told_and_leaves_the_last_copy(world: CalendarWorld, status: int, kind: str) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)
    read_at = world.clock.now
    world.clock.advance(600)
    world.box.interfere = refusing(status)
    with pytest.raises(ProviderFailure) as failure:
        await sync_calendar(world.ports, calendar.id)
    assert failure.value.kind == kind
    stored, account = await world.calendar(calendar), await world.account(calendar)
    assert stored.synced_at == read_at
    assert stored.sync_error == account.error == failure.value.detail
    assert account.status == "error"
    assert await world.busy_times(calendar) == [(NINE, TEN)]

    world.box.interfere = None
    await sync_calendar(world.ports, calendar.id)
    stored, account = await world.calendar(calendar), await world.account(calendar)
    assert (stored.synced_at, stored.sync_error) == (world.clock.now, None)
    assert (account.status, account.error, account.last_ok_at) == ("ok", None, world.clock.now)


@pytest.mark.parametrize(
    "body", ["<html>Please sign in</html>", "<D:multistatus xmlns:D='DAV:'>", "<D:multistatus xmlns:D='DAV:'/>"]
)
async def test_garbage_leaves_the_last_copy(world: CalendarWorld, body: str) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)

    async def interfere(request: web.Request, text: str) -> web.Response:
        return web.Response(status=207, content_type="application/xml", text=body)

    world.box.interfere = interfere
    with pytest.raises(ProviderFailure):
        await sync_calendar(world.ports, calendar.id)
    assert await world.busy_times(calendar) == [(NINE, TEN)]
    assert (await world.account(calendar)).status == "error"


async def test_past_the_age_limit_the_host_is_not_offered_until_it_is_read_again(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    link = await world.link()
    world.box.interfere = refusing(503)
    world.clock.advance(world.ports.calendar_age_limit - 60)
    day = world.clock.now + DAY
    assert await world.free(link, day, day)
    world.clock.advance(120)
    with pytest.raises(CalendarUnavailable):
        await world.free(link, day, day)

    world.box.interfere = None
    before = await world.revision()
    await sync_calendar(world.ports, calendar.id)
    assert await world.revision() > before
    assert await world.free(link, day, day)


async def test_an_event_that_cannot_be_read_is_told_and_keeps_its_last_time(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    uid = new_id()
    await world.event(remote, NINE, TEN, uid)
    calendar = await world.connect(remote)
    await world.event(remote, TEN, TEN + 600, uid)
    start = f"DTSTART:{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(TEN))}"
    change = world.box.change
    assert change is not None
    world.box.change = lambda text: change(text).replace(start, "DTSTART:tomorrow")
    for _ in range(2):
        await sync_calendar(world.ports, calendar.id)
        stored = await world.calendar(calendar)
        assert stored.sync_error is not None
        assert "1 event could not be fully understood" in stored.sync_error
        assert await world.busy_times(calendar) == [(NINE, TEN)]
    other = await world.event(remote, TEN, TEN + 600)
    world.box.change = change
    await sync_calendar(world.ports, calendar.id)
    assert "1 event" in ((await world.calendar(calendar)).sync_error or "")
    await world.event(remote, TEN, TEN + 1200, uid)
    await world.remote.remove(remote, other)
    await sync_calendar(world.ports, calendar.id)
    assert (await world.calendar(calendar)).sync_error is None
    assert await world.busy_times(calendar) == [(TEN, TEN + 1200)]


async def test_an_event_that_was_never_readable_is_told(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    world.only(remote)
    change = world.box.change
    assert change is not None
    calendar = await world.connect(remote)
    await world.event(remote, TEN, TEN + 600)
    world.box.change = lambda text: change(text).replace("DTSTART:20270302T100000Z", "X-NOTHING:1")
    await sync_calendar(world.ports, calendar.id)
    stored = await world.calendar(calendar)
    assert stored.synced_at == world.clock.now
    assert "1 event could not be fully understood" in (stored.sync_error or "")
    assert (await world.account(calendar)).status == "ok"
    assert await world.busy_times(calendar) == [(NINE, TEN)]


async def test_two_resources_with_one_uid_both_count(world: CalendarWorld) -> None:
    """Against the standard, and seen in the wild."""
    remote = await world.remote_calendar()
    first, second = new_id(), new_id()
    await world.event(remote, NINE, TEN, first)
    calendar = await world.connect(remote)
    await world.event(remote, TEN, TEN + 600, second)
    change = world.box.change
    assert change is not None
    world.box.change = lambda text: change(text).replace(f"UID:{second}", f"UID:{first}")
    await sync_calendar(world.ports, calendar.id)
    assert await world.busy_times(calendar) == [(NINE, TEN), (TEN, TEN + 600)]


async def test_a_calendar_that_vanished_is_a_fault_and_its_time_stays(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)
    await world.remote.drop_calendar(remote)
    with pytest.raises(ProviderFailure) as failure:
        await sync_calendar(world.ports, calendar.id)
    assert failure.value.kind == "gone"
    assert await world.busy_times(calendar) == [(NINE, TEN)]


async def test_an_answer_that_is_older_than_what_is_stored_is_asked_again(world: CalendarWorld) -> None:
    """Two processes: the slower answer must not undo the quicker one."""
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    key = await world.event(remote, NINE, TEN)
    arrived, go_on = asyncio.Event(), asyncio.Event()
    change = world.box.change
    assert change is not None

    async def interfere(request: web.Request, text: str) -> web.Response | None:
        if "multiget" in text and not arrived.is_set():
            arrived.set()
            await go_on.wait()
        return None

    world.box.interfere = interfere
    slow = asyncio.create_task(sync_calendar(world.ports, calendar.id))
    await arrived.wait()
    await world.remote.remove(remote, key)
    later = await world.event(remote, TEN, TEN + 600)
    await sync_calendar(world.ports, calendar.id)
    go_on.set()
    await slow
    assert await world.busy_times(calendar) == [(TEN, TEN + 600)]
    assert later


async def test_polling_goes_on_more_slowly_while_it_fails(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    lane = sync_lane(calendar.id)
    await world.work(60)
    following = (await world.lanes())[lane]
    assert 300 <= following - world.clock.now < 360

    world.box.interfere = refusing(503, **{"Retry-After": "1800"})
    await world.work(following - world.clock.now)
    pause = (await world.lanes())[lane] - world.clock.now
    assert 1800 <= pause <= 2250

    world.box.interfere = refusing(500)
    await world.work(pause)
    first = (await world.lanes())[lane] - world.clock.now
    await world.work(first)
    second = (await world.lanes())[lane] - world.clock.now
    assert 60 <= first < second <= 4500
    assert not [row for row in await world.rows(m.outbox) if row["state"] == "dead"]


async def test_calendars_that_were_asked_to_wait_do_not_come_back_together(world: CalendarWorld) -> None:
    remotes = [await world.remote_calendar() for _ in range(6)]
    calendar = await world.connect(remotes[0])
    world.only(*remotes)
    await relist_calendars(world.ports, world.owner, calendar.account_id)
    found = await world.calendars(await world.account(calendar))
    world.box.interfere = refusing(429, **{"Retry-After": "1000"})
    await world.work(POLL)
    lanes = await world.lanes()
    pauses = {lanes[sync_lane(each.id)] - world.clock.now for each in found}
    assert min(pauses) >= 1000
    assert max(pauses) <= 1250
    assert len(pauses) > 2


async def test_polling_ends_for_calendars_that_block_no_time(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.set(m.calendars, m.calendars.c.id == calendar.id, is_conflict=False)
    await world.work(60)
    assert sync_lane(calendar.id) not in await world.lanes()


async def test_a_calendar_that_was_forgotten_is_not_found(world: CalendarWorld) -> None:
    with pytest.raises(NotFound):
        await sync_calendar(world.ports, new_id())


async def test_the_owner_is_told_by_mail_at_once_when_only_they_can_mend_it(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    world.box.interfere = refusing(401)
    await world.work(60)
    mails = list((world.parts.settings.data_dir / "mail").rglob("*.eml"))
    assert len(mails) == 1
    assert world.owner.email in mails[0].read_text()
    await world.work(3600)
    assert len(list((world.parts.settings.data_dir / "mail").rglob("*.eml"))) == 1
    assert (await world.account(calendar)).status == "error"


async def test_trouble_that_passes_makes_no_mail(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.connect(remote)
    world.box.interfere = refusing(503)
    await world.work(60)
    world.box.interfere = None
    for _ in range(12):
        await world.work(3600)
    assert not list((world.parts.settings.data_dir / "mail").rglob("*.eml"))
    assert not [lane for lane in await world.lanes() if lane.endswith(":trouble")]


async def test_booking_sees_an_event_that_was_added_a_moment_ago(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.connect(remote)
    link = await world.link()
    assert NINE in await world.free(link, TUESDAY, TUESDAY)
    await world.event(remote, NINE, TEN)
    with pytest.raises(Conflict) as refusal:
        await world.book(link, NINE)
    assert NINE not in refusal.value.alternatives
    assert (await world.book(link, TEN)).start == TEN


async def test_booking_waits_for_a_slow_calendar_only_so_long(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    await world.event(remote, NINE, TEN)
    world.box.delay = 4.0
    began = time.monotonic()
    await refresh_calendars(world.ports, [world.owner.id], world.clock.now, 0.3)
    assert time.monotonic() - began < 3.0, "before the calendar answered"
    assert await world.busy_times(calendar) == []
    await world.settled()
    assert await world.busy_times(calendar) == [(NINE, TEN)]


async def test_many_bookers_ask_one_question(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.connect(remote)
    world.box.seen.clear()
    world.box.delay = 0.2
    await asyncio.gather(*(refresh_calendars(world.ports, [world.owner.id], world.clock.now, 5.0) for _ in range(20)))
    assert len(world.box.seen) == 1


async def test_refreshing_never_raises(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    calendar = await world.connect(remote)
    world.box.interfere = refusing(401)
    await refresh_calendars(world.ports, [world.owner.id], world.clock.now, 2.0)
    assert (await world.account(calendar)).status == "error"
    await refresh_calendars(world.ports, [new_id()], world.clock.now, 2.0)


async def test_a_provider_that_is_not_there_is_told(world: CalendarWorld) -> None:
    calendar = await world.connected_calendar(world.owner, synced_at=None, provider="elsewhere")
    with pytest.raises(ProviderFailure):
        await sync_calendar(world.ports, calendar.id)
    assert (await world.account(calendar)).status == "error"
    assert sync_calendar_job is world.parts.handlers["sync_calendar"]
