"""What was told besides the state of bookings, whom, and who wants to be told what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.notification_settings import NotificationSettings
from app.ports.page import Page


@dataclass(frozen=True, slots=True)
class Reminded:
    """A reminder that was told: `target` is `recipient` or the id of a user, `start` the booking's as it was told."""

    booking_id: str
    reminder: str
    target: str
    start: int
    org_id: str


@dataclass(frozen=True, slots=True)
class Notification:
    """A line in the program itself: what became of a booking, by reference. `title`, `start` and `recipient` are the
    booking's as it is now, empty when it is stored."""

    id: str
    org_id: str
    user_id: str
    kind: str
    booking_id: str
    sequence: int
    created_at: int
    read_at: int | None = None
    title: str = ""
    start: int | None = None
    recipient: str = ""


class TellingStore(Protocol):
    """Inside a unit of work; nothing here commits."""

    async def was_reminded(self, reminded: Reminded) -> bool: ...

    async def record_reminder(self, reminded: Reminded, now: int) -> None:
        """Once more is no error."""
        ...

    async def settings(self, user_id: str, org_id: str) -> NotificationSettings:
        """The user's choices, or the usual ones."""
        ...

    async def put_settings(self, settings: NotificationSettings, was_version: int, now: int) -> bool:
        """Keep them if the row still has `was_version` (0: there is none)."""
        ...

    async def unsubscribe(self, org_id: str, address_lookup: str, now: int) -> None:
        """Once more is no error."""
        ...

    async def is_unsubscribed(self, org_id: str, address_lookups: Sequence[str]) -> bool: ...

    async def move_unsubscribed(self, org_id: str, address_lookups: Sequence[str], now: int) -> None:
        """What an older key stored is the first key's from now on; lookups as of `Vault`."""
        ...

    async def forget_notifications(self, org_id: str, read_before: int, made_before: int, limit: int) -> int:
        """How many went; they are at most `limit`."""
        ...

    async def forget_reminders(self, org_id: str, before: int, limit: int) -> int:
        """Of bookings that ended before, as long as they were sent before; how many went."""
        ...

    async def notify(self, notification: Notification) -> None: ...

    async def notifications(
        self, user_id: str, limit: int, cursor: str | None, *, unread: bool = False, sees_all: bool = False
    ) -> Page[Notification]:
        """Newest first. Unless the user sees all bookings, those they lost are told of without `start` and
        `recipient`."""
        ...

    async def unread_count(self, user_id: str, most: int) -> int:
        """How many are unread; `most` when there are more."""
        ...

    async def mark_read(self, user_id: str, ids: Sequence[str] | None, now: int) -> None:
        """These of the user's, or all."""
        ...


class ReminderLog(Protocol):
    """The worker's side: each call is a transaction of its own, which those that come at the same time share."""

    async def record(self, reminded: Reminded, now: int) -> None:
        """Committed when it returns. Once more is no error."""
        ...
