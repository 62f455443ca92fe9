"""What Google's failures become, and how tokens are renewed and kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.calendars import CalendarAccount
from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from app.use_cases.sync_calendar import credentials_of
from integrations.calendars.google import GoogleProvider
from integrations.google import threads
from integrations.google.tokens import Tokens
from tests.fakes.google import PERSON, FakeGoogle
from tests.providers.google_backend import GoogleBackend
from tests.providers.test_contract import booking_event
from tests.support.clock import Clock
from tests.support.workspace import Workspace, make_workspace, opened

pytestmark = [pytest.mark.anyio, pytest.mark.requires("contracts")]


async def failure_of(question: Any) -> ProviderFailure:
    with pytest.raises(ProviderFailure) as failure:
        await question
    return failure.value


def sync(gmail: GoogleBackend) -> Any:
    return gmail.provider.changes(gmail.credentials, PERSON, None, {})


@pytest.mark.parametrize(
    ("status", "reason", "kind", "least"),
    [
        (403, "rateLimitExceeded", "busy", 30),
        (403, "userRateLimitExceeded", "busy", 30),
        (429, "rateLimitExceeded", "busy", 30),
        (403, "quotaExceeded", "busy", 3600),
        (500, "backendError", "busy", 15),
        (503, "backendError", "busy", 15),
        (403, "insufficientPermissions", "auth", None),
        (403, "accessNotConfigured", "protocol", None),
        (404, "notFound", "gone", None),
        (400, "badRequest", "protocol", None),
    ],
)
async def test_what_an_error_means(
    gmail: GoogleBackend, google: FakeGoogle, status: int, reason: str, kind: str, least: int | None
) -> None:
    google.fail("events$", status, reason)
    failure = await failure_of(sync(gmail))
    assert failure.kind == kind
    assert "Google" in failure.detail
    if least is None:
        assert failure.retry_after is None
    else:
        assert least <= (failure.retry_after or 0) <= least * 1.25 + 2


async def test_it_waits_as_long_as_google_says_and_not_all_at_once(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.fail("events$", 429, "rateLimitExceeded", retry_after="100", times=20)
    pauses = [(await failure_of(sync(gmail))).retry_after or 0 for _ in range(20)]
    assert min(pauses) >= 100
    assert max(pauses) <= 127
    assert len(set(pauses)) > 1


@pytest.mark.parametrize("body", [b"<html>", b'{"items": ', b"\xff\xfe"])
async def test_nonsense_is_no_empty_calendar(gmail: GoogleBackend, google: FakeGoogle, body: bytes) -> None:
    google.fail("events$", body=body)
    assert (await failure_of(sync(gmail))).kind == "protocol"


async def test_a_cut_connection_is_told(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.fail("events$", is_cut=True, times=10)
    assert (await failure_of(sync(gmail))).kind == "unreachable"
    google.faults.clear()
    assert (await sync(gmail)).full


async def test_a_slow_google_is_given_up(
    gmail: GoogleBackend, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "TIMEOUT_SECONDS", 0.2)
    google.fail("events$", delay=1)
    failure = await failure_of(sync(gmail))
    assert (failure.kind, failure.retry_after) == ("unreachable", None)


async def test_a_failure_in_the_middle_of_a_sync_is_no_answer(gmail: GoogleBackend, google: FakeGoogle) -> None:
    calendar = google.service.calendars[PERSON]
    for day in range(10, 16):
        at = {"dateTime": f"2027-03-{day}T09:00:00Z"}
        calendar.insert({"start": at, "end": at})
    google.service.page_size = 2
    google.fail("events$", 500, "backendError", after=1)
    assert (await failure_of(sync(gmail))).kind == "busy"
    assert len((await sync(gmail)).changed) == 6


async def test_an_access_token_that_is_not_taken_any_more_is_renewed_once(
    gmail: GoogleBackend, google: FakeGoogle
) -> None:
    """401 in the middle of a sync."""
    google.service.has_empty_pages = True
    google.fail("events$", 401, "authError", after=1)
    assert (await sync(gmail)).full
    assert google.grants.renewals == 1


async def test_a_401_that_a_new_token_does_not_mend_is_for_the_person(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.fail("events$", 401, "authError", times=100)
    assert (await failure_of(sync(gmail))).kind == "auth"
    assert google.grants.renewals == 1


async def test_too_small_a_grant_is_not_renewed(gmail: GoogleBackend, google: FakeGoogle) -> None:
    small = google.person("bob@example.com", "https://www.googleapis.com/auth/calendar.calendarlist.readonly")
    credentials = Credentials("", "bob@example.com", small.to_text())
    failure = await failure_of(gmail.provider.changes(credentials, "bob@example.com", None, {}))
    assert failure.kind == "auth"
    assert google.grants.renewals == 0


async def test_a_withdrawn_grant_is_final(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.withdraw()
    failure = await failure_of(sync(gmail))
    assert (failure.kind, failure.retry_after) == ("auth", None)
    assert "again" in failure.detail


async def test_a_token_service_that_is_down_is_not_the_persons_fault(
    gmail: GoogleBackend, google: FakeGoogle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("google.auth._exponential_backoff.time.sleep", lambda _: None)
    google.expire_access()
    google.fail("POST /token", 503, "internal_failure", times=10)
    assert (await failure_of(sync(gmail))).kind == "busy"


async def test_tokens_are_renewed_once_however_many_calls_find_them_old(
    gmail: GoogleBackend, google: FakeGoogle
) -> None:
    google.expire_access()
    await asyncio.gather(*(sync(gmail) for _ in range(6)))
    assert google.grants.renewals == 1
    await sync(gmail)  # the caller still has the old ones
    assert google.grants.renewals == 1


async def test_more_calls_than_threads_wait_for_their_turn(gmail: GoogleBackend) -> None:
    answers = await asyncio.gather(*(sync(gmail) for _ in range(3 * threads.THREADS)))
    assert all(each.full for each in answers)


async def test_a_call_that_is_given_up_harms_no_other(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.fail("events$", delay=0.3)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await sync(gmail)
    assert (await sync(gmail)).full


async def test_a_lost_answer_to_a_write_is_told(gmail: GoogleBackend, google: FakeGoogle) -> None:
    google.fail("POST .*/events$", is_cut=True, times=10)
    question = gmail.provider.write_event(gmail.credentials, PERSON, booking_event("one"), None)
    assert (await failure_of(question)).kind == "unreachable"


# tokens under the account


@pytest.fixture
async def workspace(tmp_path: Path, google: FakeGoogle) -> AsyncIterator[Workspace]:
    """A program with a database."""
    clock = google.clock
    assert isinstance(clock, Clock)
    async with opened(f"sqlite+aiosqlite:///{tmp_path / 'db.sqlite3'}", tmp_path, clock) as parts:
        yield await make_workspace(parts, clock)


async def connected(workspace: Workspace, tokens: Tokens) -> CalendarAccount:
    calendar = await workspace.connected_calendar(workspace.owner, synced_at=None, provider="google")
    async with workspace.ports.unit_of_work() as work:
        await work.calendars.update_account(calendar.account_id, secret=tokens.to_text())
        await work.commit()
    return await account_of(workspace, calendar.account_id)


async def account_of(workspace: Workspace, account_id: str) -> CalendarAccount:
    async with workspace.ports.read() as work:
        account = await work.calendars.account(account_id)
    assert account is not None
    return account


async def test_renewed_tokens_are_kept_under_the_account(workspace: Workspace, google: FakeGoogle) -> None:
    account = await connected(workspace, replace(google.person(), expires_at=workspace.clock.now + 30))
    provider = GoogleProvider(google.client, workspace.ports.unit_of_work, workspace.clock)
    await provider.list_calendars(credentials_of(account))
    kept = Tokens.from_text((await account_of(workspace, account.id)).secret)
    assert kept.access != Tokens.from_text(account.secret).access
    assert abs(kept.expires_at - workspace.clock.now - 3599) < 10
    await provider.aclose()
    another = GoogleProvider(google.client, workspace.ports.unit_of_work, workspace.clock)
    await another.list_calendars(credentials_of(await account_of(workspace, account.id)))
    await another.aclose()
    assert google.grants.renewals == 1


async def test_tokens_of_an_account_that_was_connected_anew_are_not_overwritten(
    workspace: Workspace, google: FakeGoogle
) -> None:
    account = await connected(workspace, replace(google.person(), expires_at=0))
    newer = google.person()
    async with workspace.ports.unit_of_work() as work:
        await work.calendars.update_account(account.id, secret=newer.to_text())
        await work.commit()
    provider = GoogleProvider(google.client, workspace.ports.unit_of_work, workspace.clock)
    await provider.list_calendars(credentials_of(account))
    await provider.aclose()
    assert Tokens.from_text((await account_of(workspace, account.id)).secret) == newer
