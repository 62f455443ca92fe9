"""`/slots`: sessions with seats, and what recipients see of them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.http.api import Api, client_of
from tests.http.workspace import at, moment

pytestmark = pytest.mark.anyio

NINE, HOUR = at(10, 9), 3600


async def a_class(api: Api, **values: Any) -> tuple[str, str]:
    """A class of the owner's with three seats, and the token of a link to it: (service id, token)."""
    body = {"name": "Yoga", "durations": [60], "capacity": 3, **values}
    made = await api.post("/services", api.acme.admin, json=body)
    assert made.status_code == 201, made.text
    service = made.json()["id"]
    people = {"items": [{"employee_id": api.acme.owner.id}]}
    assert (await api.call("PUT", f"/services/{service}/employees", api.acme.admin, json=people)).status_code == 200
    link = {"title": "Yoga", "slug": "yoga", "service_id": service, "minimum_notice": 0}
    made = await api.post("/links", api.acme.owner, json=link)
    assert made.status_code == 201, made.text
    return service, made.json()["token"]


def wish(start: int, number: int = 1, **values: Any) -> dict[str, Any]:
    who = {"name": f"Client {number}", "email": f"client{number}@example.org"}
    return {"start": moment(start), "duration": 60, "timezone": "UTC", **who, **values}


async def starts(api: Api, token: str) -> dict[str, int]:
    query = {"from": "2027-03-10", "to": "2027-03-10", "duration": "60", "timezone": "UTC"}
    answer = await api.get(f"/public/{token}/availability", None, params=query)
    return {slot["start"][11:16]: slot["seats_left"] for day in answer.json()["days"] for slot in day["slots"]}


async def set_slot(api: Api, service: str, start: int, **values: Any) -> Any:
    body = {"service_id": service, "start": moment(start), "duration": 60, **values}
    return await api.post("/slots", api.acme.admin, json=body)


async def test_availability_tells_the_seats_that_are_left(api: Api) -> None:
    _, token = await a_class(api)
    assert (await api.get(f"/public/{token}", None)).json()["capacity"] == 3
    assert (await starts(api, token))["08:00"] == 3
    booked = await api.post(f"/public/{token}/book", None, json=wish(NINE, seats=2))
    assert (booked.status_code, booked.json()["seats"]) == (201, 2)
    assert (await starts(api, token))["08:00"] == 1, "the kept answer is not given any more"
    refused = await api.post(f"/public/{token}/book", None, json=wish(NINE, 2, seats=2))
    assert (refused.status_code, refused.json()["code"]) == (409, "BOOKING_CONFLICT")
    assert refused.json()["alternatives"]


async def test_a_recipient_learns_nothing_of_the_others(api: Api) -> None:
    _, token = await a_class(api)
    await api.post(f"/public/{token}/book", None, json=wish(NINE, 1, notes="Allergic to cats"))
    booked = (await api.post(f"/public/{token}/book", None, json=wish(NINE, 2))).json()
    key = booked["booking_token"]
    seen = [
        (await api.get(f"/public/bookings/{key}", None)).text,
        (await api.get(f"/public/bookings/{key}/calendar.ics", None)).text,
        (await api.get(f"/public/{token}", None)).text,
    ]
    async with client_of(api.app) as browser:
        seen += [(await browser.get(f"/booking/{key}")).text, (await browser.get("/acme/yoga")).text]
    for text in seen:
        assert text and "Client 1" not in text and "client1" not in text and "cats" not in text


async def test_admins_set_a_session(api: Api) -> None:
    service, token = await a_class(api, is_scheduled=True)
    assert await starts(api, token) == {}
    made = await set_slot(api, service, NINE, title="Yoga outdoors", capacity=5)
    assert made.status_code == 201, made.text
    slot = made.json()
    assert (slot["title"], slot["capacity"], slot["seats_taken"], slot["is_explicit"]) == ("Yoga outdoors", 5, 0, True)
    assert [host["id"] for host in slot["hosts"]] == [api.acme.owner.id]
    assert await starts(api, token) == {"08:00": 5}
    assert (await api.post(f"/public/{token}/book", None, json=wish(NINE))).status_code == 201
    never = await api.post(f"/public/{token}/book", None, json=wish(NINE + HOUR))
    assert (never.status_code, never.json()["code"]) == (400, "VALIDATION_ERROR")
    shown = (await api.get(f"/slots/{slot['id']}", api.acme.owner)).json()
    assert (shown["seats_taken"], shown["attendees"][0]["name"]) == (1, "Client 1")


