"""`GET /contacts?q=`: suggestions for who is signed in, and their limits. Where they come from is tested with the use
case, what is in no list here with the table of endpoints."""

from __future__ import annotations

from pathlib import Path

import pytest

from app.config import Settings
from tests.http.api import Api, code_of, running
from tests.http.signed_in import browser_of
from tests.http.workspace import Workspace, settings_for

pytestmark = pytest.mark.anyio

RAE = {"name": "Rae Recipient", "email": "rae@example.org", "source": "bookings"}


async def test_whom_one_had_bookings_with_is_suggested(shared_api: Api) -> None:
    answer = await shared_api.get("/contacts", shared_api.acme.owner, params={"q": "RECIP"})
    assert (answer.status_code, answer.json()) == (200, {"items": [RAE], "next_cursor": None})
    nobody = await shared_api.get("/contacts", shared_api.acme.owner, params={"q": "nobody"})
    assert nobody.json() == {"items": [], "next_cursor": None}


async def test_a_browser_asks_with_its_session(shared_api: Api) -> None:
    browser = await browser_of(shared_api, shared_api.acme.owner)
    assert (await browser.get("/api/v1/contacts?q=rae")).json()["items"] == [RAE]
    await browser.aclose()


async def test_nobody_sees_the_bookings_of_others(shared_api: Api) -> None:
    """Not even an admin, and not the same person of another company (who has had a Rae too)."""
    acme = shared_api.acme
    for who in (acme.colleague, acme.admin, acme.employee):
        assert (await shared_api.get("/contacts", who, params={"q": "rae"})).json()["items"] == []


@pytest.mark.parametrize("query", ["", "ra", "  ra  ", "\t\t\t", "   ", "x" * 201, "a\x00bc", "rae\n"])
async def test_less_than_three_characters_are_no_question(shared_api: Api, query: str) -> None:
    answer = await shared_api.get("/contacts", shared_api.acme.owner, params={"q": query})
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")
    assert [error["field"] for error in answer.json()["errors"]] == ["q"]


async def test_something_has_to_be_asked(shared_api: Api) -> None:
    answer = await shared_api.get("/contacts", shared_api.acme.owner)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")


@pytest.mark.parametrize("query", ["%%%", "___", "a%b", "');--", "ýýý", "日本語", "\\\\\\"])
async def test_signs_of_any_kind_are_text(shared_api: Api, query: str) -> None:
    answer = await shared_api.get("/contacts", shared_api.acme.owner, params={"q": query})
    assert (answer.status_code, answer.json()["items"]) == (200, [])


async def test_somebody_who_asks_too_often_is_429(settings: Settings, workspace: Workspace, tmp_path: Path) -> None:
    """Each person has a limit of their own."""
    own = settings_for(settings.database_url, tmp_path, RATE_LIMIT_PUBLIC="2/minute")
    async with running(own, workspace) as api:
        for expected in (200, 200, 429):
            answer = await api.get("/contacts", api.acme.owner, params={"q": "rae"})
            assert answer.status_code == expected
        assert code_of(answer) == "RATE_LIMITED"
        assert int(answer.headers["retry-after"]) >= 1
        assert (await api.get("/contacts", api.acme.colleague, params={"q": "rae"})).status_code == 200
