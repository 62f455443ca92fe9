"""A stay that has begun is in the lists until it ends. The clock of the workspace stands at Monday 2027-03-01."""

from __future__ import annotations

import pytest

from app.db import models as m
from tests.http.api import Api
from tests.http.signed_in import enter, words
from tests.http.test_lists import add
from tests.http.test_stays import body, room
from tests.http.workspace import at

pytestmark = pytest.mark.anyio


async def stay(api: Api) -> str:
    """Robin's, of 26 to 29 March; its id."""
    await room(api)
    booked = await api.post("/public/acme.room/book", None, json=body())
    assert booked.status_code == 201, booked.text
    booking_id = str(booked.json()["id"])
    row = {"booking_id": booking_id, "host_id": api.acme.owner.id, "start_at": at(26, 15), "booked_at": api.clock.now}
    await add(api, m.booking_hosts, [row])  # the owner looks after the room
    return booking_id


@pytest.mark.parametrize(("day", "view"), [(25, "upcoming"), (28, "upcoming"), (30, "past")])
async def test_a_stay_is_in_one_list_at_a_time(api: Api, day: int, view: str) -> None:
    booking_id = await stay(api)
    api.clock.now = at(day, 9)
    visitor = await enter(api, api.acme.owner)
    found = [
        name
        for name in ("upcoming", "past")
        if f'href="/app/bookings/{booking_id}"' in (await visitor.get(f"/app/bookings?view={name}")).text
    ]
    assert found == [view]


async def test_the_work_of_each_day_has_the_stay(api: Api) -> None:
    await stay(api)
    visitor = await enter(api, api.acme.owner)
    shown = {day: "Robin" in words(await visitor.get(f"/app/today?day=2027-03-{day}")) for day in range(25, 31)}
    assert shown == {25: False, 26: True, 27: True, 28: True, 29: True, 30: False}
    assert "Robin" in words(await visitor.get("/app/week?day=2027-03-29"))


async def test_my_schedule_has_what_has_not_ended(api: Api) -> None:
    """A stay that is under way too; from a date on it is what begins then or later."""
    booking_id = await stay(api)
    found = {}
    for day in (25, 27, 30):
        api.clock.now = at(day, 9)
        answer = await api.get("/me/schedule", api.acme.owner)
        found[day] = booking_id in {each["id"] for each in answer.json()["items"]}
    assert found == {25: True, 27: True, 30: False}
    for first, there in (("2027-03-26", True), ("2027-03-27", False)):
        answer = await api.get("/me/schedule", api.acme.owner, params={"from": first})
        assert (booking_id in {each["id"] for each in answer.json()["items"]}) == there