async def test_who_is_named_may_work_outside_their_hours_but_never_over_a_booking(api: Api) -> None:
    service, token = await a_class(api)
    late = at(10, 22)
    assert (await set_slot(api, service, late)).status_code == 400
    named = {"host_ids": [api.acme.owner.id]}
    assert (await set_slot(api, service, late, **named)).status_code == 201
    assert (await starts(api, token))["21:00"] == 3
    over = await set_slot(api, service, late + HOUR // 2, **named)
    assert (over.status_code, over.json()["code"]) == (409, "BOOKING_CONFLICT")
    stranger = await set_slot(api, service, NINE, host_ids=[api.acme.employee.id])
    assert (stranger.status_code, stranger.json()["errors"][0]["field"]) == (400, "host_ids")


async def test_an_ordinary_service_has_no_sessions(api: Api) -> None:
    refused = await set_slot(api, api.acme.service.id, NINE)
    assert refused.status_code == 400


async def test_a_session_is_cancelled_with_all_who_attend(api: Api) -> None:
    service, token = await a_class(api)
    slot = (await set_slot(api, service, NINE)).json()
    booked = [(await api.post(f"/public/{token}/book", None, json=wish(NINE, number))).json() for number in (1, 2)]
    stale = await api.delete(f"/slots/{slot['id']}", api.acme.admin, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    gone = await api.delete(f"/slots/{slot['id']}", api.acme.admin, params={"reason": "The hall is closed."})
    assert (gone.status_code, gone.json()["status"]) == (200, "cancelled")
    for each in booked:
        seen = (await api.get(f"/public/bookings/{each['booking_token']}", None)).json()
        assert (seen["status"], seen["cancel_reason"]) == ("cancelled", "The hall is closed.")
    assert (await api.delete(f"/slots/{slot['id']}", api.acme.admin)).status_code == 422
    assert (await starts(api, token))["08:00"] == 3


async def test_lists_know_which_is_which(api: Api) -> None:
    service, token = await a_class(api)
    slot = (await set_slot(api, service, NINE)).json()
    booked = (await api.post(f"/public/{token}/book", None, json=wish(NINE))).json()
    owner = api.acme.owner
    bookings = (await api.get("/bookings", owner, params={"service": service})).json()["items"]
    assert [each["id"] for each in bookings] == [booked["id"]]
    mine = [each["id"] for each in (await api.get("/me/schedule", owner)).json()["items"]]
    assert slot["id"] in mine and booked["id"] not in mine
    for query, found in (
        ({"service": service}, [slot["id"]]),
        ({"service": api.acme.service.id}, []),
        ({"host": owner.id, "from": "2027-03-10", "to": "2027-03-10"}, [slot["id"]]),
        ({"host": api.acme.colleague.id}, []),
        ({"service": service, "status": "cancelled"}, []),
    ):
        assert [each["id"] for each in (await api.get("/slots", owner, params=query)).json()["items"]] == found
    assert (await api.get("/slots", api.acme.employee)).json()["items"] == []


async def test_a_session_moves_with_all_who_attend(api: Api) -> None:
    service, token = await a_class(api)
    slot = (await set_slot(api, service, NINE)).json()
    booked = (await api.post(f"/public/{token}/book", None, json=wish(NINE))).json()
    body = {"start": moment(NINE + 2 * HOUR)}
    moved = await api.post(f"/bookings/{slot['id']}/reschedule", api.acme.owner, json=body)
    assert moved.status_code == 200, moved.text
    seen = (await api.get(f"/public/bookings/{booked['booking_token']}", None)).json()
    assert seen["start"].startswith("2027-03-10T10:00") and seen["sequence"] == booked["sequence"] + 1
    assert (await api.post(f"/bookings/{slot['id']}/start", api.acme.owner)).status_code == 422


async def test_staff_move_a_session_over_the_rules_and_recipients_do_not(api: Api) -> None:
    service, token = await a_class(api)
    slot = (await set_slot(api, service, NINE)).json()
    for number in (1, 2):
        booked = (await api.post(f"/public/{token}/book", None, json=wish(NINE, number))).json()
    link = (await api.get(f"/bookings/{booked['id']}", api.acme.owner)).json()["link_id"]
    there = NINE + 24 * HOUR
    assert (await api.post(f"/public/{token}/book", None, json=wish(there, 3))).status_code == 201
    limited = await api.call("PATCH", f"/links/{link}", api.acme.owner, json={"max_per_day": 2})
    assert limited.status_code == 200, limited.text
    path, body = f"/bookings/{slot['id']}/reschedule", {"start": moment(there + 3 * HOUR)}
    refused = await api.post(path, api.acme.owner, json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "BOOKING_CONFLICT")
    seat = await api.post(f"/bookings/{booked['id']}/reschedule", api.acme.owner, json={**body, "override": True})
    assert (seat.status_code, seat.json()["errors"][0]["field"]) == (400, "override")
    address = f"/public/bookings/{booked['booking_token']}/reschedule"
    assert (await api.post(address, None, json={**body, "override": True})).status_code == 400
    moved = await api.post(path, api.acme.owner, json={**body, "override": True})
    assert moved.status_code == 200, moved.text


async def test_a_recipient_moves_their_own_seat(api: Api) -> None:
    _, token = await a_class(api)
    first, second = [(await api.post(f"/public/{token}/book", None, json=wish(NINE, n))).json() for n in (1, 2)]
    body = {"start": moment(NINE + HOUR)}
    moved = await api.post(f"/public/bookings/{first['booking_token']}/reschedule", None, json=body)
    assert moved.status_code == 200, moved.text
    assert (moved.json()["id"], moved.json()["uid"]) == (first["id"], first["uid"])
    found = await starts(api, token)
    assert (found["08:00"], found["09:00"]) == (2, 2)
    still = (await api.get(f"/public/bookings/{second['booking_token']}", None)).json()
    assert still["start"] == second["start"]
