"""File bookings under their clients: outbox handlers, so that nobody who books waits for it.

A client is whoever is known by the booking's e-mail address or phone number. Two clients that one booking joins, by
the address of one and the number of the other, become one.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain.bookings import Booking, Recipient
from app.domain.clients import Client, identities_of, merged
from app.domain.errors import StaleVersion
from app.ports import Ports
from app.ports.outbox import Job
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.ids import new_id

BATCH = 200
AGAIN_SECONDS = 1


async def file_booking_job(ports: Ports, job: Job) -> int | None:
    """The booking's client; a repeated delivery changes nothing. The instant to come back at when a booking of somebody
    whom it joins to another one is being changed."""
    try:
        await file_booking(ports, job.subject_id)
    except StaleVersion:
        return ports.clock() + AGAIN_SECONDS
    return None


async def file_booking(ports: Ports, booking_id: str) -> None:
    """Find or make the client of a booking, in a transaction of its own."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await work.bookings.get(booking_id)
        if booking is None or not _is_unfiled(booking):
            return
        await work.clients.lock(booking.org_id)
        booking = await work.bookings.get(booking_id)  # as it became while the lock was somebody else's
        if booking is None or not _is_unfiled(booking):
            return
        client = await _client_of(work, booking.org_id, booking.recipient, now)
        if await work.clients.file(booking.id, client.id):
            await work.commit()


def _is_unfiled(booking: Booking) -> bool:
    return booking.client_id is None and bool(identities_of(booking.recipient))


async def file_all_job(ports: Ports, job: Job) -> int | None:
    """The bookings that were there before there were clients, some at a time: once more at once until none is left, and
    soon when one of them is being changed or erased."""
    try:
        return await _file_some(ports, job)
    except StaleVersion:
        return ports.clock() + AGAIN_SECONDS


async def _file_some(ports: Ports, job: Job) -> int | None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        await work.clients.lock(job.subject_id)
        found = await work.clients.unfiled(job.subject_id, BATCH)
        for booking in found:
            client = await _client_of(work, job.subject_id, booking.recipient, now)
            if not await work.clients.file(booking.booking_id, client.id):
                raise StaleVersion("A booking was erased while it was filed.")
        await work.commit()
    return now if len(found) == BATCH else None


async def _client_of(work: UnitOfWork, org_id: str, recipient: Recipient, now: int) -> Client:
    """The one client of this recipient, made or completed. The caller holds the lock."""
    identities = identities_of(recipient)
    known = await work.clients.known_by(org_id, identities)
    if not known:
        made = Client(
            new_id(), org_id, recipient.name, recipient.email or None, recipient.phone, None, 1, now, now, identities
        )
        await work.clients.add(made)
        return made
    kept = known[0]
    for other in known[1:]:
        kept = await join_clients(work, kept, other, now)
    completed = replace(
        kept,
        email=kept.email or recipient.email or None,
        phone=kept.phone or recipient.phone,
        identities=tuple(dict.fromkeys((*kept.identities, *identities))),
    )
    if completed != kept:
        completed = replace(completed, version=kept.version + 1, updated_at=now)
        await work.clients.update(completed)
    return completed


async def join_clients(work: UnitOfWork, kept: Client, other: Client, now: int) -> Client:
    """One client of two, with the bookings of both. The caller holds the lock."""
    await work.clients.move_bookings(other.id, kept.id)
    await work.clients.delete(other)
    joined = replace(merged(kept, other), updated_at=now)
    await work.clients.update(joined)
    return joined
