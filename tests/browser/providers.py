"""Google and Microsoft as servers beside the program: the fakes, in a thread with an event loop of their own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.fakes.certificates import Authority
from tests.fakes.google import PERSON, FakeGoogle
from tests.fakes.google_grants import CLIENT_ID, CLIENT_SECRET
from tests.fakes.microsoft import FakeMicrosoft

Result = TypeVar("Result")
SECONDS = 30


@dataclass(frozen=True, slots=True)
class Neighbours:
    """Both of them, running."""

    google: FakeGoogle
    microsoft: FakeMicrosoft

    @property
    def origins(self) -> frozenset[str]:
        """Where browsers meet them."""
        return frozenset({self.google.url, self.microsoft.identity.base})

    @property
    def variables(self) -> Mapping[str, str]:
        """The environment of a program that is registered at both, and trusts the certificate of the one with TLS."""
        client = self.microsoft.client
        return {
            "HALFPAST_GOOGLE_CLIENT_ID": CLIENT_ID,
            "HALFPAST_GOOGLE_CLIENT_SECRET": CLIENT_SECRET,
            "HALFPAST_GOOGLE_API_ENDPOINT": self.google.url,
            "HALFPAST_GOOGLE_OAUTH_ENDPOINT": self.google.url,
            "HALFPAST_MICROSOFT_CLIENT_ID": client.client_id,
            "HALFPAST_MICROSOFT_CLIENT_SECRET": client.client_secret,
            "HALFPAST_MICROSOFT_AUTHORITY": client.sign_in,
            "HALFPAST_MICROSOFT_GRAPH_ENDPOINT": client.api,
            "REQUESTS_CA_BUNDLE": str(self.microsoft.authority.bundle),
        }


@contextmanager
def neighbours(authority: Authority) -> Iterator[Neighbours]:
    """Both with one person, who has two calendars in each. A breach of a contract is an AssertionError at the end."""
    made = Neighbours(FakeGoogle(), FakeMicrosoft(authority))
    made.google.person()
    made.google.calendar("holidays@group.v.calendar.google.com", role="reader", summary="Holidays")
    made.microsoft.account(PERSON).add_calendar("Birthdays", can_edit=False)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="neighbours", daemon=True)
    thread.start()

    def run(work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, loop).result(SECONDS)

    try:
        run(made.google.start())
        run(made.microsoft.start())
        yield made
    finally:
        run(made.google.stop())
        run(made.microsoft.stop())
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        loop.close()
    broken = [*made.google.broken, *made.microsoft.violations]
    assert not broken, "contract broken:\n" + "\n".join(broken)
