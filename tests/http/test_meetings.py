"""Online meetings made for each booking, declined invitations and conflicts, as the API and the pages tell them."""

from __future__ import annotations

import pytest

from app.domain.calendars import PERSONAL
from app.use_cases.calendar_objects import Conditions
from app.use_cases.put_calendar_object import put_calendar_object
from app.use_cases.take_reply import take_reply
from tests.http.api import Api, client_of, code_of
from tests.http.workspace import at, moment
from tests.support.workspace import event_text

pytestmark = pytest.mark.anyio

VIDEO = {"kind": "video", "value": ""}
START = at(4, 10)


async def booked(api: Api) -> dict[str, str]:
    """A booking of an online meeting, as its recipient gets it."""
    link = f"/links/{api.acme.link.id}"
    changed = await api.patch(link, api.acme.owner, json={"location": VIDEO})
    assert (changed.status_code, changed.json()["location"]) == (200, VIDEO), changed.text
    body = {
        "start": moment(START), "duration": 30, "timezone": "UTC", "name": "Pia", "email": "pia@example.org",
        "answers": {"topic": "Video"},
    }  # fmt: skip
    answer = await api.post(f"/public/{api.acme.token}/book", json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, str] = answer.json()
    return found


async def test_a_meeting_has_an_address_of_its_own(api: Api) -> None:
    """The link tells none; the booking and its pages do."""
    made = await booked(api)
    url = made["location"]["value"]  # type: ignore[index]  # an object
    assert url.startswith("https://meet.jit.si/halfpast-")
    async with client_of(api.app) as client:
        link = await client.get(f"/{api.acme.token.replace('.', '/')}")
        booking = await client.get(f"/booking/{made['booking_token']}")
        calendar = await client.get(f"/api/v1/public/bookings/{made['booking_token']}/calendar.ics")
    assert "Online meeting" in link.text
    assert "meet.jit.si" not in link.text
    assert f'href="{url}"' in booking.text
    assert f"LOCATION:{url}" in calendar.text.replace("\r\n ", "")


async def test_its_address_is_not_chosen(api: Api) -> None:
    wanted = {"location": {"kind": "video", "value": "https://meet.example.com/mine"}}
    answer = await api.patch(f"/links/{api.acme.link.id}", api.acme.owner, json=wanted)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")


async def test_an_answer_is_told(api: Api) -> None:
    made = await booked(api)
    path = f"/bookings/{made['id']}"
    assert (await api.get(path, api.acme.owner)).json()["recipient_reply"] is None
    await take_reply(api.app.state.ports, made["id"], "declined")
    assert (await api.get(path, api.acme.owner)).json()["recipient_reply"] == "declined"
    history = await api.get(f"{path}/history", api.acme.owner)
    assert "booking.declined" in [each["action"] for each in history.json()["items"]]


async def test_a_conflict_is_told_to_staff_alone(api: Api) -> None:
    """And only as long as it is one."""
    made = await booked(api)
    ports, path = api.app.state.ports, f"/bookings/{made['id']}"
    assert (await api.get(path, api.acme.owner)).json()["has_conflict"] is False
    async with ports.read() as work:
        calendar = await work.calendars.builtin_calendar(api.acme.owner.id, PERSONAL)
    assert calendar is not None
    await put_calendar_object(ports, calendar, "a.ics", event_text("a", START + 60, START + 120), Conditions())
    assert (await api.get(path, api.acme.owner)).json()["has_conflict"] is True
    listed = await api.get("/bookings", api.acme.owner, params={"limit": "200"})
    assert [each["id"] for each in listed.json()["items"] if each["has_conflict"]] == [made["id"]]
    public = await api.get(f"/public/bookings/{made['booking_token']}")
    assert public.json()["has_conflict"] is False
    await put_calendar_object(ports, calendar, "a.ics", event_text("a", START + 1800, START + 3600), Conditions())
    assert (await api.get(path, api.acme.owner)).json()["has_conflict"] is False
