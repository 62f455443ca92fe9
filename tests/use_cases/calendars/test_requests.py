"""How often providers are asked: never for free times, at most twice for one changed event."""

from __future__ import annotations

import pytest

from app.use_cases.sync_calendar import sync_calendar
from tests.support.clock import at
from tests.use_cases.calendars.office import Office

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]
NINE, TEN = at("2027-03-23 09:00"), at("2027-03-23 10:00")


async def test_asking_for_free_times_asks_no_provider(office: Office) -> None:
    """Also when the calendars were not read for a long time."""
    for side in office.sides.values():
        await side.add(NINE, "busy", "Dentist")
    await office.work(700)
    office.clock.advance(12 * 3600)
    before = {host: len(side.asked()) for host, side in office.sides.items()}
    for link in office.links:
        free = await office.free(link, NINE, NINE)
        assert NINE not in free
        assert TEN in free
    assert {host: len(side.asked()) for host, side in office.sides.items()} == before


async def test_one_changed_event_takes_at_most_two_requests(office: Office) -> None:
    for side in office.sides.values():
        for number in range(3):
            await side.add(NINE + number * 7200, "busy", f"Own {number}")
        await sync_calendar(office.ports, side.calendar.id)
        key = (await side.events())[0].key
        await side.move(key, TEN)
        before = len(side.asked())
        await sync_calendar(office.ports, side.calendar.id)
        asked = side.asked()[before:]
        assert 1 <= len(asked) <= 2, asked
        assert not any(each.startswith(("PUT", "POST", "PATCH", "DELETE")) for each in asked)
        before = len(side.asked())
        await sync_calendar(office.ports, side.calendar.id)
        assert len(side.asked()) == before + 1, "nothing changed, and one request says so"
