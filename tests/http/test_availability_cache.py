"""An availability answer is the right one at once, whoever changed what, in whatever process, and as time goes on."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from app.config import Settings
from app.use_cases.calendar_objects import Conditions
from app.use_cases.delete_calendar_object import delete_calendar_object
from app.use_cases.find_slots import SlotQuestion, find_slots
from app.use_cases.put_calendar_object import put_calendar_object
from app.web.api.availability import render
from app.web.times import parse_date
from tests.http.api import Api, running
from tests.http.endpoints import booking_body
from tests.http.workspace import NOW, Workspace, at, moment
from tests.support.clock import Clock
from tests.support.statements import statements_of
from tests.switches import examples

pytestmark = pytest.mark.anyio

QUERY = {"from": "2027-03-01", "to": "2027-03-12", "duration": "30", "timezone": "Europe/Berlin"}
NO_CONDITIONS = Conditions()


class Two:
    """Two processes over one database: `reader` keeps answers, `writer` changes things."""

    def __init__(self, reader: Api, writer: Api) -> None:
        self.reader = reader
        self.writer = writer

    @property
    def clock(self) -> Clock:
        return self.reader.clock

    async def kept(self, token: str = "acme.intro") -> Any:
        """What the reader says."""
        answer = await self.reader.get(f"/public/{token}/availability", params=QUERY)
        return answer.json() if answer.status_code == 200 else answer.status_code

    async def starts(self, token: str = "acme.intro") -> set[str]:
        return {slot["start"] for day in (await self.kept(token))["days"] for slot in day["slots"]}

    async def right(self, token: str = "acme.intro") -> bytes:
        """What is right: worked out anew."""
        question = SlotQuestion(parse_date(QUERY["from"], ""), parse_date(QUERY["to"], ""), 30, QUERY["timezone"])
        return render(await find_slots(self.reader.app.state.ports, token, question, self.clock.now), question)


@pytest.fixture
async def two(settings: Settings, workspace: Workspace) -> AsyncIterator[Two]:
    clock = Clock(NOW)
    async with running(settings, workspace, clock) as reader, running(settings, workspace, clock) as writer:
        yield Two(reader, writer)


async def book(two: Two, start: int, token: str = "acme.intro") -> dict[str, Any]:
    body = {**booking_body(two.writer.acme), "start": moment(start)}
    answer = await two.writer.post(f"/public/{token}/book", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def change(two: Two, method: str, path: str, body: Any = None) -> Any:
    acme = two.writer.acme
    sent = {} if body is None else {"json": body}
    answer = await two.writer.call(method, path.format(c=acme), acme.owner, **sent)
    assert answer.status_code < 300, answer.text
    return answer.json() if answer.content else None


async def put_event(two: Two) -> None:
    """As a phone does, by CalDAV."""
    ports = two.writer.app.state.ports
    async with ports.read() as work:
        personal = await work.calendars.builtin_calendar(two.writer.acme.owner.id, "personal")
    text = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:dentist\r\n"
        "DTSTAMP:20270301T060000Z\r\nDTSTART:20270303T090000Z\r\nDTEND:20270303T100000Z\r\nSUMMARY:Dentist\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    await put_calendar_object(ports, personal, "dentist.ics", text, NO_CONDITIONS)


async def delete_event(two: Two) -> None:
    ports = two.writer.app.state.ports
    async with ports.read() as work:
        personal = await work.calendars.builtin_calendar(two.writer.acme.owner.id, "personal")
    await delete_calendar_object(ports, personal, "dentist.ics", NO_CONDITIONS)


async def default_schedule(two: Two) -> str:
    schedules = await change(two, "GET", "/schedules")
    return next(str(each["id"]) for each in schedules["items"] if each["is_default"])


async def new_hours(two: Two) -> None:
    await change(two, "PATCH", f"/schedules/{await default_schedule(two)}", {"weekly": {"tue": [["10:00", "12:00"]]}})


async def other_default(two: Two) -> None:
    await change(two, "PATCH", "/schedules/{c.schedule.id}", {"is_default": True})


Change = Callable[[Two], Awaitable[Any]]
CHANGES: dict[str, Change] = {
    "a booking": lambda two: book(two, at(3, 10)),
    "a booking through another link of the host": lambda two: book_other(two),
    "a cancellation": lambda two: change(two, "POST", "/bookings/{c.booking.id}/cancel"),
    "a move": lambda two: change(two, "POST", "/bookings/{c.booking.id}/reschedule", {"start": moment(at(3, 13))}),
    "the link's buffer": lambda two: change(two, "PATCH", "/links/{c.link.id}", {"buffer_before": 30}),
    "the link's step": lambda two: change(two, "PATCH", "/links/{c.link.id}", {"step": 15}),
    "the link's notice": lambda two: change(two, "PATCH", "/links/{c.link.id}", {"minimum_notice": 2880}),
    "the link's horizon": lambda two: change(two, "PATCH", "/links/{c.link.id}", {"horizon_days": 3}),
    "the link's dates": lambda two: change(
        two, "PATCH", "/links/{c.link.id}", {"date_range": {"from": "2027-03-02", "to": "2027-03-03"}}
    ),
    "the link's daily limit": lambda two: change(two, "PATCH", "/links/{c.link.id}", {"max_per_day": 1}),
    "the link's schedule": lambda two: change(
        two, "PATCH", "/links/{c.link.id}", {"schedule_id": two.writer.acme.schedule.id}
    ),
    "the hours": new_hours,
    "another default schedule": other_default,
    "time off": lambda two: change(
        two, "POST", "/employees/{c.owner.id}/time-off", {"start": moment(at(3, 9)), "end": moment(at(3, 12))}
    ),
    "no more time off": lambda two: change(two, "DELETE", "/employees/{c.owner.id}/time-off/{c.time_off.id}"),
    "an event in the personal calendar": put_event,
    "the link switched off": lambda two: change(two, "POST", "/links/{c.link.id}/toggle"),
    "the link deleted": lambda two: change(two, "DELETE", "/links/{c.link.id}"),
}


async def book_other(two: Two) -> None:
    link = await change(two, "POST", "/links", {"title": "Other"})
    body = {**booking_body(two.writer.acme), "answers": {}}
    answer = await two.writer.post(f"/public/{link['token']}/book", json=body)
    assert answer.status_code == 201, answer.text


@pytest.mark.parametrize("name", CHANGES)
async def test_a_change_shows_at_once_in_another_process(two: Two, name: str) -> None:
    before = await two.kept()
    assert before == await two.kept()
    await CHANGES[name](two)
    after = await two.kept()
    assert after != before
    if isinstance(after, dict):
        question = SlotQuestion(parse_date(QUERY["from"], ""), parse_date(QUERY["to"], ""), 30, QUERY["timezone"])
        fresh = await find_slots(two.reader.app.state.ports, "acme.intro", question, two.clock.now)
        assert (await two.reader.get("/public/acme.intro/availability", params=QUERY)).content == render(
            fresh, question
        )
    else:
        assert after in {404, 410}


async def test_an_unchanged_answer_costs_one_statement(two: Two) -> None:
    await two.kept()
    async with statements_of(None) as statements:
        await two.kept()
    assert len(statements) == 1, statements


async def test_what_is_of_no_concern_leaves_the_answer_kept(two: Two) -> None:
    """A colleague's booking, another company's."""
    await two.kept()
    await book(two, at(3, 10), "umbrella.intro")
    async with statements_of(None) as statements:
        await two.kept()
    assert len(statements) == 1, statements


async def test_an_event_that_is_gone_frees_its_time_at_once(two: Two) -> None:
    before = await two.kept()
    await put_event(two)
    assert moment_in_berlin(3, "10:00") not in await two.starts()
    await delete_event(two)
    assert await two.kept() == before


def moment_in_berlin(day: int, time: str) -> str:
    return f"2027-03-{day:02}T{time}:00+01:00"


async def test_a_start_goes_when_the_notice_reaches_it(two: Two) -> None:
    """To the second: notice is an hour, and 09:00 is offered until 08:00 sharp."""
    nine = moment_in_berlin(1, "09:00")
    for now, is_offered in ((at(1, 7, 30), True), (at(1, 8), True), (at(1, 8) + 1, False)):
        two.clock.now = now
        assert (nine in await two.starts()) == is_offered, now


async def test_a_day_comes_when_the_horizon_reaches_it(two: Two) -> None:
    """At the host's midnight."""
    await change(two, "PATCH", "/links/{c.link.id}", {"horizon_days": 2})
    midnight = at(2, 0)
    thursday = moment_in_berlin(4, "09:00")
    for now, is_offered in ((midnight - 3600, False), (midnight - 1, False), (midnight, True)):
        two.clock.now = now
        assert (thursday in await two.starts()) == is_offered, now


