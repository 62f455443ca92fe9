"""Calendars that break, or mean harm: the reading ends, the account says what is wrong, and nobody's time is free."""

from __future__ import annotations

import contextlib
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web

from app.domain.calendars import Calendar
from app.domain.errors import ProviderFailure
from app.use_cases.connect_calendar import NewAccount, connect_calendar
from app.use_cases.ids import new_id
from app.use_cases.sync_calendar import sync_calendar
from tests.support.clock import at
from tests.use_cases.calendars.world import CalendarWorld

pytestmark = pytest.mark.anyio
TUESDAY = at("2027-03-02 00:00")
NINE, TEN = at("2027-03-02 09:00"), at("2027-03-02 10:00")
MEGABYTE = 1_000_000
Body = Callable[[web.StreamResponse], Awaitable[None]]


def file(*lines: str, after: str = "") -> str:
    """A calendar of one event on Tuesday, 9 to 10."""
    event = ("BEGIN:VEVENT", "UID:a@example.org", "DTSTART:20270302T090000Z", "DTEND:20270302T100000Z")
    return "\r\n".join(["BEGIN:VCALENDAR", "VERSION:2.0", *event, *lines, "END:VEVENT", f"{after}END:VCALENDAR", ""])


@dataclass
class Publisher:
    """A server with one file, sent as text or by `send`, piece by piece."""

    text: str = field(default_factory=file)
    send: Body | None = None
    headers: dict[str, str] = field(default_factory=dict)
    url: str = ""

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if self.send is None:
            return web.Response(text=self.text, content_type="text/calendar")
        response = web.StreamResponse(headers={"Content-Type": "text/calendar", **self.headers})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):  # the reader had enough
            await self.send(response)
        return response


@pytest.fixture
async def publisher() -> AsyncIterator[Publisher]:
    made = Publisher()
    application = web.Application()
    application.router.add_get("/team.ics", made.answer)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}/team.ics"
    yield made
    await runner.cleanup()


async def subscribed(world: CalendarWorld, publisher: Publisher) -> Calendar:
    """The mirror of the file."""
    account = await connect_calendar(world.ports, world.owner, NewAccount("ics_url", publisher.url, "", ""))
    (calendar,) = await world.calendars(account)
    assert await world.busy_times(calendar) == [(NINE, TEN)]
    return calendar


