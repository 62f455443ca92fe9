"""Sessions, CSRF, bearer tokens, and keys that are changed while tokens are about."""

from __future__ import annotations

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.config import Settings
from app.db import models as m
from app.use_cases.manage_tokens import create_api_token, feed_address
from app.web.sessions import CSRF_HEADER, SESSION_SECONDS, csrf_token
from tests.http.api import API, Api, client_of, code_of, running
from tests.http.endpoints import ENDPOINTS, Endpoint
from tests.http.workspace import NOW, PASSWORD, SECRET_KEYS, Workspace, settings_for
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

UNSAFE = [each for each in ENDPOINTS if each.method != "GET" and each.audience != "public"]


class Browser:
    """Somebody who signed in with a browser."""

    def __init__(self, api: Api, client: httpx.AsyncClient, cookie: str) -> None:
        self.client = client
        self.cookie = cookie
        self.session = cookie.partition("=")[2]
        self.csrf = csrf_token(api.app.state.ports, self.session)

    async def send(self, method: str, path: str, csrf: str | None = None, **sent: Any) -> httpx.Response:
        headers = {"Cookie": self.cookie, **({CSRF_HEADER: csrf} if csrf is not None else {})}
        return await self.client.request(method, API + path, headers=headers, **sent)


async def signed_in(api: Api, role: str = "owner", old_cookie: str | None = None) -> tuple[Browser, SimpleCookie]:
    client = client_of(api.app)
    response = await client.post(
        "/",
        data={"email": f"{role}@acme.example.com", "password": PASSWORD},
        headers={"Cookie": old_cookie} if old_cookie else {},
    )
    assert response.status_code == 303, response.text
    jar = SimpleCookie(response.headers["set-cookie"])
    (name,) = jar
    client.cookies.clear()
    return Browser(api, client, f"{name}={jar[name].value}"), jar


@pytest.fixture
async def browser(api: Api) -> AsyncIterator[Browser]:
    found, _ = await signed_in(api)
    yield found
    await found.client.aclose()


async def test_a_session_reads_without_a_csrf_token(api: Api, browser: Browser) -> None:
    answer = await browser.send("GET", "/me")
    assert answer.json()["id"] == api.acme.owner.id


async def test_nothing_is_changed_without_the_csrf_token(api: Api, browser: Browser) -> None:
    """Every route that changes something; no token, a wrong one, the token of another session, the cookie itself."""
    other, _ = await signed_in(api, "admin")
    before = await snapshot(api.database)
    for endpoint in UNSAFE:
        for csrf in (None, "", "x", other.csrf, browser.session, "é"):
            answer = await _send(api, browser, endpoint, csrf)
            assert (answer.status_code, code_of(answer)) == (403, "FORBIDDEN"), f"{endpoint}: {answer.text}"
    assert await snapshot(api.database) == before
    await other.client.aclose()


async def _send(api: Api, browser: Browser, endpoint: Endpoint, csrf: str | None) -> httpx.Response:
    body: Any = {"json": endpoint.body(api.acme)} if endpoint.body else {}
    headers = [(b"Cookie", browser.cookie.encode())]
    headers += [(CSRF_HEADER.encode(), csrf.encode())] if csrf is not None else []
    return await browser.client.request(endpoint.method, API + endpoint.at(api.acme), headers=headers, **body)


async def test_the_csrf_token_lets_a_session_change_things(browser: Browser) -> None:
    answer = await browser.send("POST", "/links", browser.csrf, json={"title": "By browser"})
    assert answer.status_code == 201, answer.text


async def test_what_a_form_of_another_site_can_send_changes_nothing(api: Api, browser: Browser) -> None:
    """Even with the token in it: the API takes JSON alone."""
    before = await snapshot(api.database)
    for data, expected in (({"title": "x"}, 403), ({"title": "x", "csrf": browser.csrf}, 400)):
        answer = await browser.client.post(f"{API}/links", data=data, headers={"Cookie": browser.cookie})
        assert answer.status_code == expected, answer.text
    assert await snapshot(api.database) == before


async def test_a_session_ends_after_its_time(api: Api, browser: Browser) -> None:
    api.clock.now = NOW + SESSION_SECONDS - 1
    assert (await browser.send("GET", "/me")).status_code == 200
    api.clock.now = NOW + SESSION_SECONDS
    answer = await browser.send("GET", "/me")
    assert (answer.status_code, code_of(answer)) == (401, "UNAUTHENTICATED")


async def test_a_session_is_revoked_on_the_server(api: Api, browser: Browser) -> None:
    async with api.app.state.ports.unit_of_work() as work:
        await work.tokens.end_sessions(api.acme.owner.id)
        await work.commit()
    assert (await browser.send("GET", "/me")).status_code == 401


async def test_signing_in_again_ends_the_session_before(api: Api, browser: Browser) -> None:
    """A session is never taken over into a sign-in, and the old one is worth nothing."""
    again, _ = await signed_in(api, old_cookie=browser.cookie)
    assert again.session != browser.session
    assert (await again.send("GET", "/me")).status_code == 200
    assert (await browser.send("GET", "/me")).status_code == 401
    await again.client.aclose()


