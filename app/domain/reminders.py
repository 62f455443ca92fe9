"""Reminders: what is told some time before a booking begins or after it ended. Instants are epoch seconds UTC."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from app.domain.bookings import Booking

ReminderChannel = Literal["mail", "sms", "whatsapp"]
ReminderTo = Literal["recipient", "hosts"]
MAX_REMINDERS = 10
MAX_MINUTES = 40_320
"""Four weeks."""
LEAST_LATE_SECONDS = 15 * 60
AFTER_LATE_SECONDS = 24 * 3600
BEFORE = frozenset({"confirmed"})
"""Who has begun, or never will, needs no reminder of it."""
AFTER = frozenset({"confirmed", "in_progress", "completed"})


@dataclass(frozen=True, slots=True)
class Reminder:
    """One reminder of a link or a service: `minutes` before the start or after the end, to the recipient or to every
    host. `subject` and `body` are the owner's own words; one that comes after must have both."""

    minutes: int
    when: Literal["before", "after"] = "before"
    channel: ReminderChannel = "mail"
    to: ReminderTo = "recipient"
    subject: str = ""
    body: str = ""

    @property
    def key(self) -> str:
        """What it is called among the reminders of one offer, whatever it says; at most 40 characters."""
        return f"{self.when}-{self.minutes}-{self.channel}-{self.to}"

    def due(self, booking: Booking) -> int:
        """When it is to be told. Elapsed time: a day before is 24 hours before, also where a clock is changed."""
        if self.when == "before":
            return booking.start - self.minutes * 60
        return booking.end + self.minutes * 60

    def is_too_late(self, booking: Booking, now: int, held_until: int | None = None) -> bool:
        """Whether it would help nobody any more. Before: never once it has begun, and no later than half its time (at
        least a quarter of an hour) after it was due. After: within a day. What quiet hours held back was due when they
        ended, `held_until`."""
        late = now - max(self.due(booking), held_until or 0)
        if self.when == "after":
            return late > AFTER_LATE_SECONDS
        return now >= booking.start or late > max(LEAST_LATE_SECONDS, self.minutes * 30)

    def concerns(self, booking: Booking) -> bool:
        """Whether there is somebody to remind of it as it is now. Hosts are reminded of a session, not of each seat in
        it; a session has no recipient."""
        if booking.status not in (BEFORE if self.when == "before" else AFTER):
            return False
        if self.to == "hosts":
            return booking.occurrence_id == booking.id
        return bool(booking.recipient.email or booking.recipient.phone)


def reminders_of(stored: Sequence[Mapping[str, Any]] | None) -> tuple[Reminder, ...] | None:
    """From the JSON of a link or a service; None stays None."""
    return None if stored is None else tuple(Reminder(**each) for each in stored)


def stored_reminders(reminders: Sequence[Reminder] | None) -> list[dict[str, Any]] | None:
    """The JSON they are kept as."""
    return None if reminders is None else [asdict(reminder) for reminder in reminders]


def reminder_problems(reminders: Sequence[Reminder]) -> list[tuple[str, str]]:
    """(field, sentence) of all that is wrong with a list of them."""
    problems = [("reminders", f"At most {MAX_REMINDERS} reminders.")] if len(reminders) > MAX_REMINDERS else []
    seen: set[str] = set()
    for index, reminder in enumerate(reminders):
        field = f"reminders.{index}"
        if not 1 <= reminder.minutes <= MAX_MINUTES:
            problems.append((f"{field}.minutes", f"Between 1 and {MAX_MINUTES} minutes."))
        if reminder.key in seen:
            problems.append((field, "There is another one of the same time, kind and addressee."))
        if reminder.when == "after" and not reminder.body.strip():
            problems.append((f"{field}.body", "What is sent after a booking needs a text."))
        if reminder.when == "after" and reminder.channel == "mail" and not reminder.subject.strip():
            problems.append((f"{field}.subject", "A mail after a booking needs a subject."))
        seen.add(reminder.key)
    return problems
