"""Contacts of a Microsoft account, all the way: switched on at Microsoft's own page, suggested, and added to."""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from app.db import models as m
from app.use_cases.book_slot import book_slot
from tests.fakes.microsoft import FakeMicrosoft
from tests.fakes.microsoft_contacts import add_contact
from tests.http.api import Api
from tests.http.signed_in import ports_of
from tests.http.test_microsoft_sign_in import (
    PERSON,
    api,
    browser,
    certificate_authority,
    connected,
    consent,
    microsoft,
    rows,
    work,
)
from tests.http.workspace import at, request_at

__all__ = ["api", "browser", "certificate_authority", "microsoft"]  # fixtures
pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]


async def test_contacts_are_switched_on_suggested_and_added_to(
    api: Api,  # the fixtures
    microsoft: FakeMicrosoft,
    browser: httpx.AsyncClient,
) -> None:
    mailbox = microsoft.mailboxes[PERSON]
    add_contact(mailbox, "Kim Known", "kim@example.org")
    await connected(microsoft, browser)
    page = (await browser.get("/app/connections")).text
    (way,) = re.findall(r'href="(/api/v1/calendar-accounts/microsoft/connect\?[^"]*contacts=add)"', page)
    begun = (await browser.get(unescape(way))).headers["location"]
    assert "Contacts.ReadWrite" in parse_qs(urlsplit(begun).query)["scope"][0]
    back = await browser.get(await consent(microsoft, begun))
    assert back.headers["location"] == "/app/connections?did=connected-contacts"
    (account,) = await rows(api, m.calendar_accounts)
    assert account["contacts"] == "add"

    for query in ("kim", "kim@ex", "known"):
        items = (await api.get("/contacts", api.acme.owner, params={"q": query})).json()["items"]
        assert items == [{"name": "Kim Known", "email": "kim@example.org", "source": "microsoft"}], query

    for hour in (10, 12):
        await book_slot(ports_of(api), api.acme.token, request_at(at(4, hour)))
    await work(api)
    addresses = [each["address"] for contact in mailbox.contacts for each in contact["emailAddresses"]]
    assert addresses == ["kim@example.org", "rae@example.org"]


async def test_contacts_that_microsoft_withholds_stay_off(
    api: Api,
    microsoft: FakeMicrosoft,
    browser: httpx.AsyncClient,
) -> None:
    await connected(microsoft, browser)
    (account,) = await rows(api, m.calendar_accounts)
    microsoft.identity.withheld = frozenset({"Contacts.ReadWrite"})
    way = f"/api/v1/calendar-accounts/microsoft/connect?account={account['id']}&contacts=suggest"
    assert await connected(microsoft, browser, way) == "/app/connections?did=contacts-refused"
    (account,) = await rows(api, m.calendar_accounts)
    assert (account["status"], account["contacts"]) == ("ok", "off")
