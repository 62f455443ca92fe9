"""What feeds there are, and what may be chosen about one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.errors import Invalid

OWN_KINDS = ("schedule", "busy")
"""Feeds of the person's own bookings."""
SUBJECT_KINDS = ("link", "service", "resource")
"""Feeds of all bookings of something, named by its id."""
FEED_KINDS = (*OWN_KINDS, *SUBJECT_KINDS, "organization")

PAST_DAYS = 90
MAX_DAYS = 730
MAX_ALARMS = 5
MAX_ALARM_MINUTES = 28 * 24 * 60


@dataclass(frozen=True, slots=True)
class FeedOptions:
    """How far a feed reaches, in whole days from today (`future_days` None: as far as there are bookings), and when
    subscribers are reminded, in minutes before the start (None: as the calendar itself does; empty: never)."""

    past_days: int = PAST_DAYS
    future_days: int | None = None
    alarms: tuple[int, ...] | None = None

    @classmethod
    def checked(
        cls, past_days: int | None = None, future_days: int | None = None, alarms: Sequence[int] | None = None
    ) -> FeedOptions:
        """Options somebody asked for; `Invalid` names the one that is out of bounds."""
        past = PAST_DAYS if past_days is None else past_days
        if not 0 <= past <= MAX_DAYS:
            raise Invalid.field("past_days", f"A feed reaches back 0 to {MAX_DAYS} days.")
        if future_days is not None and not 1 <= future_days <= MAX_DAYS:
            raise Invalid.field("future_days", f"A feed reaches 1 to {MAX_DAYS} days ahead.")
        if alarms is not None and (
            len(alarms) > MAX_ALARMS or not all(0 <= minutes <= MAX_ALARM_MINUTES for minutes in alarms)
        ):
            words = f"At most {MAX_ALARMS} reminders, each 0 to {MAX_ALARM_MINUTES} minutes before the start."
            raise Invalid.field("alarms", words)
        return cls(past, future_days, None if alarms is None else tuple(sorted(set(alarms))))

    @classmethod
    def stored(cls, values: dict[str, Any] | None) -> FeedOptions:
        """Options as they were kept."""
        if not values:
            return cls()
        alarms = values.get("alarms")
        return cls(
            values.get("past_days", PAST_DAYS), values.get("future_days"), None if alarms is None else tuple(alarms)
        )

    def to_store(self) -> dict[str, Any] | None:
        """What is kept: nothing when nothing was chosen."""
        if self == FeedOptions():
            return None
        alarms = None if self.alarms is None else list(self.alarms)
        return {"past_days": self.past_days, "future_days": self.future_days, "alarms": alarms}
