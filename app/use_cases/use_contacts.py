"""Whether an account's contacts may be used, and what for."""

from __future__ import annotations

from app.domain.calendars import CalendarAccount, ContactsUse
from app.domain.errors import Invalid
from app.ports import Ports


def has_contacts(ports: Ports, account: CalendarAccount) -> bool:
    """Whether accounts of this kind have contacts at all."""
    return account.provider in ports.contact_books


def are_contacts_granted(ports: Ports, account: CalendarAccount) -> bool:
    """Whether the account's person let us at its contacts, beside the calendars."""
    return has_contacts(ports, account) and ports.contact_books[account.provider].is_granted(account)


def check_use(ports: Ports, account: CalendarAccount, wanted: ContactsUse) -> None:
    """`Invalid` (field `contacts`) for a use that the account does not allow."""
    if wanted == "off" or are_contacts_granted(ports, account):
        return
    if not has_contacts(ports, account):
        raise Invalid.field("contacts", "Accounts of this kind have no contacts that Halfpast can use.")
    raise Invalid.field(
        "contacts",
        "Access to the contacts was not given. Open "
        f"{ports.base_url}/api/v1/calendar-accounts/{account.provider}/connect?account={account.id}&contacts={wanted} "
        "in a browser, and allow it there.",
    )
