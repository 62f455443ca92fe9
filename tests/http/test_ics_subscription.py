"""Reading a calendar from an address: it blocks time, the address is a secret, and faults stand at the field."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from sqlalchemy import select

from app.config import Settings
from app.db import models as m
from tests.http.api import Api, running
from tests.http.signed_in import enter, words
from tests.http.workspace import Workspace, at, moment, settings_for
from tests.support.workspace import event_text

pytestmark = pytest.mark.anyio


@pytest.fixture
async def api(settings: Settings, workspace: Workspace) -> AsyncIterator[Api]:
    own = settings_for(settings.database_url, settings.data_dir, ALLOWED_PRIVATE_HOSTS="127.0.0.1")
    async with running(own, workspace) as made:
        yield made


@pytest.fixture
async def address() -> AsyncIterator[str]:
    """A published calendar with an event on Thursday 2027-03-04, 15:00 in Berlin."""

    async def calendar(_: web.Request) -> web.Response:
        return web.Response(text=event_text("dentist", at(4, 15), at(4, 16)), content_type="text/calendar")

    application = web.Application()
    application.router.add_get("/private-0123/basic.ics", calendar)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/private-0123/basic.ics"
    await runner.cleanup()


async def starts(api: Api) -> list[str]:
    query = {"from": "2027-03-04", "to": "2027-03-04", "duration": 30, "timezone": "UTC"}
    answer = await api.get(f"/public/{api.acme.token}/availability", params=query)
    return [slot["start"].replace("+00:00", "Z") for day in answer.json()["days"] for slot in day["slots"]]


async def test_what_stands_there_takes_the_time_off_the_link(api: Api, address: str) -> None:
    visitor = await enter(api, api.acme.owner)
    assert moment(at(4, 15)) in await starts(api)
    done = await visitor.post("/app/connections/address", ics_address=address, ics_label="Dentist")
    assert done.headers["location"] == "/app/connections?did=connected"
    assert moment(at(4, 15)) not in await starts(api)
    page = await visitor.get("/app/connections")
    assert "Dentist" in words(page)
    assert "private-0123" not in page.text
    async with api.database.read.connect() as connection:
        rows = await connection.execute(select(m.calendar_accounts).where(m.calendar_accounts.c.provider == "ics_url"))
        (account,) = rows.mappings()
    assert "private-0123" not in "".join(map(str, account.values()))
    again = await visitor.post("/app/connections/address", ics_address=address)
    assert (again.status_code, "connected already" in words(again)) == (409, True)
    await visitor.client.aclose()


@pytest.mark.parametrize(
    ("typed", "status", "said"),
    [
        ("", 400, "Type the address"),
        ("not an address", 502, "Addresses must begin with https://"),
        ("https://192.168.0.1/x.ics", 502, "private network"),
        ("MISSING", 502, "no calendar at this address"),
    ],
)
async def test_a_fault_stands_at_the_field(api: Api, address: str, typed: str, status: int, said: str) -> None:
    visitor = await enter(api, api.acme.owner)
    typed = address.replace("basic", "other") if typed == "MISSING" else typed
    answer = await visitor.post("/app/connections/address", ics_address=typed)
    assert answer.status_code == status
    assert said in words(answer)
    await visitor.client.aclose()
