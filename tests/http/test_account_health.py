"""How calendar accounts are, on the pages and in the API: the facts, the error in words, and what mends it."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator

import httpx
import pytest
from sqlalchemy import update

from app.config import Settings
from app.db import models as m
from app.ports import Ports
from app.ports.channels import CalendarChannel
from app.use_cases.ids import new_id
from app.wiring import HANDLERS
from app.worker import Worker
from tests.capabilities import need
from tests.fakes.google import PERSON, FakeGoogle
from tests.http.api import Api, running
from tests.http.signed_in import browser_of
from tests.http.test_calendar_sign_in import CONNECT, connected, consent, google_rows, registered
from tests.http.workspace import NOW, Workspace, moment
from tests.support.clock import Clock
from tests.support.statements import statements_of

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]
HOUR = 3600
PAGES = ("bookings", "links", "templates", "availability", "connections", "phone", "settings")
BANNER = 'id="banner"'


@pytest.fixture
async def google() -> AsyncIterator[FakeGoogle]:
    """A Google with one person; that nobody broke a contract is part of every test."""
    need("contracts")
    fake = await FakeGoogle(Clock(NOW)).start()
    fake.person()
    yield fake
    await fake.stop()
    assert fake.broken == []


@pytest.fixture
async def api(settings: Settings, workspace: Workspace, google: FakeGoogle) -> AsyncIterator[Api]:
    """The program, registered at this Google; the owner's other account is gone."""
    async with running(registered(settings, google), workspace) as made:
        await made.delete(f"/calendar-accounts/{made.acme.account.id}", made.acme.owner)
        yield made


@pytest.fixture
async def browser(api: Api, google: FakeGoogle) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the owner, who has just connected their Google account."""
    client = await browser_of(api, api.acme.owner)
    assert await connected(api, google, client) == "/app/connections?did=connected"
    yield client
    await client.aclose()


def ports_of(api: Api) -> Ports:
    ports: Ports = api.app.state.ports
    return ports


async def work(api: Api, seconds: int) -> None:
    """Let time pass, then do all that is due."""
    api.clock.advance(seconds)
    await Worker(ports_of(api), HANDLERS).drain()


def words(text: str) -> str:
    """What a person reads."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text)))


async def page_of(browser: httpx.AsyncClient, name: str = "connections") -> str:
    answer = await browser.get(f"/app/{name}")
    assert answer.status_code == 200
    return answer.text


async def press(browser: httpx.AsyncClient, page: str, button: str) -> httpx.Response:
    """Send the form that has this button."""
    forms = re.findall(r"<form[^>]*>.*?</form>", page, re.DOTALL)
    (form,) = [each for each in forms if button in words(each)]
    (action,) = re.findall(r'action="([^"]*)"', form)
    (csrf,) = re.findall(r'name="csrf" value="([^"]*)"', form)
    return await browser.post(action, data={"csrf": csrf})


async def test_page_and_api_tell_the_same_of_a_healthy_account(api: Api, browser: httpx.AsyncClient) -> None:
    (account,) = await google_rows(api, m.calendar_accounts)
    api.clock.advance(20)
    status = (await api.get(f"/calendar-accounts/{account['id']}/status", api.acme.owner)).json()
    assert (status["status"], status["error"], status["mend"]) == ("ok", None, None)
    assert (status["last_sync_at"], status["age"], status["next_sync_at"]) == (moment(NOW), 20, moment(NOW + 30))
    assert (status["pushed_calendars"], status["push_until"]) == (0, None)
    assert any(scope.endswith("/calendar.events") for scope in status["scopes"])
    assert (status["changes_calendars"], status["contacts"]) == (True, False)
    told = words(await page_of(browser))
    assert "Works" in told
    assert re.search(r"Last read 0?7:00( AM)? \(just now\)", told)
    assert "Age of data less than a minute" in told
    assert "Next in 1 minute" in told
    assert "Looked for every few minutes." in told
    assert "May read and change your calendars. Contacts: no." in told
    api.clock.advance(20)
    assert "Next now" in words(await page_of(browser))


async def test_an_open_channel_is_told_with_its_end(api: Api, browser: httpx.AsyncClient) -> None:
    (calendar,) = await google_rows(api, m.calendars)
    ends = [NOW - HOUR, NOW + 2 * HOUR, NOW + HOUR]
    async with ports_of(api).unit_of_work() as unit:
        for number, end in enumerate(ends):
            channel = CalendarChannel(
                new_id(), calendar["org_id"], calendar["id"], "google", f"resource-{number}", "token", end
            )
            await unit.channels.add(channel, NOW)
        await unit.commit()
    status = (await api.get(f"/calendar-accounts/{calendar['account_id']}/status", api.acme.owner)).json()
    assert (status["pushed_calendars"], status["push_until"]) == (1, moment(NOW + 2 * HOUR))
    assert "Told at once, and looked for every few minutes. Until" in words(await page_of(browser))


