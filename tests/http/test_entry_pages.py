"""Signing in and out over HTTP, on both engines, and what is open to whoever is not signed in."""

from __future__ import annotations

import httpx
import pytest

from app.config import Settings
from tests.http.api import Api, client_of, running
from tests.http.signed_in import EMAIL, Visitor, ports_of, value_of
from tests.http.workspace import NOW, PASSWORD, Workspace, settings_for
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


async def test_signing_in_starts_a_session_in_a_cookie_that_scripts_cannot_read(client: httpx.AsyncClient) -> None:
    answer = await client.post("/", data={"email": EMAIL.upper(), "password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/bookings")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert (await client.get("/app/links")).status_code == 200


async def test_a_wrong_password_and_an_unknown_address_get_the_same_answer(client: httpx.AsyncClient) -> None:
    wrong = await client.post("/", data={"email": EMAIL, "password": "not-the-password"})
    unknown = await client.post("/", data={"email": "nobody@acme.example.com", "password": "not-the-password"})
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.text.replace(EMAIL, "x") == unknown.text.replace("nobody@acme.example.com", "x")
    assert value_of(wrong, "email") == EMAIL
    assert "not-the-password" not in wrong.text
    assert "set-cookie" not in wrong.headers


async def test_signing_in_never_goes_on_with_a_session_that_was_there_before(
    api: Api, client: httpx.AsyncClient
) -> None:
    client.cookies.set("halfpast", "planted-by-somebody", domain="127.0.0.1")
    await client.post("/", data={"email": EMAIL, "password": PASSWORD})
    first = client.cookies["halfpast"]
    assert first != "planted-by-somebody"
    await client.post("/", data={"email": EMAIL, "password": PASSWORD})
    second = client.cookies["halfpast"]
    assert second != first
    async with ports_of(api).read() as work:
        assert await work.tokens.session_user(first, NOW) is None
        assert await work.tokens.session_user(second, NOW) is not None


async def test_signing_out_ends_the_session_and_not_just_the_cookie(api: Api, owner: Visitor) -> None:
    token = owner.client.cookies["halfpast"]
    answer = await owner.post("/app/sign-out")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?did=out")
    async with ports_of(api).read() as work:
        assert await work.tokens.session_user(token, NOW) is None


async def test_whoever_is_not_signed_in_is_sent_to_the_sign_in_and_back_again(client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/bookings?view=past")
    assert answer.status_code == 303
    address = answer.headers["location"]
    assert address == "/?next=/app/bookings%3Fview%3Dpast"
    form = await client.get(address)
    assert value_of(form, "next") == "/app/bookings?view=past"
    entered = await client.post("/", data={"email": EMAIL, "password": PASSWORD, "next": "/app/bookings?view=past"})
    assert entered.headers["location"] == "/app/bookings?view=past"


ELSEWHERE = [
    "https://evil.example.com/", "//evil.example.com", "/\\evil.example.com", "/app\\..//evil.example.com",
    "javascript:alert(1)", "/app/x\r\nSet-Cookie: a=b", "/demo/intro", "/application", "http:/app/",
    "/app/@evil.example.com",
]  # fmt: skip


async def test_after_signing_in_nobody_is_sent_elsewhere(client: httpx.AsyncClient) -> None:
    for address in ELSEWHERE:
        answer = await client.post("/", data={"email": EMAIL, "password": PASSWORD, "next": address})
        assert (address, answer.headers["location"]) == (address, "/app/bookings")
        signed_in = await client.get("/", params={"next": address})
        assert (address, signed_in.headers["location"]) == (address, "/app/bookings")


async def test_a_bearer_token_opens_no_pages(api: Api, client: httpx.AsyncClient) -> None:
    answer = await client.get("/app/bookings", headers={"Authorization": f"Bearer {api.acme.owner.token}"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?next=/app/bookings")


async def test_a_sign_in_form_of_another_site_is_refused(client: httpx.AsyncClient) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "https://e.example"}):
        for path in ("/", "/app/password/forgot", "/app/set-up"):
            answer = await client.post(path, data={"email": EMAIL, "password": PASSWORD}, headers=headers)
            assert answer.status_code == 403
            assert "set-cookie" not in answer.headers


async def test_attempts_are_limited_by_address_and_by_account(settings: Settings, workspace: Workspace) -> None:
    strict = settings_for(settings.database_url, settings.data_dir, RATE_LIMIT_LOGIN="3/minute")
    async with running(strict, workspace) as api:
        for number in range(3):
            answer = await client_of(api.app, f"203.0.113.{number}").post("/", data={"email": EMAIL, "password": "x"})
            assert answer.status_code == 401
        by_account = await client_of(api.app, "203.0.113.9").post("/", data={"email": EMAIL, "password": PASSWORD})
        assert by_account.status_code == 429
        assert int(by_account.headers["retry-after"]) > 0
        for number in range(4):
            by_address = await client_of(api.app, "198.51.100.1").post(
                "/app/password/forgot", data={"email": f"user{number}@acme.example.com"}
            )
        assert by_address.status_code == 429


async def test_set_up_is_done_once(api: Api, client: httpx.AsyncClient) -> None:
    before = await snapshot(api.database)
    answer = await client.post(
        "/app/set-up",
        data={
            "organization": "Second",
            "name": "Eve",
            "email": "eve@example.com",
            "password": "a long password",
            "timezone": "UTC",
        },
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert await snapshot(api.database) == before
