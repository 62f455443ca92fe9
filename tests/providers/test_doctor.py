"""The doctor asks every connection for real, changes nothing, and says the mend."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import update

from app import doctor
from app.config import load_settings
from app.db import models as m
from app.doctor import Finding, examine
from app.domain.calendars import Calendar
from app.ports.calendars import Credentials
from app.ports.channels import CalendarChannel
from app.use_cases.ids import new_id
from app.use_cases.sync_calendar import sync_job
from app.web.times import rfc3339
from app.wiring import wire
from integrations.security import KeyVault
from tests.capabilities import redis_url
from tests.providers.mail.smtp_server import Inbox, make_certificate, smtp_server
from tests.support.calendar_servers import PASSWORD, USER, Box, CalendarServer
from tests.support.clock import Clock
from tests.support.prepared import migrated, snapshot
from tests.support.workspace import Workspace, environment, make_workspace, opened

pytestmark = pytest.mark.anyio


@pytest.fixture
async def workspace(database_url: str, tmp_path: Path) -> AsyncIterator[Workspace]:
    """One organization in a migrated database, on each engine."""
    await migrated(database_url)
    clock = Clock()
    async with opened(database_url, tmp_path, clock, tables=False) as parts:
        yield await make_workspace(parts, clock)


async def connected(workspace: Workspace, label: str, credentials: Credentials, status: str = "ok") -> Calendar:
    """An account of the owner's, last known to be `status`; its one calendar."""
    calendar = await workspace.connected_calendar(workspace.owner, synced_at=None)
    async with workspace.ports.unit_of_work() as work:
        await work.calendars.update_account(
            calendar.account_id,
            label=label,
            url=credentials.url,
            username=credentials.username,
            secret=credentials.secret,
            status=status,
            error=None if status == "ok" else "An event was not understood",
        )
        await work.commit()
    return calendar


async def findings(workspace: Workspace, **variables: str) -> dict[str, Finding]:
    """What the doctor says with these settings besides."""
    settings = workspace.parts.settings
    environ = environment(settings.database_url, settings.data_dir)
    chosen = load_settings(environ | {f"HALFPAST_{name}": value for name, value in variables.items()})
    parts = wire(chosen, clock=workspace.clock)
    try:
        return {finding.name: finding for finding in await examine(parts)}
    finally:
        await parts.close()


@pytest.mark.requires("radicale")
async def test_every_calendar_account_is_asked_and_nothing_is_changed(
    workspace: Workspace, radicale_server: CalendarServer
) -> None:
    """Whatever the last sync said: the server may have changed its mind since."""
    typed = Credentials(radicale_server.url, USER, PASSWORD)
    credentials = await workspace.ports.providers["caldav"].discover(typed)
    await connected(workspace, "Right", credentials)
    await connected(workspace, "Wrong", replace(credentials, secret="no longer"))
    await connected(workspace, "Behind", credentials, status="error")
    before = await snapshot(workspace.parts.database)
    found = await findings(workspace)
    assert found["calendar account Right"].ok
    assert not found["calendar account Wrong"].ok
    wrong = found["calendar account Wrong"].words
    assert "let its owner type the new password at http://127.0.0.1:8000/app/connections" in wrong
    assert "An event was not understood" in found["calendar account Behind"].words
    assert "at once by “Try again”" in found["calendar account Behind"].words
    assert not found["calendar account Behind"].ok
    assert await snapshot(workspace.parts.database) == before


