"""Real calendar servers for tests, and a box in the middle that makes them misbehave."""

from __future__ import annotations

import asyncio
import base64
import re
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession, web

USER, PASSWORD = "ana", "correct horse"
START_SECONDS = 30


@dataclass(frozen=True, slots=True)
class CalendarServer:
    """A running server: its address, where calendars are made, and whether it checks passwords by itself."""

    kind: str
    url: str
    home: str


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def _running(command: list[str], port: int, log: Path) -> Iterator[None]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, stdin=subprocess.DEVNULL)
        try:
            _wait_for(port, process, log)
            yield
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with socket.socket() as probe:
            probe.settimeout(1)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the calendar server did not start: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def radicale(folder: Path) -> Iterator[CalendarServer]:
    """Radicale with one user."""
    port = _free_port()
    (folder / "users").write_text(f"{USER}:{PASSWORD}\n")
    config = folder / "config"
    config.write_text(
        f"[server]\nhosts = 127.0.0.1:{port}\n[auth]\ntype = htpasswd\nhtpasswd_filename = {folder / 'users'}\n"
        f"htpasswd_encryption = plain\ndelay = 0\n[storage]\nfilesystem_folder = {folder / 'data'}\n"
    )
    command = [sys.executable, "-m", "radicale", "--config", str(config)]
    with _running(command, port, folder / "radicale.log"):
        root = f"http://127.0.0.1:{port}/"
        yield CalendarServer("radicale", root, f"{root}{USER}/")


@contextmanager
def xandikos(folder: Path) -> Iterator[CalendarServer]:
    """Xandikos, which leaves passwords to whoever stands before it."""
    port = _free_port()
    command = [
        sys.executable, "-m", "xandikos", "serve", "-d", str(folder / "data"), "--defaults", "--current-user-principal",
        f"/{USER}/", "-l", "127.0.0.1", "-p", str(port), "--state-dir", str(folder / "state"), "--no-detect-systemd",
    ]  # fmt: skip
    with _running(command, port, folder / "xandikos.log"):
        root = f"http://127.0.0.1:{port}/"
        yield CalendarServer("xandikos", root, f"{root}{USER}/calendars/")


@dataclass(slots=True)
class Seen:
    """One request that came to the box."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


Handler = Callable[[web.Request, str], Awaitable[web.StreamResponse | None]]


@dataclass(slots=True)
class Box:
    """A server in the middle. `interfere` may answer in the upstream's place; `delay` is before every answer;
    `change` rewrites the upstream's bodies. Asks for the password when `checks_password`."""

    upstream: str | None = None
    checks_password: bool = False
    delay: float = 0
    interfere: Handler | None = None
    change: Callable[[str], str] | None = None
    seen: list[Seen] = field(default_factory=list)
    url: str = ""
    _runner: web.AppRunner | None = None
    _client: ClientSession | None = None

    async def start(self, host: str = "127.0.0.1") -> Box:
        """Listen on a free port."""
        application = web.Application(client_max_size=50_000_000)
        application.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.url = f"http://{'[::1]' if ':' in host else host}:{port}/"
        self._client = ClientSession(auto_decompress=True)
        return self

    async def stop(self) -> None:
        """Stop listening."""
        if self._client is not None:
            await self._client.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        body = (await request.read()).decode("utf-8", "replace")
        self.seen.append(Seen(request.method, request.path, dict(request.headers), body))
        if self.delay:
            await asyncio.sleep(self.delay)
        if self.interfere is not None:
            answer = await self.interfere(request, body)
            if answer is not None:
                return answer
        if self.checks_password and request.headers.get("Authorization") != _basic(USER, PASSWORD):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="calendars"'})
        if self.upstream is None:
            return web.Response(status=404)
        return await self._forward(request, body)

    async def _forward(self, request: web.Request, body: str) -> web.StreamResponse:
        assert self._client is not None
        assert self.upstream is not None
        dropped = {"host", "content-length", "accept-encoding", "connection"}
        if self.checks_password:
            dropped.add("authorization")
        headers = {name: value for name, value in request.headers.items() if name.lower() not in dropped}
        url = self.upstream.rstrip("/") + request.raw_path
        async with self._client.request(
            request.method, url, data=body.encode(), headers=headers, allow_redirects=False
        ) as answer:
            text = (await answer.read()).decode("utf-8", "replace")
            kept = {"content-type", "etag", "location", "dav", "www-authenticate", "retry-after"}
            passed = {name: value for name, value in answer.headers.items() if name.lower() in kept}
            if self.change is not None:
                text = self.change(text)
            return web.Response(status=answer.status, body=text.encode(), headers=passed)


def _basic(username: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{username}:{password}".encode()).decode()


def without_property(name: str) -> Callable[[str], str]:
    """A change that takes a property out of XML answers, whatever its prefix."""
    element = re.compile(rf"<(?:\w+:)?{name}\b[^>]*/>|<((?:\w+:)?{name})\b[^>]*>.*?</\1>", re.DOTALL)
    return lambda text: element.sub("", text)


@pytest.fixture(scope="session")
def radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    """A running Radicale, one for each test process."""
    with radicale(tmp_path_factory.mktemp("radicale")) as server:
        yield server


@pytest.fixture(scope="session")
def xandikos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CalendarServer]:
    """A running Xandikos, one for each test process."""
    with xandikos(tmp_path_factory.mktemp("xandikos")) as server:
        yield server


@pytest.fixture
async def box() -> AsyncIterator[Callable[..., Awaitable[Box]]]:
    """Makes boxes in the middle, each on a port of its own."""
    started: list[Box] = []

    async def make(host: str = "127.0.0.1", **settings: Any) -> Box:
        started.append(await Box(**settings).start(host))
        return started[-1]

    yield make
    for each in started:
        await each.stop()
