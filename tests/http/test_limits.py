"""Rate limits: 429 with Retry-After, a log line that names the party, and the shares of processes."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs

from app.config import Settings
from app.domain.errors import RateLimited
from app.web.limits import PAUSE_SECONDS, RateLimits
from tests.capabilities import redis_url
from tests.http.api import API, Api, client_of, code_of, running
from tests.http.workspace import Workspace, settings_for
from tests.support.prepared import snapshot

pytestmark = pytest.mark.anyio

AVAILABILITY = "/public/acme.intro/availability?from=2027-03-02&to=2027-03-03&duration=30&timezone=UTC"


@asynccontextmanager
async def limited(
    settings: Settings, workspace: Workspace, folder: Path, *, workers: int = 1, **variables: str
) -> AsyncIterator[Api]:
    async with running(settings_for(settings.database_url, folder, **variables), workspace, workers=workers) as api:
        yield api


def paths(api: Api, limit: str) -> list[tuple[str, str]]:
    token = api.acme.booking.token
    if limit == "RATE_LIMIT_PUBLIC":
        public = ["/public/acme.intro", AVAILABILITY, f"/public/bookings/{token}"]
        return [("GET", path) for path in (*public, f"/public/bookings/{token}/calendar.ics")]
    acting = ["/public/acme.intro/book", f"/public/bookings/{token}/cancel", f"/public/bookings/{token}/reschedule"]
    return [("POST", path) for path in acting]


@pytest.mark.parametrize(("limit", "name"), [("RATE_LIMIT_PUBLIC", "public"), ("RATE_LIMIT_BOOKING", "booking")])
async def test_beyond_the_limit_is_429_on_every_route_and_nothing_is_written(
    settings: Settings, workspace: Workspace, tmp_path: Path, limit: str, name: str
) -> None:
    """The routes of one kind share one limit; the other kind goes on."""
    async with limited(settings, workspace, tmp_path, workers=1, **{limit: "3/minute"}) as api:
        for _ in range(3):
            method, path = paths(api, limit)[0]
            assert (await api.call(method, path)).status_code != 429
        before = await snapshot(api.database)
        with capture_logs() as logs:
            for method, path in paths(api, limit):
                answer = await api.call(method, path)
                assert (answer.status_code, code_of(answer)) == (429, "RATE_LIMITED"), path
                assert 1 <= int(answer.headers["retry-after"]) <= 60
        assert [(line["event"], line["limit"], line["party"]) for line in logs] == [
            ("rate limited", name, "203.0.113.7")
        ] * len(paths(api, limit))
        assert await snapshot(api.database) == before
        other = "RATE_LIMIT_BOOKING" if limit == "RATE_LIMIT_PUBLIC" else "RATE_LIMIT_PUBLIC"
        method, path = paths(api, other)[0]
        assert (await api.call(method, path)).status_code != 429
        assert (await api.get("/me", api.acme.owner)).status_code == 200, "who is signed in is not limited"


async def test_sign_in_attempts_are_limited(settings: Settings, workspace: Workspace, tmp_path: Path) -> None:
    async with limited(settings, workspace, tmp_path, RATE_LIMIT_LOGIN="3/minute") as api:
        client = client_of(api.app)
        form = {"email": "owner@acme.example.com", "password": "wrong"}
        statuses = [(await client.post("/", data=form)).status_code for _ in range(4)]
        assert statuses == [401, 401, 401, 429]
        await client.aclose()


async def test_guesses_at_links_that_set_up_a_phone_count_as_sign_ins(
    settings: Settings, workspace: Workspace, tmp_path: Path
) -> None:
    async with limited(settings, workspace, tmp_path, RATE_LIMIT_LOGIN="3/minute") as api:
        client = client_of(api.app)
        ways = ("set-up/a", "set-up/b", "profile/c/halfpast.mobileconfig", "set-up/d")
        assert [(await client.get(f"/app/phone/{way}")).status_code for way in ways] == [404, 404, 404, 429]
        await client.aclose()


async def test_each_client_has_its_own_limit(settings: Settings, workspace: Workspace, tmp_path: Path) -> None:
    """And an IPv6 customer's addresses count as one."""
    async with limited(settings, workspace, tmp_path, RATE_LIMIT_PUBLIC="1/minute") as api:
        for address, expected in (
            ("198.51.100.1", 200),
            ("198.51.100.1", 429),
            ("198.51.100.2", 200),
            ("2001:db8::1", 200),
            ("2001:db8::2", 429),
            ("2001:db8:0:1::1", 200),
        ):
            client = client_of(api.app, address)
            assert (await client.get(f"{API}/public/acme.intro")).status_code == expected, address
            await client.aclose()


