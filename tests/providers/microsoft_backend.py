"""A Microsoft account for the contract suite, its calendars reached past Graph."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from icalendar import Calendar

from app.domain.calendars import CalendarAccount
from app.ports.calendars import Credentials, SignInRequest
from app.use_cases.ids import new_id
from integrations.calendars.microsoft import MicrosoftProvider
from integrations.http import OutwardHttp
from integrations.microsoft.events import event_text
from tests.fakes.microsoft import FakeMicrosoft
from tests.fakes.microsoft_json import Wishes, event_json
from tests.fakes.microsoft_mailbox import Mailbox
from tests.providers.backends import LOOPBACK, Backend
from tests.support.clock import Clock
from tests.support.workspace import Workspace, make_workspace, opened

WISHES = Wishes(immutable=True, zone="UTC", text=True, page=None)
REQUEST = SignInRequest("http://127.0.0.1:8000/callback", "a state", "v" * 64)


class MicrosoftBackend(Backend):
    """An account of the fake, connected in a workspace where one is given: its tokens are kept there."""

    lacks = frozenset(
        {"BEGIN:VTIMEZONE", "SEQUENCE:1", "COLOR:tomato", "X-APPLE-TRAVEL-DURATION", "TRIGGER:-PT2H"}
    )  # the one reminder is told in minutes: see test_microsoft.py

    def __init__(self, fake: FakeMicrosoft, workspace: Workspace, clock: Clock) -> None:
        ports = workspace.ports
        self.fake, self.workspace = fake, workspace
        self.mailbox: Mailbox = fake.account()
        self._http = OutwardHttp(LOOPBACK)
        self.provider: MicrosoftProvider = MicrosoftProvider(
            fake.client, self._http, ports.unit_of_work, ports.read, clock, verify=str(fake.authority.bundle)
        )

    async def sign_in(self) -> MicrosoftBackend:
        """Give it credentials that are not kept anywhere."""
        code = self.fake.identity.code_for(query_of(self.provider.authorization_url(REQUEST)), self.mailbox.email)
        grant = await self.provider.redeem(REQUEST, {"state": REQUEST.state, "code": code})
        self.credentials = Credentials(self.fake.graph.base, grant.username, grant.secret)
        return self

    async def connect(self) -> MicrosoftBackend:
        """Keep the account in the workspace, as connecting it does."""
        await self.sign_in()
        owner, now = self.workspace.owner, self.workspace.clock.now
        account = CalendarAccount(
            id=new_id(), org_id=owner.org_id, user_id=owner.id, provider="microsoft", label="Work",
            url=self.credentials.url, username=self.credentials.username, secret=self.credentials.secret, status="ok",
            error=None, last_ok_at=now, created_at=now, updated_at=now,
        )  # fmt: skip
        async with self.workspace.ports.unit_of_work() as work:
            await work.calendars.add_account(account)
            await work.commit()
        self.credentials = replace(self.credentials, account_id=account.id)
        return self

    async def kept_secret(self) -> str:
        """The account's tokens as they are stored."""
        async with self.workspace.ports.read() as work:
            account = await work.calendars.account(self.credentials.account_id)
        assert account is not None
        return account.secret

    async def make_calendar(self) -> str:
        return self.mailbox.add_calendar(new_id())

    async def drop_calendar(self, calendar: str) -> None:
        self.mailbox.drop_calendar(calendar)

    async def put(self, calendar: str, uid: str, text: str) -> str:
        """An event that was ours is put back as Outlook does it, with all it carried."""
        event: Any = Calendar.from_ical(text).events[0]
        there = next((each for each in self.mailbox.items.values() if each.values["iCalUId"] == uid), None)
        restored = there or self.mailbox.restore(calendar, uid)
        values = _values(event)
        times = (_wall(event["DTSTART"].dt), _wall(event["DTEND"].dt))
        if restored:
            return self.mailbox.change(restored.id, start=times[0], end=times[1], **values).id
        return self.mailbox.add(calendar, *times, iCalUId=uid, **values).id

    async def read(self, calendar: str, key: str) -> str:
        shown = self.mailbox.look_up(key)
        assert shown is not None
        assert shown.item.calendar == calendar
        return event_text(event_json(shown, WISHES), self.mailbox.email)

    async def remove(self, calendar: str, key: str) -> None:
        assert self.mailbox.items[key].calendar == calendar
        self.mailbox.delete(key)

    async def keys(self, calendar: str) -> list[str]:
        return sorted(key for key, item in self.mailbox.items.items() if item.calendar == calendar)

    async def close(self) -> None:
        await self.provider.aclose()


def query_of(url: str) -> dict[str, str]:
    """The query of an address."""

    return dict(parse_qsl(urlsplit(url).query))


def _wall(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)


def _values(event: Any) -> dict[str, Any]:
    """What a person can say of an event in Outlook."""
    values: dict[str, Any] = {"subject": str(event.get("SUMMARY", ""))}
    if "DESCRIPTION" in event:
        values["body"] = {"contentType": "text", "content": str(event["DESCRIPTION"])}
    if "LOCATION" in event:
        values["location"] = {"displayName": str(event["LOCATION"])}
    if "CATEGORIES" in event:
        values["categories"] = [str(each) for each in event["CATEGORIES"].cats]
    alarms = event.walk("VALARM")
    if alarms:  # Outlook has one
        minutes = int(-alarms[-1]["TRIGGER"].dt.total_seconds() // 60)
        values |= {"isReminderOn": True, "reminderMinutesBeforeStart": minutes}
    return values


@pytest.fixture
async def outlook(microsoft: FakeMicrosoft, tmp_path: Path) -> AsyncIterator[MicrosoftBackend]:
    """An account that is connected."""
    clock = Clock()
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'db.sqlite3'}", tmp_path, clock) as parts:
        backend = MicrosoftBackend(microsoft, await make_workspace(parts, clock), clock)
        yield await backend.connect()
        await backend.close()
