"""What a booking costs and the rules for changing it, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.bookings import Booking
from app.domain.money import Price
from app.domain.policies import Policy, span_words, times_words
from app.web.pages.wording import Wording


def price_words(price: Price | None, wording: Wording) -> str:
    """`49,00 €, 10,00 € of it as a deposit`; empty where no price is named."""
    if price is None:
        return ""
    words = wording.money(price.amount, price.currency)
    if price.deposit:
        words += f", {wording.money(price.deposit, price.currency)} of it as a deposit"
    return words


def offer_terms(policy: Policy, wording: Wording) -> tuple[str, ...]:
    """What a recipient agrees to by booking, a sentence a rule."""
    found = []
    if policy.cancel_until is not None:
        found.append(f"Cancel {_until(policy.cancel_until)}")
    if policy.fee is not None:
        found.append(f"Cancelling costs {wording.money(policy.fee.amount, policy.fee.currency)}")
    if policy.max_reschedules == 0:
        found.append("It cannot be moved")
        return tuple(found)
    if policy.reschedule_until is not None or policy.max_reschedules is not None:
        often = "" if policy.max_reschedules is None else f" {times_words(policy.max_reschedules)}"
        until = "" if policy.reschedule_until is None else _until(policy.reschedule_until)
        found.append(f"Move{often}{', ' if often and until else ' '}{until}".rstrip())
    return tuple(found)


def _until(minutes: int) -> str:
    return f"up to {span_words(minutes)} before it begins" if minutes else "until it begins"


def booking_terms(policy: Policy, booking: Booking, now: int, wording: Wording) -> tuple[str, ...]:
    """What still holds for a booking that can be changed: until when, how often, at what cost; and what is over."""
    found = (_cancelling(policy, booking, now, wording), _moving(policy, booking, now, wording))
    return tuple(words for words in found if words)


def _cancelling(policy: Policy, booking: Booking, now: int, wording: Wording) -> str:
    deadline = policy.cancel_deadline(booking)
    if not policy.can_cancel(booking, now):
        return "It is too late to cancel. Please contact your host."
    fee = fee_words(policy, booking, wording)
    if deadline is None:
        return fee
    return f"You can cancel until {wording.moment(deadline, booking.timezone)}.{' ' + fee if fee else ''}"


def fee_words(policy: Policy, booking: Booking, wording: Wording) -> str:
    """`Cancelling costs 20,00 €.`, empty where it is free."""
    fee = policy.fee_of(booking)
    return "" if fee is None else f"Cancelling costs {wording.money(fee.amount, fee.currency)}."


def _moving(policy: Policy, booking: Booking, now: int, wording: Wording) -> str:
    left, deadline = policy.reschedules_left(booking), policy.reschedule_deadline(booking)
    if left == 0:
        if policy.max_reschedules == 0:
            return "It cannot be moved. Please contact your host."
        return "It was moved as often as it can be. Please contact your host."
    if not policy.can_reschedule(booking, now):
        return "It is too late to move it. Please contact your host."
    if left is None and deadline is None:
        return ""
    often = "" if left is None else f" {times_words(left)}{' more' if booking.moves else ''}"
    until = "" if deadline is None else f" until {wording.moment(deadline, booking.timezone)}"
    return f"You can move it{often}{until}."


def noted_fee(changes: Mapping[str, Any], wording: Wording) -> str:
    """The fee that an audit entry of a cancellation notes, as an amount; empty where it was free."""
    fee = changes.get("fee")
    return wording.money(fee["amount"], fee["currency"]) if isinstance(fee, dict) else ""
