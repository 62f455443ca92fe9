"""Syncing a large calendar: what it costs the syncing process, and how often the provider is asked.

The providers run elsewhere (Radicale as a process of its own, the fakes in this one): their work is not counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any, cast

import httpx2
from icalendar import Calendar as Ical
from sqlalchemy import BigInteger, Column, MetaData, String, Table, Text, insert, select

from app.config import load_settings
from app.db import models as m
from app.db.engine import connect
from app.db.migrate import migrate
from app.domain.calendars import CalendarAccount
from app.ports.calendars import RemoteCalendar, SignIn
from app.use_cases.connect_calendar import new_calendar
from app.use_cases.ids import new_id
from app.use_cases.manage_links import create_link
from app.use_cases.manage_people import NewUser, create_organization, create_user
from app.wiring import wire
from integrations.calendars.microsoft import MicrosoftProvider
from integrations.http import OutwardHttp
from tests.bench.measure import ROOT, environment
from tests.fakes.certificates import make_authority
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.microsoft import FakeMicrosoft
from tests.providers.backends import LOOPBACK
from tests.providers.google_backend import no_accounts
from tests.providers.microsoft_backend import REQUEST, query_of
from tests.support.calendar_servers import PASSWORD, USER, Box, radicale
from tests.support.workspace import event_text

EVENTS = 10_000
CHANGES = 5
HALF_HOUR = 1800


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU seconds of syncing everything, and of one change (median); the most requests that one change took, and those
    of asking for free times; the most memory that the process took in all of this; the texts it stored."""

    initial_cpu: float
    change_cpu: float
    change_requests: float
    asking_requests: float
    peak_mb: float
    texts: list[str]


class Remote(ABC):
    """A calendar of `EVENTS` events somewhere."""

    account: Mapping[str, str]
    environ: Mapping[str, str] = MappingProxyType({})

    @abstractmethod
    def asked(self) -> int:
        """How many requests for calendars and events came so far."""

    @abstractmethod
    async def change(self) -> None:
        """Somebody moves one event."""


