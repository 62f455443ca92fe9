"""Recurring sets by the API and on the pages, on both engines. It is Monday 2027-03-01, 07:00 in Berlin; the clock is
put forward on 28 March."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest
from sqlalchemy import insert, select, text

from app.db import models as m
from app.use_cases.ids import new_id
from tests.http.api import Api, client_of, code_of
from tests.http.signed_in import enter, value_of
from tests.http.workspace import at, moment

pytestmark = pytest.mark.anyio

FREE = at(3, 10)
WEEK = 7 * 86400
GOOD = {
    "key": "a-key-of-this-form-alone",
    "start": moment(FREE),
    "duration": "30",
    "tz": "Europe/Berlin",
    "name": "Robin Recipient",
    "email": "robin@example.org",
    "answers.topic": "Plans",
}


def words(answer: httpx.Response) -> str:
    """The text a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


async def allow(api: Api, most: int | None = 10) -> str:
    """Let recipients repeat on the intro link; its public token."""
    changed = {"max_repeats": most, "horizon_days": 200}
    answer = await api.patch(f"/links/{api.acme.link.id}", api.acme.owner, json=changed)
    assert answer.json()["max_repeats"] == most, answer.text
    return api.acme.token


def body(start: int = FREE, **repeat: Any) -> dict[str, Any]:
    sent = {
        "start": moment(start), "duration": 30, "timezone": "Europe/Berlin", "name": "Robin",
        "email": "robin@example.org", "answers": {"topic": "Plans"},
    }  # fmt: skip
    return {**sent, "repeat": repeat} if repeat else sent


async def test_the_answer_is_the_first_with_the_whole_set(api: Api) -> None:
    token = await allow(api)
    assert (await api.get(f"/public/{token}")).json()["max_repeats"] == 10
    answer = await api.post(f"/public/{token}/book", json=body(times=5))
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert [part["start"] for part in made["series"]] == [
        "2027-03-03T10:00:00+01:00", "2027-03-10T10:00:00+01:00", "2027-03-17T10:00:00+01:00",
        "2027-03-24T10:00:00+01:00", "2027-03-31T10:00:00+02:00",
    ]  # fmt: skip
    assert made["series"][0]["id"] == made["id"] == made["series_id"]
    assert (made["left_out"], made["series"][0].keys()) == ([], {"id", "start", "end", "status"})
    listed = await api.get("/bookings", api.acme.owner, params={"series": made["id"], "limit": 3})
    assert [each["id"] for each in listed.json()["items"]] == [part["id"] for part in made["series"][:3]]
    rest = await api.get(
        "/bookings", api.acme.owner, params={"series": made["id"], "cursor": listed.json()["next_cursor"]}
    )
    assert len(rest.json()["items"]) == 2
    foreign = await api.get("/bookings", api.umbrella.owner, params={"series": made["id"]})
    assert foreign.json()["items"] == []
    single = (await api.post(f"/public/{token}/book", json=body(at(3, 11)))).json()
    assert single["series_id"] is None
    assert not {"series", "left_out"} & single.keys()


async def test_what_is_taken_is_told(api: Api) -> None:
    token = await allow(api)
    await api.post(f"/public/{token}/book", json=body(FREE + WEEK))
    refused = await api.post(f"/public/{token}/book", json=body(times=3))
    assert (refused.status_code, code_of(refused)) == (409, "BOOKING_CONFLICT")
    assert refused.json()["taken"] == ["2027-03-10T10:00:00+01:00"]
    assert refused.json()["alternatives"]
    assert "2027-03-10" in refused.json()["detail"]
    partly = (await api.post(f"/public/{token}/book", json=body(times=3, only_free=True))).json()
    assert partly["left_out"] == ["2027-03-10T10:00:00+01:00"]
    assert len(partly["series"]) == 2


@pytest.mark.parametrize(
    ("repeat", "field"),
    [
        ({"times": 1}, "repeat.times"),
        ({"times": 53}, "repeat.times"),
        ({"times": 2, "every_weeks": 0}, "repeat.every_weeks"),
        ({"times": 2, "every_weeks": 5}, "repeat.every_weeks"),
        ({"times": "2"}, "repeat.times"),
        ({"times": 2, "only_free": 1}, "repeat.only_free"),
        ({"every_weeks": 1}, "repeat.times"),
        ({"times": 2, "daily": True}, "repeat.daily"),
        ({"times": 11}, "repeat.times"),
        ({"times": 10, "every_weeks": 4}, "repeat"),
    ],
)
async def test_malformed_sets(api: Api, repeat: dict[str, Any], field: str) -> None:
    token = await allow(api)
    refused = await api.post(f"/public/{token}/book", json=body(**repeat))
    assert (refused.status_code, code_of(refused)) == (400, "VALIDATION_ERROR")
    assert [error["field"] for error in refused.json()["errors"]] == [field]


