"""Connecting a Microsoft account in the browser: to the consent page and back; what becomes of it when the person takes
the access back, and how it is connected anew."""

from __future__ import annotations

import re
import ssl
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import select

from app.config import Settings
from app.db import models as m
from app.wiring import HANDLERS
from app.worker import Worker
from tests.fakes.microsoft import FakeMicrosoft, certificate_authority, microsoft
from tests.http.api import Api, running
from tests.http.signed_in import browser_of, ports_of
from tests.http.workspace import NOW, Workspace, settings_for
from tests.support.prepared import snapshot

__all__ = ["certificate_authority", "microsoft"]  # fixtures
pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]
CONNECT = "/api/v1/calendar-accounts/microsoft/connect"
PERSON, OTHER = "ana@example.com", "somebody@example.com"


@pytest.fixture
async def api(
    settings: Settings, workspace: Workspace, microsoft: FakeMicrosoft, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Api]:
    """The program, registered at this Microsoft, whose certificate it trusts as any operator's."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(microsoft.authority.bundle))
    client = microsoft.client
    own = settings_for(
        settings.database_url,
        settings.data_dir,
        MICROSOFT_CLIENT_ID=client.client_id,
        MICROSOFT_CLIENT_SECRET=client.client_secret,
        MICROSOFT_AUTHORITY=client.sign_in,
        MICROSOFT_GRAPH_ENDPOINT=client.api,
        ALLOWED_PRIVATE_HOSTS="127.0.0.1",
    )
    microsoft.account(PERSON)
    microsoft.account(OTHER)
    async with running(own, workspace) as made:
        yield made


@pytest.fixture
async def browser(api: Api) -> AsyncIterator[httpx.AsyncClient]:
    """A browser in which the owner is signed in."""
    client = await browser_of(api, api.acme.owner)
    yield client
    await client.aclose()


async def consent(microsoft: FakeMicrosoft, address: str, decision: str = "accept", account: str = PERSON) -> str:
    """Answer on the consent page; the path and query that the browser is sent back to."""
    trust = ssl.create_default_context(cafile=microsoft.authority.bundle)
    async with httpx.AsyncClient(verify=trust, trust_env=False) as elsewhere:
        page = await elsewhere.get(address, follow_redirects=True)
        assert f'value="{decision}"' in page.text
        form = {**dict(parse_qsl(urlsplit(address).query)), "account": account, "decision": decision}
        answer = await elsewhere.post(f"{microsoft.identity.base}/consent", data=form)
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


async def connected(microsoft: FakeMicrosoft, browser: httpx.AsyncClient, begin: str = CONNECT, **how: str) -> str:
    """Go through all of it; where the browser ends."""
    begun = await browser.get(begin)
    assert begun.status_code == 303
    assert begun.headers["location"].startswith(microsoft.identity.base)
    finished = await browser.get(await consent(microsoft, begun.headers["location"], **how))
    assert finished.status_code == 303
    return str(finished.headers["location"])


async def rows(api: Api, table: Any) -> list[Any]:
    async with api.database.read.connect() as connection:
        return list((await connection.execute(select(table).where(table.c.provider == "microsoft"))).mappings())


async def work(api: Api, seconds: int = 0) -> None:
    """Let time pass, then do all that is due."""
    api.clock.advance(seconds)
    await Worker(ports_of(api), HANDLERS).drain()


async def test_an_account_is_connected_and_its_calendars_block_time(
    api: Api, microsoft: FakeMicrosoft, browser: httpx.AsyncClient
) -> None:
    assert "Microsoft 365 or Outlook.com" in (await browser.get("/app/connections")).text
    assert await connected(microsoft, browser) == "/app/connections?did=connected"
    (account,) = await rows(api, m.calendar_accounts)
    assert (account["username"], account["status"], account["user_id"]) == (PERSON, "ok", api.acme.owner.id)
    assert "Calendars.ReadWrite" in account["scopes"]
    assert "M.R3_" not in account["secret_sealed"]
    calendars = await rows(api, m.calendars)
    assert calendars
    assert {(each["is_conflict"], each["synced_at"]) for each in calendars} == {(True, NOW)}


async def test_who_refuses_connects_nothing_and_is_told(
    api: Api, microsoft: FakeMicrosoft, browser: httpx.AsyncClient
) -> None:
    before = await snapshot(api.database)
    where = await connected(microsoft, browser, decision="cancel")
    assert where == "/app/connections?did=sign-in-refused"
    microsoft.identity.withheld = frozenset({"Calendars.ReadWrite"})
    assert await connected(microsoft, browser) == where
    assert "Nothing was connected" in (await browser.get(where)).text
    assert await snapshot(api.database) == before


async def test_an_answer_counts_only_in_the_browser_that_asked(
    api: Api, microsoft: FakeMicrosoft, browser: httpx.AsyncClient
) -> None:
    back = await consent(microsoft, (await browser.get(CONNECT)).headers["location"])
    theirs = await browser_of(api, api.acme.colleague)
    before = await snapshot(api.database)
    assert (await theirs.get(back)).headers["location"] == "/app/connections?did=sign-in-stale"
    await theirs.aclose()
    assert await snapshot(api.database) == before


async def test_an_account_that_is_connected_already_stays_one(
    api: Api, microsoft: FakeMicrosoft, browser: httpx.AsyncClient
) -> None:
    await connected(microsoft, browser)
    (account,) = await rows(api, m.calendar_accounts)
    assert await connected(microsoft, browser) == "/app/connections?did=connected"
    assert [each["id"] for each in await rows(api, m.calendar_accounts)] == [account["id"]]


async def test_access_that_was_taken_back_is_given_again_by_the_one_button(
    api: Api, microsoft: FakeMicrosoft, browser: httpx.AsyncClient
) -> None:
    await connected(microsoft, browser)
    (account,) = await rows(api, m.calendar_accounts)
    microsoft.identity.revoke(PERSON)
    await work(api, 600)
    status = (await api.get(f"/calendar-accounts/{account['id']}/status", api.acme.owner)).json()
    assert (status["status"], status["mend"]) == ("error", "sign_in")
    assert "does not let Halfpast into this account" in status["error"]
    page = (await browser.get("/app/connections")).text
    (again,) = re.findall(r'href="(/api/v1/calendar-accounts/microsoft/connect\?account=[^"]*)"', page)
    other = await connected(microsoft, browser, unescape(again), account=OTHER)
    assert other == "/app/connections?did=sign-in-other-account"
    assert await connected(microsoft, browser, unescape(again)) == "/app/connections?did=connected"
    (after,) = await rows(api, m.calendar_accounts)
    assert (after["id"], after["status"], after["error"]) == (account["id"], "ok", None)


async def test_who_disconnects_is_told_where_to_take_the_access_back(
    api: Api, microsoft: FakeMicrosoft, browser: httpx.AsyncClient
) -> None:
    """Microsoft has no way for a program to give it back."""
    await connected(microsoft, browser)
    (account,) = await rows(api, m.calendar_accounts)
    asked = await browser.get(f"/app/connections/{account['id']}/disconnect")
    assert 'href="https://account.microsoft.com/privacy/app-access"' in asked.text
    assert 'href="https://myapps.microsoft.com"' in asked.text
    (csrf,) = set(re.findall(r'name="csrf" value="([^"]*)"', asked.text))
    done = await browser.post(f"/app/connections/{account['id']}/disconnect", data={"csrf": csrf})
    assert "account.microsoft.com/privacy/app-access" in (await browser.get(done.headers["location"])).text
    assert await rows(api, m.calendar_accounts) == []
