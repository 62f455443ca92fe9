"""The page of people, where an admin invites them."""

from __future__ import annotations

import pytest

from tests.http.api import Api
from tests.http.signed_in import enter, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


async def test_inviting_mails_an_address_and_refuses_who_is_here_already(api: Api) -> None:
    admin = await enter(api, api.acme.admin)
    new = {"name": "Nora New", "email": "nora@example.com", "roles": ["owner", "employee"]}
    answer = await admin.post("/app/people", **new)
    assert answer.headers["location"] == "/app/people?did=invited"
    assert "Nora New" in words(await admin.get("/app/people?did=invited"))
    before = await snapshot(api.database)
    for changed, status, message in (
        ({"email": "NORA@example.com"}, 409, "here already"),
        ({"email": "owner@umbrella.example.com"}, 409, "here already"),
        ({"email": "x", "name": "x"}, 400, "e-mail address"),
        ({"email": "x@example.com", "name": ""}, 400, "enter the name"),
        ({"email": "x@example.com", "roles": []}, 400, "at least one role"),
        ({"email": "x@example.com", "roles": ["root"]}, 400, "at least one role"),
    ):
        refused = await admin.post("/app/people", **{**new, **changed})
        assert (changed, refused.status_code, message in words(refused)) == (changed, status, True)
    assert await snapshot(api.database) == before
