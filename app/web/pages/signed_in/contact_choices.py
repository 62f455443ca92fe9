"""What an account's contacts are used for, on its card."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar import Request, Response, post
from litestar.params import FromPath

from app.domain.calendars import CalendarAccount, ContactsUse
from app.domain.errors import NotFound
from app.ports import Ports
from app.use_cases.calendar_accounts import change_account
from app.use_cases.use_contacts import are_contacts_granted, has_contacts
from app.web.pages.signed_in.form import Form
from app.web.pages.signed_in.frame import Member, done, ports_of

USES: Mapping[ContactsUse, str] = {
    "off": "Do not use",
    "suggest": "Suggest people while I type",
    "add": "Suggest, and add new recipients",
}


@dataclass(frozen=True, slots=True)
class ContactChoice:
    """One use. `address` is where access to the contacts is asked for first; empty when there is access, or none is
    needed."""

    value: str
    words: str
    is_chosen: bool
    address: str


def contact_choices(ports: Ports, account: CalendarAccount) -> tuple[ContactChoice, ...]:
    """What can be chosen for an account; nothing where it has no contacts."""
    if not has_contacts(ports, account):
        return ()
    is_granted = are_contacts_granted(ports, account)
    return tuple(
        ContactChoice(value, words, value == account.contacts, "" if is_granted else _address(account, value))
        for value, words in USES.items()
        if is_granted or value != "off"
    )


def _address(account: CalendarAccount, use: ContactsUse) -> str:
    query = urlencode({"account": account.id, "login_hint": account.username, "contacts": use})
    return f"/api/v1/calendar-accounts/{account.provider}/connect?{query}"


@post("/connections/{account_id:uuid}/contacts")
async def use_contacts(request: Request[Any, Any, Any], caller: Member, account_id: FromPath[UUID]) -> Response[Any]:
    """Another use of the contacts of an account that gives access to them."""
    wanted = (await Form.posted(request)).get("contacts")
    use = next((each for each in USES if each == wanted), None)
    if use is None:
        raise NotFound("There is no such choice.")
    await change_account(ports_of(request), caller.user, str(account_id), contacts=use)
    return done("/app/connections")
