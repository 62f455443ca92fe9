"""Suggest people while somebody types an address: from past bookings, and from the address books they switched on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog

from app.domain.calendars import CalendarAccount
from app.domain.contacts import SHORTEST, Contact, Suggestion, best_suggestions
from app.domain.errors import Invalid, ProviderFailure
from app.ports import Ports
from app.ports.people import User
from app.use_cases.sync_calendar import credentials_of

log = structlog.get_logger()

PATIENCE_SECONDS = 1.5
"""How long address books are waited for, all of them together: somebody is typing."""
BOOKINGS = "bookings"

_Books = dict[asyncio.Task[Sequence[Contact]], CalendarAccount]


async def suggest_contacts(
    ports: Ports, user: User, typed: str, patience: float = PATIENCE_SECONDS
) -> list[Suggestion]:
    """The best few for what was typed: people of the user's own bookings first, each address once.

    `Invalid` for less than three characters. An address book that fails, or does not answer within `patience` seconds,
    is left out: that is for the log, not for who is typing.
    """
    wanted = typed.strip()
    if len(wanted) < SHORTEST:
        raise Invalid.field("q", f"Type at least {SHORTEST} characters.")
    until = asyncio.get_running_loop().time() + patience
    async with ports.read() as work:
        accounts = await work.calendars.accounts_of(user.id)
    books: _Books = {
        asyncio.create_task(_ask(ports, account, wanted)): account for account in accounts if _is_asked(ports, account)
    }
    try:
        async with ports.read() as work:
            past = await work.contacts.past_recipients(user.org_id, user.id)
        if books:
            await asyncio.wait(books, timeout=max(0.0, until - asyncio.get_running_loop().time()))
        return best_suggestions([(BOOKINGS, past), *_answers(books)], wanted)
    finally:
        for task in books:
            task.cancel()


def _is_asked(ports: Ports, account: CalendarAccount) -> bool:
    return account.contacts != "off" and account.provider in ports.contact_books


async def _ask(ports: Ports, account: CalendarAccount, wanted: str) -> Sequence[Contact]:
    try:
        return await ports.contact_books[account.provider].search(credentials_of(account), wanted)
    except ProviderFailure as failure:
        log.warning("contacts are left out", account=account.id, reason=failure.detail)
        return ()


def _answers(books: _Books) -> list[tuple[str, Sequence[Contact]]]:
    for account in (account for task, account in books.items() if not task.done()):
        log.warning("contacts are left out", account=account.id, reason="no answer in time")
    return [(account.provider, task.result()) for task, account in books.items() if task.done()]
