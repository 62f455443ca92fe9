"""Recurring events of built-in collections go on blocking as time goes on."""

import pytest
from sqlalchemy import func, select

from app.db import models as m
from app.domain.calendars import PERSONAL, Calendar
from app.use_cases.calendar_objects import Conditions
from app.use_cases.expand_collection import expand_collection
from app.use_cases.mirror import AHEAD, DAY, RENEW
from app.use_cases.put_calendar_object import put_calendar_object
from tests.support.ical import ics
from tests.support.workspace import Workspace

pytestmark = pytest.mark.anyio


async def personal(workspace: Workspace) -> Calendar:
    async with workspace.ports.read() as work:
        found = await work.calendars.builtin_calendar(workspace.owner.id, PERSONAL)
    assert found is not None
    return found


async def last_busy(workspace: Workspace) -> int:
    rows = await workspace.rows(select(func.max(m.busy_intervals.c.end_at).label("last")))
    return int(rows[0]["last"])


async def jobs(workspace: Workspace) -> list[int]:
    return [row["run_at"] for row in await workspace.rows(m.outbox) if row["kind"] == "expand_collection"]


async def put(workspace: Workspace, name: str, *lines: str) -> None:
    calendar = await personal(workspace)
    await put_calendar_object(workspace.ports, calendar, f"{name}.ics", ics(name, *lines), Conditions())


async def test_an_endless_event_is_expanded_anew_before_its_instances_run_out(workspace: Workspace) -> None:
    await put(workspace, "daily", "RRULE:FREQ=DAILY")
    [run_at] = await jobs(workspace)
    assert workspace.clock.now < run_at <= workspace.clock.now + RENEW
    first = await last_busy(workspace)
    assert abs(first - workspace.clock.now - AHEAD) <= DAY
    workspace.clock.now = run_at
    calendar = await personal(workspace)
    again = await expand_collection(workspace.ports, calendar.id)
    assert again == run_at + RENEW
    assert abs(await last_busy(workspace) - run_at - AHEAD) <= DAY
    assert await last_busy(workspace) > first
    async with workspace.ports.read() as work:
        assert set(await work.calendars.etags(calendar.id)) == {"daily.ics"}


async def test_events_that_end_need_no_further_work(workspace: Workspace) -> None:
    await put(workspace, "single")
    await put(workspace, "few", "RRULE:FREQ=DAILY;COUNT=3")
    await put(workspace, "free", "RRULE:FREQ=DAILY", "TRANSP:TRANSPARENT")
    assert await jobs(workspace) == []
    assert await expand_collection(workspace.ports, (await personal(workspace)).id) is None


async def test_writing_events_again_does_not_put_the_work_off(workspace: Workspace) -> None:
    await put(workspace, "daily", "RRULE:FREQ=DAILY")
    [run_at] = await jobs(workspace)
    workspace.clock.now = run_at - 60
    await put(workspace, "weekly", "RRULE:FREQ=WEEKLY")
    assert await jobs(workspace) == [run_at]


async def test_a_collection_that_is_gone_ends_the_work(workspace: Workspace) -> None:
    assert await expand_collection(workspace.ports, "01890000-0000-7000-8000-000000000000") is None
