"""Connecting, choosing, reading and disconnecting calendars by the API, with a Radicale that really runs."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.config import Settings
from tests.capabilities import need
from tests.http.api import Api, code_of, running
from tests.http.workspace import Workspace, at, settings_for
from tests.support.calendar_servers import PASSWORD, USER, CalendarServer, radicale
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

QUERY = {"from": "2027-03-03", "to": "2027-03-03", "duration": "30", "timezone": "Europe/Berlin"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    """A Radicale with two calendars and one event, on Wednesday from 10 to 11."""
    need("radicale")
    with radicale(tmp_path_factory.mktemp("radicale")) as found:
        with httpx.Client(base_url=found.home, auth=(USER, PASSWORD)) as client:
            for name in ("work", "home"):
                assert client.request("MKCALENDAR", f"{name}/").status_code == 201
            assert client.put("work/meeting.ics", content=meeting(10)).status_code == 201
        yield found


def meeting(hour: int) -> str:
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Test//EN\r\nBEGIN:VEVENT\r\nUID:meeting\r\n"
        f"DTSTAMP:20270301T060000Z\r\nDTSTART:20270303T{hour - 1:02}0000Z\r\nDTEND:20270303T{hour:02}0000Z\r\n"
        "SUMMARY:Meeting\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )


async def move_meeting(server: CalendarServer, hour: int) -> None:
    async with httpx.AsyncClient(base_url=server.home, auth=(USER, PASSWORD)) as client:
        assert (await client.put("work/meeting.ics", content=meeting(hour))).status_code < 300


@pytest.fixture
async def api(settings: Settings, workspace: Workspace, tmp_path: Path) -> AsyncIterator[Api]:
    """A program that may reach this machine's calendar servers."""
    allowed = settings_for(settings.database_url, tmp_path, ALLOWED_PRIVATE_HOSTS="127.0.0.1")
    async with running(allowed, workspace) as started:
        yield started


async def connect(api: Api, server_url: str, **changes: Any) -> httpx.Response:
    body = {"url": server_url, "username": USER, "password": PASSWORD, "label": "Work", **changes}
    return await api.post("/calendar-accounts", api.acme.owner, json=body)


async def starts(api: Api) -> list[str]:
    days = (await api.get("/public/acme.intro/availability", params=QUERY)).json()["days"]
    return [slot["start"][11:16] for day in days for slot in day["slots"]]


async def test_from_connecting_to_disconnecting(api: Api, server: CalendarServer) -> None:
    owner = api.acme.owner
    assert "10:00" in await starts(api)
    made = await connect(api, server.url)
    assert made.status_code == 201, made.text
    account = made.json()
    assert (account["provider"], account["status"], account["username"]) == ("caldav", "ok", USER)
    assert PASSWORD not in made.text
    path = f"/calendar-accounts/{account['id']}"

    calendars = (await api.get(f"{path}/calendars", owner)).json()["items"]
    assert {calendar["is_conflict"] for calendar in calendars} == {True}
    assert {calendar["is_write"] for calendar in calendars} == {False}
    assert len(calendars) == 2
    assert "10:00" not in await starts(api), "what is connected blocks time from the start"

    await move_meeting(server, 12)
    assert "10:00" not in await starts(api)
    synced = await api.post(f"{path}/sync", owner)
    assert synced.status_code == 200, synced.text
    assert synced.json()["status"] == "ok"
    assert "10:00" in await starts(api)
    assert "12:00" not in await starts(api)

    choices = [{"id": each["id"], "is_conflict": False, "is_write": False} for each in calendars]
    choices[0] |= {"is_write": True}
    chosen = await api.patch(f"{path}/calendars", owner, json={"calendars": choices})
    assert chosen.status_code == 200, chosen.text
    assert [each["is_write"] for each in chosen.json()["items"] if each["id"] == choices[0]["id"]] == [True]
    assert "12:00" in await starts(api), "it blocks no time any more"

    booking = (await api.get(f"/bookings/{api.acme.booking.id}", owner)).json()
    assert [event["state"] for event in booking["calendar_events"]] == ["pending"]

    gone = await api.delete(path, owner)
    assert gone.status_code == 204, gone.text
    assert (await api.get(path, owner)).status_code == 404
    await move_meeting(server, 10)


