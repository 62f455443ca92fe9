"""`Idempotency-Key`: the same request twice books once, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.db import models as m
from tests.http.api import API, Api, client_of, code_of
from tests.http.endpoints import booking_body
from tests.http.workspace import NOW, Company, Member, at, moment
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

DAY = 24 * 3600


async def book(api: Api, key: str | None, token: str = "acme.intro", **changes: Any) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await api.post(f"/public/{token}/book", json={**booking_body(api.acme), **changes}, headers=headers)


async def bookings(api: Api) -> int:
    async with api.database.read.connect() as connection:
        return int((await connection.execute(select(func.count()).select_from(m.bookings))).scalar_one())


async def test_the_first_answer_is_given_again(api: Api) -> None:
    """To the byte, and with nothing written; also when time has passed and the booking was moved meanwhile."""
    count = await bookings(api)
    first = await book(api, "k1")
    assert first.status_code == 201, first.text
    moved = {"start": moment(at(3, 14))}
    await api.post(f"/public/bookings/{first.json()['booking_token']}/reschedule", json=moved)
    before = await snapshot(api.database)
    api.clock.now += 3600
    again = await book(api, "k1")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["content-type"] == first.headers["content-type"]
    assert again.headers["etag"] == first.headers["etag"]
    assert await snapshot(api.database) == before
    assert await bookings(api) == count + 1


async def test_the_same_body_spelled_otherwise_is_the_same(api: Api) -> None:
    first = await book(api, "k1")
    body = dict(reversed(booking_body(api.acme).items()))
    content = json.dumps(body, indent=3).encode()
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json"}
    again = await api.post("/public/acme.intro/book", content=content, headers=headers)
    assert (again.status_code, again.content) == (201, first.content)


async def test_another_body_is_422(api: Api) -> None:
    await book(api, "k1")
    before = await snapshot(api.database)
    for changes in ({"name": "Somebody else"}, {"start": moment(at(4, 10))}, {"notes": "more"}):
        answer = await book(api, "k1", **changes)
        assert (answer.status_code, code_of(answer)) == (422, "IDEMPOTENCY_MISMATCH"), answer.text
    assert await snapshot(api.database) == before


async def test_ten_at_once_book_once_and_all_get_the_answer(api: Api) -> None:
    count = await bookings(api)
    answers = await asyncio.gather(*(book(api, "k1") for _ in range(10)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert await bookings(api) == count + 1


async def test_two_bodies_at_once_under_one_key_book_once(api: Api) -> None:
    count = await bookings(api)
    starts = [{"start": moment(at(day, 10))} for day in (3, 4, 5)]
    answers = await asyncio.gather(*(book(api, "k1", **start) for start in starts))
    assert sorted(answer.status_code for answer in answers) == [201, 422, 422], [answer.text for answer in answers]
    assert await bookings(api) == count + 1


async def test_without_a_key_the_second_is_a_conflict(api: Api) -> None:
    assert (await book(api, None)).status_code == 201
    answer = await book(api, None)
    assert (answer.status_code, code_of(answer)) == (409, "BOOKING_CONFLICT")


async def test_a_key_belongs_to_its_link(api: Api) -> None:
    """Nobody meets a stranger's answer by using the same key elsewhere."""
    first = await book(api, "k1")
    other = await book(api, "k1", token="umbrella.intro")
    assert other.status_code == 201
    assert other.json()["id"] != first.json()["id"]
    assert (await book(api, "k1", token="acme.none")).status_code == 404


async def test_a_used_one_time_link_still_gives_the_first_answer(api: Api) -> None:
    """Who lost the answer on the way asks again, and is not told that the link was used."""
    token = api.acme.one_time.token
    first = await book(api, "k1", token=token)
    assert first.status_code == 201
    again = await book(api, "k1", token=token)
    assert (again.status_code, again.content) == (201, first.content)
    other = await book(api, "k2", token=token)
    assert (other.status_code, code_of(other)) == (410, "LINK_USED")


