"""Contacts are asked for when they are switched on, and not before: over HTTP, with the fake Google."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.config import Settings
from app.db import models as m
from integrations.google.sign_in import CALENDAR_SCOPES, CONTACT_SCOPES
from tests.capabilities import need
from tests.fakes.google import PERSON, FakeGoogle
from tests.http.api import Api, client_of, code_of, running
from tests.http.signed_in import browser_of
from tests.http.test_calendar_sign_in import CONNECT, connected, consent, google_rows, registered
from tests.http.workspace import NOW, Workspace
from tests.support.clock import Clock
from tests.support.prepared import snapshot

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]
PAGE = "/app/connections"


@pytest.fixture
async def google() -> AsyncIterator[FakeGoogle]:
    """A Google with one person, who knows somebody; that nobody broke a contract is part of every test."""
    need("contracts")
    fake = await FakeGoogle(Clock(NOW)).start()
    fake.person()
    fake.people.add(PERSON, "Kim Known", "kim@example.org")
    yield fake
    await fake.stop()
    assert fake.broken == []


@pytest.fixture
async def api(settings: Settings, workspace: Workspace, google: FakeGoogle) -> AsyncIterator[Api]:
    """The program, registered at this Google."""
    async with running(registered(settings, google), workspace) as made:
        yield made


@pytest.fixture
async def browser(api: Api, google: FakeGoogle) -> AsyncIterator[httpx.AsyncClient]:
    """A browser of the owner, who has just connected their Google account."""
    client = await browser_of(api, api.acme.owner)
    assert await connected(api, google, client) == f"{PAGE}?did=connected"
    yield client
    await client.aclose()


async def account_of(api: Api) -> Any:
    (account,) = await google_rows(api, m.calendar_accounts)
    return account


async def switch_on(browser: httpx.AsyncClient, use: str) -> str:
    """Follow the way that the page offers for a use; Google's address."""
    page = (await browser.get(PAGE)).text
    (way,) = re.findall(rf'href="(/api/v1/calendar-accounts/google/connect\?[^"]*contacts={use})"', page)
    begun = await browser.get(unescape(way))
    assert begun.status_code == 303
    return str(begun.headers["location"])


def scopes_of(address: str) -> set[str]:
    (scopes,) = parse_qs(urlsplit(address).query)["scope"]
    return set(scopes.split())


async def suggestions(api: Api) -> list[dict[str, str]]:
    answer = await api.get("/contacts", api.acme.owner, params={"q": "kim"})
    items: list[dict[str, str]] = answer.json()["items"]
    return items


async def test_connecting_asks_for_calendars_alone(api: Api, google: FakeGoogle, browser: httpx.AsyncClient) -> None:
    begun = await browser.get(CONNECT)
    assert scopes_of(begun.headers["location"]) == set(CALENDAR_SCOPES)
    assert (await account_of(api))["contacts"] == "off"
    assert await suggestions(api) == []
    assert google.asked("/v1/") == []


@pytest.mark.parametrize("use", ["suggest", "add"])
async def test_switching_on_asks_for_contacts_and_then_they_are_on(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient, use: str
) -> None:
    before = await account_of(api)
    address = await switch_on(browser, use)
    assert scopes_of(address) == {*CALENDAR_SCOPES, *CONTACT_SCOPES}
    assert parse_qs(urlsplit(address).query)["login_hint"] == [PERSON]
    assert (await account_of(api))["contacts"] == "off"  # until they are given
    back = await browser.get(await consent(google, address))
    assert back.headers["location"] == f"{PAGE}?did=connected-contacts"
    after = await account_of(api)
    assert (after["id"], after["contacts"]) == (before["id"], use)
    assert CONTACT_SCOPES[0] in after["scopes"]
    page = (await browser.get(back.headers["location"])).text
    assert "contacts are used from now on" in unescape(page)
    assert re.search(rf'<option value="{use}" selected>', page)
    assert "contacts=suggest" not in page  # nothing is left to be asked for
    assert await suggestions(api) == [{"name": "Kim Known", "email": "kim@example.org", "source": "google"}]