async def _forwarded(api: Api, peer: str, forwarded: str) -> httpx.Response:
    client = client_of(api.app, peer)
    try:
        return await client.get(f"{API}/public/acme.intro", headers={"X-Forwarded-For": forwarded})
    finally:
        await client.aclose()


async def test_forwarded_addresses_are_believed_of_trusted_proxies_alone(
    settings: Settings, workspace: Workspace, tmp_path: Path
) -> None:
    async with limited(
        settings, workspace, tmp_path, RATE_LIMIT_PUBLIC="1/minute", TRUSTED_PROXIES="10.0.0.0/8"
    ) as api:
        assert (await _forwarded(api, "10.0.0.1", "198.51.100.1")).status_code == 200
        assert (await _forwarded(api, "10.0.0.1", "198.51.100.2")).status_code == 200
        assert (await _forwarded(api, "10.0.0.1", "9.9.9.9, 198.51.100.1")).status_code == 429
        assert (await _forwarded(api, "203.0.113.9", "198.51.100.3")).status_code == 200
        assert (await _forwarded(api, "203.0.113.9", "198.51.100.4")).status_code == 429, "it is not a proxy of ours"


async def test_without_redis_each_process_holds_its_share(
    settings: Settings, workspace: Workspace, tmp_path: Path
) -> None:
    async with limited(settings, workspace, tmp_path, workers=3, RATE_LIMIT_PUBLIC="6/minute") as api:
        statuses = [(await api.get("/public/acme.intro")).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]


async def test_a_share_is_never_nothing() -> None:
    limits = RateLimits({"public": "2/minute"}, None, workers=8)
    await limits.hit("public", "somebody")
    with pytest.raises(RateLimited):
        await limits.hit("public", "somebody")


async def test_a_limit_ends() -> None:
    limits = RateLimits({"public": "1/second"}, None, workers=1)
    await limits.hit("public", "somebody")
    with pytest.raises(RateLimited) as refused:
        await limits.hit("public", "somebody")
    assert refused.value.retry_after == 1
    await asyncio.sleep(1.1)
    await limits.hit("public", "somebody")


@pytest.mark.requires("redis")
async def test_with_redis_processes_share_one_limit() -> None:
    """Two of them, and names of limits apart."""
    party = secrets.token_hex(8)
    rates = {"public": "3/minute", "booking": "3/minute"}
    processes = [RateLimits(rates, redis_url(), workers=2) for _ in range(2)]
    for number in range(3):
        await processes[number % 2].hit("public", party)
    for process in processes:
        with pytest.raises(RateLimited) as refused:
            await process.hit("public", party)
        assert 1 <= refused.value.retry_after <= 60
        await process.hit("booking", party)
    for process in processes:
        await process.aclose()


@pytest.mark.requires("redis")
async def test_the_program_limits_through_redis(settings: Settings, workspace: Workspace, tmp_path: Path) -> None:
    address = f"198.51.{secrets.randbelow(256)}.{secrets.randbelow(256)}"
    variables = {"REDIS_URL": redis_url(), "RATE_LIMIT_PUBLIC": "2/minute"}
    statuses = []
    for _ in range(2):
        async with limited(settings, workspace, tmp_path, workers=4, **variables) as api:
            client = client_of(api.app, address)
            statuses += [(await client.get(f"{API}/public/acme.intro")).status_code for _ in range(2)]
            await client.aclose()
    assert statuses == [200, 200, 429, 429], "also across restarts"


async def test_when_redis_is_gone_each_process_holds_its_share(free_tcp_port: int) -> None:
    """Neither is everybody let in, nor is everybody shut out; it is told, once in a while, and Redis is left alone."""
    limits = RateLimits({"public": "4/minute"}, f"redis://127.0.0.1:{free_tcp_port}/0", workers=2)
    with capture_logs() as logs:
        started = time.monotonic()
        for _ in range(2):
            await limits.hit("public", "somebody")
        with pytest.raises(RateLimited):
            await limits.hit("public", "somebody")
        assert time.monotonic() - started < PAUSE_SECONDS
    assert [line["event"] for line in logs] == [
        "rate limits are not shared: Redis does not answer",
        "rate limited",
    ]
    await limits.aclose()