async def test_a_hold_that_runs_out_frees_its_time_by_itself(two: Two) -> None:
    """No worker runs here; the pending booking is held for a day."""
    two_o_clock = moment_in_berlin(2, "14:00")
    expiry = two.reader.acme.pending.hold_expires_at
    assert expiry is not None
    assert expiry < at(2, 14) - 3600
    for now, is_offered in ((NOW, False), (expiry - 1, False), (expiry, True)):
        two.clock.now = now
        assert (two_o_clock in await two.starts()) == is_offered, now


async def test_a_one_time_link_ends_to_the_second(two: Two) -> None:
    acme = two.reader.acme
    assert acme.one_time.expires_at is not None
    for now, expected in ((NOW, dict), (acme.one_time.expires_at - 1, dict), (acme.one_time.expires_at, int)):
        two.clock.now = now
        assert isinstance(await two.kept(acme.one_time.token), expected), now
    assert await two.kept(acme.one_time.token) == 410


async def test_a_one_time_link_that_is_used_is_over_at_once(two: Two) -> None:
    token = two.reader.acme.one_time.token
    assert isinstance(await two.kept(token), dict)
    await book(two, at(3, 10), token)
    assert await two.kept(token) == 410


async def test_a_calendar_unread_for_too_long_takes_its_host_away(two: Two) -> None:
    """And a copy that is fresh again brings it back."""
    acme, ports = two.writer.acme, two.writer.app.state.ports

    async def read_at(instant: int) -> None:
        async with ports.unit_of_work() as work:
            await work.calendars.update_calendar(acme.calendar.id, is_conflict=True, synced_at=instant)
            await work.commit()

    await read_at(NOW)
    limit = NOW + ports.calendar_age_limit
    for now, expected in ((NOW, dict), (limit - 1, dict), (limit, int)):
        two.clock.now = now
        assert isinstance(await two.kept(), expected), now
    assert await two.kept() == 503
    await read_at(limit)
    assert isinstance(await two.kept(), dict)


