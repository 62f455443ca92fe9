"""Stays by the night by the API and on the pages. It is Monday 2027-03-01, 07:00 in Berlin; the clock is put forward on
28 March."""

from __future__ import annotations

import html
import re
from typing import Any

import httpx
import pytest

from tests.http.api import Api, client_of, code_of
from tests.http.signed_in import enter, value_of
from tests.http.workspace import ZONE

pytestmark = pytest.mark.anyio

NIGHT = 1440
EVERYDAY = {day: [["09:00", "17:00"]] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def words(answer: httpx.Response) -> str:
    """The text a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", answer.text)))


async def room(api: Api, **values: Any) -> dict[str, Any]:
    """A room by the night with a link `/acme/room`; the service."""
    acme = api.acme
    hours = await api.post("/schedules", acme.admin, json={"name": "House", "timezone": ZONE, "weekly": EVERYDAY})
    resource = await api.post("/resources", acme.admin, json={"name": "Garden room"})
    shape = {
        "name": "Room", "durations": [NIGHT, 3 * NIGHT], "check_in": "15:00", "check_out": "11:00",
        "schedule_id": hours.json()["id"], "resources": [{"resource_id": resource.json()["id"]}],
    }  # fmt: skip
    made = await api.post("/services", acme.admin, json={**shape, **values})
    assert made.status_code == 201, made.text
    link = {"title": "Garden room", "slug": "room", "service_id": made.json()["id"], "horizon_days": 60}
    assert (await api.post("/links", acme.owner, json=link)).status_code == 201
    service: dict[str, Any] = made.json()
    return service


def body(day: str = "2027-03-26", nights: int = 3) -> dict[str, Any]:
    return {
        "start": f"{day}T15:00:00+01:00", "duration": nights * NIGHT, "timezone": "Europe/Berlin", "name": "Robin",
        "email": "robin@example.org",
    }  # fmt: skip


async def test_a_service_by_the_night(api: Api) -> None:
    service = await room(api)
    path = f"/services/{service['id']}"
    assert (service["check_in"], service["check_out"], service["durations"]) == ("15:00", "11:00", [NIGHT, 3 * NIGHT])
    later = await api.patch(path, api.acme.admin, json={"check_out": "10:00"})
    assert (later.status_code, later.json()["check_out"]) == (200, "10:00")
    for wrong in (
        {"check_in": None}, {"check_in": "3 pm"}, {"check_out": "24:00"}, {"durations": [90]},
        {"durations": [31 * NIGHT]}, {"check_in": None, "check_out": None}, {"capacity": 8},
    ):  # fmt: skip
        refused = await api.patch(path, api.acme.admin, json=wrong)
        assert (refused.status_code, code_of(refused)) == (400, "VALIDATION_ERROR"), wrong
    plain = await api.patch(path, api.acme.admin, json={"check_in": None, "check_out": None, "durations": [60]})
    assert (plain.status_code, plain.json()["check_in"]) == (200, None)


async def test_a_link_tells_nights_and_its_days_their_stay(api: Api) -> None:
    service = await room(api)
    shown = (await api.get("/public/acme.room")).json()
    told = (shown["unit"], shown["check_in"], shown["check_out"], shown["timezone"], shown["durations"])
    assert told == ("nights", "15:00", "11:00", ZONE, [NIGHT, 3 * NIGHT])
    plain = (await api.get(f"/public/{api.acme.token}")).json()
    assert (plain["unit"], plain["check_in"], plain["check_out"]) == ("minutes", None, None)
    query: dict[str, Any] = {"from": "2027-03-26", "to": "2027-03-27", "duration": 3 * NIGHT, "timezone": ZONE}
    for path in ("/public/acme.room/availability", f"/services/{service['id']}/availability"):
        days = (await api.get(path, api.acme.admin, params=query)).json()["days"]
        assert days == [
            {
                "date": f"2027-03-{day}",
                "slots": [{"start": f"2027-03-{day}T15:00:00+01:00", "end": end, "seats_left": 1}],
            }
            for day, end in (("26", "2027-03-29T11:00:00+02:00"), ("27", "2027-03-30T11:00:00+02:00"))
        ]
    assert (await api.get("/public/acme.room/availability", params={**query, "duration": 43201})).status_code == 400


async def test_a_stay_is_booked_moved_and_not_taken_twice(api: Api) -> None:
    await room(api)
    answer = await api.post("/public/acme.room/book", json=body())
    made = answer.json()
    assert answer.status_code == 201, answer.text
    assert (made["start"], made["end"]) == ("2027-03-26T15:00:00+01:00", "2027-03-29T11:00:00+02:00")
    assert (made["duration"], [host["kind"] for host in made["hosts"]]) == (3 * NIGHT, ["resource"])
    taken = await api.post("/public/acme.room/book", json=body("2027-03-27", 1))
    assert (taken.status_code, code_of(taken)) == (409, "BOOKING_CONFLICT")
    assert "2027-03-29T15:00:00+02:00" in taken.json()["alternatives"]
    never = await api.post("/public/acme.room/book", json=body(nights=2))
    assert (never.status_code, never.json()["errors"][0]["field"]) == (400, "duration")
    path = f"/public/bookings/{made['booking_token']}/reschedule"
    moved = (await api.post(path, json={"start": "2027-03-12T15:00:00+01:00"})).json()
    assert (moved["end"], moved["duration"]) == ("2027-03-15T11:00:00+01:00", 3 * NIGHT)
    ics = (await api.get(f"/public/bookings/{made['booking_token']}/calendar.ics")).text
    assert "DTSTART;TZID=Europe/Berlin:20270312T150000" in ics
    assert "DTEND;TZID=Europe/Berlin:20270315T110000" in ics


async def test_the_pages_speak_of_nights(api: Api) -> None:
    await room(api)
    client = client_of(api.app)
    headers = {"Accept-Language": "en-GB"}
    shown = words(await client.get(f"/acme/room?duration={3 * NIGHT}&day=2027-03-26&tz={ZONE}", headers=headers))
    assert "1 night" in shown
    assert "3 nights, from Fri 15:00 to Mon 11:00" in shown
    start = "2027-03-26T14:00:00Z"
    details = words(await client.get(f"/acme/room?duration={3 * NIGHT}&start={start}&tz={ZONE}", headers=headers))
    assert "3 nights" in details
    assert "15:00 – 11:00 (Mon 29 Mar)" in details
    form = {
        "key": "a-key-of-this-form-alone", "start": start, "duration": str(3 * NIGHT), "tz": ZONE,
        "name": "Robin", "email": "robin@example.org",
    }  # fmt: skip
    booked = await client.post("/acme/room", data=form)
    assert booked.status_code == 303, words(booked)
    own = booked.headers["location"].partition("?")[0]
    page = words(await client.get(own, headers=headers))
    assert "3 nights" in page
    assert "15:00 – 11:00 (Mon 29 Mar)" in page
    ask = await client.get(f"{own}/move?duration={3 * NIGHT}&start=2027-03-12T14:00:00Z&tz={ZONE}", headers=headers)
    assert "15:00 – 11:00 (Mon 15 Mar)" in words(ask)


async def test_a_stay_of_another_length_is_not_moved_to(api: Api) -> None:
    await room(api)
    made = (await api.post("/public/acme.room/book", json=body())).json()
    ways = (f"/public/bookings/{made['booking_token']}", None), (f"/bookings/{made['id']}", api.acme.admin)
    for path, who in ways:
        for minutes in (1, 67 * 60, 2 * NIGHT):
            move = {"start": "2027-03-12T15:00:00+01:00", "duration": minutes}
            refused = await api.post(f"{path}/reschedule", who, json=move)
            assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "duration")


async def test_stays_are_picked_by_the_night(api: Api) -> None:
    await room(api)
    links = (await api.get("/links", api.acme.owner)).json()["items"]
    path = f"/links/{next(each['id'] for each in links if each['slug'] == 'room')}/one-time"

    def slots(start: str, minutes: int) -> dict[str, Any]:
        return {"slots": [{"start": f"2027-03-{start}:00+01:00", "duration": minutes}]}

    for start, minutes, field in (
        ("26T15:00", 30, "slots.0.duration"), ("26T15:00", 31 * NIGHT, "slots"), ("26T16:00", NIGHT, "slots.0.start"),
    ):  # fmt: skip
        refused = await api.post(path, api.acme.owner, json=slots(start, minutes))
        assert (refused.status_code, code_of(refused)) == (400, "VALIDATION_ERROR")
        assert refused.json()["errors"][0]["field"].startswith(field)
    made = await api.post(path, api.acme.owner, json=slots("26T15:00", 2 * NIGHT))
    assert made.status_code == 201, made.text
    booked = await api.post(f"/public/{made.json()['token']}/book", json=body(nights=2))
    assert (booked.status_code, booked.json()["end"]) == (201, "2027-03-28T11:00:00+02:00"), booked.text
    plain = await api.post(f"/links/{api.acme.link.id}/one-time", api.acme.owner, json=slots("26T15:00", NIGHT + 1))
    assert (plain.status_code, plain.json()["errors"][0]["field"]) == (400, "slots.0.duration")


async def test_stays_are_picked_on_the_page(api: Api) -> None:
    await room(api)
    links = (await api.get("/links", api.acme.owner)).json()["items"]
    path = f"/app/links/{next(each['id'] for each in links if each['slug'] == 'room')}/one-time"
    owner = await enter(api, api.acme.owner)
    sent = {"choice": "picked", "shown_from": "2027-03-20", "shown_minutes": str(3 * NIGHT), "expires": "never"}
    shown = await owner.post(f"{path}/new", action="show", **sent)
    pick = f"2027-03-26T14:00:00Z/{3 * NIGHT}"
    assert pick in shown.text
    assert "3 nights" in words(shown)
    for wrong in ("2027-03-26T14:00:00Z/30", "2027-03-26T15:00:00Z/1440"):
        refused = await owner.post(f"{path}/new", slots=wrong, **sent)
        assert refused.status_code == 400
    assert (await owner.post(f"{path}/new", slots=pick, **sent)).status_code == 303


async def test_one_night_until_the_hour_of_check_in_is_a_night(api: Api) -> None:
    await room(api, check_out="15:00")
    made = (await api.post("/public/acme.room/book", json=body("2027-03-12", 1))).json()
    admin = await enter(api, api.acme.admin)
    own = f"/booking/{made['booking_token']}"
    for page in (await client_of(api.app).get(own), await admin.get(f"/app/bookings/{made['id']}")):
        assert "1 night" in words(page)
    query = f"?duration={NIGHT}&start=2027-03-27T14:00:00Z&tz={ZONE}"
    asked = await client_of(api.app).get(f"{own}/move{query}", headers={"Accept-Language": "en-GB"})
    assert "15:00 – 15:00 (Sun 28 Mar)" in words(asked)


async def test_a_stay_is_set_up_on_the_service_page(api: Api) -> None:
    service = await room(api)
    admin = await enter(api, api.acme.admin)
    path = f"/app/services/{service['id']}"
    shown = await admin.get(path)
    assert [value_of(shown, name) for name in ("check_in", "check_out", "nights")] == ["15:00", "11:00", "1, 3"]
    sent = {
        "name": "Room", "check_in": "14:30", "check_out": "10:00", "nights": "2, 7; 2", "custom": "45",
        "buffer_before": "0", "buffer_after": "60", "mode": "pool", "location": "none", "is_active": "yes",
        "schedule_id": service["schedule_id"], f"units.{service['resources'][0]['resource_id']}": "1",
        "version": value_of(shown, "version"), "max_repeats": "4",
    }  # fmt: skip
    for wrong in (
        {"nights": ""}, {"nights": "0"}, {"nights": "31"}, {"nights": "two"}, {"check_out": ""}, {"check_in": "25:00"},
        {"max_repeats": "1"}, {"max_repeats": "53"},
    ):  # fmt: skip
        assert (wrong, (await admin.post(path, **{**sent, **wrong})).status_code) == (wrong, 400)
    assert (await admin.post(path, **sent)).status_code == 303
    kept = (await api.get(f"/services/{service['id']}", api.acme.admin)).json()
    assert (kept["check_in"], kept["check_out"], kept["durations"]) == ("14:30", "10:00", [2 * NIGHT, 7 * NIGHT])
    assert (await api.get("/public/acme.room")).json()["max_repeats"] == 4
    assert "2 nights, 7 nights" in words(await admin.get("/app/services"))
    plain = {
        **sent,
        "check_in": "",
        "check_out": "",
        "nights": "",
        "version": value_of(await admin.get(path), "version"),
    }
    assert (await admin.post(path, **plain)).status_code == 303
    kept = (await api.get(f"/services/{service['id']}", api.acme.admin)).json()
    assert (kept["check_in"], kept["durations"]) == (None, [45])
