"""Google through the program's own sync: what the database keeps is what the next change is put into."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.config import load_settings
from app.db import models as m
from app.domain.calendars import Calendar
from app.domain.errors import ProviderFailure
from app.use_cases.sync_calendar import sync_calendar
from app.wiring import wire
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.google_grants import CLIENT_ID, CLIENT_SECRET
from tests.providers.google_mirror import WEEKLY, timed
from tests.support.clock import Clock, at
from tests.support.workspace import Workspace, environment, make_tables, make_workspace

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]


@pytest.fixture
async def workspace(google: FakeGoogle, tmp_path: Path) -> AsyncIterator[Workspace]:
    """A program registered at the fake, as its environment says."""
    clock = google.clock
    assert isinstance(clock, Clock)
    settings = {
        **environment(f"sqlite+aiosqlite:///{tmp_path / 'db.sqlite3'}", tmp_path),
        "HALFPAST_GOOGLE_CLIENT_ID": CLIENT_ID,
        "HALFPAST_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "HALFPAST_GOOGLE_API_ENDPOINT": google.url,
        "HALFPAST_GOOGLE_OAUTH_ENDPOINT": google.url,
    }
    parts = wire(load_settings(settings), clock=clock)
    try:
        await make_tables(parts)
        yield await make_workspace(parts, clock)
    finally:
        await parts.close()


@pytest.fixture
async def mirror(workspace: Workspace, google: FakeGoogle) -> Calendar:
    """The owner's primary calendar, not read yet."""
    calendar = await workspace.connected_calendar(workspace.owner, synced_at=None, provider="google")
    await workspace.set(m.calendars, m.calendars.c.id == calendar.id, name=PERSON, timezone="Europe/Berlin")
    async with workspace.ports.unit_of_work() as work:
        await work.calendars.update_account(calendar.account_id, secret=google.person().to_text(), username=PERSON)
        await work.commit()
    return calendar


async def busy(workspace: Workspace, calendar: Calendar) -> list[tuple[int, int]]:
    await sync_calendar(workspace.ports, calendar.id)
    rows = await workspace.rows(m.busy_intervals)
    return sorted((row["start_at"], row["end_at"]) for row in rows if row["calendar_id"] == calendar.id)


def hour(day: int) -> tuple[int, int]:
    start = at(f"2027-03-{day:02} 09:00", "Europe/Berlin")
    return start, start + 3600


async def test_changes_of_instances_are_put_into_the_stored_series(
    workspace: Workspace, google: FakeGoogle, mirror: Calendar
) -> None:
    calendar = google.service.calendars[PERSON]
    made = calendar.insert(timed("02 09:00", "02 10:00", **WEEKLY))
    assert await busy(workspace, mirror) == [hour(2), hour(9), hour(16), hour(23)]
    calendar.change_instance(made["id"], datetime(2027, 3, 9, 8, tzinfo=UTC), status="cancelled")
    assert await busy(workspace, mirror) == [hour(2), hour(16), hour(23)]
    google.seen.clear()
    calendar.change_instance(made["id"], datetime(2027, 3, 16, 8, tzinfo=UTC), transparency="transparent")
    assert await busy(workspace, mirror) == [hour(2), hour(23)]
    assert len(google.seen) == 1
    calendar.delete(made["id"])
    assert await busy(workspace, mirror) == []


async def test_a_withdrawn_grant_leaves_what_was_read_and_tells_the_account(
    workspace: Workspace, google: FakeGoogle, mirror: Calendar
) -> None:
    google.service.calendars[PERSON].insert(timed("02 09:00", "02 10:00"))
    assert await busy(workspace, mirror) == [hour(2)]
    google.withdraw()
    with pytest.raises(ProviderFailure) as failure:
        await sync_calendar(workspace.ports, mirror.id)
    assert failure.value.kind == "auth"
    (row,) = [each for each in await workspace.rows(m.calendar_accounts) if each["provider"] == "google"]
    assert (row["status"], row["error"]) == ("error", failure.value.detail)
    assert len(await workspace.rows(m.busy_intervals)) == 1


async def test_two_syncs_at_once_agree(workspace: Workspace, google: FakeGoogle, mirror: Calendar) -> None:
    google.service.calendars[PERSON].insert(timed("02 09:00", "02 10:00", **WEEKLY))
    await asyncio.gather(sync_calendar(workspace.ports, mirror.id), sync_calendar(workspace.ports, mirror.id))
    assert len(await busy(workspace, mirror)) == 4
