"""Address books at providers, one module each. What needs no account, past bookings, is in the database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, cast

from app.ports.calendars import CalendarProvider
from app.ports.contacts import ContactBook

if TYPE_CHECKING:
    from integrations.calendars.google import GoogleProvider
    from integrations.calendars.microsoft import MicrosoftProvider


class ContactBooks(Mapping[str, ContactBook]):
    """The books at the providers that the program is registered at, made when first asked for. They reach their
    provider through what its calendars are reached by: tokens are renewed, and connections held, in one place."""

    def __init__(self, providers: Mapping[str, CalendarProvider]) -> None:
        self._providers = providers
        self._made: dict[str, ContactBook] = {}

    def __getitem__(self, name: str) -> ContactBook:
        if name not in self:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = _BOOKS[name](self._providers[name])
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        """Whether there is one, without loading it."""
        return name in _BOOKS and name in self._providers

    def __iter__(self) -> Iterator[str]:
        return (name for name in _BOOKS if name in self._providers)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _google(provider: CalendarProvider) -> ContactBook:
    from integrations.contacts.google import GoogleContacts  # its client library is large

    return GoogleContacts(cast("GoogleProvider", provider).session)


def _microsoft(provider: CalendarProvider) -> ContactBook:
    from integrations.contacts.microsoft import MicrosoftContacts  # so is this one's

    return MicrosoftContacts(cast("MicrosoftProvider", provider).graph)


_BOOKS: Mapping[str, Callable[[CalendarProvider], ContactBook]] = {"google": _google, "microsoft": _microsoft}
