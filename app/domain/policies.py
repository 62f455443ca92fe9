"""Until when and how often recipients may change what they booked, and what cancelling costs. Staff are not bound.

What counts is what the booking's link and service say now. Minutes are whole minutes before the start, money integer
minor units of an ISO 4217 currency, instants epoch seconds UTC.
"""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.bookings import Booking
from app.domain.errors import NotModifiable
from app.domain.links import Link


@dataclass(frozen=True, slots=True)
class Fee:
    """What a cancellation costs."""

    amount: int
    currency: str


@dataclass(frozen=True, slots=True)
class Policy:
    """The rules of an offer for its recipients; None is no rule."""

    cancel_until: int | None = None
    reschedule_until: int | None = None
    max_reschedules: int | None = None
    fee: Fee | None = None

    @classmethod
    def of(cls, link: Link) -> Policy:
        """That of a link, with what its service sets for it."""
        amount, currency = link.cancel_fee, link.fee_currency
        fee = Fee(amount, currency) if amount and currency else None
        return cls(link.cancel_until, link.reschedule_until, link.max_reschedules, fee)

    @property
    def is_none(self) -> bool:
        """Whether there is nothing to be told."""
        return self == Policy()

    def cancel_deadline(self, booking: Booking) -> int | None:
        """The last instant at which its recipient may cancel. A request that waits for approval can be withdrawn."""
        return None if booking.status == "pending" else _deadline(booking, self.cancel_until)

    def reschedule_deadline(self, booking: Booking) -> int | None:
        """The last instant at which its recipient may move it."""
        return _deadline(booking, self.reschedule_until)

    def reschedules_left(self, booking: Booking) -> int | None:
        """How often its recipient may still move it; None: as often as they like."""
        return None if self.max_reschedules is None else max(0, self.max_reschedules - booking.moves)

    def fee_of(self, booking: Booking) -> Fee | None:
        """What it costs its recipient to cancel; to withdraw a request costs nothing."""
        return None if booking.status == "pending" else self.fee

    def check_cancel(self, booking: Booking, now: int) -> None:
        """`NotModifiable` when it is too late for the recipient to cancel."""
        if _is_past(self.cancel_deadline(booking), now):
            raise NotModifiable(_too_late("cancelled", self.cancel_until))

    def check_reschedule(self, booking: Booking, now: int) -> None:
        """`NotModifiable` when the recipient may not move it any more."""
        if _is_past(self.reschedule_deadline(booking), now):
            raise NotModifiable(_too_late("moved", self.reschedule_until))
        if self.reschedules_left(booking) == 0:
            raise NotModifiable(_too_often(self.max_reschedules or 0))

    def can_cancel(self, booking: Booking, now: int) -> bool:
        """Whether the recipient may cancel now, as far as the rules go."""
        return not _is_past(self.cancel_deadline(booking), now)

    def can_reschedule(self, booking: Booking, now: int) -> bool:
        """Whether the recipient may move it now, as far as the rules go."""
        return not _is_past(self.reschedule_deadline(booking), now) and self.reschedules_left(booking) != 0


def span_words(minutes: int) -> str:
    """`2 days`, `90 minutes`: in the largest unit that fits."""
    for name, size in (("day", 1440), ("hour", 60)):
        if minutes >= size and minutes % size == 0:
            return _counted(minutes // size, name)
    return _counted(minutes, "minute")


def times_words(count: int) -> str:
    """`once`, `3 times`."""
    return {1: "once", 2: "twice"}.get(count, f"{count} times")


def _deadline(booking: Booking, minutes: int | None) -> int | None:
    return None if minutes is None else booking.start - minutes * 60


def _is_past(deadline: int | None, now: int) -> bool:
    return deadline is not None and now > deadline


def _too_late(done: str, minutes: int | None) -> str:
    until = f"up to {span_words(minutes)} before it begins" if minutes else "until it begins"
    return f"This booking could be {done} {until}. Please contact your host."


def _too_often(most: int) -> str:
    if most == 0:
        return "This booking cannot be moved. Please contact your host."
    return f"This booking can be moved {times_words(most)}, and was. Please contact your host."


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
