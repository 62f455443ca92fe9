"""Contacts at Microsoft, by Graph: the mailbox's default folder of them.

`$filter` finds by the beginning of names, but by nothing less than a whole address (see "List contacts" in Microsoft's
reference); `$search` finds the words of addresses too, but may tell the contacts it finds without their addresses
(microsoftgraph/microsoft-graph-explorer-v4, issue 2942): those are read one by one.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import quote

from app.domain.calendars import CalendarAccount
from app.domain.contacts import KEY_LENGTH, Contact
from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.microsoft.graph import Graph, Json
from integrations.microsoft.tokens import CONTACTS, tenant_of

PAGE = 10
_FIELDS = "displayName,emailAddresses"
_NAMES = ("displayName", "givenName", "surname")
_PATH = "/me/contacts"


class MicrosoftContacts:
    """`ContactBook`. `graph` opens an account with a token for a scope."""

    def __init__(self, graph: Callable[[Credentials, str], Graph]) -> None:
        self._open = graph

    def is_granted(self, account: CalendarAccount) -> bool:
        """By the scope; what an administrator granted for a whole organization, only the service itself knows."""
        scopes = (account.scopes or "").lower().split()
        return CONTACTS.lower() in scopes or tenant_of(account.secret) is not None

    async def search(self, credentials: Credentials, query: str) -> Sequence[Contact]:
        """By names, and by the words of everything."""
        graph = self._open(credentials, CONTACTS)
        by_name, by_words = await asyncio.gather(_named(graph, query), _searched(graph, query))
        try:
            return [contact for each in (*by_name, *by_words) for contact in _contacts(each)]
        except (AttributeError, TypeError) as error:
            raise ProviderFailure("protocol", "Microsoft answers with contacts that cannot be read.") from error

    async def add(self, credentials: Credentials, contact: Contact) -> str | None:
        """Into the default folder."""
        graph = self._open(credentials, CONTACTS)
        condition = f"emailAddresses/any(a:a/address eq {_quoted(contact.email)})"
        if await _listed(graph, __filter=condition):
            return None
        address = {"name": contact.name, "address": contact.email}
        body = {"givenName": contact.name, "displayName": contact.name, "emailAddresses": [address]}
        made = await graph.send("POST", graph.url(_PATH), body)
        key = str(made.get("id") or "")
        return key if key and len(key) <= KEY_LENGTH else None

    async def remove(self, credentials: Credentials, key: str) -> None:
        """Out of whatever folder it is in by now."""
        graph = self._open(credentials, CONTACTS)
        try:
            await graph.send("DELETE", graph.url(f"{_PATH}/{quote(key, safe='')}"))
        except ProviderFailure as failure:
            if failure.kind != "gone":
                raise


async def _named(graph: Graph, query: str) -> list[Json]:
    return await _listed(graph, __filter=" or ".join(f"startswith({name},{_quoted(query)})" for name in _NAMES))


async def _searched(graph: Graph, query: str) -> list[Json]:
    words = query.replace("\\", " ").replace('"', " ").strip()
    found = await _listed(graph, __search=f'"{words}"') if words else []
    return await asyncio.gather(*(_whole(graph, each) for each in found))


async def _whole(graph: Graph, found: Json) -> Json:
    """The contact with its addresses; without them when it is gone by now."""
    if found.get("emailAddresses") or not found.get("id"):
        return found
    try:
        return await graph.get(graph.url(f"{_PATH}/{quote(str(found['id']), safe='')}", __select=_FIELDS))
    except ProviderFailure as failure:
        if failure.kind != "gone":
            raise
        return found


async def _listed(graph: Graph, **asked: str) -> list[Json]:
    page = await graph.get(graph.url(_PATH, **asked, __select=_FIELDS, __top=PAGE))
    return [each for each in page.get("value") or () if isinstance(each, dict)]


def _contacts(item: Json) -> Iterator[Contact]:
    for each in item.get("emailAddresses") or ():
        if each.get("address"):
            yield Contact(str(item.get("displayName") or each.get("name") or ""), str(each["address"]))


def _quoted(text: str) -> str:
    """A string literal of OData."""
    return "'" + text.replace("'", "''") + "'"