def starts() -> list[int]:
    """When the events begin: from yesterday on, 20 a day."""
    first = int(time.time()) // 86400 * 86400 - 86400
    return [first + day * 86400 + number * 3600 for day in range(EVENTS // 20) for number in range(20)]


def measured(open_remote: Callable[[Path], Any], folder: Path) -> Cost:
    """Have a process of its own keep the calendar in step."""
    return asyncio.run(_measured(open_remote, folder))


async def _measured(open_remote: Callable[[Path], Any], folder: Path) -> Cost:
    url = f"sqlite+aiosqlite:///{folder}/sync.db"
    async with open_remote(folder) as remote:
        environ = {
            **environment(folder, url, 8000), **remote.environ, "HALFPAST_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        }  # fmt: skip
        environ["BENCH_CALENDAR"] = await _prepared(environ, remote.account)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.bench.syncer", env=environ, cwd=ROOT, stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        try:
            return await _driven(process, remote, url)
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _prepared(environ: dict[str, str], given: Mapping[str, str]) -> str:
    """A database with a host who has connected the calendar; its id there."""
    parts = wire(load_settings(environ))
    try:
        await migrate(parts.database)
        ports, now = parts.ports, parts.ports.clock()
        organization = await create_organization(ports, "Bench", "bench")
        user = await create_user(ports, NewUser(organization.id, "host@example.com", "Host", ("owner",), "UTC"))
        await create_link(ports, user, {"title": "Open", "slug": "open"})
        account = CalendarAccount(
            id=new_id(), org_id=user.org_id, user_id=user.id, provider=given["provider"], label="Work",
            url=given["url"], username=given["username"], secret=given["secret"], status="ok", error=None,
            last_ok_at=now, created_at=now, updated_at=now,
        )  # fmt: skip
        remote = RemoteCalendar(given["name"], "Work", None, "UTC", read_only=False, components=("VEVENT",))
        calendar = new_calendar(account, user, remote, 2, now, is_conflict=True)
        async with ports.unit_of_work() as work:
            await work.calendars.add_account(account)
            await work.calendars.add_calendar(calendar)
            await work.commit()
    finally:
        await parts.close()
    return calendar.id


async def _driven(process: asyncio.subprocess.Process, remote: Remote, url: str) -> Cost:
    initial = await _do(process, "sync")
    changes, requests = [], []
    for _ in range(CHANGES):
        await remote.change()
        before = remote.asked()
        changes.append(await _do(process, "sync"))
        requests.append(remote.asked() - before)
    before = remote.asked()
    done = [initial, *changes, await _do(process, "ask")]
    texts = await _texts(url)
    if len(texts) != EVENTS:
        raise AssertionError(f"{len(texts)} of {EVENTS} events came over")
    return Cost(
        initial["cpu"], median(each["cpu"] for each in changes), max(requests), remote.asked() - before,
        max(each["peak_mb"] for each in done), texts,
    )  # fmt: skip


async def _do(process: asyncio.subprocess.Process, deed: str) -> dict[str, float]:
    assert process.stdin is not None
    process.stdin.write(f"{deed}\n".encode())
    found: dict[str, float] = json.loads(await _said(process))
    return found


async def _said(process: asyncio.subprocess.Process) -> str:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the syncing process ended")
    return line.decode()


async def _texts(url: str) -> list[str]:
    database = connect(url)
    async with database.read.connect() as connection:
        texts = list(await connection.scalars(select(m.calendar_objects.c.data).where(~m.calendar_objects.c.deleted)))
    await database.dispose()
    return texts


# the floors


def floor_initial(texts: list[str], folder: Path) -> float:
    """CPU seconds of the least that a mirror takes: each text parsed by the icalendar library, and kept in a row with
    its busy time in another."""
    return asyncio.run(_floor(texts, f"sqlite+aiosqlite:///{folder}/floor.db"))


def floor_change(folder: Path) -> float:
    """CPU seconds of reading the names and etags of the whole calendar, which every provider is given to compare with:
    of servers without sync tokens nothing else tells what changed."""
    return asyncio.run(_listing(f"sqlite+aiosqlite:///{folder}/sync.db"))


_METADATA = MetaData()
_OBJECTS = Table(
    "floor_objects", _METADATA, Column("id", BigInteger, primary_key=True), Column("uid", String(200), unique=True),
    Column("start_at", BigInteger, index=True), Column("data", Text),
)  # fmt: skip
_BUSY = Table(
    "floor_busy", _METADATA, Column("id", BigInteger, primary_key=True), Column("start_at", BigInteger, index=True),
    Column("end_at", BigInteger),
)  # fmt: skip


async def _floor(texts: list[str], url: str) -> float:
    database = connect(url)
    async with database.write.begin() as connection:
        await connection.run_sync(_METADATA.create_all)
    began = time.process_time()
    objects, busy = [], []
    for number, text in enumerate(texts):
        event: Any = Ical.from_ical(text).events[0]
        start = int(event["DTSTART"].dt.timestamp())
        objects.append({"id": number, "uid": f"{number} {event['UID']}", "start_at": start, "data": text})
        busy.append({"id": number, "start_at": start, "end_at": int(event["DTEND"].dt.timestamp())})
    async with database.write.begin() as connection:
        await connection.execute(insert(_OBJECTS), objects)
        await connection.execute(insert(_BUSY), busy)
    used = time.process_time() - began
    await database.dispose()
    return used


async def _listing(url: str) -> float:
    database = connect(url)
    objects = m.calendar_objects.c
    query = select(objects.name, objects.etag)
    times = []
    for _ in range(CHANGES):
        async with database.read.connect() as connection:
            began = time.process_time()
            {row.name: row.etag for row in await connection.execute(query)}
            times.append(time.process_time() - began)
    await database.dispose()
    return median(times)


# the calendars


class RadicaleRemote(Remote):
    """On a real server, its requests counted on the way."""

    def __init__(self, box: Box, client: httpx2.AsyncClient, seen: str, name: str) -> None:
        self._box, self._client, self._name = box, client, name
        self._number = 0
        self.account = {"provider": "caldav", "url": box.url, "username": USER, "secret": PASSWORD, "name": seen}

    def asked(self) -> int:
        return len(self._box.seen)

    async def change(self) -> None:
        self._number += 1
        start = starts()[-1] + self._number * 7200
        text = event_text(f"{self._number}@example.com", start, start + HALF_HOUR)
        (await self._client.put(f"{self._name}{self._number}.ics", content=text.encode())).raise_for_status()


@asynccontextmanager
async def caldav(folder: Path) -> AsyncIterator[Remote]:
    """A calendar on Radicale, put into its folder, and read once: the server's own first reading is not our affair."""
    calendar = folder / "data" / "collection-root" / USER / "work"
    calendar.mkdir(parents=True)
    (calendar / ".Radicale.props").write_text('{"tag": "VCALENDAR"}')
    for number, start in enumerate(starts()):
        text = event_text(f"{number}@example.com", start, start + HALF_HOUR)
        (calendar / f"{number}.ics").write_text(text, newline="")
    with radicale(folder) as server:
        async with AsyncExitStack() as stack:
            box = await Box(upstream=server.url).start()
            stack.push_async_callback(box.stop)
            name = f"{server.home}work/"
            client = await stack.enter_async_context(
                httpx2.AsyncClient(auth=(USER, PASSWORD), timeout=300, trust_env=False)
            )
            (await client.request("PROPFIND", name, headers={"Depth": "1"})).raise_for_status()
            yield RadicaleRemote(box, client, name.replace(server.url, box.url), name)


class GoogleRemote(Remote):
    """At the fake Google."""

    def __init__(self, fake: FakeGoogle) -> None:
        self._fake, self._store = fake, fake.service.calendars[PERSON]
        secret = fake.person().to_text()
        self.account = {"provider": "google", "url": "", "username": PERSON, "secret": secret, "name": PERSON}
        client = fake.client
        self.environ = {
            "HALFPAST_GOOGLE_CLIENT_ID": client.client_id, "HALFPAST_GOOGLE_CLIENT_SECRET": client.client_secret,
            "HALFPAST_GOOGLE_OAUTH_ENDPOINT": client.sign_in, "HALFPAST_GOOGLE_API_ENDPOINT": client.api,
        }  # fmt: skip
        for start in starts():
            self._store.insert({"summary": "Dentist", **_google_times(start)})

    def asked(self) -> int:
        return len(self._fake.seen)

    async def change(self) -> None:
        event = next(iter(self._store.living()))
        self._store.patch(event["id"], _google_times(starts()[-1] + self._store.last * 7200))


def _google_times(start: int) -> dict[str, Any]:
    first, last = (datetime.fromtimestamp(at, UTC).isoformat() for at in (start, start + HALF_HOUR))
    return {"start": {"dateTime": first, "timeZone": "UTC"}, "end": {"dateTime": last, "timeZone": "UTC"}}


@asynccontextmanager
async def google(_: Path) -> AsyncIterator[Remote]:
    """A calendar at the fake Google, unchecked: checking 10,000 events takes longer than all else."""
    fake = FakeGoogle()
    for watch in fake.watches:
        watch.is_outside = lambda _: True
    fake.person()
    await fake.start()
    try:
        yield GoogleRemote(fake)
    finally:
        await fake.stop()


class MicrosoftRemote(Remote):
    """At the fake Microsoft."""

    def __init__(self, fake: FakeMicrosoft, secret: str) -> None:
        self._fake, self._mailbox = fake, fake.mailboxes[PERSON]
        self._name = next(iter(self._mailbox.folders))
        self.account = {"provider": "microsoft", "url": "", "username": PERSON, "secret": secret, "name": self._name}
        client = fake.client
        self.environ = {
            "HALFPAST_MICROSOFT_CLIENT_ID": client.client_id,
            "HALFPAST_MICROSOFT_CLIENT_SECRET": client.client_secret,
            "HALFPAST_MICROSOFT_AUTHORITY": client.sign_in, "HALFPAST_MICROSOFT_GRAPH_ENDPOINT": client.api,
            "REQUESTS_CA_BUNDLE": str(fake.authority.bundle),
        }  # fmt: skip
        for start in starts():
            self._mailbox.add(self._name, *_walls(start), subject="Dentist")

    def asked(self) -> int:
        return len(self._fake.graph.seen)

    async def change(self) -> None:
        start, end = _walls(starts()[-1] + self._mailbox.revision * 60)
        self._mailbox.change(next(iter(self._mailbox.items)), start=start, end=end)


def _walls(start: int) -> tuple[datetime, datetime]:
    first = datetime.fromtimestamp(start, UTC).replace(tzinfo=None)
    return first, first + timedelta(seconds=HALF_HOUR)


@asynccontextmanager
async def microsoft(folder: Path) -> AsyncIterator[Remote]:
    """A calendar at the fake Microsoft, unchecked as at Google."""
    fake = FakeMicrosoft(make_authority(folder))
    for watch in fake._watches:
        watch.is_outside = lambda _: True
    await fake.start()
    try:
        fake.account(PERSON)
        sign_in = MicrosoftProvider(
            fake.client, OutwardHttp(LOOPBACK), no_accounts, no_accounts, lambda: int(time.time()),
            verify=str(fake.authority.bundle),
        )  # fmt: skip
        code = fake.identity.code_for(query_of(sign_in.authorization_url(REQUEST)), PERSON)
        grant = await cast("SignIn", sign_in).redeem(REQUEST, {"state": REQUEST.state, "code": code})
        await sign_in.aclose()
        yield MicrosoftRemote(fake, grant.secret)
    finally:
        await fake.stop()


REMOTES: Mapping[str, Callable[[Path], Any]] = {"caldav": caldav, "google": google, "microsoft": microsoft}
