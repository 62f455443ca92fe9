"""A fake Microsoft: sign-in over TLS and Graph on loopback, with state, held to the contracts of the real ones."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from integrations.oauth import OAuthClient
from tests.capabilities import need
from tests.fakes.certificates import Authority, make_authority
from tests.fakes.microsoft_faults import Fault, Refusal
from tests.fakes.microsoft_graph import GraphService
from tests.fakes.microsoft_identity import ADMIN_CONSENT, CONSENT, IdentityService
from tests.fakes.microsoft_mailbox import Mailbox
from tests.fakes.microsoft_push import Push
from tests.fakes.watched import Watch

PAGES = frozenset({CONSENT, ADMIN_CONSENT, "/favicon.ico"})
"""What a browser meets there beside the contract."""


class FakeMicrosoft:
    """The whole of it. `violations` are breaches of the contracts, by either side."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.mailboxes: dict[str, Mailbox] = {}
        self._watches = [
            Watch("graph_v1_subset.openapi.json"),
            Watch("microsoft_identity.openapi.json", is_outside=lambda path: path in PAGES),
            Watch("graph_v1_subset.openapi.json", webhook="changeNotification"),
        ]
        self.push = Push(self._watches[2])
        self.identity = IdentityService(self.mailboxes, self._watches[1])
        self.graph = GraphService(self.identity.owner, self.identity.lets_at_contacts, self.push, self._watches[0])
        self._runners: list[web.AppRunner] = []

    @property
    def client(self) -> OAuthClient:
        """How Halfpast is known here."""
        return OAuthClient(
            self.identity.client_id, self.identity.client_secret, f"{self.identity.base}/common", self.graph.base
        )

    @property
    def violations(self) -> list[str]:
        """What broke the contracts so far."""
        return [each for watch in self._watches for each in watch.violations]

    @property
    def exchanges(self) -> int:
        """How many requests were checked so far."""
        return sum(watch.exchanges for watch in self._watches)

    def account(self, email: str = "ana@example.com", *, personal: bool = False) -> Mailbox:
        """A new account with its mailbox."""
        mailbox = Mailbox(email, personal=personal)
        mailbox.told = lambda kind, item: self.push.note(mailbox, kind, item)
        self.mailboxes[email] = mailbox
        return mailbox

    # faults

    def refuse(
        self, where: str, status: int, code: str = "UnknownError", *, times: int = 1, retry_after: int | None = None
    ) -> None:
        """The next requests to Graph whose "METHOD path" contains `where` are refused."""
        headers = {} if retry_after is None else {"Retry-After": str(retry_after)}

        async def act(request: web.Request) -> None:
            raise Refusal(status, code, headers=headers)

        self.graph.faults.append(Fault(where, times, act))

    def delay(self, where: str, seconds: float, *, times: int = 1) -> None:
        """They are slow."""

        async def act(request: web.Request) -> None:
            await asyncio.sleep(seconds)

        self.graph.faults.append(Fault(where, times, act))

    def meanwhile(self, where: str, deed: Callable[[], object], *, times: int = 1) -> None:
        """Somebody does something just before they are answered."""

        async def act(request: web.Request) -> None:
            deed()

        self.graph.faults.append(Fault(where, times, act))

    def cut(self, where: str, *, times: int = 1, after: bool = False) -> None:
        """The connection breaks, before anything was done or `after` it was."""
        (self.graph.late_faults if after else self.graph.faults).append(Fault(where, times, _cut))

    # running

    async def start(self) -> None:
        """Listen on free ports."""
        self.identity.base = await self._listen(self.identity.application(), "https")
        self.graph.base = await self._listen(self.graph.application(), "http")

    async def stop(self) -> None:
        """Stop listening."""
        for runner in self._runners:
            await runner.cleanup()

    async def _listen(self, application: web.Application, scheme: str) -> str:
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        self._runners.append(runner)
        context = self.authority.context if scheme == "https" else None
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        return f"{scheme}://127.0.0.1:{runner.addresses[0][1]}"


async def _cut(request: web.Request) -> None:
    assert request.transport is not None
    request.transport.abort()
    await asyncio.sleep(3600)  # until the server notices that nobody listens


@asynccontextmanager
async def fake_microsoft(authority: Authority) -> AsyncIterator[FakeMicrosoft]:
    """One that runs. A breach of a contract in the block is an AssertionError at its end."""
    fake = FakeMicrosoft(authority)
    await fake.start()
    try:
        yield fake
    finally:
        await fake.stop()
    assert not fake.violations, "contract broken:\n" + "\n".join(fake.violations)


@pytest.fixture(scope="session")
def certificate_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One for each test process."""
    return make_authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
async def microsoft(certificate_authority: Authority) -> AsyncIterator[FakeMicrosoft]:
    """A fake Microsoft of the test's own; the test fails when either side breaks a contract."""
    need("contracts")
    async with fake_microsoft(certificate_authority) as fake:
        yield fake