async def test_whatever_happens_the_kept_answer_is_the_right_one(two: Two) -> None:
    """A long row of changes and of time passing, drawn by lot; after each one, kept and fresh answers are compared."""
    lot = random.Random(20270301)  # noqa: S311  # the same each run; nothing secret hangs on it
    free = [at(day, hour) for day in (3, 4, 5) for hour in (10, 11, 13, 15)]
    made: list[str] = []
    for _ in range(examples(40)):
        step = lot.choice(["book", "cancel", "buffer", "notice", "limit", "time", "time", "off", "event"])
        if step == "book":
            start = lot.choice(free)
            body = {**booking_body(two.writer.acme), "start": moment(start)}
            answer = await two.writer.post("/public/acme.intro/book", json=body)
            made += [answer.json()["booking_token"]] if answer.status_code == 201 else []
        elif step == "cancel" and made:
            await two.writer.post(f"/public/bookings/{made.pop()}/cancel")
        elif step in ("buffer", "notice", "limit"):
            settable: dict[str, tuple[str, list[Any]]] = {
                "buffer": ("buffer_after", [0, 15, 45]),
                "notice": ("minimum_notice", [0, 60, 600]),
                "limit": ("max_per_day", [None, 1, 2]),
            }
            field, values = settable[step]
            await change(two, "PATCH", "/links/{c.link.id}", {field: lot.choice(values)})
        elif step == "time":
            two.clock.now += lot.choice([1, 59, 60, 3599, 3600, 7200, 6 * 3600])
        elif step == "off":
            start = lot.choice(free)
            body = {"start": moment(start), "end": moment(start + 3600)}
            await change(two, "POST", "/employees/{c.owner.id}/time-off", body)
        elif step == "event":
            await put_event(two)
        answer = await two.reader.get("/public/acme.intro/availability", params=QUERY)
        assert answer.content == await two.right(), step
