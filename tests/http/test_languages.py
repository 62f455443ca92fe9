"""In which language whoever books is told of it: said by field or by header, seen by staff alone."""

from __future__ import annotations

from typing import Any

import httpx
import pytest
from sqlalchemy import select

from app.db import models as m
from tests.http.api import Api, client_of, code_of
from tests.http.endpoints import booking_body
from tests.http.test_public_pages import GOOD, INTRO
from tests.http.workspace import at, moment

pytestmark = pytest.mark.anyio

AUSTRIAN = {"Accept-Language": "de-AT,de;q=0.9,en;q=0.8"}


async def kept(api: Api, email: str = "robin@example.org") -> list[str | None]:
    """The languages of somebody's bookings, in the order they were made."""
    booked = m.bookings.c
    query = select(booked.language).where(booked.recipient_email == email).order_by(booked.id)
    async with api.database.read.connect() as connection:
        return list(await connection.scalars(query))


async def book(api: Api, headers: dict[str, str] | None = None, **fields: Any) -> httpx.Response:
    return await api.post("/public/acme.intro/book", json={**booking_body(api.acme), **fields}, headers=headers)


@pytest.mark.parametrize(
    ("headers", "fields", "found"),
    [
        ({}, {}, None),
        ({}, {"language": None}, None),
        (AUSTRIAN, {}, "de-AT"),
        ({"Accept-Language": "nl, fr-ch;q=0.5"}, {}, "fr-CH"),
        ({"Accept-Language": "tlh-Latn"}, {}, "tlh-Latn"),
        ({"Accept-Language": "*, ;q=, de_AT"}, {}, None),
        (AUSTRIAN, {"language": "ar-eg"}, "ar-EG"),
    ],
)
async def test_a_booking_keeps_the_language_of_field_or_header(
    api: Api, headers: dict[str, str], fields: dict[str, Any], found: str | None
) -> None:
    answer = await book(api, headers, **fields)
    assert answer.status_code == 201, answer.text
    assert await kept(api) == [found]


@pytest.mark.parametrize("language", ["", "german", "de_AT", "x-own", "de\n", "de-" + "a" * 40, 5, ["de"]])
async def test_what_is_no_tag_is_refused_by_its_field(api: Api, language: object) -> None:
    answer = await book(api, AUSTRIAN, language=language)
    assert (answer.status_code, code_of(answer)) == (400, "VALIDATION_ERROR")
    assert [error["field"] for error in answer.json()["errors"]] == ["language"]
    assert await kept(api) == []


async def test_staff_alone_see_it(api: Api) -> None:
    answer = await book(api, AUSTRIAN)
    own = (await api.get(f"/public/bookings/{answer.json()['booking_token']}")).json()
    assert "language" not in answer.json() and "language" not in own
    shown = (await api.get(f"/bookings/{answer.json()['id']}", api.acme.owner)).json()
    assert shown["language"] == "de-AT"


async def test_the_same_request_in_another_browser_is_the_same(api: Api) -> None:
    """The header is no part of what was asked for."""
    first = await book(api, {**AUSTRIAN, "Idempotency-Key": "k1"})
    again = await book(api, {"Accept-Language": "fr", "Idempotency-Key": "k1"})
    assert (again.status_code, again.content) == (201, first.content)
    assert await kept(api) == ["de-AT"]


@pytest.mark.parametrize(("header", "found"), [("de-AT,de;q=0.9,en;q=0.8", "de-AT"), ("en-GB", "en-GB"), ("", None)])
async def test_the_page_takes_the_browsers_and_stays_english(api: Api, header: str, found: str | None) -> None:
    client = client_of(api.app)
    page = await client.get(INTRO, headers={"Accept-Language": header})
    assert '<html lang="en"' in page.text
    for language in (header, "fr"):  # sent again, by a browser that was set otherwise meanwhile
        answer = await client.post(INTRO, data=GOOD, headers={"Accept-Language": language})
        assert answer.status_code == 303, answer.text
    assert await kept(api) == [found]


async def test_staff_say_it_or_it_is_what_the_client_booked_in_last(api: Api) -> None:
    """Never that of the staff's browser."""
    acme = api.acme

    async def by_staff(hour: int, **fields: Any) -> str | None:
        client = {"name": "Robin", "email": "Robin@example.org", "phone": "+49 30 1234567", **fields.pop("client", {})}
        body = {"link": acme.link.id, "start": moment(at(4, hour)), "duration": 30, "recipient": client, **fields}
        answer = await api.post("/bookings", acme.owner, json=body, headers={"Accept-Language": "es"})
        assert answer.status_code == 201, answer.text
        found: str | None = answer.json()["language"]
        return found

    assert await by_staff(9) is None
    await book(api, AUSTRIAN)
    assert await by_staff(10) == "de-AT"
    assert await by_staff(11, language="fr-ca") == "fr-CA"
    assert await by_staff(12) == "fr-CA"
    repeated = await by_staff(13, repeat={"times": 2})
    assert (repeated, await kept(api)) == ("fr-CA", [None, "de-AT", "de-AT", "fr-CA", "fr-CA", "fr-CA", "fr-CA"])
    assert await by_staff(14, client={"email": None, "phone": None}) is None
