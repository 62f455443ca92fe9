"""A program that is registered at a Google and a Microsoft, reached over TLS, and people with browsers who go there."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import httpx
import pytest
from sqlalchemy import select

from app.config import Settings
from app.ports import Ports
from app.web.sessions import csrf_token
from app.wiring import HANDLERS
from app.worker import Worker
from tests.capabilities import need
from tests.fakes.google import FakeGoogle
from tests.fakes.google_grants import CLIENT_ID, CLIENT_SECRET
from tests.fakes.microsoft import FakeMicrosoft, certificate_authority, microsoft
from tests.http.api import Api, client_of, running
from tests.http.workspace import ZONE, Member, Workspace, settings_for
from tests.support.clock import Clock

__all__ = ["api", "certificate_authority", "google", "microsoft"]  # fixtures
SITE = "https://book.example.com"


@pytest.fixture
async def google() -> AsyncIterator[FakeGoogle]:
    """A Google; that nobody broke a contract is part of every test. It is today: Microsoft's contract says for how long
    ahead of that it may be asked for messages."""
    need("contracts")
    fake = await FakeGoogle(Clock(int(time.time()))).start()
    yield fake
    await fake.stop()
    assert not fake.broken, "contract broken:\n" + "\n".join(fake.broken)


@pytest.fixture
async def api(
    settings: Settings,
    workspace: Workspace,
    google: FakeGoogle,
    microsoft: FakeMicrosoft,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Api]:
    """The program. Nobody answers at its address, so Microsoft shakes no hands before it promises to tell."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(microsoft.authority.bundle))
    microsoft.push.shakes_hands = False
    client = microsoft.client
    own = settings_for(
        settings.database_url,
        settings.data_dir,
        BASE_URL=SITE,
        GOOGLE_CLIENT_ID=CLIENT_ID,
        GOOGLE_CLIENT_SECRET=CLIENT_SECRET,
        GOOGLE_API_ENDPOINT=google.url,
        GOOGLE_OAUTH_ENDPOINT=google.url,
        MICROSOFT_CLIENT_ID=client.client_id,
        MICROSOFT_CLIENT_SECRET=client.client_secret,
        MICROSOFT_AUTHORITY=client.sign_in,
        MICROSOFT_GRAPH_ENDPOINT=client.api,
        ALLOWED_PRIVATE_HOSTS="127.0.0.1",
    )
    assert isinstance(google.clock, Clock)
    async with running(own, workspace, google.clock) as made:
        yield made


def ports_of(api: Api) -> Ports:
    """The program's ports."""
    ports: Ports = api.app.state.ports
    return ports


async def work(api: Api, seconds: int = 0) -> None:
    """Let time pass, then do all that is due."""
    api.clock.advance(seconds)
    await Worker(ports_of(api), HANDLERS).drain()


def workday(api: Api, hour: int) -> int:
    """An instant on a working day of the workspace's people, two to six days ahead."""
    day = datetime.fromtimestamp(api.clock.now, ZoneInfo(ZONE)).replace(hour=hour, minute=0, second=0, microsecond=0)
    day += timedelta(days=2)
    while day.weekday() > 4:
        day += timedelta(days=1)
    return int(day.timestamp())


async def rows(api: Api, table: Any, **where: Any) -> list[Any]:
    """The rows with these values."""
    query = select(table).where(*(table.c[name] == value for name, value in where.items()))
    async with api.database.read.connect() as connection:
        return list((await connection.execute(query)).mappings())


@dataclass
class Browser:
    """Somebody's browser, here and at the providers; `csrf` goes into the forms of who is signed in."""

    client: httpx.AsyncClient
    microsoft: FakeMicrosoft
    google: FakeGoogle
    csrf: str = ""

    async def get(self, address: str) -> httpx.Response:
        """A page of the program."""
        return await self.client.get(address.removeprefix(SITE))

    async def post(self, address: str, **fields: Any) -> httpx.Response:
        """A form of the program."""
        token = {"csrf": self.csrf} if self.csrf else {}
        return await self.client.post(address.removeprefix(SITE), data={**token, **fields})

    async def answer(self, address: str, **chosen: str) -> str:
        """Fill the form that a provider shows at an address; the path and query that it sends the browser back to."""
        trust = ssl.create_default_context(cafile=self.microsoft.authority.bundle)
        async with httpx.AsyncClient(verify=trust, trust_env=False) as elsewhere:
            page = await elsewhere.get(address, follow_redirects=True)
            inputs = re.findall(r'<input type="(\w+)" name="([^"]*)" value="([^"]*)"', page.text)
            form: dict[str, Any] = {name: unescape(value) for kind, name, value in inputs if kind == "hidden"}
            form["granted"] = [unescape(value) for kind, _, value in inputs if kind == "checkbox"]
            action = re.search(r'action="([^"]*)"', page.text)
            assert action, page.text
            sent = await elsewhere.post(str(page.url.join(action[1])), data={**form, **chosen})
        back = urlsplit(sent.headers["location"])
        assert f"{back.scheme}://{back.netloc}" == SITE
        return f"{back.path}?{back.query}"


@asynccontextmanager
async def browser(
    api: Api, google: FakeGoogle, microsoft: FakeMicrosoft, member: Member | None = None
) -> AsyncIterator[Browser]:
    """A browser, in which `member` is signed in."""
    ports = ports_of(api)
    async with client_of(api.app, base_url=SITE) as client:
        csrf = ""
        if member is not None:
            token = ports.vault.new_token()
            async with ports.unit_of_work() as unit:
                await unit.tokens.add_session(token, member.user, ports.clock(), ports.clock() + 86400)
                await unit.commit()
            client.cookies.set("__Host-halfpast", token, domain="book.example.com")
            csrf = csrf_token(ports, token)
        yield Browser(client, microsoft, google, csrf)
