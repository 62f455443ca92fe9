"""Connecting a Google account in the browser: to the consent page and back, bound to the session that began it; then
bookings go into it, and what is done to them there comes back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from html import unescape
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from sqlalchemy import select

from app.config import Settings
from app.db import models as m
from app.domain.bookings import Booking
from app.use_cases.book_slot import book_slot
from app.wiring import HANDLERS
from app.worker import Worker
from tests.capabilities import need
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.google_events import FakeCalendar, Json
from tests.fakes.google_grants import CLIENT_ID, CLIENT_SECRET
from tests.http.api import Api, client_of, running
from tests.http.signed_in import browser_of, ports_of
from tests.http.workspace import NOW, Workspace, at, request_at, settings_for
from tests.support.clock import Clock
from tests.support.prepared import snapshot

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]
CONNECT = "/api/v1/calendar-accounts/google/connect"
HALF_HOUR = 1800


@pytest.fixture
async def google() -> AsyncIterator[FakeGoogle]:
    """A Google; that nobody broke a contract is part of every test."""
    need("contracts")
    fake = await FakeGoogle(Clock(NOW)).start()
    yield fake
    await fake.stop()
    assert fake.broken == []


def registered(settings: Settings, google: FakeGoogle) -> Settings:
    """The settings of a program that is registered at this Google."""
    return settings_for(
        settings.database_url,
        settings.data_dir,
        GOOGLE_CLIENT_ID=CLIENT_ID,
        GOOGLE_CLIENT_SECRET=CLIENT_SECRET,
        GOOGLE_API_ENDPOINT=google.url,
        GOOGLE_OAUTH_ENDPOINT=google.url,
    )


@pytest.fixture
async def api(settings: Settings, workspace: Workspace, google: FakeGoogle) -> AsyncIterator[Api]:
    """The program, registered at this Google."""
    async with running(registered(settings, google), workspace) as made:
        yield made


async def consent(google: FakeGoogle, address: str, untick: str = "", **chosen: str) -> str:
    """Fill the consent page; the path and query that the browser is sent back to."""
    async with httpx.AsyncClient(trust_env=False) as elsewhere:
        page = await elsewhere.get(address, follow_redirects=True)
        inputs = re.findall(r'<input type="(\w+)" name="([^"]*)" value="([^"]*)"', page.text)
        form: dict[str, Any] = {name: unescape(value) for kind, name, value in inputs if kind == "hidden"}
        boxes = [unescape(value) for kind, _, value in inputs if kind == "checkbox"]
        form["granted"] = [each for each in boxes if not untick or untick not in each]
        form |= {"email": PERSON, "answer": "allow", **chosen}
        answer = await elsewhere.post(f"{google.url}/consent", data=form)
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


async def connected(api: Api, google: FakeGoogle, browser: httpx.AsyncClient, **how: str) -> str:
    """Go through all of it; what the page of the connections says then."""
    begun = await browser.get(CONNECT)
    assert begun.status_code == 303
    assert begun.headers["location"].startswith(google.url)
    assert begun.headers["cache-control"] == "no-store"
    finished = await browser.get(await consent(google, begun.headers["location"], **how))
    assert finished.status_code == 303
    return str(finished.headers["location"])


async def google_rows(api: Api, table: Any) -> list[Any]:
    async with api.database.read.connect() as connection:
        rows = await connection.execute(select(table).where(table.c.provider == "google"))
        return list(rows.mappings())


async def test_an_account_is_connected_and_its_calendars_block_time(api: Api, google: FakeGoogle) -> None:
    google.person()
    browser = await browser_of(api, api.acme.owner)
    assert "Google" in (await browser.get("/app/connections")).text
    assert await connected(api, google, browser) == "/app/connections?did=connected"
    (account,) = await google_rows(api, m.calendar_accounts)
    assert (account["username"], account["status"], account["user_id"]) == (PERSON, "ok", api.acme.owner.id)
    assert "calendar.events" in account["scopes"]
    assert "refresh" not in account["secret_sealed"]
    (calendar,) = await google_rows(api, m.calendars)
    assert (calendar["name"], calendar["is_conflict"], calendar["synced_at"]) == (PERSON, True, NOW)
    page = (await browser.get("/app/connections")).text
    assert PERSON in page
    await browser.aclose()


async def test_what_can_only_be_read_blocks_nothing_until_it_is_chosen(api: Api, google: FakeGoogle) -> None:
    """Colleagues' calendars and public holidays are listed too."""
    google.person()
    google.calendar("holidays@group.v.calendar.google.com", role="reader")
    browser = await browser_of(api, api.acme.owner)
    await connected(api, google, browser)
    blocking = {row["name"]: row["is_conflict"] for row in await google_rows(api, m.calendars)}
    assert blocking == {PERSON: True, "holidays@group.v.calendar.google.com": False}
    await browser.aclose()


@pytest.mark.parametrize(
    ("how", "did"),
    [({"answer": "refuse"}, "sign-in-refused"), ({"untick": "calendar.events"}, "sign-in-refused")],
    ids=["refused", "a box unticked"],
)
async def test_who_refuses_connects_nothing_and_is_told(
    api: Api, google: FakeGoogle, how: dict[str, str], did: str
) -> None:
    google.person()
    browser = await browser_of(api, api.acme.owner)
    before = await snapshot(api.database)
    where = await connected(api, google, browser, **how)
    assert where == f"/app/connections?did={did}"
    assert "Nothing was connected" in (await browser.get(where)).text
    assert await snapshot(api.database) == before
    await browser.aclose()