async def test_what_is_typed_wrong_is_told_at_its_field(api: Api, server: CalendarServer) -> None:
    """A wrong password, an address that may not be reached: 400, and nothing is written."""
    before = await snapshot(api.database)
    for changes, field in (
        ({"password": "wrong"}, "password"),
        ({"url": "http://127.0.0.2:1/"}, "url"),
        ({"url": "http://[::1]:1/"}, "url"),
        ({"url": "ftp://127.0.0.1/"}, "url"),
        ({"url": "", "username": "ana"}, "url"),
        ({"provider": "builtin"}, "provider"),
    ):
        answer = await connect(api, server.url, **changes)
        assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), f"{changes}: {answer.text}"
        assert answer.json()["errors"][0]["field"] == field, answer.text
        assert PASSWORD not in answer.text
    assert await snapshot(api.database) == before


async def test_a_server_that_does_not_answer_is_502(api: Api) -> None:
    before = await snapshot(api.database)
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = await connect(api, f"http://127.0.0.1:{unused.getsockname()[1]}/")
    assert (answer.status_code, code_of(answer)) == (502, "PROVIDER_FAILURE"), answer.text
    assert await snapshot(api.database) == before


async def test_an_account_is_connected_once(api: Api, server: CalendarServer) -> None:
    assert (await connect(api, server.url)).status_code == 201
    before = await snapshot(api.database)
    again = await connect(api, server.url)
    assert (again.status_code, code_of(again)) == (409, "ALREADY_EXISTS")
    assert await snapshot(api.database) == before


async def test_a_new_password_is_proved_before_it_is_kept(api: Api, server: CalendarServer) -> None:
    account = (await connect(api, server.url)).json()
    path = f"/calendar-accounts/{account['id']}"
    before = await snapshot(api.database)
    wrong = await api.patch(path, api.acme.owner, json={"password": "wrong"})
    assert (wrong.status_code, wrong.json()["errors"][0]["field"]) == (400, "password"), wrong.text
    assert await snapshot(api.database) == before
    right = await api.patch(path, api.acme.owner, json={"password": PASSWORD})
    assert (right.status_code, right.json()["status"]) == (200, "ok")


async def test_choices_that_cannot_be_are_refused(api: Api, server: CalendarServer) -> None:
    """Calendars of others, two to write into, the built-in ones beyond what they are for."""
    acme, umbrella = api.acme, api.umbrella
    account = (await connect(api, server.url)).json()
    path = f"/calendar-accounts/{account['id']}/calendars"
    ids = [each["id"] for each in (await api.get(path, acme.owner)).json()["items"]]
    accounts = (await api.get("/calendar-accounts", acme.owner)).json()["items"]
    builtin = next(each["id"] for each in accounts if each["provider"] == "builtin")
    own = (await api.get(f"/calendar-accounts/{builtin}/calendars", acme.owner)).json()["items"]
    personal = next(each["id"] for each in own if each["is_conflict"])
    before = await snapshot(api.database)
    for where, choices, status in (
        (path, [{"id": umbrella.calendar.id, "is_conflict": True}], 404),
        (path, [{"id": acme.calendar.id, "is_conflict": True}], 404),
        (path, [{"id": each, "is_write": True} for each in ids], 400),
        (path, [], 400),
        (f"/calendar-accounts/{builtin}/calendars", [{"id": personal, "is_write": True}], 400),
    ):
        answer = await api.patch(where, acme.owner, json={"calendars": choices})
        assert answer.status_code == status, answer.text
    refused = await api.delete(f"/calendar-accounts/{builtin}", acme.owner)
    assert (refused.status_code, code_of(refused)) == (403, "FORBIDDEN")
    assert await snapshot(api.database) == before


async def test_a_server_that_went_away_is_told_and_nothing_becomes_free(
    api: Api, tmp_path_factory: pytest.TempPathFactory
) -> None:
    owner = api.acme.owner
    need("radicale")
    with radicale(tmp_path_factory.mktemp("leaving")) as leaving:
        async with httpx.AsyncClient(base_url=leaving.home, auth=(USER, PASSWORD)) as client:
            await client.request("MKCALENDAR", "work/")
        await move_meeting(leaving, 10)
        account = (await connect(api, leaving.url)).json()
        assert "10:00" not in await starts(api)
    path = f"/calendar-accounts/{account['id']}"
    api.clock.now += 3600
    status = (await api.post(f"{path}/sync", owner)).json()
    assert (status["status"], status["mend"], status["age"]) == ("error", "read", 3600)
    assert status["error"]
    assert status["calendars"][0]["age"] == 3600
    assert status["calendars"][0]["error"]
    assert (await api.get(f"{path}/status", owner)).json() == status
    assert "10:00" not in await starts(api), "the last good copy counts"
    api.clock.now = at(2, 8)
    answer = await api.get("/public/acme.intro/availability", params=QUERY)
    assert (answer.status_code, code_of(answer)) == (503, "CALENDAR_UNAVAILABLE"), "and not for ever"