async def test_every_page_tells_of_an_account_that_needs_its_owner_and_nobody_else(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    colleague = await browser_of(api, api.acme.colleague)
    assert BANNER not in await page_of(browser, "bookings")
    google.withdraw()
    await work(api, 4000)
    (account,) = await google_rows(api, m.calendar_accounts)
    for name in PAGES:
        page = await page_of(browser, name)
        assert (name, f"The calendar account {PERSON} (Google) needs you" in words(page)) == (name, True)
        assert (name, f'href="/app/connections#account-{account["id"]}"' in page) == (name, True)
        assert (name, BANNER in await page_of(colleague, name)) == (name, False)
    await colleague.aclose()


async def test_a_failure_reaches_its_owner_before_a_recipient_can_notice(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient, settings: Settings
) -> None:
    """By one mail at once, and on the pages; times are offered from the last copy for the rest of a day."""
    google.withdraw()
    days = {"from": "2027-03-03", "to": "2027-03-03", "duration": "30", "timezone": "Europe/Berlin"}
    for seconds in (4000, 4 * HOUR, 12 * HOUR):
        await work(api, seconds)
        mails = [path.read_text() for path in (settings.data_dir / "mail").glob("**/*.eml")]
        assert sum("Your calendar cannot be read" in mail for mail in mails) == 1
        assert BANNER in await page_of(browser, "bookings")
        offered = await api.get("/public/acme.intro/availability", params=days)
        assert offered.json()["days"], "recipients see no difference yet"
    await work(api, 8 * HOUR)
    assert (await api.get("/public/acme.intro/availability", params=days)).status_code == 503


async def test_the_banner_costs_a_page_one_statement(api: Api, google: FakeGoogle, browser: httpx.AsyncClient) -> None:
    async with statements_of(None) as before:
        await page_of(browser, "phone")
    google.withdraw()
    await work(api, 4000)
    async with statements_of(None) as after:
        assert BANNER in await page_of(browser, "phone")
    assert len(after) == len(before)
    assert sum("calendar_accounts" in each for each in after) == 1


async def test_a_grant_that_was_taken_back_is_mended_by_signing_in_again(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    google.withdraw()
    await work(api, 4000)
    page = await page_of(browser)
    told = words(page)
    assert "Google does not accept the connection any more." in told
    assert told.count("Sign in again") == 1
    for other in ("Try again", "Read now", "New password"):
        assert other not in told.split("Not delivered")[0]
    (again,) = re.findall(rf'href="({CONNECT}\?account=[^"]*)"', page)
    begun = await browser.get(html.unescape(again))
    finished = await browser.get(await consent(google, begun.headers["location"]))
    assert finished.headers["location"] == "/app/connections?did=connected"
    page = await page_of(browser)
    assert "Works" in words(page)
    assert BANNER not in page


async def test_a_server_that_does_not_answer_is_mended_by_trying_again(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    google.fail("GET /calendar", status=503, reason="backendError", times=1000)
    await work(api, 400)
    page = await page_of(browser)
    told = words(page)
    assert "Google failed with an error of its own (503)." in told
    assert "Sign in again" not in told
    failed = await press(browser, page, f"Try again {PERSON}")
    assert failed.status_code == 502
    assert BANNER in failed.text
    google.faults.clear()
    assert (await press(browser, page, f"Try again {PERSON}")).headers["location"] == "/app/connections?did=synced"
    page = await page_of(browser)
    assert "Works" in words(page)
    assert BANNER not in page


async def test_a_calendar_that_was_deleted_there_troubles_nobody_once_it_blocks_no_time(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    (calendar,) = await google_rows(api, m.calendars)
    google.drop_calendar(PERSON)
    await work(api, 400)
    path = f"/calendar-accounts/{calendar['account_id']}"
    status = (await api.get(f"{path}/status", api.acme.owner)).json()
    assert (status["status"], status["mend"]) == ("error", "read")
    choice = {"calendars": [{"id": calendar["id"], "is_conflict": False}]}
    assert (await api.patch(f"{path}/calendars", api.acme.owner, json=choice)).status_code == 200
    status = (await api.get(f"{path}/status", api.acme.owner)).json()
    assert (status["status"], status["error"], status["next_sync_at"]) == ("ok", None, None)
    assert BANNER not in await page_of(browser)


async def test_a_worker_that_stands_still_is_told_while_times_are_still_offered(
    api: Api, browser: httpx.AsyncClient
) -> None:
    api.clock.advance(6 * HOUR - 1)
    assert BANNER not in await page_of(browser)
    api.clock.advance(1)
    page = await page_of(browser)
    assert BANNER in page
    assert "Halfpast's worker may stand still" in words(page)
    assert (await press(browser, page, f"Try again {PERSON}")).status_code == 303
    assert BANNER not in await page_of(browser)


async def test_accounts_are_told_of_by_name(api: Api, browser: httpx.AsyncClient) -> None:
    async with api.database.write.begin() as connection:
        await connection.execute(
            update(m.calendar_accounts)
            .where(m.calendar_accounts.c.user_id == api.acme.owner.id)
            .values(status="error", error="<b>Nonsense</b>", label="<i>Mine</i>")
        )
    page = await page_of(browser)
    assert "The calendar account <i>Mine</i> (Google) needs you" in html.unescape(page)
    assert "<i>Mine" not in page
    assert "<b>Nonsense" not in page
