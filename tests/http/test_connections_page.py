"""The page of connections: accounts that need somebody, and what could not be delivered."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from app.db import models as m
from tests.http.api import Api
from tests.http.signed_in import Visitor, words
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio


async def test_what_could_not_be_delivered_is_told_and_tried_again(api: Api, owner: Visitor) -> None:
    assert "Mail about a booking" in words(await owner.get("/app/connections"))
    answer = await owner.post(f"/app/undelivered/{api.acme.dead_letter_id}/retry", back="//evil.example.com")
    assert answer.headers["location"] == "/app/bookings?did=retried"
    assert "Everything arrived" in words(await owner.get("/app/connections"))
    again = await owner.post(f"/app/undelivered/{api.acme.dead_letter_id}/retry")
    assert again.status_code == 404


async def test_a_broken_account_says_so_with_the_one_thing_to_do(api: Api, owner: Visitor) -> None:
    async with api.database.write.begin() as connection:
        await connection.execute(
            update(m.calendar_accounts)
            .where(m.calendar_accounts.c.id == api.acme.account.id)
            .values(status="error", error="calendar.example.com does not accept the user name or password.")
        )
    told = words(await owner.get("/app/connections"))
    assert "Needs you" in told
    assert "does not accept the user name or password" in told
    assert "type the new one here" in told
    assert told.count("New password") == 1
    assert "Try again" not in told.split("Not delivered")[0]
    assert "Read now" not in told


async def test_only_writable_calendars_of_ones_own_can_be_chosen(api: Api, owner: Visitor) -> None:
    before = await snapshot(api.database)
    for chosen in (api.umbrella.calendar.id, "x", ""):
        assert (await owner.post("/app/connections/write", calendar=chosen)).status_code == 404
    assert await snapshot(api.database) == before
    assert (await owner.post("/app/connections/write", calendar=api.acme.calendar.id)).status_code == 303
    assert "gets bookings" in words(await owner.get("/app/connections"))
