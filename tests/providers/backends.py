"""What the contract suite needs of each provider: an account, calendars in it, and a hand on what is in them that does
not go through the provider."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from urllib.parse import quote, urljoin

import httpx2

from app.domain.calendars import Calendar, etag_of
from app.ports.calendar_store import ObjectWrite
from app.ports.calendars import CalendarProvider, Credentials
from app.use_cases.ids import new_id
from integrations.calendars.builtin import BuiltinProvider
from integrations.calendars.caldav import CalDavProvider
from integrations.http import OutwardHttp, OutwardPolicy
from tests.support.calendar_servers import PASSWORD, USER, CalendarServer
from tests.support.workspace import Workspace

LOOPBACK = OutwardPolicy(frozenset({"127.0.0.1", "localhost"}))


async def no_dns(name: str, kind: str) -> list[str]:
    """A resolver that knows no services."""
    return []


class Backend(ABC):
    """One provider with an account that works."""

    provider: CalendarProvider
    credentials: Credentials
    lacks: frozenset[str] = frozenset()
    """What of iCalendar the service has no place for, of the lines that the suite looks for."""

    @abstractmethod
    async def make_calendar(self) -> str:
        """A new empty calendar; its name at the provider."""

    @abstractmethod
    async def drop_calendar(self, calendar: str) -> None:
        """Take the calendar away."""

    @abstractmethod
    async def put(self, calendar: str, uid: str, text: str) -> str:
        """Store a text as another client would; its key."""

    @abstractmethod
    async def read(self, calendar: str, key: str) -> str:
        """The text at a key."""

    @abstractmethod
    async def remove(self, calendar: str, key: str) -> None:
        """Delete a key as another client would."""

    @abstractmethod
    async def keys(self, calendar: str) -> list[str]:
        """Everything in the calendar."""

    @abstractmethod
    async def close(self) -> None:
        """Give everything back."""


class CalDavBackend(Backend):
    """A CalDAV server; `url` may be that of a box before it."""

    def __init__(self, server: CalendarServer, url: str | None = None, policy: OutwardPolicy = LOOPBACK) -> None:
        self.url = url or server.url
        self._home = server.home.replace(server.url, self.url)
        self._direct = httpx2.AsyncClient(auth=(USER, PASSWORD), timeout=30, trust_env=False)
        self._http = OutwardHttp(policy)
        self.provider = CalDavProvider(self._http, no_dns)
        self.credentials = Credentials(self.url, USER, PASSWORD)

    async def make_calendar(self) -> str:
        calendar = f"{self._home}{new_id()}/"
        (await self._direct.request("MKCALENDAR", calendar)).raise_for_status()
        return calendar

    async def drop_calendar(self, calendar: str) -> None:
        (await self._direct.delete(calendar)).raise_for_status()

    async def put(self, calendar: str, uid: str, text: str) -> str:
        url = urljoin(calendar, f"{quote(uid, safe='')}.ics")
        await self.put_at(calendar, url, text)
        return httpx2.URL(url).path

    async def put_at(self, calendar: str, key: str, text: str) -> None:
        """Change what is at a key, as a device does."""
        url = urljoin(calendar, key)
        answer = await self._direct.put(url, content=text.encode(), headers={"Content-Type": "text/calendar"})
        answer.raise_for_status()

    async def read(self, calendar: str, key: str) -> str:
        answer = await self._direct.get(urljoin(calendar, key))
        answer.raise_for_status()
        return answer.text

    async def remove(self, calendar: str, key: str) -> None:
        (await self._direct.delete(urljoin(calendar, key))).raise_for_status()

    async def keys(self, calendar: str) -> list[str]:
        answer = await self._direct.request("PROPFIND", calendar, headers={"Depth": "1"})
        answer.raise_for_status()
        return sorted({part.split("<")[0] for part in answer.text.split(">") if part.split("<")[0].endswith(".ics")})

    async def close(self) -> None:
        await self._http.aclose()
        await self._direct.aclose()


@dataclass
class BuiltinBackend(Backend):
    """The calendars in the database."""

    workspace: Workspace
    provider: CalendarProvider
    credentials: Credentials

    @classmethod
    async def make(cls, workspace: Workspace) -> BuiltinBackend:
        """For the workspace's owner."""
        ports = workspace.ports
        async with ports.read() as work:
            account = (await work.calendars.accounts_of(workspace.owner.id))[0]
        provider = BuiltinProvider(ports.unit_of_work, ports.read, ports.clock)
        return cls(workspace, provider, Credentials(account.id, account.user_id, ""))

    async def make_calendar(self) -> str:
        now = self.workspace.clock.now
        owner = self.workspace.owner
        calendar = Calendar(
            id=new_id(), org_id=owner.org_id, account_id=self.credentials.url, user_id=owner.id, provider="builtin",
            name=new_id(), display_name="Work", color="#123456", position=9, description="", timezone="Europe/Berlin",
            components=("VEVENT",), is_conflict=True, is_write=False, read_only=False, revision=0, modified_at=now,
            sync_cursor=None, synced_at=now, sync_error=None,
        )  # fmt: skip
        async with self.workspace.ports.unit_of_work() as work:
            await work.calendars.add_calendar(calendar)
            await work.commit()
        return calendar.name

    async def drop_calendar(self, calendar: str) -> None:
        row = await self._row(calendar)
        async with self.workspace.ports.unit_of_work() as work:
            await work.calendars.delete_calendar(row.id)
            await work.commit()

    async def put(self, calendar: str, uid: str, text: str) -> str:
        row = await self._row(calendar)
        write = ObjectWrite(
            name=f"{uid}.ics", uid=uid, component="VEVENT", etag=etag_of(text), data=text, start=0, end=None, busy=(),
            expanded_until=None,
        )  # fmt: skip
        async with self.workspace.ports.unit_of_work() as work:
            await work.calendars.put_object(row, write, self.workspace.clock.now)
            await work.commit()
        return write.name

    async def read(self, calendar: str, key: str) -> str:
        row = await self._row(calendar)
        async with self.workspace.ports.read() as work:
            found = await work.calendars.object(row.id, key)
        assert found is not None
        return found.data

    async def remove(self, calendar: str, key: str) -> None:
        row = await self._row(calendar)
        async with self.workspace.ports.unit_of_work() as work:
            await work.calendars.remove_objects(row, [key], self.workspace.clock.now)
            await work.commit()

    async def keys(self, calendar: str) -> list[str]:
        row = await self._row(calendar)
        async with self.workspace.ports.read() as work:
            return sorted(await work.calendars.etags(row.id))

    async def close(self) -> None:
        """The workspace closes the database."""

    async def _row(self, name: str) -> Calendar:
        async with self.workspace.ports.read() as work:
            found = await work.calendars.builtin_calendar(self.workspace.owner.id, name)
        assert found is not None
        return found
