"""A workspace whose owner keeps calendars on a real server, behind a box that can make it misbehave."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from app.config import load_settings
from app.use_cases.manage_people import create_organization
from app.wiring import wire
from tests.fakes.certificates import Authority
from tests.fakes.microsoft import certificate_authority
from tests.providers.backends import CalDavBackend
from tests.support.calendar_servers import Box, CalendarServer, box, radicale_server
from tests.support.clock import Clock
from tests.support.workspace import environment
from tests.use_cases.calendars.office import Office, open_office
from tests.use_cases.calendars.world import CalendarWorld

__all__ = ["box", "certificate_authority", "radicale_server"]


@pytest.fixture
async def world(
    tables_url: str,
    tmp_path: Path,
    radicale_server: CalendarServer,
    box: Callable[..., Awaitable[Box]],
) -> AsyncIterator[CalendarWorld]:
    """One organization, its owner, and their account's server."""
    clock = Clock()
    environ = {**environment(tables_url, tmp_path), "HALFPAST_ALLOWED_PRIVATE_HOSTS": "127.0.0.1"}
    parts = wire(load_settings(environ), clock=clock)
    between = await box(upstream=radicale_server.url)
    remote = CalDavBackend(radicale_server)
    try:
        world = CalendarWorld(
            parts, clock, await create_organization(parts.ports, "Acme", "acme"), box=between, remote=remote,
            server=radicale_server,
        )  # fmt: skip
        await world.user("owner")
        yield world
        await world.settled()
    finally:
        await remote.close()
        await parts.close()


@pytest.fixture
async def office(
    tables_url: str,
    tmp_path: Path,
    radicale_server: CalendarServer,
    certificate_authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Office]:
    """Three hosts at three providers, one of whom has a link together with another. The fake Microsoft's certificates
    count, as those of any authority that the system trusts."""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate_authority.bundle))
    async with open_office(tables_url, tmp_path, radicale_server, certificate_authority) as opened:
        yield opened
