"""Staff change what a booking says: the note that its recipient sees, the one for staff alone, its guests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.booking_state import is_held_out
from app.domain.bookings import Booking
from app.domain.errors import NotModifiable
from app.ports import Ports
from app.use_cases.booking_changes import Actor, record_change
from app.use_cases.change_booking import check_version, locked_booking


async def edit_booking(
    ports: Ports, booking_id: str, values: Mapping[str, Any], actor: Actor, *, version: int | None = None
) -> Booking:
    """Any of `notes`, `internal_notes` and `guests`. A guest who is added is invited, and for one who is left out it is
    cancelled; `NotModifiable` when there is nothing to come. The log names the fields alone."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await locked_booking(work, booking_id)
        check_version(booking, version)
        if values.get("guests", booking.guests) != booking.guests:
            _check_guests(booking, now)
        after = booking.changed(now, **values)
        await record_change(ports, work, booking, after, actor, "booking.edited", now, {"fields": sorted(values)})
        await work.commit()
    return after


def _check_guests(booking: Booking, now: int) -> None:
    if booking.capacity is not None:
        raise NotModifiable("A session has no guests of its own; they come with its bookings.")
    if booking.status not in {"pending", "confirmed"} or booking.end <= now or is_held_out(booking, now):
        raise NotModifiable("Guests can be changed for what is still to come.")
