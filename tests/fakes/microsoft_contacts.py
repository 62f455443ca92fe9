"""Contacts of the fake Microsoft, by Graph: as particular about searching as the real ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from uuid import uuid4

from aiohttp import web

from tests.fakes.microsoft_faults import Refusal
from tests.fakes.microsoft_mailbox import Json, Mailbox

_NAME = r"startswith\((displayName|givenName|surname),'((?:[^']|'')*)'\)"


async def list_contacts(request: web.Request, mailbox: Mailbox) -> web.Response:
    """By `$filter` or by `$search`, whose finds have no addresses."""
    query = request.query
    if "$search" in query and "$filter" in query:
        raise Refusal(400, "ErrorInvalidUrlQuery", "$filter and $search do not go together.")
    if "$search" in query:
        words = query["$search"].strip('"').lower()
        found = [{**each, "emailAddresses": []} for each in mailbox.contacts if words in _text(each)]
    else:
        matches = _condition(query.get("$filter", ""))
        found = [each for each in mailbox.contacts if matches(each)]
    return web.json_response({"value": [_selected(request, each) for each in found[: int(query.get("$top", 10))]]})


async def show_contact(request: web.Request, mailbox: Mailbox) -> web.Response:
    """One, by id."""
    found = next((each for each in mailbox.contacts if each["id"] == request.match_info["contact"]), None)
    if found is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    return web.json_response(_selected(request, found))


async def create_contact(request: web.Request, mailbox: Mailbox) -> web.Response:
    """A new one, whatever is there."""
    made = {**await request.json(), "id": f"AAMkC{uuid4().hex}="}
    mailbox.contacts.append(made)
    return web.json_response(made, status=201)


async def delete_contact(request: web.Request, mailbox: Mailbox) -> web.Response:
    """One, by id."""
    found = next((each for each in mailbox.contacts if each["id"] == request.match_info["contact"]), None)
    if found is None:
        raise Refusal(404, "ErrorItemNotFound", "The specified object was not found in the store.")
    mailbox.contacts.remove(found)
    return web.Response(status=204)


def add_contact(mailbox: Mailbox, name: str, email: str) -> None:
    """Somebody the person knows."""
    given, _, surname = name.partition(" ")
    mailbox.contacts.append(
        {
            "id": f"AAMkC{uuid4().hex}=",
            "displayName": name,
            "givenName": given,
            "surname": surname or None,
            "emailAddresses": [{"name": name, "address": email}],
        }
    )


def _condition(text: str) -> Callable[[Json], bool]:
    """Beginnings of names, and whole addresses; startswith() on addresses is refused, as by the real one."""
    by_address = re.fullmatch(r"emailAddresses/any\(a:a/address eq '((?:[^']|'')*)'\)", text)
    if by_address:
        wanted = by_address[1].replace("''", "'").lower()
        return lambda each: any(address["address"].lower() == wanted for address in each["emailAddresses"])
    if re.fullmatch(rf"{_NAME}( or {_NAME})*", text):
        begins = [(name, begin.replace("''", "'").lower()) for name, begin in re.findall(_NAME, text)]
        return lambda each: any(str(each.get(name) or "").lower().startswith(begin) for name, begin in begins)
    raise Refusal(400, "ErrorInvalidUrlQueryFilter", "The query filter contains one or more invalid nodes.")


def _text(contact: Json) -> str:
    return " ".join([contact["displayName"], *(each["address"] for each in contact["emailAddresses"])]).lower()


def _selected(request: web.Request, contact: Json) -> Json:
    wanted = request.query.get("$select", "").split(",")
    return {name: value for name, value in contact.items() if name == "id" or name in wanted}
