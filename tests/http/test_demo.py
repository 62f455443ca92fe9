"""What `make run` leaves a newcomer with: every printed address works, and the known password stays on this machine."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from app.config import PREFIX
from app.db.migrate import migrate
from app.use_cases.demo import OWNER, load_demo
from app.use_cases.manage_people import DEMO_PASSWORD
from app.wiring import wire
from app.worker import Worker
from tests.http.api import client_of, running
from tests.http.workspace import Workspace, at, settings_for
from tests.support.clock import Clock

HALFPAST = Path(sys.executable).with_name("halfpast")


@pytest.fixture(scope="module")
def printed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """What `serve` prints over the demo workspace, by its labels."""
    folder = tmp_path_factory.mktemp("demo")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    environ = {name: value for name, value in os.environ.items() if not name.startswith(PREFIX)}
    for command in (["migrate"], ["demo", "--port", port]):
        subprocess.run([HALFPAST, *command], cwd=folder, env=environ, check=True, capture_output=True, timeout=60)
    serve = [str(HALFPAST), "serve", "--port", port]
    with subprocess.Popen(serve, cwd=folder, env=environ, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            lines = [process.stdout.readline() for _ in range(5)]
            yield {label.strip(): rest.strip() for label, _, rest in (line.partition(": ") for line in lines[1:])}
        finally:
            process.terminate()


def test_every_printed_address_works(printed: dict[str, str]) -> None:
    assert list(printed) == ["Booking page", "Sign in", "Feed", "CalDAV"]
    assert "Intro call" in httpx.get(printed["Booking page"]).text
    feed = httpx.get(printed["Feed"])
    assert (feed.status_code, feed.text.count("BEGIN:VEVENT") > 3) == (200, True)
    dav = httpx.request("PROPFIND", printed["CalDAV"].split()[0])
    assert (dav.status_code, dav.headers["www-authenticate"].split()[0]) == (401, "Basic")


def test_the_printed_credentials_sign_in(printed: dict[str, str]) -> None:
    found = re.fullmatch(r"(\S+)\s+\((\S+) / (\S+)\)", printed["Sign in"])
    assert found is not None
    with httpx.Client(base_url=found[1]) as browser:
        answer = browser.post("/", data={"email": found[2], "password": found[3]})
        assert answer.headers["location"] == "/app/bookings"
        assert "Casey Client" in browser.get("/app/bookings").text


def test_the_feed_speaks_of_the_address_that_is_served(printed: dict[str, str]) -> None:
    base = printed["Booking page"].removesuffix("/demo/intro")
    urls = set(re.findall(r"URL:(http://[^/]+)/", httpx.get(printed["Feed"]).text))
    assert urls == {base}


@pytest.mark.anyio
@pytest.mark.parametrize(("base_url", "status"), [("http://127.0.0.1:8000", 303), ("https://book.example.com", 401)])
async def test_the_known_password_opens_nothing_beyond_this_machine(
    database_url: str, tmp_path: Path, workspace: Workspace, base_url: str, status: int
) -> None:
    settings = settings_for(database_url, tmp_path, BASE_URL=base_url)
    parts = wire(settings)
    await migrate(parts.database)
    assert await load_demo(parts.ports)
    await parts.close()
    async with running(settings, workspace) as api, client_of(api.app, base_url=base_url) as browser:
        answer = await browser.post("/", data={"email": OWNER, "password": DEMO_PASSWORD})
        assert answer.status_code == status


def test_the_workshop_has_seats(printed: dict[str, str]) -> None:
    page = httpx.get(printed["Booking page"].replace("/intro", "/workshop")).text
    assert "3 seats left" in page


@pytest.mark.anyio
@pytest.mark.parametrize(("day", "hour", "minutes"), [(2, 9, 20), (2, 22, 12 * 60), (5, 9, 48 * 60)])
async def test_a_reminder_is_seen(database_url: str, tmp_path: Path, day: int, hour: int, minutes: int) -> None:
    """Within the half hour on a day before a workday; at other times with the first booking that is a day ahead."""
    clock = Clock(at(day, hour) + 600)
    parts = wire(settings_for(database_url, tmp_path), clock=clock)
    await migrate(parts.database)
    assert await load_demo(parts.ports) and parts.mail_folder is not None
    await Worker(parts.ports, parts.handlers).drain()
    assert await parts.mail_folder.list_mails(100) == []
    clock.advance(minutes * 60)
    for _ in range(2):
        await Worker(parts.ports, parts.handlers).drain()
    found = [each.subject for each in await parts.mail_folder.list_mails(100) if "@example.org" in each.to]
    assert found and all(subject.startswith("Reminder: Intro call") for subject in found)
    await parts.close()
