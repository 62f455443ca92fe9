"""Nobody waits for a host with another in hand that comes later: who finds that a booking has other hosts by now gives
up those that are locked. SQLite has one lock for all."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.domain.bookings import Booking
from app.ports.people import User
from app.use_cases.cancel_series import _locked
from app.use_cases.change_booking import locked_booking
from tests.support.clock import MONDAY
from tests.support.waiting import eventually
from tests.support.workspace import Workspace

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("tables_url", ["postgresql"], indirect=True)]


@pytest.mark.parametrize("is_series", [False, True])
async def test_who_waited_for_former_hosts_does_not_keep_them(workspace: Workspace, *, is_series: bool) -> None:
    ana, ben = [await workspace.user(name) for name in ("ana", "ben")]
    booking = await workspace.book(await workspace.link("alone", ben), MONDAY + 86_400 + 9 * 3600)
    engine = workspace.parts.database.write
    async with engine.connect() as mover, engine.connect() as other:
        await _lock(mover, ben)
        await mover.execute(update(m.booking_hosts).values(host_id=ana.id))
        change = asyncio.create_task(_change(workspace, booking, is_series=is_series))
        await eventually(lambda: _somebody_waits(workspace), "it waits for Ben")
        await _lock(other, ana)
        await mover.commit()
        async with asyncio.timeout(20):
            await _lock(other, ben)  # an error where it keeps Ben and waits for Ana
        await other.rollback()
        assert await change == [ana.id]


async def _change(workspace: Workspace, booking: Booking, *, is_series: bool) -> list[str]:
    """The hosts it was locked with."""
    async with workspace.ports.unit_of_work() as work:
        locked = (await _locked(work, booking.id))[0] if is_series else await locked_booking(work, booking.id)
        return [host.id for host in locked.hosts]


async def _lock(connection: AsyncConnection, user: User) -> None:
    """As one who changes the row does: rows that refer to it may come meanwhile."""
    await connection.execute(select(m.hosts.c.id).where(m.hosts.c.id == user.id).with_for_update(key_share=True))


async def _somebody_waits(workspace: Workspace) -> bool:
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with workspace.parts.database.read.connect() as connection:  # within a transaction it would not change
        return bool(await connection.scalar(text(query)))