async def test_a_planted_session_is_not_taken_over(api: Api) -> None:
    found, _ = await signed_in(api, old_cookie="halfpast=planted-by-somebody-else")
    assert found.session != "planted-by-somebody-else"
    await found.client.aclose()


async def test_ended_sessions_are_cleared_away(api: Api, browser: Browser) -> None:
    api.clock.now = NOW + SESSION_SECONDS + 1
    again, _ = await signed_in(api)
    async with api.database.read.connect() as connection:
        rows = (await connection.execute(select(m.sessions.c.expires_at))).scalars().all()
    assert rows == [api.clock.now + SESSION_SECONDS]
    await again.client.aclose()


async def test_a_session_is_kept_as_a_keyed_hash(api: Api, browser: Browser) -> None:
    async with api.database.read.connect() as connection:
        (lookup,) = (await connection.execute(select(m.sessions.c.lookup))).scalars().all()
    assert browser.session not in lookup
    assert len(lookup) == 64


async def test_the_cookie_on_loopback_is_for_this_site_and_no_script(api: Api) -> None:
    found, jar = await signed_in(api)
    cookie = jar["halfpast"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"], cookie["domain"]) == (True, "lax", "/", "")
    assert int(cookie["max-age"]) == SESSION_SECONDS
    await found.client.aclose()


async def test_over_tls_the_cookie_is_bound_to_the_host(
    settings: Settings, workspace: Workspace, tmp_path: Path
) -> None:
    """`__Host-`: secure, host-only, whole site; also where it is ended, or browsers would keep it."""
    over_tls = settings_for(settings.database_url, tmp_path, BASE_URL="https://book.example.com")
    async with running(over_tls, workspace) as api:
        found, jar = await signed_in(api)
        out = await found.client.post("/app/sign-out", data={"csrf": found.csrf}, headers={"Cookie": found.cookie})
        assert out.status_code == 303, out.text
        for each in (jar, SimpleCookie(out.headers["set-cookie"])):
            cookie = each["__Host-halfpast"]
            assert (cookie["secure"], cookie["httponly"], cookie["samesite"]) == (True, True, "lax")
            assert (cookie["path"], cookie["domain"]) == ("/", "")
        assert SimpleCookie(out.headers["set-cookie"])["__Host-halfpast"]["max-age"] == "0"
        plain = await found.client.get(f"{API}/me", headers={"Cookie": f"halfpast={found.session}"})
        assert plain.status_code == 401, "a cookie that any other host of the domain could set"
        await found.client.aclose()


async def test_a_bearer_token_comes_before_a_cookie(api: Api, browser: Browser) -> None:
    """A wrong token is not made good by a session, and a right one needs no CSRF token."""
    for token, expected in (("x", 401), (api.acme.admin.token, 201)):
        headers = {"Cookie": browser.cookie, "Authorization": f"Bearer {token}"}
        answer = await browser.client.post(f"{API}/links", json={"title": "x"}, headers=headers)
        assert answer.status_code == expected


async def test_old_keys_still_find_and_open_what_they_kept(
    settings: Settings, workspace: Workspace, tmp_path: Path
) -> None:
    """A new first key: tokens, sessions, links and feeds go on; what is made now is under the new key, and tokens and
    sessions that are used move there. What is not lasts as long as the old key."""
    async with running(settings, workspace) as api:
        browser, _ = await signed_in(api)
        unused, _ = await signed_in(api)
        await unused.client.aclose()
        await browser.client.aclose()
    rotated = settings_for(settings.database_url, tmp_path, SECRET_KEYS=f"a-new-key-that-nobody-knows,{SECRET_KEYS}")
    async with running(rotated, workspace) as api:
        acme, ports = api.acme, api.app.state.ports
        assert (await api.get("/me", acme.owner)).status_code == 200
        after = Browser(api, client_of(api.app), browser.cookie)
        assert (await after.send("GET", "/me")).status_code == 200
        assert (await after.send("POST", "/links", browser.csrf, json={"title": "x"})).status_code == 201
        assert (await after.send("POST", "/links", after.csrf, json={"title": "x"})).status_code == 201
        assert (await api.get(f"/public/{acme.one_time.token}")).status_code == 200
        assert (await api.get(f"/public/bookings/{acme.booking.token}")).status_code == 200
        urls = [feed["url"] for feed in (await api.get("/me/feeds", acme.owner)).json()["items"]]
        assert urls == [feed_address(ports, acme.feed)]
        made = await create_api_token(ports, acme.owner.user, "new")
        await after.client.aclose()
    only_new = settings_for(settings.database_url, tmp_path, SECRET_KEYS="a-new-key-that-nobody-knows")
    async with running(only_new, workspace) as api:
        client = client_of(api.app)
        assert (await client.get(f"{API}/me", headers={"Authorization": f"Bearer {made}"})).status_code == 200
        assert (await api.get("/me", api.acme.owner)).status_code == 200
        assert (await api.get("/me", api.acme.colleague)).status_code == 401
        for each, expected in ((browser, 200), (unused, 401)):
            assert (await client.get(f"{API}/me", headers={"Cookie": each.cookie})).status_code == expected
        assert (await api.get(f"/public/bookings/{api.acme.booking.token}")).status_code == 404
        await client.aclose()
