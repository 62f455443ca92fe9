"""A running Halfpast with the demo workspace, and a real Chromium in front of it."""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.site import Site, Visitors
from tests.capabilities import chromium_path, need

HERE = Path(__file__).parent
CHECKOUT = HERE.parents[1]
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
START_SECONDS = 60


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each module has its browser and its program, in one process of the test run."""
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.requires("chromium"))
            item.add_marker(pytest.mark.xdist_group(f"browser-{item.path.stem}"))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """`halfpast serve` over a fresh demo workspace, without rate limits in the way."""
    need("chromium")
    with serving(tmp_path_factory.mktemp("halfpast"), with_demo=True) as running:
        yield running


@pytest.fixture(scope="module")
def empty_site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The same over an empty database, as on the first run."""
    need("chromium")
    with serving(tmp_path_factory.mktemp("halfpast"), with_demo=False) as running:
        yield running


@contextmanager
def serving(folder: Path, *, with_demo: bool, **variables: str) -> Iterator[Site]:
    """`halfpast serve` over a database of its own in this folder, with these variables of the environment besides."""
    address = f"http://127.0.0.1:{_free_port()}"
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("HALFPAST_")},
        "PYTHONPATH": str(CHECKOUT),
        "HALFPAST_DATA_DIR": str(folder),
        "HALFPAST_BASE_URL": address,
        "HALFPAST_SECRET_KEYS": secrets.token_urlsafe(32),
        "HALFPAST_RATE_LIMIT_PUBLIC": "100000/minute",
        "HALFPAST_RATE_LIMIT_BOOKING": "100000/minute",
        "HALFPAST_RATE_LIMIT_LOGIN": "100000/minute",
        "HALFPAST_ALLOWED_PRIVATE_HOSTS": "127.0.0.1",
        **variables,
    }

    def halfpast(*arguments: str) -> str:
        command = [sys.executable, "-m", "app.cli", *arguments]
        done = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    halfpast("migrate")
    token = ""
    if with_demo:
        halfpast("demo")
        token = halfpast("tokens", "create", "--email", "owner@example.com")
    log = folder / "serve.log"
    with log.open("w") as output:
        command = [sys.executable, "-m", "app.cli", "serve", "--port", address.rpartition(":")[2]]
        process = subprocess.Popen(command, env=environment, cwd=folder, stdout=output, stderr=output)
        try:
            _wait_until_ready(address, process, log)
            with httpx.Client(base_url=address, timeout=30) as client:
                yield Site(address, folder, token, client)
        finally:
            process.terminate()
            process.wait(30)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(httpx.TransportError):
            if httpx.get(f"{address}/health/ready", timeout=5).status_code == 200:
                return
        time.sleep(0.2)
    pytest.fail(f"the program does not answer:\n{log.read_text()[-4000:]}", pytrace=False)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium. Not longer than a module: Playwright's event loop would be in the way of other tests."""
    need("chromium")
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS)
        yield started
        started.close()


@pytest.fixture
def visitors(browser: Browser, site: Site) -> Iterator[Visitors]:
    """People with browsers of their own. At the end nothing may have complained or gone elsewhere."""
    made = Visitors(browser, site)
    yield made
    made.close()
