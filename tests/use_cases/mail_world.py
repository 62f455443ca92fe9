"""A workspace whose mail goes to a real server: Ana and Ben of the Studio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from app.config import load_settings
from app.domain.bookings import Booking, Recipient
from app.domain.links import Link
from app.use_cases.manage_people import create_organization
from app.wiring import wire
from app.worker import Worker
from tests.providers.mail.smtp_server import Inbox, smtp_server
from tests.support.clock import Clock
from tests.support.workspace import Workspace, environment
from tests.unit.bookings import START


@dataclass
class MailWorld(Workspace):
    """`inbox` is what the mail server took."""

    inbox: Inbox = field(default_factory=Inbox)

    async def take(self, link: Link | None = None, **values: Any) -> Booking:
        """Rita, in India, books Thursday 2027-03-04, 11:00 in Berlin; through Ana's link unless another is given."""
        link = link or await self.link("intro", title="Intro call")
        wanted = {"timezone": "Asia/Kolkata", "recipient": Recipient("Rita", "rita@example.org"), **values}
        return await self.book(link, START, **wanted)

    async def work(self, seconds: int = 0) -> None:
        """Let time pass, then do all that is due."""
        self.clock.advance(seconds)
        await Worker(self.ports, self.parts.handlers).drain()

    def mails(self, address: str) -> list[Any]:
        """The messages to one address, in order of arrival."""
        return [mail for mail in self.inbox.messages if mail["To"].addresses[0].addr_spec == address]

    def subjects(self, address: str) -> list[str]:
        """Theirs."""
        return [str(mail["Subject"]) for mail in self.mails(address)]


@asynccontextmanager
async def mail_world(database_url: str, folder: Path) -> AsyncIterator[MailWorld]:
    """Two days before the time everybody books."""
    clock = Clock(START - 2 * 86_400)
    async with smtp_server(Inbox()) as inbox:
        environ = {
            **environment(database_url, folder),
            "HALFPAST_SMTP_URL": f"smtp://127.0.0.1:{inbox.port}",
            "HALFPAST_MAIL_FROM": "Studio <bookings@studio.example.com>",
        }
        parts = wire(load_settings(environ), clock=clock)
        try:
            organization = await create_organization(parts.ports, "Studio", "studio")
            world = MailWorld(parts, clock, organization, inbox=inbox)
            for name in ("ana", "ben"):
                await world.user(name, timezone="Europe/Berlin")
            yield world
        finally:
            await parts.close()
