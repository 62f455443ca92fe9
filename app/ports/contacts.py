"""The people somebody knows: address books at providers, past bookings, and whom we added where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.calendars import CalendarAccount
from app.domain.contacts import Contact
from app.ports.calendars import Credentials


@dataclass(frozen=True, slots=True)
class AddedContact:
    """An address in an account's book, by our work; `key` is None where it was there before, or before keys were
    kept."""

    account: CalendarAccount
    key: str | None


class ContactBook(Protocol):
    """The address books at one provider. Every method may raise `ProviderFailure`."""

    def is_granted(self, account: CalendarAccount) -> bool:
        """Whether the account's person let us at its contacts too."""
        ...

    async def search(self, credentials: Credentials, query: str) -> Sequence[Contact]:
        """Some people that fit a text of three characters or more, as the provider understands fitting."""
        ...

    async def add(self, credentials: Credentials, contact: Contact) -> str | None:
        """Make sure that the address is in the book: looked for first, and left as it is when it is there. The key of
        the contact that was made; None for one that was there. Two calls for one address at the same time may add it
        twice."""
        ...

    async def remove(self, credentials: Credentials, key: str) -> None:
        """Take a contact that was made out again. One that is gone already is no failure."""
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

    async def mark_added(self, account_id: str, org_id: str, email: str, key: str | None, now: int) -> None:
        """It is; saying so twice changes nothing. `key` is that of the contact at the provider, if we made it."""
        ...