async def test_whoever_unticks_the_contacts_keeps_the_calendars_and_is_told(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    back = await browser.get(await consent(google, await switch_on(browser, "add"), untick="contacts"))
    assert back.headers["location"] == f"{PAGE}?did=contacts-refused"
    account = await account_of(api)
    assert (account["status"], account["contacts"]) == ("ok", "off")
    assert "access to them was not given" in (await browser.get(back.headers["location"])).text


async def test_whoever_refuses_changes_nothing(api: Api, google: FakeGoogle, browser: httpx.AsyncClient) -> None:
    address = await switch_on(browser, "add")
    before = await snapshot(api.database)
    back = await browser.get(await consent(google, address, answer="refuse"))
    assert back.headers["location"] == f"{PAGE}?did=sign-in-refused"
    assert await snapshot(api.database) == before


async def test_what_was_asked_for_is_bound_to_the_browser_that_asked(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    """It travels in the signed state: nothing added to the way back counts, and nobody else can finish."""
    back = await consent(google, await switch_on(browser, "suggest"))
    others = [await browser_of(api, member) for member in (api.acme.owner, api.acme.colleague)]
    before = await snapshot(api.database)
    for other in others:
        assert (await other.get(back)).headers["location"] == f"{PAGE}?did=sign-in-stale"
        await other.aclose()
    async with client_of(api.app) as stranger:
        assert (await stranger.get(back)).status_code == 401
    assert await snapshot(api.database) == before
    assert (await browser.get(f"{back}&contacts=add")).headers["location"] == f"{PAGE}?did=connected-contacts"
    assert (await account_of(api))["contacts"] == "suggest"


async def test_another_account_than_the_one_asked_about_switches_nothing_on(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    google.person("somebody@example.com")
    back = await consent(google, await switch_on(browser, "add"), email="somebody@example.com")
    assert (await browser.get(back)).headers["location"] == f"{PAGE}?did=sign-in-other-account"
    assert (await account_of(api))["contacts"] == "off"


async def test_contacts_are_asked_for_of_ones_own_accounts_alone(api: Api, browser: httpx.AsyncClient) -> None:
    account = await account_of(api)
    for query in ("?contacts=add", "?contacts=off", f"?account={account['id']}&contacts=everything", "?account=x"):
        answer = await browser.get(f"{CONNECT}{query}")
        assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR"), query
    other = await browser_of(api, api.acme.colleague)
    for client, wanted in ((other, account["id"]), (browser, api.umbrella.account.id)):
        answer = await client.get(f"{CONNECT}?account={wanted}&contacts=add")
        assert (answer.status_code, code_of(answer)) == (404, "NOT_FOUND")
    await other.aclose()


async def test_signing_in_again_asks_for_contacts_that_are_used(
    api: Api, google: FakeGoogle, browser: httpx.AsyncClient
) -> None:
    """Else the new tokens would be good for calendars alone."""
    await browser.get(await consent(google, await switch_on(browser, "add")))
    again = f"{CONNECT}?account={(await account_of(api))['id']}"
    begun = await browser.get(again)
    assert scopes_of(begun.headers["location"]) == {*CALENDAR_SCOPES, *CONTACT_SCOPES}
    await browser.get(await consent(google, begun.headers["location"]))
    assert (await account_of(api))["contacts"] == "add"
    begun = await browser.get(again)
    back = await browser.get(await consent(google, begun.headers["location"], untick="contacts"))
    assert back.headers["location"] == f"{PAGE}?did=contacts-refused"
    assert (await account_of(api))["contacts"] == "off"


async def test_by_the_api_too_access_comes_first(api: Api, google: FakeGoogle, browser: httpx.AsyncClient) -> None:
    owner = api.acme.owner
    path = f"/calendar-accounts/{(await account_of(api))['id']}"
    refused = await api.patch(path, owner, json={"contacts": "add"})
    assert (refused.status_code, code_of(refused)) == (400, "VALIDATION_ERROR")
    (error,) = refused.json()["errors"]
    assert error["field"] == "contacts"
    (address,) = re.findall(r"https?://\S+", error["message"])
    begun = await browser.get(urlsplit(address).path + "?" + urlsplit(address).query)
    await browser.get(await consent(google, begun.headers["location"]))
    assert (await api.get(path, owner)).json()["contacts"] == "add"
    for use in ("suggest", "off", "add"):
        answer = await api.patch(path, owner, json={"contacts": use})
        assert (answer.status_code, answer.json()["contacts"]) == (200, use)


async def test_accounts_without_contacts_have_none_to_use(api: Api, browser: httpx.AsyncClient) -> None:
    path = f"/calendar-accounts/{api.acme.account.id}"
    refused = await api.patch(path, api.acme.owner, json={"contacts": "suggest"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "contacts")
    assert (await api.patch(path, api.acme.owner, json={"contacts": "off"})).status_code == 200
    card = (await browser.get(PAGE)).text.split(f'id="account-{api.acme.account.id}"')[1].split("</article>")[0]
    assert "ontacts" not in card


async def test_the_use_is_changed_on_the_page(api: Api, google: FakeGoogle, browser: httpx.AsyncClient) -> None:
    await browser.get(await consent(google, await switch_on(browser, "add")))
    account = await account_of(api)
    page = (await browser.get(PAGE)).text
    (csrf, *_) = re.findall(r'name="csrf" value="([^"]+)"', page)
    path = f"{PAGE}/{account['id']}/contacts"
    assert f'action="{path}"' in page
    answer = await browser.post(path, data={"csrf": csrf, "contacts": "off"})
    assert answer.headers["location"] == f"{PAGE}?did=saved"
    assert (await account_of(api))["contacts"] == "off"
    assert (await browser.post(path, data={"csrf": csrf, "contacts": "everything"})).status_code == 404
    assert (await browser.post(path, data={"contacts": "add"})).status_code == 403
    assert (await account_of(api))["contacts"] == "off"