async def test_a_refusal_is_not_kept(api: Api) -> None:
    """The time was taken, and becomes free: the same request may try again."""
    taken = {"start": moment(at(2, 10))}
    assert (await book(api, "k1", **taken)).status_code == 409
    await api.post(f"/bookings/{api.acme.booking.id}/cancel", api.acme.owner)
    assert (await book(api, "k1", **taken)).status_code == 201


async def test_after_a_day_the_key_is_new(api: Api) -> None:
    first = await book(api, "k1")
    api.clock.now = NOW + DAY
    assert (await book(api, "k1")).content == first.content
    api.clock.now = NOW + DAY + 1
    later = await book(api, "k1", start=moment(at(4, 10)))
    assert later.status_code == 201, later.text
    assert later.json()["id"] != first.json()["id"]


async def test_kept_answers_and_keys_are_unreadable_in_the_database(api: Api) -> None:
    answer = (await book(api, "a-key-to-look-for")).json()
    async with api.database.read.connect() as connection:
        rows = (await connection.execute(select(m.idempotency_keys))).all()
    text = repr([tuple(row) for row in rows])
    assert rows
    for secret in ("a-key-to-look-for", "robin", answer["booking_token"], answer["id"]):
        assert secret not in text


@dataclass(frozen=True)
class Change:
    """A POST that makes or changes something, besides booking; and what it leaves a trace of in the audit."""

    path: str
    action: str
    body: Callable[[Company], dict[str, Any]] | None = None
    is_public: bool = False
    by_admin: bool = False
    begun: bool = False


CHANGES = (
    Change("/public/bookings/{c.booking.token}/cancel", "booking.cancel", lambda _: {"reason": "Ill"}, is_public=True),
    Change(
        "/public/bookings/{c.booking.token}/reschedule",
        "booking.rescheduled",
        lambda _: {"start": moment(at(3, 13))},
        is_public=True,
    ),
    Change("/bookings/{c.booking.id}/cancel", "booking.cancel"),
    Change("/bookings/{c.booking.id}/reschedule", "booking.rescheduled", lambda _: {"start": moment(at(3, 13))}),
    Change("/bookings/{c.pending.id}/confirm", "booking.confirm"),
    Change("/bookings/{c.booking.id}/start", "booking.start", begun=True),
    Change("/bookings/{c.booking.id}/complete", "booking.complete", begun=True),
    Change("/bookings/{c.booking.id}/no-show", "booking.no_show", begun=True),
    Change("/links", "link.created", lambda _: {"title": "Another call"}),
    Change("/links/{c.link.id}/one-time", "one_time_link.created", lambda _: {"recipient_email": "r@example.org"}),
    Change("/links/{c.link.id}/duplicate", "link.created"),
    Change("/links/{c.link.id}/toggle", "link.changed"),
    Change("/templates", "template.created", lambda _: {"name": "T"}),
    Change("/schedules", "schedule.created", lambda _: {"name": "S", "timezone": "Europe/Berlin"}),
    Change(
        "/employees/{c.owner.id}/time-off",
        "time_off.added",
        lambda _: {"start": moment(at(20, 9)), "end": moment(at(20, 12))},
    ),
    Change(
        "/employees",
        "employee.invited",
        lambda _: {"name": "Nora New", "email": "nora@acme.example.com"},
        by_admin=True,
    ),
    Change("/links/{c.link.id}/hand-over", "link.handed_over", lambda c: {"owner_id": c.colleague.id}, by_admin=True),
    Change("/bookings/confirm", "booking.confirm", lambda c: {"ids": [c.pending.id]}),
    Change("/services", "service.created", lambda _: {"name": "S"}, by_admin=True),
    Change(
        "/slots",
        "session.opened",
        lambda c: {"service_id": c.lesson.id, "start": moment(at(4, 14)), "duration": 60},
        by_admin=True,
    ),
    Change("/resources", "resource.created", lambda _: {"name": "R"}, by_admin=True),
    Change(
        "/bookings",
        "booking.created",
        lambda c: {"service": c.service.id, "start": moment(at(4, 9)), "duration": 30, "recipient": {"name": "R"}},
        by_admin=True,
    ),
    Change("/me/feeds", "feed.created", lambda _: {"kind": "busy"}),
    Change("/me/kept-edits/{c.kept_id}/copy", "kept_edit.copied"),
    Change("/me/app-passwords", "app_password.created", lambda _: {"label": "Laptop"}),
)


