"""A workspace whose users have Google accounts with address books."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import cast

from app.config import load_settings
from app.db import models as m
from app.domain.calendars import CalendarAccount, ContactsUse
from app.ports.calendars import Credentials
from app.ports.people import User
from app.use_cases.connect_calendar import NewAccount, list_event_calendars, store_account
from app.use_cases.manage_people import create_organization
from app.wiring import wire
from app.worker import Worker
from integrations.calendars.google import GoogleProvider
from integrations.contacts.google import GoogleContacts
from integrations.google.sign_in import CALENDAR_SCOPES, CONTACT_SCOPES
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grants import CLIENT_ID, CLIENT_SECRET
from tests.support.clock import Clock
from tests.support.workspace import Workspace, environment

ANA, BEN = "ana@example.com", "ben@example.com"


@dataclass
class AddressBooks(Workspace):
    """The owner is at `acme`; whose account is whose is up to the test."""

    google: FakeGoogle = field(kw_only=True)

    async def account(
        self, user: User, contacts: ContactsUse, email: str = ANA, scopes: Sequence[str] = CONTACT_SCOPES
    ) -> CalendarAccount:
        """A connected account of the user's at Google, with contacts granted."""
        tokens = self.google.person(email, *CALENDAR_SCOPES, *scopes)
        found = Credentials("", email, tokens.to_text())
        remote = await list_event_calendars(self.ports.providers["google"], found)
        new = NewAccount("google", "", email, found.secret)
        account = await store_account(self.ports, user, new, found, remote, " ".join(tokens.scopes))
        await self.use(account, contacts)
        self.google.seen.clear()
        return account

    async def use(self, account: CalendarAccount, contacts: ContactsUse) -> None:
        """Switch the use of an account's contacts."""
        await self.set(m.calendar_accounts, m.calendar_accounts.c.id == account.id, contacts=contacts)

    def asked(self, where: str = "people|otherContacts") -> list[str]:
        """What Google was asked of contacts since accounts were connected."""
        return self.google.asked(where)

    def addresses(self, email: str = ANA) -> list[str]:
        """Who is in somebody's book at Google."""
        people = self.google.people.contacts.get(email, [])
        return [address["value"] for each in people for address in each["emailAddresses"]]

    async def work(self, seconds: int = 0) -> None:
        """Let time pass, then do all that is due."""
        self.clock.advance(seconds)
        await Worker(self.ports, self.parts.handlers).drain()


@asynccontextmanager
async def address_books(url: str, folder: Path, clock: Clock) -> AsyncIterator[AddressBooks]:
    """One organization with one user, registered at a Google of its own; nobody breaks a contract."""
    google = await FakeGoogle(clock).start()
    registered = {
        "HALFPAST_GOOGLE_CLIENT_ID": CLIENT_ID,
        "HALFPAST_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
        "HALFPAST_GOOGLE_API_ENDPOINT": google.url,
        "HALFPAST_GOOGLE_OAUTH_ENDPOINT": google.url,
    }
    wired = wire(load_settings({**environment(url, folder), **registered}), clock=clock)
    session = cast("GoogleProvider", wired.ports.providers["google"]).session
    books = {"google": GoogleContacts(session, settle_seconds=0)}  # the fake's search lags behind no time
    parts = replace(wired, ports=replace(wired.ports, contact_books=books))
    try:
        world = AddressBooks(parts, clock, await create_organization(parts.ports, "Acme", "acme"), google=google)
        await world.user("owner")
        yield world
    finally:
        await parts.close()
        await google.stop()
    assert google.broken == []
