"""What we publish, really served: CalDAV and the feeds by uvicorn in a thread, over a workspace in a real database."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import pytest
import requests
import uvicorn
from lxml import etree

from app.domain.bookings import Booking
from app.domain.calendars import Calendar
from app.domain.errors import RateLimited
from app.ports.people import User
from app.use_cases.ids import new_id
from app.use_cases.manage_people import NewUser, create_organization, create_user
from app.use_cases.manage_tokens import create_app_password, create_feed
from calendar_feeds.caldav.app import caldav_app
from calendar_feeds.caldav.discovery import with_discovery
from calendar_feeds.ics import feeds_app
from calendar_feeds.messages import Receive, Scope, Send, sentence
from tests.databases import ENGINES, over_engines
from tests.support.clock import MONDAY, Clock
from tests.support.workspace import Workspace, make_workspace, opened

Result = TypeVar("Result")
MANY = 100_000
PASSWORD = "only-for-tests-0123456789"

NAMESPACES = {
    "D": "DAV:",
    "C": "urn:ietf:params:xml:ns:caldav",
    "CS": "http://calendarserver.org/ns/",
    "A": "http://apple.com/ns/ical/",
}


class FailureCount:
    """Remembers where failed attempts came from; more than `limit` are refused."""

    def __init__(self) -> None:
        self.seen: list[str] = []
        self.limit = MANY

    async def __call__(self, scope: Scope) -> None:
        self.seen.append(scope["client"][0])
        if len(self.seen) > self.limit:
            raise RateLimited("Too many attempts.", 30)


class DavServer:
    """A running server, and the world behind it."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.failures = FailureCount()
        self.url = ""
        self.database_url: str
        self.data_dir: Path
        self.workspace: Workspace
        self.loop: asyncio.AbstractEventLoop
        self._boss: Person | None = None

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Do something on the server's side."""
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(60)

    def person(self, name: str | None = None, timezone: str = "UTC") -> Person:
        """A new user with an app password."""
        return Person(self, self.run(self._make(name or f"u{new_id()[-12:]}", timezone)))

    def boss(self) -> Person:
        """Who runs the organization."""
        if self._boss is None:
            self._boss = Person(self, self.run(self._admin()))
        return self._boss

    async def _admin(self) -> User:
        user = self.workspace.owner
        await create_app_password(self.workspace.ports, user, f"Mac {new_id()}", f"{PASSWORD}{user.handle}")
        return user

    def stranger(self) -> Person:
        """Somebody of another organization."""
        return Person(self, self.run(self._elsewhere()))

    async def _elsewhere(self) -> User:
        ports, name = self.workspace.ports, f"s{new_id()[-12:]}"
        organization = await create_organization(ports, name.title(), name)
        user = await create_user(
            ports, NewUser(organization.id, f"{name}@example.net", name.title(), ("owner", "admin"))
        )
        await create_app_password(ports, user, "Phone", PASSWORD + user.handle)
        return user

    async def _make(self, name: str, timezone: str) -> User:
        user = await self.workspace.user(name, timezone=timezone)
        await create_app_password(self.workspace.ports, user, "Phone", PASSWORD + user.handle)
        return user

    def request(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> requests.Response:
        """One request, `headers` with underscores for dashes; the path goes out as written, redirects stay."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        prepared = requests.Request(method, self.url + "/", data=data, headers=sent).prepare()
        prepared.url = self.url + path
        with requests.Session() as session:
            session.trust_env = False
            return session.send(prepared, allow_redirects=False, timeout=30)


class Person:
    """Somebody with a device: requests go out with their app password."""

    def __init__(self, server: DavServer, user: User) -> None:
        self.server = server
        self.user = user
        self.password = PASSWORD + user.handle
        self.principal = f"/dav/principals/{user.handle}/"
        self.home = f"/dav/calendars/{user.handle}/"
        self.personal = f"{self.home}personal/"
        self.schedule = f"{self.home}schedule/"

    def request(self, method: str, path: str, body: str | bytes | None = None, **headers: str) -> requests.Response:
        """One request."""
        return self.server.request(
            method, path, body, **{"Authorization": basic(self.user.handle, self.password), **headers}
        )

    def dav(self, method: str, path: str, body: str = "", depth: str | None = "0", **headers: str) -> Multistatus:
        """A request that is answered 207; the usual prefixes are declared on `body`'s root."""
        if depth is not None:
            headers["Depth"] = depth
        response = self.request(method, path, declared(body), **{"Content_Type": "application/xml", **headers})
        assert response.status_code == 207, (response.status_code, response.text[:500])
        return Multistatus(response)

    def put(self, name: str, text: str, **headers: str) -> requests.Response:
        """Put an object into `personal`."""
        return self.request("PUT", self.personal + name, text, **{"Content_Type": "text/calendar", **headers})

    def sync(
        self, token: str = "", collection: str | None = None, more: str = "", props: str = "<D:getetag/>"
    ) -> Multistatus:
        """A sync-collection report."""
        body = (
            f"<D:sync-collection><D:sync-token>{token}</D:sync-token><D:sync-level>1</D:sync-level>{more}"
            f"<D:prop>{props}</D:prop></D:sync-collection>"
        )
        return self.dav("REPORT", collection or self.personal, body)

    def calendar(self, name: str = "personal") -> Calendar:
        """One of the built-in collections, as the database has it."""

        async def read() -> Calendar:
            async with self.server.workspace.ports.read() as work:
                found = await work.calendars.builtin_calendar(self.user.id, name)
            assert found is not None
            return found

        return self.server.run(read())

    def book(self, start: int, slug: str = "intro") -> Booking:
        """A booking of this person's time, made by a recipient."""

        async def make() -> Booking:
            workspace = self.server.workspace
            link = await workspace.link(f"{slug}-{new_id()[-12:]}", self.user)
            return await workspace.book(link, start)

        return self.server.run(make())

    def feed(self, kind: str = "schedule") -> str:
        """The path of a new feed."""
        return f"/feeds/{self.server.run(create_feed(self.server.workspace.ports, self.user, kind)).token}.ics"


def declared(body: str) -> str:
    """The body with the usual prefixes declared on its root."""
    names = "".join(f' xmlns:{prefix}="{uri}"' for prefix, uri in NAMESPACES.items())
    return re.sub(r"^<([\w:\-]+)", rf"<\1{names}", body, count=1)


class Multistatus:
    """A 207 body, by href."""

    def __init__(self, response: requests.Response) -> None:
        self.response = response
        self.root = etree.fromstring(response.content)
        self.by_href = {str(each.findtext("D:href", namespaces=NAMESPACES)): each for each in self.all("D:response")}

    def all(self, path: str) -> list[etree._Element]:
        """Elements by a path."""
        return self.root.findall(path, namespaces=NAMESPACES)

    @property
    def hrefs(self) -> list[str]:
        """The addresses answered for, in order."""
        return list(self.by_href)

    def status(self, href: str) -> str | None:
        """The status of a member as a whole."""
        return self.by_href[href].findtext("D:status", namespaces=NAMESPACES)

    def found(self, href: str, name: str) -> etree._Element | None:
        """A property that the resource has."""
        for propstat in self.by_href[href].findall("D:propstat", namespaces=NAMESPACES):
            if "200" in (propstat.findtext("D:status", namespaces=NAMESPACES) or ""):
                return propstat.find(f"D:prop/{name}", namespaces=NAMESPACES)
        return None

    def missing(self, href: str) -> set[str]:
        """The names of the properties it does not have."""
        return {
            str(each.tag)
            for propstat in self.by_href[href].findall("D:propstat", namespaces=NAMESPACES)
            if "404" in (propstat.findtext("D:status", namespaces=NAMESPACES) or "")
            for each in propstat.find("D:prop", namespaces=NAMESPACES)  # type: ignore[union-attr]
        }

    def text(self, href: str, name: str) -> str | None:
        """The text of a property."""
        element = self.found(href, name)
        return None if element is None else element.text or ""

    @property
    def sync_token(self) -> str:
        """The token a sync report ended with."""
        return str(self.root.findtext("D:sync-token", namespaces=NAMESPACES))


def condition(response: requests.Response) -> str:
    """The precondition a refusal names, such as `D:need-privileges`."""
    root = etree.fromstring(response.content)
    assert root.tag == "{DAV:}error"
    name = etree.QName(root[0])
    prefix = next(prefix for prefix, uri in NAMESPACES.items() if uri == name.namespace)
    return f"{prefix}:{name.localname}"


def basic(user: str, password: str) -> str:
    """An Authorization header."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@contextmanager
def dav_server(database_url: str, data_dir: Path, beside: DavServer | None = None) -> Iterator[DavServer]:
    """Serve until the block ends; `beside` another server, over its database and sharing nothing else."""
    server, ready = DavServer(beside.clock if beside else Clock()), Future[None]()
    server.database_url, server.data_dir = database_url, data_dir
    stop: list[uvicorn.Server] = []
    thread = threading.Thread(target=lambda: asyncio.run(_serve(server, beside, ready, stop)))
    thread.start()
    try:
        ready.result(60)
        yield server
    finally:
        for each in stop:
            each.should_exit = True
        thread.join(30)


@pytest.fixture(scope="session")
def dav_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], DavServer]]:
    """By engine, a server over its database."""
    with over_engines(dav_server, tmp_path_factory) as servers:
        yield servers


@pytest.fixture(params=ENGINES)
def server(request: pytest.FixtureRequest, dav_servers: Callable[[str], DavServer]) -> DavServer:
    """The test runs once on each engine, from the same instant on whatever ran before it."""
    found = dav_servers(request.param)
    found.clock.now = MONDAY
    found.failures.limit = MANY
    return found


async def _serve(server: DavServer, beside: DavServer | None, ready: Future[None], stop: list[uvicorn.Server]) -> None:
    try:
        async with opened(server.database_url, server.data_dir, server.clock, tables=beside is None) as parts:
            server.loop = asyncio.get_running_loop()
            if beside is None:
                server.workspace = await make_workspace(parts, server.clock)
            else:
                server.workspace = replace(beside.workspace, parts=parts)
            with socket.create_server(("127.0.0.1", 0)) as listening:
                server.url = f"http://127.0.0.1:{listening.getsockname()[1]}"
                running = uvicorn.Server(uvicorn.Config(_application(server), log_level="warning", lifespan="off"))
                stop.append(running)
                ready.set_result(None)  # the socket takes connections already
                await running.serve(sockets=[listening])
    except BaseException as error:
        if not ready.done():
            ready.set_exception(error)
        raise


def _application(server: DavServer) -> Any:
    dav = caldav_app(server.workspace.ports, server.failures)
    feeds = feeds_app(server.workspace.ports, server.failures)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        inner: Any = dav if scope["path"].startswith("/dav") else feeds if scope["path"].startswith("/feeds/") else None
        if inner is None:
            await sentence(404, "There is nothing here.").send(send)
            return
        await inner(scope, receive, send)

    return with_discovery(app, dav)
