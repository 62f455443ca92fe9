"""Passwords that were forgotten, and passwords that are changed."""

from __future__ import annotations

import httpx
import pytest
from sqlalchemy import select

from app.db import models as m
from app.use_cases.account_mail import password_address
from tests.http.api import Api
from tests.http.signed_in import EMAIL, Visitor, enter, ports_of, words
from tests.http.workspace import PASSWORD
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


async def test_a_reset_is_answered_alike_for_known_and_unknown_addresses(api: Api, client: httpx.AsyncClient) -> None:
    answers = [
        await client.post("/app/password/forgot", data={"email": email}) for email in (EMAIL, "nobody@acme.example.com")
    ]
    assert {(each.status_code, each.headers["location"]) for each in answers} == {(303, "/app/password/forgot?sent")}
    assert answers[0].content == answers[1].content
    async with api.database.read.connect() as connection:
        lanes = await connection.scalars(select(m.outbox.c.lane).where(m.outbox.c.kind == "account_mail"))
        assert list(lanes) == [f"user:{api.acme.owner.id}:password_reset"]


async def test_a_mailed_address_sets_the_password_once_and_ends_all_sessions(
    api: Api, owner: Visitor, client: httpx.AsyncClient
) -> None:
    address = password_address(ports_of(api), api.acme.owner.user, 3600).removeprefix("http://127.0.0.1:8000")
    assert EMAIL in words(await client.get(address))
    short = await client.post(address, data={"password": "short"})
    assert (short.status_code, "at least 10" in words(short)) == (400, True)
    done = await client.post(address, data={"password": "a brand new password"})
    assert (done.status_code, done.headers["location"]) == (303, "/?did=password")
    assert (await owner.get("/app/bookings")).headers["location"].startswith("/?next=")
    again = await client.post(address, data={"password": "another password"})
    assert (again.status_code, "not good any more" in words(again)) == (404, True)
    entered = await client.post("/", data={"email": EMAIL, "password": "a brand new password"})
    assert entered.headers["location"] == "/app/bookings"


async def test_forged_and_old_addresses_set_nothing(api: Api, client: httpx.AsyncClient) -> None:
    address = password_address(ports_of(api), api.acme.owner.user, 3600).removeprefix("http://127.0.0.1:8000")
    before = await snapshot(api.database)
    changed = "A" if address[-10] != "A" else "B"  # within the signature: the last bits of its text mean nothing
    for forged in (address[:-10] + changed + address[-9:], "/app/password/x", "/app/password/" + "y" * 4000):
        for answer in (await client.get(forged), await client.post(forged, data={"password": "a brand new password"})):
            assert (answer.status_code, "not good any more" in words(answer)) == (404, True)
    assert await snapshot(api.database) == before


async def test_changing_ones_password_needs_the_old_one_and_keeps_only_this_browser(api: Api, owner: Visitor) -> None:
    elsewhere = await enter(api, api.acme.owner)
    path, new = "/app/settings/password", "a brand new password"
    refused = await owner.post(path, old_password="wrong", new_password=new)
    assert (refused.status_code, "not your present password" in words(refused)) == (400, True)
    short = await owner.post(path, old_password=PASSWORD, new_password="short")
    assert (short.status_code, "at least 10" in words(short)) == (400, True)
    before = owner.client.cookies["halfpast"]
    done = await owner.post(path, old_password=PASSWORD, new_password=new)
    assert done.headers["location"] == "/app/settings?did=password-changed"
    assert owner.client.cookies["halfpast"] != before
    assert (await owner.get("/app/settings")).status_code == 200
    assert (await elsewhere.get("/app/settings")).status_code == 303
