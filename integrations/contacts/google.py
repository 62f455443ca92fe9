"""Contacts at Google, by the People API: those in the address book, and the "other contacts" that Google collects.

See developers.google.com/people/v1/contacts. Its searches answer from a cache that an empty query brings up to date, in
a few seconds; they fit the beginnings of words of names and addresses.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from app.domain.calendars import CalendarAccount
from app.domain.contacts import KEY_LENGTH, Contact
from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.google.session import PEOPLE, GoogleSession, Json
from integrations.google.sign_in import CONTACT_SCOPES
from integrations.google.tokens import Tokens

PAGE = 10
WARM_SECONDS = 600.0
"""How long a warmed-up cache is taken to stay so."""
SETTLE_SECONDS = 3.0
"""How long the cache is given to come up to date before an address counts as missing."""
_BOOK, _OTHERS = CONTACT_SCOPES
_FIELDS = "names,emailAddresses"

Search = Callable[[Any], Any]
"""From the People service to the method that searches."""


class GoogleContacts:
    """`ContactBook`."""

    def __init__(self, session: GoogleSession, settle_seconds: float = SETTLE_SECONDS) -> None:
        self._session = session
        self._settle = settle_seconds
        self._warm_until: dict[tuple[str, Search], float] = {}

    def is_granted(self, account: CalendarAccount) -> bool:
        """By the scope of the address book; other contacts are a scope of their own, which may be missing."""
        return _BOOK in (account.scopes or "").split()

    async def search(self, credentials: Credentials, query: str) -> Sequence[Contact]:
        """The address book's, then other contacts."""
        granted = Tokens.from_text(credentials.secret).scopes
        places = [_in_book, *([_in_others] if _OTHERS in granted else [])]
        found = await asyncio.gather(*(self._found(credentials, place, query) for place in places))
        return [contact for each in found for contact in each]

    async def add(self, credentials: Credentials, contact: Contact) -> str | None:
        """Into the address book."""
        await self._warm_up(credentials, _in_book)
        await asyncio.sleep(self._settle)
        there = await self._found(credentials, _in_book, contact.email)
        if any(each.email.lower() == contact.email.lower() for each in there):
            return None
        body = {"names": [{"unstructuredName": contact.name}], "emailAddresses": [{"value": contact.email}]}
        made = await self._session.call(
            credentials,
            lambda service: service.people().createContact(body=body, personFields=_FIELDS),
            api=PEOPLE,
            once=True,
        )
        key = str(made.get("resourceName") or "")
        return key if key and len(key) <= KEY_LENGTH else None

    async def remove(self, credentials: Credentials, key: str) -> None:
        """Out of the address book."""
        try:
            await self._session.call(
                credentials, lambda service: service.people().deleteContact(resourceName=key), api=PEOPLE
            )
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise

    async def _found(self, credentials: Credentials, place: Search, query: str) -> list[Contact]:
        if self._warm_until.get((_key(credentials), place), 0.0) <= time.monotonic():
            await self._warm_up(credentials, place)
        answer = await self._asked(credentials, place, query)
        try:
            return [contact for each in answer.get("results", ()) for contact in _contacts(each.get("person") or {})]
        except (AttributeError, LookupError, TypeError) as error:
            raise ProviderFailure("protocol", "Google answers with contacts that cannot be read.") from error

    async def _warm_up(self, credentials: Credentials, place: Search) -> None:
        await self._asked(credentials, place, "")
        self._warm_until[_key(credentials), place] = time.monotonic() + WARM_SECONDS

    async def _asked(self, credentials: Credentials, place: Search, query: str) -> Json:
        return await self._session.call(
            credentials,
            lambda service: place(service)(query=query, readMask=_FIELDS, pageSize=PAGE),
            api=PEOPLE,
        )


def _in_book(service: Any) -> Any:
    return service.people().searchContacts


def _in_others(service: Any) -> Any:
    return service.otherContacts().search


def _key(credentials: Credentials) -> str:
    return credentials.account_id or credentials.username


def _contacts(person: Json) -> Iterator[Contact]:
    names = person.get("names") or [{}]
    name = str(names[0].get("displayName") or names[0].get("unstructuredName") or "")
    for each in person.get("emailAddresses", ()):
        if each.get("value"):
            yield Contact(name, str(each["value"]))
