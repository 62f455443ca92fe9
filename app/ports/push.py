"""Messages to the devices of the program's own users."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PushNote:
    """One message to all devices of a user: a line, and where it leads. `key` is the same for the same message."""

    user_id: str
    title: str
    url: str
    key: str


class Pusher(Protocol):
    """Hands a message to a service; raises `ProviderFailure` like `Mailer`."""

    async def send(self, note: PushNote) -> None:
        """Accepted when it returns; a user without devices is no failure."""
        ...

    async def erase(self, words: Sequence[str]) -> int:
        """Delete what is kept here of messages about any of these bookings' ids; how many."""
        ...
