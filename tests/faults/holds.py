"""Time that passes for one hold alone."""

from __future__ import annotations

import time

from sqlalchemy import select, update

from app.db import models as m
from tests.support.workspace import Workspace


async def run_out(workspace: Workspace, booking_id: str) -> None:
    """A request's hold ends now, in the booking and in its claim, as it would some minutes later; that of a session in
    which all wait ends with the last one's. Nothing else happens: no worker is told."""
    bookings, claims, now = m.bookings.c, m.claims.c, int(time.time())
    async with workspace.ports.unit_of_work() as work:
        seen = await work.bookings.get(booking_id)
        assert seen is not None
        # As whoever changes a booking: the hosts' locks first.
        await work.hosts.lock(sorted(host.id for host in seen.hosts))
        connection = work.bookings._db  # type: ignore[attr-defined]  # what no use case does needs the connection itself
        ended = update(m.bookings).where(bookings.id == booking_id, bookings.status == "pending")
        ended = ended.where(bookings.hold_expires_at > now).values(hold_expires_at=now)
        if (await connection.execute(ended)).rowcount:
            occurrence_id = await connection.scalar(select(bookings.occurrence_id).where(bookings.id == booking_id))
            occurrence = await work.bookings.get(str(occurrence_id))
            assert occurrence is not None
            until = update(m.claims).where(claims.occurrence_id == occurrence.id)
            await connection.execute(until.values(hold_expires_at=occurrence.claim_expires_at))
            await work.hosts.bump(sorted(host.id for host in occurrence.hosts))
        await work.commit()