async def hundred_megabytes(response: web.StreamResponse) -> None:
    for _ in range(100):
        await response.write(b"X-NOTHING:1\r\n" * (MEGABYTE // 13))


async def bomb(response: web.StreamResponse) -> None:
    """Two hundred megabytes in two hundred kilobytes."""
    packer = zlib.compressobj(wbits=31)
    packed = packer.compress(b"BEGIN:VCALENDAR\r\n")
    for _ in range(200):
        packed += packer.compress(b"x" * MEGABYTE)
    await response.write(packed + packer.flush())


async def cut(response: web.StreamResponse) -> None:
    await response.write(file().encode()[:-20])


WHOLE: dict[str, tuple[Body, dict[str, str], str]] = {
    "100 MB": (hundred_megabytes, {}, "too large"),
    "a compressed bomb": (bomb, {"Content-Encoding": "gzip"}, "too large"),
    "cut off": (cut, {}, "breaks off"),
}


@pytest.mark.parametrize("name", WHOLE)
async def test_a_file_that_is_refused_leaves_the_last_copy_and_is_told(
    world: CalendarWorld, publisher: Publisher, name: str
) -> None:
    """Within a bound of time, and of memory: what a stranger sends is never held whole."""
    calendar = await subscribed(world, publisher)
    link = await world.link()
    publisher.send, publisher.headers, words = WHOLE[name]
    tracemalloc.start()
    began = time.monotonic()
    try:
        with pytest.raises(ProviderFailure, match=words):
            await sync_calendar(world.ports, calendar.id)
        assert tracemalloc.get_traced_memory()[1] < 150 * MEGABYTE
    finally:
        tracemalloc.stop()
    assert time.monotonic() - began < 45
    account = await world.account(calendar)
    assert account.status == "error"
    assert words in (account.error or "")
    assert await world.busy_times(calendar) == [(NINE, TEN)]
    assert NINE not in await world.free(link, TUESDAY, TUESDAY)


ZONE = "BEGIN:VTIMEZONE\r\nTZID:Evil\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:+0100\r\n"
ZONE += "TZOFFSETTO:+0100\r\nRRULE:FREQ=SECONDLY\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
TOLD: dict[str, tuple[Callable[[], str], str]] = {
    "every second for ever": (lambda: file("RRULE:FREQ=SECONDLY"), "too often"),
    "a million exceptions": (lambda: file("RRULE:FREQ=DAILY", "EXDATE:" + "20270309," * 1_000_000), "larger than"),
    "ten thousand alarms deep": (lambda: file(*["BEGIN:VALARM"] * 10_000, *["END:VALARM"] * 10_000), "Only its times"),
    "a zone of seconds": (
        lambda: file(after=ZONE).replace("DTSTART:20270302T090000Z", "DTSTART;TZID=Evil:20270302T090000"),
        "“Evil” is not known",
    ),
    "no identity": (lambda: file().replace("UID:a@example.org", "CLASS:PUBLIC"), "has no UID"),
    "a rule of no calendar": (lambda: file("RRULE:FREQ=FORTNIGHTLY"), "cannot be read"),
    "another calendar's months": (lambda: file("RRULE:RSCALE=CHINESE;FREQ=MONTHLY"), "is not understood"),
}  # fmt: skip


@pytest.mark.parametrize("name", TOLD)
async def test_an_event_that_is_not_understood_takes_its_time_and_is_told(
    world: CalendarWorld, publisher: Publisher, name: str
) -> None:
    text, words = TOLD[name]
    calendar = await subscribed(world, publisher)
    link = await world.link()
    publisher.text = text()
    began = time.monotonic()
    await sync_calendar(world.ports, calendar.id)
    assert time.monotonic() - began < 30
    stored = await world.calendar(calendar)
    assert "could not be fully understood" in (stored.sync_error or "")
    assert words in (stored.sync_error or "")
    assert NINE not in await world.free(link, TUESDAY, TUESDAY)

    publisher.text = file()
    await sync_calendar(world.ports, calendar.id)
    assert (await world.calendar(calendar)).sync_error is None


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
MULTISTATUS = {
    "a billion laughs": f'<!DOCTYPE x [<!ENTITY l0 "ha">{LAUGHS}]><D:multistatus xmlns:D="DAV:">&l9;</D:multistatus>',
    "elements without end": '<D:multistatus xmlns:D="DAV:">' + "<a>" * 100_000,
    "a file of the server's": '<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><D:multistatus xmlns:D="DAV:">&f;'
    "</D:multistatus>",
}


@pytest.mark.parametrize("name", MULTISTATUS)
async def test_xml_that_means_harm_leaves_the_last_copy_and_is_told(world: CalendarWorld, name: str) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)

    async def interfere(request: web.Request, text: str) -> web.Response:
        return web.Response(status=207, content_type="application/xml", text=MULTISTATUS[name])

    world.box.interfere = interfere
    began = time.monotonic()
    with pytest.raises(ProviderFailure, match="does not answer as a calendar server"):
        await sync_calendar(world.ports, calendar.id)
    assert time.monotonic() - began < 10
    assert (await world.account(calendar)).status == "error"
    assert await world.busy_times(calendar) == [(NINE, TEN)]


async def test_a_server_that_streams_without_end_is_left(world: CalendarWorld) -> None:
    remote = await world.remote_calendar()
    await world.event(remote, NINE, TEN)
    calendar = await world.connect(remote)

    async def interfere(request: web.Request, text: str) -> web.StreamResponse:
        response = web.StreamResponse(status=207, headers={"Content-Type": "application/xml"})
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            for _ in range(1000):
                await response.write(b" " * MEGABYTE)
        return response

    world.box.interfere = interfere
    with pytest.raises(ProviderFailure, match="too large"):
        await sync_calendar(world.ports, calendar.id)
    assert (await world.account(calendar)).status == "error"
    assert await world.busy_times(calendar) == [(NINE, TEN)]


@pytest.mark.parametrize("name", ["every second for ever", "a million exceptions", "ten thousand alarms deep"])
async def test_the_same_from_a_calendar_server(world: CalendarWorld, name: str) -> None:
    """As an answer of the server's, whatever it took in."""
    remote = await world.remote_calendar()
    uid = new_id()
    await world.event(remote, TEN, TEN + 600, uid)
    calendar = await world.connect(remote)
    await world.event(remote, NINE, TEN, uid)
    text, words = TOLD[name]
    change = world.box.change
    assert change is not None
    lines = text().split("DTEND:20270302T100000Z")[1].split("END:VEVENT")[0].strip()
    world.box.change = lambda body: change(body).replace("SUMMARY:Dentist", lines)
    await sync_calendar(world.ports, calendar.id)
    assert words in ((await world.calendar(calendar)).sync_error or "")
    assert any(start <= NINE and end >= TEN for start, end in await world.busy_times(calendar))
