"""The people somebody knows: address books at providers, past bookings, and whom we added where."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from app.domain.calendars import CalendarAccount
from app.domain.contacts import Contact
from app.ports.calendars import Credentials


class ContactBook(Protocol):
    """The address books at one provider. Every method may raise `ProviderFailure`."""

    def is_granted(self, account: CalendarAccount) -> bool:
        """Whether the account's person let us at its contacts too."""
        ...

    async def search(self, credentials: Credentials, query: str) -> Sequence[Contact]:
        """Some people that fit a text of three characters or more, as the provider understands fitting."""
        ...

    async def add(self, credentials: Credentials, contact: Contact) -> None:
        """Make sure that the address is in the book: looked for first, and left as it is when it is there. Two calls
        for one address at the same time may add it twice."""
        ...


class Contacts(Protocol):
    """What our own tables say. Inside a unit of work; nothing here commits."""

    async def past_recipients(self, org_id: str, user_id: str) -> list[Contact]:
        """Whom the newest bookings were with that the user hosts or that came by links of theirs, the newest first; a
        bounded number, however many bookings there are."""
        ...

    async def is_added(self, account_id: str, email: str) -> bool:
        """Whether the address was brought into the account's book before, by whatever booking."""
        ...

    async def mark_added(self, account_id: str, org_id: str, email: str, now: int) -> None:
        """It is; saying so twice changes nothing."""
        ...
