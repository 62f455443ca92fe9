"""Microsoft Graph v1.0 for one account: requests with its token, pages, and refusals in words.

Every call asks for ids that survive moves between folders, times in UTC, and bodies as plain text.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials
from integrations.http import OutwardHttp, OutwardResponse, retry_after, same_origin
from integrations.microsoft.tokens import CLOSED, NEEDED, RECONNECT, MicrosoftTokens, tenant_of

Json = dict[str, Any]

PREFER = 'IdType="ImmutableId", outlook.timezone="UTC", outlook.body-content-type="text"'
PAGE = 200
"""Events on a page: at a hundred kilobytes each they would still fit into one answer."""
MAX_PAGES = 2000
CONCURRENT = 4
"""Microsoft allows four requests at a time to a mailbox (throttling-limits.md)."""
_RESTART = frozenset({"syncstatenotfound", "syncstateinvalid", "resyncrequired", "fullsyncrequired"})
_NOT_THERE = frozenset({"erroritemnotfound", "errorinvalididmalformed", "erroreventnotfound"})
_NO_MAILBOX = frozenset({"mailboxnotenabledforrestapi", "mailboxnothostedinexchangeonline", "mailboxinactive"})
_TWICE = "errorduplicatetransactionid"


class Repeated(ProviderFailure):
    """The transaction id was used before: the event was made already, and may have been deleted since."""


class Graph:
    """Graph on behalf of one account. `api` is the service's address; `gate` bounds the account's requests at a
    time; `scope` is what the tokens are to be good for."""

    def __init__(
        self,
        http: OutwardHttp,
        tokens: MicrosoftTokens,
        api: str,
        credentials: Credentials,
        gate: asyncio.Semaphore,
        scope: str = NEEDED,
    ) -> None:
        self._http = http
        self._tokens = tokens
        self._scope = scope
        self._base = api.rstrip("/").removesuffix("/v1.0") + "/v1.0"
        self._credentials = credentials
        self._by_tenant = tenant_of(credentials.secret) is not None
        self._mailbox = f"/users/{quote(credentials.username, safe='@')}" if self._by_tenant else "/me"
        self._gate = gate

    def url(self, path: str, **query: str | int) -> str:
        """The address of a path that begins with a slash, `/me` being the account; `__` in a parameter's name stands
        for `$`."""
        text = urlencode({name.replace("__", "$"): value for name, value in query.items()}, quote_via=quote, safe="$")
        return f"{self._base}{self.own(path)}{'?' if text else ''}{text}"

    def own(self, path: str) -> str:
        """A path with `/me` as it must be said with the account's kind of token."""
        return self._mailbox + path.removeprefix("/me") if path == "/me" or path.startswith("/me/") else path

    def serves(self, url: str) -> bool:
        """Whether a link that was kept is one of this service: the operator may have chosen another since."""
        return url.startswith(f"{self._base}/")

    async def get(self, url: str, *, page: int | None = None) -> Json:
        """The JSON at an address; `page` is the number of items wanted on it."""
        return _json(await self._send("GET", url, None, {}, page))

    async def pages(self, url: str, *, page: int | None = PAGE) -> AsyncIterator[Json]:
        """A listing page by page, by the whole links that come with them. Empty pages are pages too."""
        for _ in range(MAX_PAGES):
            answer = await self.get(url, page=page)
            yield answer
            following = answer.get("@odata.nextLink")
            if not isinstance(following, str):
                return
            if following == url:
                break
            url = following
        raise ProviderFailure("protocol", "Microsoft's listing does not end.")

    async def send(self, method: str, url: str, body: Json | None = None, *, etag: str | None = None) -> Json:
        """Write; `etag` is the state that the change was made for. What came back, nothing for an empty answer."""
        answer = await self._send(method, url, body, {"If-Match": etag} if etag else {}, None)
        return _json(answer) if answer.content else {}

    async def _send(
        self, method: str, url: str, body: Json | None, headers: Mapping[str, str], page: int | None
    ) -> OutwardResponse:
        if not same_origin(url, self._base):
            raise ProviderFailure("protocol", "Microsoft's answer points to another service.")
        sent = {"Prefer": PREFER if page is None else f"{PREFER}, odata.maxpagesize={page}", **headers}
        if body is not None:
            sent["Content-Type"] = "application/json"
        content = None if body is None else json.dumps(body).encode()
        token = await self._tokens.access(self._credentials, scope=self._scope)
        async with self._gate:
            answer = await self._http.request(method, url, headers=sent, content=content, auth=_Bearer(token))
            if answer.status == 401:
                token = await self._tokens.access(self._credentials, rejected=token, scope=self._scope)
                answer = await self._http.request(method, url, headers=sent, content=content, auth=_Bearer(token))
        if answer.status >= 300:
            failure = failure_of(answer, writing=method != "GET")
            # The owner of a mailbox that an admin opened can mend nothing by signing in.
            raise ProviderFailure("auth", CLOSED) if self._by_tenant and failure.kind == "auth" else failure
        return answer


class _Bearer(httpx2.Auth):
    """RFC 6750; given to the origin it is meant for alone."""

    def __init__(self, token: str) -> None:
        self._token = token

    def auth_flow(self, request: httpx2.Request) -> Any:
        """The request with its token."""
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request


def failure_of(answer: OutwardResponse, *, writing: bool) -> ProviderFailure:
    """Who can mend a refused request. A right that is missing for reading is the grant's fault; one that is missing
    for writing the calendar's, which signing in again does not change."""
    code, message = error_of(answer)
    status, known = answer.status, code.lower()
    if known in _RESTART or status == 410:
        return ProviderFailure("invalid_cursor", "Microsoft does not know any more where the last reading ended.")
    if known in _NO_MAILBOX:
        return ProviderFailure("refused", "This Microsoft account has no mailbox in Exchange Online or Outlook.com.")
    if known == _TWICE:
        return Repeated("conflict", "Microsoft has made this event before.")
    match status:
        case 401:
            return ProviderFailure("auth", RECONNECT)
        case 403 if writing:
            return ProviderFailure("refused", f"Microsoft does not let this account change this: {message}")
        case 403:
            return ProviderFailure("auth", f"Microsoft does not let Halfpast read this: {message}")
        case 409 | 412:
            return ProviderFailure("conflict", "Microsoft says that the event was changed meanwhile.")
        case 429 | 503 | 504 | 509:
            wait = retry_after(answer.headers)
            return ProviderFailure("busy", "Microsoft asks to come back later.", wait)
    if status == 404 or known in _NOT_THERE:
        return ProviderFailure("gone", "Microsoft has nothing at this address (any more).")
    if status >= 500:
        return ProviderFailure("busy", f"Microsoft failed with an error of its own ({status}).")
    return ProviderFailure("protocol", f"Microsoft answers {status} {code} to a calendar request: {message}")


def error_of(answer: OutwardResponse) -> tuple[str, str]:
    """Code and message of a refusal, empty where there are none."""
    try:
        error = json.loads(answer.content)["error"]
        return str(error.get("code", "")), str(error.get("message", ""))[:300]
    except (ValueError, TypeError, KeyError, AttributeError):
        return "", ""


def _json(answer: OutwardResponse) -> Json:
    try:
        value = json.loads(answer.content)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise ProviderFailure("protocol", "Microsoft answers with something that is no JSON object.")
    return value
