"""Cancel a booking of a recurring set together with those after it, in one transaction."""

from __future__ import annotations

from app.domain.bookings import Booking
from app.domain.errors import NotFound, StaleVersion
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.book_series import Series
from app.use_cases.booking_changes import Actor, record_change
from app.use_cases.change_booking import TRIES, after_step, cancelling, check_version
from app.use_cases.idempotency import Replay, remember

OPEN = frozenset({"pending", "confirmed"})


async def cancel_following(
    ports: Ports,
    booking_id: str,
    actor: Actor,
    *,
    version: int | None = None,
    reason: str | None = None,
    replay: Replay[Series] | None = None,
) -> Series:
    """Cancel this booking and the open ones of its set that start later; the answer has those that were cancelled, this
    one first. Refusals as for one booking: what stands against this one or one of the others stands against all."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        asked, *later = await _locked(work, booking_id)
        check_version(asked, version)
        cancelled = []
        for booking in (asked, *(each for each in later if each.status in OPEN)):
            noted = await cancelling(work, booking, actor, now)
            after = after_step(booking, "cancel", now, reason)
            await record_change(ports, work, booking, after, actor, "booking.cancel", now, noted)
            cancelled.append(after)
        series = Series(tuple(cancelled))
        await remember(work, replay, series, now)
        await work.commit()
    return series


async def _locked(work: UnitOfWork, booking_id: str) -> list[Booking]:
    """The booking and the later ones of its set, with their hosts' rows and their own locked, hosts first."""
    for _ in range(TRIES):
        seen = await work.bookings.get(booking_id)
        if seen is None:
            raise NotFound("There is no such booking.")
        together = await _with_later(work, seen)
        await work.hosts.lock(sorted({host.id for booking in together for host in booking.hosts}))
        now_seen = await work.bookings.get(booking_id)  # it may have moved, past the others or before them
        locked = await _with_later(work, now_seen or seen, lock=True)
        is_same = [(each.id, each.hosts) for each in locked] == [(each.id, each.hosts) for each in together]
        if is_same and booking_id in {each.id for each in locked}:
            return sorted(locked, key=lambda each: (each.id != booking_id, each.start, each.id))
        await work.begin_again()
    raise StaleVersion("The bookings are being changed by somebody else.")


async def _with_later(work: UnitOfWork, booking: Booking, *, lock: bool = False) -> list[Booking]:
    if booking.series_id is not None:
        return await work.bookings.series(booking.series_id, booking.start, lock=lock)
    found = await work.bookings.get(booking.id, lock=lock)
    return [] if found is None else [found]
