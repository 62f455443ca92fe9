"""Calls of Google's APIs in the name of an account, with tokens that are renewed and kept."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import google_auth_httplib2
import httplib2
from google.oauth2.credentials import Credentials as GoogleCredentials
from googleapiclient.discovery import build

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from app.ports.unit_of_work import UnitOfWork
from integrations.google.addresses import Addresses
from integrations.google.delegation import Delegation
from integrations.google.threads import Threads
from integrations.google.tokens import Tokens
from integrations.oauth import OAuthClient

Json = dict[str, Any]
Ask = Callable[[Any], Any]
"""From a service, as the library builds it, to one of its requests."""
Api = tuple[str, str]
"""A service's name and version, as Google's library knows them."""
CALENDAR: Api = ("calendar", "v3")
PEOPLE: Api = ("people", "v1")

EARLY = 60
"""Seconds before its end in which an access token is not used any more."""


@dataclass(slots=True)
class _Account:
    """The newest tokens of a grant; the lock is for renewing them once, however many calls find them old."""

    tokens: Tokens
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class GoogleSession:
    """All accounts of the program's Google client. Every method may raise `ProviderFailure`."""

    def __init__(
        self,
        client: OAuthClient,
        unit_of_work: Callable[[], AbstractAsyncContextManager[UnitOfWork]],
        clock: Callable[[], int],
    ) -> None:
        self.addresses = Addresses.of(client)
        self.threads = Threads()
        self._client = client
        self._unit_of_work = unit_of_work
        self._clock = clock
        self._accounts: dict[str, _Account] = {}

    async def call(
        self, credentials: Credentials, ask: Ask, *, etag: str | None = None, api: Api = CALENDAR, once: bool = False
    ) -> Json:
        """The answer to one request; with `etag` only if the event is still that one (412 is `conflict`). A token that
        Google does not take is renewed, once. What must not be done `once` more is not sent again when the connection
        breaks; whether Google has done it is then not known."""
        account = self._account(credentials)
        if account.tokens.expires_at - EARLY <= self._clock():
            await self._renew(credentials, account, account.tokens)
        used = account.tokens
        ask = _sent_once(ask) if once else ask
        try:
            return await self._exchange(used, ask, etag, api)
        except ProviderFailure as failure:
            if failure.kind != "auth" or not _is_unauthorized(failure):
                raise
        await self._renew(credentials, account, used)
        return await self._exchange(account.tokens, ask, etag, api)

    def newest(self, credentials: Credentials) -> str:
        """The account's secret as it is by now."""
        if Delegation.of_secret(credentials.secret):
            return credentials.secret
        return self._account(credentials).tokens.to_text()

    def forget(self, credentials: Credentials) -> Tokens | None:
        """The tokens of an account that is not used any more; None where they were not given for it alone."""
        delegation = Delegation.of_secret(credentials.secret)
        if delegation is not None:
            self._accounts.pop(delegation.mark_for(credentials.username), None)
            return None
        tokens = self._account(credentials).tokens
        self._accounts.pop(tokens.refresh, None)
        return tokens

    def _account(self, credentials: Credentials) -> _Account:
        delegation = Delegation.of_secret(credentials.secret)
        if delegation is not None:
            return self._accounts.setdefault(delegation.mark_for(credentials.username), _Account(Tokens("", "", 0)))
        given = Tokens.from_text(credentials.secret)
        account = self._accounts.setdefault(given.refresh, _Account(given))
        if given.expires_at > account.tokens.expires_at + EARLY:  # renewed by another process
            account.tokens = given
        return account

    async def _exchange(self, tokens: Tokens, ask: Ask, etag: str | None, api: Api) -> Json:
        def exchange(connection: httplib2.Http) -> Json:
            authorized = google_auth_httplib2.AuthorizedHttp(
                GoogleCredentials(tokens.access), connection, refresh_status_codes=()
            )
            service = build(
                *api,
                http=authorized,
                static_discovery=True,
                client_options={"api_endpoint": self.addresses.people if api == PEOPLE else self.addresses.calendar},
            )
            request = ask(service)
            if etag is not None:
                request.headers["If-Match"] = etag
            answer = request.execute() or {}
            if not isinstance(answer, dict):  # the library hands on what it cannot read
                raise ValueError("not a JSON object")
            return answer

        return await self.threads.run(exchange)

    async def _renew(self, credentials: Credentials, account: _Account, used: Tokens) -> None:
        async with account.lock:
            if account.tokens is not used:
                return
            account.tokens = await self.threads.run(lambda connection: self._renewed(credentials, used, connection))
            if account.tokens.refresh != used.refresh:
                self._accounts[account.tokens.refresh] = account
            await self._keep(credentials, account.tokens, used)

    def _renewed(self, credentials: Credentials, tokens: Tokens, connection: httplib2.Http) -> Tokens:
        delegation = Delegation.of_secret(credentials.secret)
        if delegation is not None:
            acting = delegation.token_for(credentials.username, self.addresses.token, connection)
            return replace(tokens, access=str(acting.token), expires_at=self._end(acting.expiry))
        google = GoogleCredentials(
            None,
            refresh_token=tokens.refresh,
            token_uri=self.addresses.token,
            client_id=self._client.client_id,
            client_secret=self._client.client_secret,
        )
        google.refresh(google_auth_httplib2.Request(connection))
        return replace(
            tokens,
            access=str(google.token),
            refresh=str(google.refresh_token or tokens.refresh),
            expires_at=self._end(google.expiry),
        )

    def _end(self, expiry: datetime | None) -> int:
        """By our clock; the library's is naive, UTC, by this machine's."""
        left = (expiry.replace(tzinfo=UTC) - datetime.now(UTC)).total_seconds() if expiry else 0
        return self._clock() + max(int(left), 2 * EARLY)

    async def _keep(self, credentials: Credentials, new: Tokens, used: Tokens) -> None:
        """Under the account, unless it was connected anew meanwhile."""
        if not credentials.account_id or not used.refresh:  # the latter rests on a key
            return
        async with self._unit_of_work() as work:
            stored = await work.calendars.account(credentials.account_id)
            if stored is None or _refresh_of(stored.secret) != used.refresh:
                return
            await work.calendars.update_account(credentials.account_id, secret=new.to_text(), updated_at=self._clock())
            await work.commit()


class _OneReading(BytesIO):
    """A body that cannot be read again. The library's connections repeat a request, of any method, when they were cut
    off before an answer came."""

    _is_read = False

    def read(self, size: int | None = -1, /) -> bytes:
        """The next part; after the end `ConnectionError`."""
        if self._is_read:
            raise ConnectionResetError("the connection was cut off")
        part = super().read(size)
        self._is_read = not part
        return part


def _sent_once(ask: Ask) -> Ask:
    def asked(service: Any) -> Any:
        request = ask(service)
        request.body = _OneReading(str(request.body).encode())
        return request

    return asked


def _refresh_of(secret: str) -> str | None:
    try:
        return Tokens.from_text(secret).refresh
    except ProviderFailure:
        return None


def _is_unauthorized(failure: ProviderFailure) -> bool:
    """A 401: too small a grant is `auth` too, and no new token mends it."""
    response = getattr(failure.__cause__, "resp", None)
    return response is not None and int(response.status) == 401
