"""How the API shows prices and the rules for cancelling and moving."""

from __future__ import annotations

import msgspec

from app.domain.bookings import Booking
from app.domain.policies import Policy
from app.web.times import optional_rfc3339


class OfferPolicy(msgspec.Struct):
    """The rules of an offer: whole minutes before the start, how often, and the fee in minor units; null is no rule."""

    cancel_until: int | None
    reschedule_until: int | None
    max_reschedules: int | None
    cancel_fee: int | None
    currency: str | None


class BookingPolicy(OfferPolicy):
    """The same for a booking, and what follows now. Deadlines are the last instants, in the booking's zone."""

    reschedules_left: int | None
    can_cancel: bool
    can_reschedule: bool
    cancel_deadline: str | None
    reschedule_deadline: str | None


def offer_policy(policy: Policy) -> OfferPolicy:
    """The rules before anything is booked."""
    fee = policy.fee
    return OfferPolicy(
        policy.cancel_until,
        policy.reschedule_until,
        policy.max_reschedules,
        fee.amount if fee else None,
        fee.currency if fee else None,
    )


def booking_policy(policy: Policy, booking: Booking, now: int, *, is_open: bool) -> BookingPolicy:
    """The rules for one booking; `is_open`: its state lets its recipient change it at all."""
    fee = policy.fee_of(booking)
    return BookingPolicy(
        cancel_until=policy.cancel_until,
        reschedule_until=policy.reschedule_until,
        max_reschedules=policy.max_reschedules,
        cancel_fee=fee.amount if fee else None,
        currency=fee.currency if fee else None,
        reschedules_left=policy.reschedules_left(booking),
        can_cancel=is_open and policy.can_cancel(booking, now),
        can_reschedule=is_open and policy.can_reschedule(booking, now),
        cancel_deadline=optional_rfc3339(policy.cancel_deadline(booking), booking.timezone),
        reschedule_deadline=optional_rfc3339(policy.reschedule_deadline(booking), booking.timezone),
    )