async def test_where_recipients_may_not_repeat(api: Api) -> None:
    refused = await api.post(f"/public/{api.acme.token}/book", json=body(times=2))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "repeat")
    await allow(api)
    once = await api.post(f"/public/{api.acme.one_time.token}/book", json=body(times=2))
    assert (once.status_code, code_of(once)) == (400, "VALIDATION_ERROR")
    assert (await api.get(f"/public/{api.acme.one_time.token}")).json()["max_repeats"] is None


async def test_the_same_request_twice_books_one_set(api: Api) -> None:
    token, key = await allow(api), {"Idempotency-Key": "one"}
    first = await api.post(f"/public/{token}/book", json=body(times=3), headers=key)
    again = await api.post(f"/public/{token}/book", json=body(times=3), headers=key)
    assert (first.status_code, again.status_code, first.json()) == (201, 201, again.json())
    other = await api.post(f"/public/{token}/book", json=body(times=4), headers=key)
    assert (other.status_code, code_of(other)) == (422, "IDEMPOTENCY_MISMATCH")
    cancel = f"/public/bookings/{first.json()['booking_token']}/cancel"
    gone = [await api.post(cancel, json={"following": True}, headers=key) for _ in range(2)]
    assert [answer.status_code for answer in gone] == [200, 200]
    assert gone[0].json() == gone[1].json()


async def test_staff_repeat_and_cancel_what_follows(api: Api) -> None:
    acme = api.acme
    sent = {
        "link": acme.link.id, "start": moment(FREE), "duration": 30, "recipient": {"name": "Robin"},
        "repeat": {"times": 4, "every_weeks": 2},
    }  # fmt: skip
    made = (await api.post("/bookings", acme.owner, json=sent)).json()
    second = made["series"][1]["id"]
    path = f"/bookings/{second}/cancel"
    stale = await api.post(path, acme.owner, json={"following": True}, headers={"If-Match": '"9"'})
    assert (stale.status_code, code_of(stale)) == (412, "STALE_VERSION")
    foreign = await api.post(path, api.umbrella.owner, json={"following": True})
    assert foreign.status_code == 404
    gone = (await api.post(path, acme.owner, json={"following": True, "reason": "Ill"})).json()
    assert (gone["id"], gone["status"]) == (second, "cancelled")
    assert [part["id"] for part in gone["series"]] == [part["id"] for part in made["series"][1:]]
    shown = (await api.get(f"/bookings/{made['id']}", acme.owner)).json()
    assert (shown["status"], shown["series_id"]) == ("confirmed", made["id"])
    again = await api.post(path, acme.owner, json={"following": True})
    assert (again.status_code, code_of(again)) == (422, "BOOKING_NOT_MODIFIABLE")


async def test_a_set_is_booked_and_cancelled_without_javascript(api: Api) -> None:
    client = client_of(api.app)
    form = f"/acme/intro?duration=30&tz=Europe/Berlin&start={moment(FREE)}"
    assert "Repeat weekly" not in words(await client.get(form))
    await allow(api)
    assert "Repeat weekly" in words(await client.get(form))
    await api.post(f"/public/{api.acme.token}/book", json=body(FREE + WEEK))
    wanted = {**GOOD, "repeat.times": "3", "repeat.only_free": "Book none of them"}
    refused = await client.post("/acme/intro", data=wanted)
    assert refused.status_code == 409
    assert "Nothing was booked, since these days are not free: Wednesday, March 10" in words(refused)
    assert 'value="3"' in refused.text
    booked = await client.post("/acme/intro", data={**wanted, "repeat.only_free": "Book those that are free"})
    assert booked.status_code == 303
    shown = await client.get(booked.headers["location"])
    assert "Not free, and therefore not booked: Wednesday, March 10, 2027" in words(shown)
    assert "Wednesday, March 17, 2027" in words(shown)
    twice = await client.post("/acme/intro", data={**wanted, "repeat.only_free": "Book those that are free"})
    assert twice.headers["location"] == booked.headers["location"]
    own = booked.headers["location"].partition("?")[0]
    assert "Also cancel the later one of this weekly booking" in words(await client.get(f"{own}/cancel"))
    gone = await client.post(f"{own}/cancel", data={"following": "yes"})
    assert gone.status_code == 303
    assert words(await client.get(own)).count("(cancelled)") == 1


