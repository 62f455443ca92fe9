"""Sessions: where seats are taken."""

from __future__ import annotations

from typing import Protocol

from app.domain.rules import Along
from app.domain.seats import OpenSession


class SessionStore(Protocol):
    """The seats of sessions. What a session is, who attends it and where it is listed is `BookingStore`'s."""

    async def open_ones(
        self,
        service_id: str,
        window: tuple[int, int],
        duration: int,
        now: int,
        without: str | None = None,
        through: str | None = None,
    ) -> list[OpenSession]:
        """The sessions of a service of this length that start in the window, by start and id; one SELECT. Holds that
        ran out count for nothing, nor does the booking `without`; the session `through` is left out."""
        ...

    async def along(self, session_id: str, now: int) -> tuple[Along, ...]:
        """The bookings that it takes along when it moves, by link: the active ones whose hold has not run out. One
        SELECT."""
        ...

    async def take(self, session_id: str, seats: int) -> bool:
        """Take seats, if so many are left: the conditional update that no two bookings win."""
        ...

    async def give_back(self, session_id: str, seats: int) -> None:
        """Seats are free again; nothing happens when the session holds no time any more."""
        ...

    async def hold_until(self, session_id: str, expires_at: int | None) -> None:
        """When its claim ends unless one of its attendees is confirmed."""
        ...
