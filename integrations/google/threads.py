"""Google's client library is synchronous and its connections belong to one thread at a time: a few threads of our own,
and connections that are handed out to one call each and reused by the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import httplib2
from googleapiclient.errors import HttpError

from integrations.google.failures import EXPECTED, failure_of

T = TypeVar("T")

THREADS = 8
TIMEOUT_SECONDS = 20


class Threads:
    """Runs calls with a connection. A call whose caller gave up ends by itself within the time-out."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="google")
        self._idle: deque[httplib2.Http] = deque()
        self._is_closed = False

    async def run(self, call: Callable[[httplib2.Http], T]) -> T:
        """`call` in a thread; what it raises becomes a `ProviderFailure`."""
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, self._with_connection, call)
        except EXPECTED as error:
            raise failure_of(error) from error

    def close(self) -> None:
        """Close the connections; calls under way close theirs when they end."""
        self._is_closed = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._close_idle()

    def _with_connection(self, call: Callable[[httplib2.Http], T]) -> T:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = httplib2.Http(timeout=TIMEOUT_SECONDS)
            connection.follow_redirects = False  # tokens go to nobody else
        try:
            answer = call(connection)
        except HttpError:  # an answer too
            self._hand_back(connection)
            raise
        except BaseException:
            connection.close()
            raise
        self._hand_back(connection)
        return answer

    def _hand_back(self, connection: httplib2.Http) -> None:
        self._idle.append(connection)
        if self._is_closed:
            self._close_idle()

    def _close_idle(self) -> None:
        while True:
            try:
                self._idle.pop().close()
            except IndexError:
                return