@pytest.mark.requires("radicale")
async def test_the_doctor_says_of_an_account_what_its_page_says(
    workspace: Workspace, radicale_server: CalendarServer
) -> None:
    typed = Credentials(radicale_server.url, USER, PASSWORD)
    calendar = await connected(workspace, "Mine", await workspace.ports.providers["caldav"].discover(typed))
    now = workspace.clock.now
    async with workspace.ports.unit_of_work() as work:
        await work.calendars.update_calendar(calendar.id, synced_at=now - 120)
        await work.calendars.update_account(calendar.account_id, scopes="openid https://graph/Calendars.ReadWrite")
        await work.outbox.enqueue([sync_job(calendar, now + 180)], now)
        channel = CalendarChannel(new_id(), calendar.org_id, calendar.id, "google", "resource", "token", now + 3600)
        await work.channels.add(channel, now)
        await work.commit()
    finding = (await findings(workspace))["calendar account Mine"]
    assert finding.ok
    for words in (
        f"last read {rfc3339(now - 120)}",
        "the oldest copy is 120 s old",
        f"next {rfc3339(now + 180)}",
        f"Told at once, and looked for every few minutes. Until {rfc3339(now + 3600)}.",
        "May read and change your calendars. Contacts: no.",
    ):
        assert words in finding.words
    workspace.clock.advance(6 * 3600)
    late = (await findings(workspace))["calendar account Mine"]
    assert not late.ok
    assert "worker may stand still" in late.words
    assert "next now" in late.words


async def test_a_calendar_server_that_is_slow_does_not_keep_the_doctor(
    workspace: Workspace, box: Callable[..., Awaitable[Box]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "CALENDAR_SECONDS", 0.2)
    slow = await box(delay=5)
    for number in range(doctor.CALENDARS_AT_ONCE):
        await connected(workspace, f"Slow {number}", Credentials(f"{slow.url}/", USER, PASSWORD))
    async with asyncio.timeout(4):
        found = await findings(workspace)
    for number in range(doctor.CALENDARS_AT_ONCE):
        assert "no answer in time" in found[f"calendar account Slow {number}"].words


async def test_accounts_whose_key_is_missing_are_not_asked(workspace: Workspace) -> None:
    await connected(workspace, "Lost", Credentials("https://calendar.invalid/", USER, PASSWORD))
    async with workspace.parts.database.write.begin() as connection:
        foreign = KeyVault(["a-foreign-key-0123456"])
        await connection.execute(update(m.calendar_accounts).values(secret_sealed=foreign.seal("secret")))
    found = await findings(workspace)
    for name in ("keys", "calendar accounts"):
        assert not found[name].ok
        assert foreign.marks[0] in found[name].words
        assert "HALFPAST_SECRET_KEYS" in found[name].words


async def test_the_mail_server_is_logged_in_to_and_gets_no_mail(workspace: Workspace, tmp_path: Path) -> None:
    server, _ = make_certificate(tmp_path)
    inbox = Inbox()
    async with smtp_server(inbox, tls_context=server, authenticator=inbox.authenticate, auth_required=True):
        right = await findings(workspace, SMTP_URL=f"smtp://me%40example.com:p%40ss%2Fword@127.0.0.1:{inbox.port}")
        assert right["mail"].ok, right["mail"].words
        assert len(inbox.logins) == 1
        wrong = await findings(workspace, SMTP_URL=f"smtp://me%40example.com:guess-it@127.0.0.1:{inbox.port}")
    assert not wrong["mail"].ok
    assert "refused the login" in wrong["mail"].words
    assert "HALFPAST_SMTP_URL" in wrong["mail"].words
    assert "guess-it" not in wrong["mail"].words
    assert inbox.envelopes == []


@pytest.mark.requires("redis")
async def test_redis_is_asked(workspace: Workspace) -> None:
    assert (await findings(workspace, REDIS_URL=redis_url()))["rate limits"].ok


async def test_what_listens_but_is_not_redis_is_not_taken_for_it(workspace: Workspace) -> None:
    async with smtp_server() as inbox:
        found = await findings(workspace, REDIS_URL=f"redis://:hush-hush@127.0.0.1:{inbox.port}/0")
    assert not found["rate limits"].ok
    assert "HALFPAST_REDIS_URL" in found["rate limits"].words
    assert "hush-hush" not in found["rate limits"].words
