"""The signed-in pages over HTTP, on both engines: who sees what, and what a form must carry."""

from __future__ import annotations

import re

import pytest

from tests.http.api import Api
from tests.http.signed_in import Visitor, addresses, enter, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


async def test_no_form_works_without_its_token_or_with_anothers(api: Api, owner: Visitor) -> None:
    """Every route that changes something, found in the application itself."""
    before = await snapshot(api.database)
    other = await enter(api, api.acme.admin)
    before |= {"sessions": (await snapshot(api.database))["sessions"]}
    routes = addresses(api, "POST", api.acme)
    assert len(routes) > 35
    for _, path in routes:
        for sent in ({}, {"csrf": ""}, {"csrf": "wrong"}, {"csrf": other.csrf}):
            answer = await owner.client.post(path, data=sent)
            assert (path, sent, answer.status_code) == (path, sent, 403)
    assert await snapshot(api.database) == before


async def test_nothing_of_another_organization_can_be_seen_or_changed(api: Api, owner: Visitor) -> None:
    """Every route with an id in it, with the ids of somebody else's things: the answer for what does not exist."""
    visitor = await enter(api, api.acme.admin)
    before = await snapshot(api.database)
    for method in ("GET", "POST"):
        for route, path in addresses(api, method, api.umbrella):
            if "{" not in route or "{name:str}" in route:
                continue
            for who in (owner, visitor):
                answer = await (who.get(path) if method == "GET" else who.post(path, version="1"))
                assert (method, path, answer.status_code) in {(method, path, 404), (method, path, 403)}
                if answer.status_code == 403:  # the role is asked before the id, so that it tells nothing either
                    admins = ("/people/", "/services/", "/merge")
                    assert who is owner and any(part in path for part in admins)
                assert "umbrella" not in answer.text.lower()
    assert await snapshot(api.database) == before


CLOSED_TO_EMPLOYEES = (
    "/app/clients",
    "/app/clients/blocked",
    "/app/links",
    "/app/links/new",
    "/app/templates",
    "/app/templates/new",
    "/app/services",
    "/app/services/new",
    "/app/people",
    "/app/analytics",
    "/app/audit",
    "/app/mail",
)

OPEN_TO_EMPLOYEES = (
    "/app/bookings", "/app/bookings/new", "/app/availability", "/app/connections", "/app/phone", "/app/settings",
    "/app/notifications", "/app/settings/notifications",
)  # fmt: skip


async def test_employees_see_what_is_theirs(api: Api) -> None:
    employee = await enter(api, api.acme.employee)
    for path in OPEN_TO_EMPLOYEES:
        answer = await employee.get(path)
        assert (path, answer.status_code) == (path, 200)
        for closed in ("/app/links", "/app/templates", "/app/people", "/app/mail"):
            assert f'href="{closed}"' not in answer.text
    for path in CLOSED_TO_EMPLOYEES:
        assert (path, (await employee.get(path)).status_code) == (path, 403)
    assert "Rae Recipient" not in (await employee.get("/app/bookings")).text
    assert (await employee.get(f"/app/bookings/{api.acme.booking.id}")).status_code == 404
    before = await snapshot(api.database)
    for path in ("/app/links/new", "/app/templates/new", "/app/people", f"/app/links/{api.acme.link.id}/switch"):
        assert (path, (await employee.post(path, title="x", name="x")).status_code) == (path, 403)
    retried = await employee.post(f"/app/undelivered/{api.acme.dead_letter_id}/retry")
    assert retried.status_code == 404
    assert await snapshot(api.database) == before


async def test_owners_reach_their_own_links_and_admins_all(api: Api, owner: Visitor) -> None:
    colleague = await enter(api, api.acme.colleague)
    admin = await enter(api, api.acme.admin)
    path = f"/app/links/{api.acme.link.id}"
    assert [(await who.get(path)).status_code for who in (owner, admin, colleague)] == [200, 200, 404]
    assert "Intro call" not in (await colleague.get("/app/links")).text
    assert [(await who.get("/app/people")).status_code for who in (owner, admin)] == [403, 200]


async def test_the_mail_folder_of_a_shared_server_is_nobodys_to_read(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    folder = api.app.state.mail_folder
    assert folder is not None
    for path in ("/app/mail", "/app/mail/x", "/app/mail/x/html", "/app/mail/x/raw"):
        answer = await admin.get(path)
        assert (path, answer.status_code, "share this server" in words(answer)) == (path, 403, True)
        assert 'href="/app/bookings"' in answer.text


async def test_pages_are_kept_by_nobody_and_do_little(owner: Visitor) -> None:
    answer = await owner.get("/app/phone")
    assert answer.headers["cache-control"] == "no-store"
    policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert "content-encoding" not in answer.headers  # secrets and what strangers wrote are never compressed together
    assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|\son\w+=", answer.text)


async def test_a_senseless_query_is_a_friendly_400(owner: Visitor) -> None:
    for path in ("/app/bookings?cursor=x", "/app/links?cursor=%00", "/app/templates?cursor=" + "y" * 3000):
        assert (path, (await owner.get(path)).status_code) == (path, 400)
    assert (await owner.get("/app/bookings?view=nonsense")).status_code == 200
    assert (await owner.get("/app/bookings/not-an-id")).status_code == 404
    assert (await owner.get("/app/nowhere")).status_code == 404