@pytest.mark.parametrize(
    ("typed", "said"),
    [("0", "2 to 52 times"), ("53", "2 to 52 times"), ("x", "2 to 52 times"), ("11", "10 times at once")],
)
async def test_a_senseless_number_is_refused_at_its_field(api: Api, typed: str, said: str) -> None:
    await allow(api)
    answer = await client_of(api.app).post("/acme/intro", data={**GOOD, "repeat.times": typed})
    assert answer.status_code == 400
    assert said in words(answer)
    assert 'href="#f-times"' in answer.text


@pytest.mark.parametrize("left", ["x", "9" * 500, "-1", "1.2.x", "%00", "1" * 12])
async def test_a_strange_list_of_days_shows_the_page(api: Api, left: str) -> None:
    token = await allow(api)
    made = (await api.post(f"/public/{token}/book", json=body(times=2))).json()
    answer = await client_of(api.app).get(f"/booking/{made['booking_token']}?did=booked&left={left}")
    assert answer.status_code == 200


async def test_the_link_page_says_how_often(api: Api) -> None:
    await allow(api, 6)
    owner = await enter(api, api.acme.owner)
    path = f"/app/links/{api.acme.link.id}"
    shown = await owner.get(path)
    assert value_of(shown, "max_repeats") == "6"
    for typed, status in (("1", 400), ("53", 400), ("x", 400)):
        sent = {"title": "Intro", "durations": "30", "max_repeats": typed, "version": value_of(shown, "version")}
        assert (await owner.post(path, **sent)).status_code == status


async def test_a_link_may_say_never(api: Api) -> None:
    token, path = await allow(api), f"/links/{api.acme.link.id}"
    for wrong in (1, -1, 53):
        assert (await api.patch(path, api.acme.owner, json={"max_repeats": wrong})).status_code == 400
    kept = await api.patch(path, api.acme.owner, json={"max_repeats": 0})
    assert (kept.status_code, kept.json()["max_repeats"]) == (200, 0)
    assert (await api.get(f"/public/{token}")).json()["max_repeats"] is None
    refused = await api.post(f"/public/{token}/book", json=body(times=2))
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "repeat")
    shown = await (await enter(api, api.acme.owner)).get(f"/app{path}")
    assert value_of(shown, "max_repeats") == "0"


async def test_a_set_is_listed_alike_among_many(api: Api) -> None:
    """By the index, with ten and with ten thousand bookings beside it."""
    token = await allow(api)
    made = (await api.post(f"/public/{token}/book", json=body(times=3))).json()
    for numbers in (range(10), range(10, 10_000)):
        await add_bookings(api, numbers)
        listed = await api.get("/bookings", api.acme.owner, params={"series": made["id"]})
        assert [each["id"] for each in listed.json()["items"]] == [part["id"] for part in made["series"]]
    if api.database.is_sqlite:
        async with api.database.read.connect() as connection:
            explained = f"EXPLAIN QUERY PLAN SELECT id FROM bookings WHERE series_id = '{made['id']}' ORDER BY start_at"
            plan = str((await connection.execute(text(explained))).all())
        assert "ix_bookings_series_id" in plan


async def add_bookings(api: Api, numbers: range) -> None:
    """Copies of a booking that belong to no set."""
    async with api.database.write.begin() as connection:
        query = select(m.bookings).where(m.bookings.c.id == api.acme.booking.id)
        row = dict((await connection.execute(query)).mappings().one())
        for first in range(numbers.start, numbers.stop, 1000):
            rows = []
            for number in range(first, min(first + 1000, numbers.stop)):
                key = new_id()
                rows.append(
                    {
                        **row,
                        "id": key,
                        "occurrence_id": key,
                        "uid": f"{key}@example.com",
                        "token_lookup": f"{number:064}",
                    }
                )
            await connection.execute(insert(m.bookings), rows)
