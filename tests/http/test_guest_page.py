"""The page guests get: to look at a booking, by a signed address."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from httpx import Response
from litestar.testing import AsyncTestClient

from app.config import load_settings
from app.domain.bookings import Booking
from app.main import create_app
from app.use_cases.booking_changes import Actor
from app.use_cases.change_booking import take_step
from app.use_cases.view_booking import view_url
from tests.support.workspace import environment
from tests.use_cases.mail_world import MailWorld, mail_world

pytestmark = pytest.mark.anyio


@pytest.fixture
async def world(tables_url: str, tmp_path: Path) -> AsyncIterator[MailWorld]:
    async with mail_world(tables_url, tmp_path) as world:
        yield world


async def look(world: MailWorld, tmp_path: Path, url: str) -> Response:
    settings = load_settings(environment(world.parts.settings.database_url, tmp_path))
    async with AsyncTestClient(create_app(settings, with_worker=False, clock=world.clock)) as client:
        return await client.get(urlsplit(url).path)


async def booked(world: MailWorld) -> Booking:
    return await world.take(guests=("gus@example.net",), notes="Between you and me")


async def test_guests_see_when_where_and_with_whom(world: MailWorld, tmp_path: Path) -> None:
    booking = await booked(world)
    answer = await look(world, tmp_path, view_url(world.ports, booking))
    assert answer.status_code == 200
    for text in ("You are invited", "Intro call", "Ana", "Rita", "March"):
        assert text in answer.text
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"


async def test_nothing_there_manages_the_booking_or_tells_what_was_private(world: MailWorld, tmp_path: Path) -> None:
    booking = await booked(world)
    page = (await look(world, tmp_path, view_url(world.ports, booking))).text
    for secret in (booking.token, "rita@example.org", "gus@example.net", "Between you and me", "/move", "<form"):
        assert secret not in page


async def test_a_cancelled_booking_says_so(world: MailWorld, tmp_path: Path) -> None:
    booking = await booked(world)
    await take_step(world.ports, booking.id, "cancel", Actor("recipient"))
    assert "was cancelled" in (await look(world, tmp_path, view_url(world.ports, booking))).text


@pytest.mark.parametrize("signed", ["forged", "a.b.c", "x" * 3000])
async def test_a_forged_address_shows_nothing(world: MailWorld, tmp_path: Path, signed: str) -> None:
    answer = await look(world, tmp_path, f"/booking/view/{signed}")
    assert answer.status_code == 404


async def test_the_manage_token_is_no_view_address(world: MailWorld, tmp_path: Path) -> None:
    booking = await booked(world)
    assert (await look(world, tmp_path, f"/booking/view/{booking.token}")).status_code == 404
