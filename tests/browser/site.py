"""The program under test and the people who visit it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request

RULES = {"resultTypes": ["violations"]}
PHONE, SMALL, DESKTOP = (390, 844), (320, 640), (1280, 800)


@dataclass(frozen=True, slots=True)
class Site:
    """A running program. `token` is an API token of the demo workspace's owner."""

    address: str
    folder: Path
    token: str
    client: httpx.Client

    def api(self, method: str, path: str, **sent: Any) -> Any:
        """One call of the API as the owner; the JSON it answers."""
        response = self.client.request(
            method, f"/api/v1{path}", headers={"Authorization": f"Bearer {self.token}"}, **sent
        )
        assert response.is_success, response.text
        return response.json() if response.content else None

    def make_link(self, slug: str, **values: Any) -> Any:
        """A link over the hours of the owner, without notice."""
        body = {"title": slug.replace("-", " ").title(), "slug": slug, "durations": [30], "minimum_notice": 0, **values}
        return self.api("POST", "/links", json=body)

    def bookings_of(self, email: str) -> list[Any]:
        """What somebody has booked."""
        found: list[Any] = self.api("GET", "/bookings", params={"recipient": email})["items"]
        return found


@dataclass
class Visitors:
    """Makes visitors and looks after them. `neighbours` are other origins that they may be sent to, with certificates
    that nobody else knows."""

    browser: Browser
    site: Site
    neighbours: frozenset[str] = frozenset()
    _contexts: list[BrowserContext] = field(default_factory=list)
    _complaints: list[str] = field(default_factory=list)
    _elsewhere: list[str] = field(default_factory=list)

    def page(
        self,
        *,
        size: tuple[int, int] = PHONE,
        js: bool = True,
        dark: bool = False,
        locale: str = "en-GB",
        timezone: str = "America/New_York",
        site: Site | None = None,
    ) -> Page:
        """A page of a new visitor. Complaints on the console are remembered; the browser's own line about a page with
        an error status is none."""
        context = self.browser.new_context(
            base_url=(site or self.site).address,
            viewport={"width": size[0], "height": size[1]},
            java_script_enabled=js,
            color_scheme="dark" if dark else "light",
            locale=locale,
            timezone_id=timezone,
            reduced_motion="reduce",
            ignore_https_errors=bool(self.neighbours),
        )
        context.set_default_timeout(15_000)
        self._contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        page.on("console", self._on_console)
        own = urlsplit((site or self.site).address).netloc
        page.on("request", lambda request: self._on_request(request, own))
        return page

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "server responded with a status of" not in message.text:
            self._complaints.append(message.text)

    def _on_request(self, request: Request, own: str) -> None:
        there = urlsplit(request.url)
        if there.netloc != own and there.scheme != "data" and f"{there.scheme}://{there.netloc}" not in self.neighbours:
            self._elsewhere.append(request.url)

    def close(self) -> None:
        """End all visits; fails when a page complained or asked another origin."""
        for context in self._contexts:
            context.close()
        assert self._complaints == []
        assert self._elsewhere == []


def violations(page: Page) -> list[str]:
    """What axe finds against a page, one line each."""
    found = Axe().run(page, options=RULES).response["violations"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in found for node in rule["nodes"]]


def overflow(page: Page) -> int:
    """By how many pixels a page is too wide."""
    found: int = page.evaluate("Math.max(0, document.documentElement.scrollWidth - innerWidth)")
    return found
