"""Links and what hangs on them. Minutes are whole minutes; instants are epoch seconds UTC."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from app.domain.locations import Location
from app.domain.reminders import Reminder
from app.domain.rules import LinkRules
from app.domain.stays import Stay

LinkMode = Literal["single", "collective", "pool", "chosen", "fixed_pool"]
"""Whose time it is: the owner's alone, all hosts', one of several's, the one the recipient chooses, or the fixed ones'
with one of the others."""
OneTimeStatus = Literal["open", "used", "expired", "revoked"]


@dataclass(frozen=True, slots=True)
class Link:
    """An evergreen link and the rules of what it offers."""

    id: str
    org_id: str
    owner_id: str
    slug: str
    title: str
    description: str
    is_active: bool
    mode: LinkMode
    schedule_id: str | None
    template_id: str | None
    service_id: str | None
    durations: tuple[int, ...]
    step: int | None
    buffer_before: int
    buffer_after: int
    minimum_notice: int
    horizon_days: int | None
    date_range: tuple[date, date] | None
    max_per_day: int | None
    max_per_week: int | None
    requires_approval: bool
    location: Location
    version: int
    created_at: int
    updated_at: int
    cancel_on_decline: bool = False
    """A recipient who declines the invitation in their calendar cancels the booking."""
    hand_back: bool = False
    """A host of a pool who deletes the booking's event gives it to another one instead of cancelling it."""
    cancel_until: int | None = None
    """How many minutes before the start recipients may cancel last; None: until it is over."""
    reschedule_until: int | None = None
    max_reschedules: int | None = None
    """How often a recipient may move a booking; None: as often as they like, 0: never."""
    cancel_fee: int | None = None
    """What a cancellation costs, in minor units of `fee_currency`; shown, and agreed on by whoever cancels."""
    fee_currency: str | None = None
    reminders: tuple[Reminder, ...] | None = None
    """None: those of the service it offers."""
    max_repeats: int | None = None
    """How many bookings of a weekly set recipients may make at once; 0: they may not repeat, None: as the service it
    offers says, or else not."""
    stay: Stay | None = None
    """When guests of the service it offers come and go, if they stay by the night; not stored with the link."""

    def rules(self) -> LinkRules:
        """The part of the link the slot engine reads."""
        return LinkRules(
            step=self.step,
            buffer_before=self.buffer_before,
            buffer_after=self.buffer_after,
            minimum_notice=self.minimum_notice,
            horizon_days=self.horizon_days,
            date_range=self.date_range,
            max_per_day=self.max_per_day,
            max_per_week=self.max_per_week,
            stay=self.stay,
        )


@dataclass(frozen=True, slots=True)
class OneTimeLink:
    """A link for one booking; `slots` are hand-picked (start, duration minutes), empty for free choice."""

    id: str
    org_id: str
    link_id: str
    token: str
    recipient_email: str | None
    slots: tuple[tuple[int, int], ...]
    expires_at: int | None
    status: OneTimeStatus  # as stored; `expired` is worked out from `expires_at` by status_at
    booking_id: str | None
    created_at: int

    def status_at(self, now: int) -> OneTimeStatus:
        """The status a person is shown."""
        if self.status == "open" and self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return self.status