async def test_an_answer_counts_only_in_the_browser_that_asked(api: Api, google: FakeGoogle) -> None:
    """Else somebody could have their calendar connected to a stranger's account here."""
    google.person()
    mine, theirs = await browser_of(api, api.acme.owner), await browser_of(api, api.acme.colleague)
    again = await browser_of(api, api.acme.owner)
    back = await consent(google, (await mine.get(CONNECT)).headers["location"])
    before = await snapshot(api.database)
    for browser in (theirs, again):
        assert (await browser.get(back)).headers["location"] == "/app/connections?did=sign-in-stale"
    forged = re.sub(r"state=[^&]*", "state=forged", back)
    assert (await mine.get(forged)).headers["location"] == "/app/connections?did=sign-in-stale"
    async with client_of(api.app) as stranger:
        assert (await stranger.get(back)).status_code == 401
    assert (await api.get("/calendar-accounts/google/connect", api.acme.owner)).status_code == 403
    assert await snapshot(api.database) == before
    for browser in (mine, theirs, again):
        await browser.aclose()


async def test_an_account_that_is_there_is_connected_anew(api: Api, google: FakeGoogle) -> None:
    google.person()
    browser = await browser_of(api, api.acme.owner)
    await connected(api, google, browser)
    (account,) = await google_rows(api, m.calendar_accounts)
    google.withdraw()
    api.clock.advance(4000)
    await work(api, 600)
    assert [row["status"] for row in await google_rows(api, m.calendar_accounts)] == ["error"]
    page = (await browser.get("/app/connections")).text
    (again,) = re.findall(r'href="(/api/v1/calendar-accounts/google/connect\?account=[^"]*)"', page)
    begun = await browser.get(unescape(again))
    google.person()
    finished = await browser.get(await consent(google, begun.headers["location"]))
    assert finished.headers["location"] == "/app/connections?did=connected"
    (after,) = await google_rows(api, m.calendar_accounts)
    assert (after["id"], after["status"]) == (account["id"], "ok")
    begun = await browser.get(unescape(again))
    google.person("somebody@example.com")
    other = await browser.get(await consent(google, begun.headers["location"], email="somebody@example.com"))
    assert other.headers["location"] == "/app/connections?did=sign-in-other-account"
    await browser.aclose()


async def test_a_provider_the_program_is_not_registered_at_is_not_there(api: Api) -> None:
    browser = await browser_of(api, api.acme.owner)
    assert (await browser.get("/api/v1/calendar-accounts/microsoft/connect")).status_code == 404
    assert "Microsoft" not in (await browser.get("/app/connections")).text
    await browser.aclose()


async def work(api: Api, seconds: int = 0) -> None:
    """Let time pass, then do all that is due."""
    api.clock.advance(seconds)
    await Worker(ports_of(api), HANDLERS).drain()


async def test_a_booking_lives_in_google_and_follows_what_is_done_there(api: Api, google: FakeGoogle) -> None:
    google.person()
    browser = await browser_of(api, api.acme.owner)
    await connected(api, google, browser)
    (calendar,) = await google_rows(api, m.calendars)
    chosen = {"calendars": [{"id": calendar["id"], "is_write": True}]}
    path = f"/calendar-accounts/{calendar['account_id']}/calendars"
    assert (await api.patch(path, api.acme.owner, json=chosen)).status_code == 200
    booking = await book_slot(ports_of(api), api.acme.token, request_at(at(4, 10)))
    await work(api)
    store = google.service.calendars[PERSON]
    (event,) = own(store, booking)
    assert "attendees" not in event

    start = datetime.fromtimestamp(at(4, 14), UTC).isoformat().replace("+00:00", "Z")
    end = datetime.fromtimestamp(at(4, 14) + HALF_HOUR, UTC).isoformat().replace("+00:00", "Z")
    store.replace(event["id"], {**event, "start": {"dateTime": start}, "end": {"dateTime": end}})
    await work(api, 600)
    await work(api, 600)
    assert await found(api, booking.id) == ("confirmed", at(4, 14))

    store.delete(event["id"])
    for _ in range(3):
        await work(api, 600)
    assert (await found(api, booking.id))[0] == "cancelled"
    assert own(store, booking) == []
    await browser.aclose()


def own(store: FakeCalendar, booking: Booking) -> list[Json]:
    """The booking's events there."""
    private = [(each.get("extendedProperties") or {}).get("private") or {} for each in store.living()]
    return [each for each, ours in zip(store.living(), private, strict=True) if ours.get("halfpastUid") == booking.uid]


async def found(api: Api, booking_id: str) -> tuple[str, int]:
    async with ports_of(api).read() as work_:
        booking = await work_.bookings.get(booking_id)
    assert booking is not None
    return booking.status, booking.start


async def test_nobody_hands_in_tokens(api: Api, google: FakeGoogle) -> None:
    google.person()
    browser = await browser_of(api, api.acme.owner)
    await connected(api, google, browser)
    (account,) = await google_rows(api, m.calendar_accounts)
    before = await snapshot(api.database)
    answer = await api.patch(f"/calendar-accounts/{account['id']}", api.acme.owner, json={"password": "{}"})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "password")
    assert await snapshot(api.database) == before
    await browser.aclose()


async def test_disconnecting_gives_the_grant_back(api: Api, google: FakeGoogle) -> None:
    google.person()
    browser = await browser_of(api, api.acme.owner)
    await connected(api, google, browser)
    (account,) = await google_rows(api, m.calendar_accounts)
    assert (await api.delete(f"/calendar-accounts/{account['id']}", api.acme.owner)).status_code == 204
    assert await google_rows(api, m.calendar_accounts) == []
    await work(api)
    assert google.asked("POST /revoke")
    await browser.aclose()
