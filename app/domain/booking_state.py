"""The life of a booking: which step leads where, and when (domain rules, "Booking")."""

from __future__ import annotations

from typing import Literal

from app.domain.bookings import Attendee, Booking, BookingStatus
from app.domain.errors import NotModifiable

Step = Literal["confirm", "start", "complete", "no_show", "cancel", "correct", "reschedule"]

CORRECTION_SECONDS = 24 * 3600
EARLY_START_SECONDS = 30 * 60
"""So long before its begin a booking may be started: people come early."""

_STEPS: dict[Step, tuple[frozenset[str], BookingStatus | None]] = {
    "confirm": (frozenset({"pending"}), "confirmed"),
    "start": (frozenset({"confirmed"}), "in_progress"),
    "complete": (frozenset({"confirmed", "in_progress"}), "completed"),
    "no_show": (frozenset({"confirmed"}), "no_show"),
    "cancel": (frozenset({"pending", "confirmed"}), "cancelled"),
    "correct": (frozenset({"completed", "no_show"}), "confirmed"),
    "reschedule": (frozenset({"pending", "confirmed"}), None),
}


def next_status(booking: Booking, step: Step, now: int) -> BookingStatus:
    """The status after `step`, or `NotModifiable` with the reason."""
    if reason := _obstacle(booking, step, now):
        raise NotModifiable(reason)
    return _STEPS[step][1] or booking.status


def meant(booking: Booking, step: Step) -> Step:
    """To confirm a booking that is over is to correct it: it was called completed or missed by mistake."""
    return "correct" if step == "confirm" and booking.status in _STEPS["correct"][0] else step


def allows(booking: Booking, step: Step, now: int) -> bool:
    """Whether `step` can be taken now."""
    return _obstacle(booking, step, now) is None


def _obstacle(booking: Booking, step: Step, now: int) -> str | None:
    if booking.status not in _STEPS[step][0]:
        return f"This booking is {booking.status.replace('_', ' ')}; it cannot be changed that way."
    match step:
        case "start" if now < booking.start - EARLY_START_SECONDS:
            return f"A booking can be started from {EARLY_START_SECONDS // 60} minutes before it begins."
        case "complete" | "no_show" if now < booking.start:
            return "This booking has not begun yet."
        case "correct" if now > booking.end + CORRECTION_SECONDS:
            return "A booking can be corrected for 24 hours after its end."
    return None


def is_held_out(booking: Booking | Attendee, now: int) -> bool:
    """Whether a pending booking's hold has run out: its time is free, whatever the row still says."""
    return booking.status == "pending" and booking.hold_expires_at is not None and booking.hold_expires_at <= now