async def change(api: Api, what: Change, key: str, who: Member | None = None, **body: Any) -> httpx.Response:
    usual = api.acme.admin if what.by_admin else api.acme.owner
    sender = None if what.is_public else who or usual
    sent = {**(what.body(api.acme) if what.body else {}), **body}
    json_body = {"json": sent} if sent else {}
    return await api.post(what.path.format(c=api.acme), sender, headers={"Idempotency-Key": key}, **json_body)


async def traces(api: Api, action: str) -> int:
    query = select(func.count()).select_from(m.audit_entries).where(m.audit_entries.c.action == action)
    async with api.database.read.connect() as connection:
        return int((await connection.execute(query)).scalar_one())


@pytest.mark.parametrize("what", CHANGES, ids=lambda what: what.path)
async def test_twins_at_once_change_one_thing_and_get_one_answer(api: Api, what: Change) -> None:
    """And so does a later one, whatever time it is by then."""
    if what.begun:
        api.clock.now = api.acme.booking.start
    count = await traces(api, what.action)
    answers = await asyncio.gather(*(change(api, what, "k1") for _ in range(4)))
    assert {answer.status_code for answer in answers} <= {200, 201}, [answer.text for answer in answers]
    api.clock.advance(DAY - 1)
    answers.append(await change(api, what, "k1"))
    assert len({(answer.status_code, answer.content, answer.headers.get("etag")) for answer in answers}) == 1
    assert await traces(api, what.action) == count + 1


OTHERWISE: Mapping[str, dict[str, Any]] = {
    "cancel": {"reason": "Well again"},
    "reschedule": {"duration": 60},
    "links": {"title": "X"},
    "one-time": {"recipient_email": "x@example.org"},
    "templates": {"name": "X"},
    "schedules": {"name": "X"},
    "time-off": {"reason": "Sea"},
    "employees": {"name": "X"},
    "hand-over": {"schedule_id": "019539a0-0000-7000-8000-000000000000"},
    "confirm": {"ids": ["019539a0-0000-7000-8000-000000000000"]},
    "services": {"name": "X"},
    "resources": {"name": "X"},
    "slots": {"title": "X"},
    "bookings": {"notes": "X"},
    "feeds": {"label": "X"},
    "app-passwords": {"label": "X"},
}


@pytest.mark.parametrize("what", [each for each in CHANGES if each.body], ids=lambda what: what.path)
async def test_another_body_under_the_key_of_a_change_is_422(api: Api, what: Change) -> None:
    assert (await change(api, what, "k1")).status_code in {200, 201}
    body = OTHERWISE[what.path.rsplit("/", 1)[1]]
    before = await snapshot(api.database)
    answer = await change(api, what, "k1", **body)
    assert (answer.status_code, code_of(answer)) == (422, "IDEMPOTENCY_MISMATCH"), answer.text
    assert await snapshot(api.database) == before


async def test_a_key_belongs_to_its_caller_and_route(api: Api) -> None:
    links = next(each for each in CHANGES if each.path == "/links")
    mine = await change(api, links, "k1")
    theirs = await change(api, links, "k1", who=api.acme.colleague)
    assert theirs.status_code == 201
    assert theirs.json()["id"] != mine.json()["id"]
    templates = next(each for each in CHANGES if each.path == "/templates")
    assert (await change(api, templates, "k1")).json()["name"] == "T"
    assert (await change(api, links, "k1", who=api.acme.employee)).status_code == 403


async def test_every_change_declares_its_key(shared_api: Api) -> None:
    """All POSTs of the document, but those that are safe to do again: of calendar accounts and undelivered work."""
    async with client_of(shared_api.app) as client:
        document = (await client.get("/schema/openapi.json")).json()
    without = {
        path
        for path, methods in document["paths"].items()
        if "post" in methods
        and "Idempotency-Key" not in {each["name"] for each in methods["post"].get("parameters", [])}
    }
    assert {
        path for path in without if not path.startswith((f"{API}/calendar-accounts", f"{API}/dead-letters"))
    } == set()
