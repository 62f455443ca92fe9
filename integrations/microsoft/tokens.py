"""Tokens for Microsoft accounts, by way of msal: signing in, and access that lasts.

An account's secret is msal's serialized token cache. Microsoft gives a new refresh token with every renewal and the
old one may stop working, so a cache that changed is stored at once, whatever becomes of the request that needed it.
msal is synchronous: it works in a few threads of its own.

Where an administrator let Halfpast into a whole organization (application permissions), a mailbox's secret names the
tenant alone, and the tokens are the program's own; they are kept in memory.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from base64 import urlsafe_b64encode
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from urllib.parse import urlencode

import msal
import requests
from msal.exceptions import MsalError

from app.domain.errors import ProviderFailure
from app.ports.calendars import Credentials, Grant, SignInRequest
from app.ports.unit_of_work import UnitOfWork
from integrations.oauth import OAuthClient

NEEDED = "Calendars.ReadWrite"
SCOPES = (NEEDED, "User.Read", "MailboxSettings.Read")
CONTACTS = "Contacts.ReadWrite"
_TENANT = "tenant"
_WITH_EVERY_SIGN_IN = ("openid", "profile", "offline_access")
TIMEOUT = (5, 15)
"""Seconds to connect and to answer, of the identity service."""
THREADS = 4
RECONNECT = "Microsoft does not let Halfpast into this account any more. Connect it again."
CLOSED = (
    "Microsoft refuses what an admin had granted for your whole organization: an admin must renew the grant under"
    " People, “Connect for everybody”."
)
_WHO = ("openid", "profile")
_PERSONAL = "9188040d-6c67-4c5b-b112-36a304b66dad"
"""The tenant of all personal accounts (id-token-claims-reference.md)."""
_OURS_TO_MEND = frozenset({"invalid_client", "unauthorized_client", "invalid_request", "invalid_scope"})
_PASSING = frozenset({"temporarily_unavailable", "server_error"})

Open = Callable[[], AbstractAsyncContextManager[UnitOfWork]]
Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class _Access:
    """An access token, and the secret when getting it changed that."""

    token: str
    changed: str | None


class MicrosoftTokens:
    """Access tokens for accounts. `verify` is a file of certificates to trust; with True the system's count,
    or those of the environment's REQUESTS_CA_BUNDLE."""

    def __init__(
        self,
        client: OAuthClient,
        unit_of_work: Open,
        read: Open,
        clock: Callable[[], int],
        verify: bool | str = True,
    ) -> None:
        self._client = client
        self._unit_of_work = unit_of_work
        self._read = read
        self._clock = clock
        self._verify = verify
        self._own: defaultdict[str, Any] = defaultdict(msal.TokenCache)  # by tenant
        self._discovered: dict[str, Any] = {}  # what msal learnt of the authority; no tokens
        self._threads = ThreadPoolExecutor(THREADS, "msal")
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._renewing: set[asyncio.Task[str]] = set()

    async def aclose(self) -> None:
        """Wait for what is under way: a renewed token must be stored."""
        await asyncio.gather(*self._renewing, return_exceptions=True)
        self._threads.shutdown(wait=False)

    def authorization_url(self, request: SignInRequest) -> str:
        """Where to send the person (authorization code with PKCE, RFC 7636)."""
        return self._authorize_url(request, self._client.sign_in, (*wanted_scopes(request), *_WITH_EVERY_SIGN_IN))

    def tenant_sign_in_url(self, request: SignInRequest) -> str:
        """The same, only to learn which organization somebody is of."""
        return self._authorize_url(request, self._organizations, _WHO)

    def consent_url(self, tenant: str, redirect_uri: str, state: str) -> str:
        """Where an admin agrees to all application permissions that the program is registered with
        (v2-admin-consent.md)."""
        query = {
            "client_id": self._client.client_id,
            "scope": self._all_permissions,
            "redirect_uri": redirect_uri,
            "state": state,
        }
        return f"{self._authority(tenant)}/v2.0/adminconsent?{urlencode(query)}"

    def _authority(self, tenant: str) -> str:
        return f"{self._client.sign_in.rstrip('/').rpartition('/')[0]}/{tenant}"

    @property
    def _organizations(self) -> str:
        """The authority of work and school accounts; that of one tenant where the program is registered there alone."""
        tenant = self._client.sign_in.rstrip("/").rpartition("/")[2]
        return self._authority("organizations" if tenant in {"common", "consumers"} else tenant)

    @property
    def _all_permissions(self) -> str:
        return f"{self._client.api.rstrip('/').removesuffix('/v1.0')}/.default"

    def _authorize_url(self, request: SignInRequest, authority: str, scopes: tuple[str, ...]) -> str:
        query = {
            "client_id": self._client.client_id,
            "response_type": "code",
            "redirect_uri": request.redirect_uri,
            "response_mode": "query",
            "scope": " ".join(scopes),
            "state": request.state,
            "nonce": hashlib.sha256(_nonce(request).encode()).hexdigest(),
            "code_challenge": _url_safe(hashlib.sha256(request.verifier.encode()).digest()),
            "code_challenge_method": "S256",
            "client_info": "1",
        }
        query |= {"login_hint": request.login_hint} if request.login_hint else {"prompt": "select_account"}
        return f"{authority.rstrip('/')}/oauth2/v2.0/authorize?{urlencode(query)}"

    async def redeem(self, request: SignInRequest, answer: Mapping[str, str]) -> Grant:
        """The tokens for what came back; `username` is the name Microsoft has for the account. `auth` when the person
        refused, or gave too little."""
        _check_state(request, answer)
        return await self._in_thread(self._redeem, request, dict(answer))

    async def tenant_of_sign_in(self, request: SignInRequest, answer: Mapping[str, str]) -> str:
        """The id of the organization that the person who came back is of: what Microsoft says in the token, for what
        stands in the address can be typed by anybody."""
        _check_state(request, answer)
        return await self._in_thread(self._tenant, request, dict(answer))

    def forget_tenant(self, tenant: str) -> None:
        """What was learnt of an organization before its admin agreed: msal remembers refusals for a minute."""
        self._own.pop(tenant, None)
        self._discovered.clear()

    async def access(self, credentials: Credentials, *, rejected: str | None = None, scope: str = NEEDED) -> str:
        """An access token for a scope. `rejected` is one that was refused although it had not expired."""
        task = asyncio.create_task(self._access(credentials, rejected, scope))
        self._renewing.add(task)
        task.add_done_callback(self._done)
        return await asyncio.shield(task)

    def _done(self, task: asyncio.Task[str]) -> None:
        self._renewing.discard(task)
        if not task.cancelled():
            task.exception()  # nobody may be waiting for it any more

    async def _access(self, credentials: Credentials, rejected: str | None, scope: str) -> str:
        async with self._locks[credentials.account_id or credentials.username]:
            secret = await self._latest(credentials)
            try:
                access = await self._in_thread(self._silently, secret, rejected, scope)
            except ProviderFailure:
                latest = await self._latest(credentials)
                if latest == secret:
                    raise
                # Another process renewed it meanwhile.
                access = await self._in_thread(self._silently, latest, rejected, scope)
            if access.changed is not None and credentials.account_id:
                await self._store(credentials.account_id, access.changed)
            return access.token

    async def _latest(self, credentials: Credentials) -> str:
        """The secret as it is kept now: the one handed in may have been renewed since."""
        if not credentials.account_id:
            return credentials.secret
        async with self._read() as work:
            account = await work.calendars.account(credentials.account_id)
        return account.secret if account else credentials.secret

    async def _store(self, account_id: str, secret: str) -> None:
        async with self._unit_of_work() as work:
            await work.calendars.update_account(account_id, secret=secret, updated_at=self._clock())
            await work.commit()

    async def _in_thread(self, work: Callable[..., Result], *arguments: Any) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self._threads, _told, partial(work, *arguments))

    # in threads

    def _redeem(self, request: SignInRequest, answer: dict[str, str]) -> Grant:
        cache = _cache("")
        asked = (*wanted_scopes(request), *_WITH_EVERY_SIGN_IN)
        result = self._result(request, answer, asked, cache, self._client.sign_in)
        scopes = tuple(scope.rsplit("/", 1)[-1] for scope in str(result.get("scope", "")).split())
        if NEEDED.lower() not in {scope.lower() for scope in scopes}:
            raise ProviderFailure("auth", "Halfpast needs the permission to read and write your calendars.")
        username = str(result.get("id_token_claims", {}).get("preferred_username", ""))
        return Grant(username, cache.serialize(), scopes)

    def _tenant(self, request: SignInRequest, answer: dict[str, str]) -> str:
        result = self._result(request, answer, _WHO, _cache(""), self._organizations)
        tenant = str(result.get("id_token_claims", {}).get("tid", ""))
        if not tenant or tenant == _PERSONAL:
            raise ProviderFailure("auth", "This needs a work or school account of Microsoft.")
        return tenant

    def _result(
        self, request: SignInRequest, answer: dict[str, str], scopes: tuple[str, ...], cache: Any, authority: str
    ) -> Mapping[str, Any]:
        """What Microsoft gives for the code that came back."""
        flow = {
            "state": request.state,
            "redirect_uri": request.redirect_uri,
            "scope": list(scopes),
            "code_verifier": request.verifier,
            "nonce": _nonce(request),
        }
        with self._application(cache, authority) as application:
            result: Mapping[str, Any] = application.acquire_token_by_auth_code_flow(flow, answer)
        _check(result)
        return result

    def _silently(self, secret: str, rejected: str | None, scope: str) -> _Access:
        tenant = tenant_of(secret)
        if tenant is not None:
            return _Access(self._for_tenant(tenant, rejected), None)
        cache = _cache(secret)
        with self._application(cache, self._client.sign_in) as application:
            account = next(iter(application.get_accounts()), None)
            if account is None:
                raise ProviderFailure("auth", RECONNECT)
            result = application.acquire_token_silent_with_error([scope], account)
            if result and rejected is not None and result.get("access_token") == rejected:
                result = application.acquire_token_silent_with_error([scope], account, force_refresh=True)
            _check(result)
            changed = cache.serialize() if cache.has_state_changed else None
            return _Access(str(result["access_token"]), changed)

    def _for_tenant(self, tenant: str, rejected: str | None) -> str:
        """The program's own token in an organization."""
        with self._application(self._own[tenant], self._authority(tenant)) as application:
            result = application.acquire_token_for_client([self._all_permissions])
            if rejected is not None and result.get("access_token") == rejected:
                application.remove_tokens_for_client()
                result = application.acquire_token_for_client([self._all_permissions])
        if result.get("error") == "unauthorized_client":  # not in this directory (any more)
            raise ProviderFailure("refused", CLOSED)
        _check(result)
        return str(result["access_token"])

    @contextmanager
    def _application(self, cache: Any, authority: str) -> Iterator[Any]:
        """msal's client over a token cache."""
        with requests.Session() as session:
            session.request = partial(  # type: ignore[method-assign]
                session.request, timeout=TIMEOUT, verify=self._verify
            )
            yield msal.ConfidentialClientApplication(
                self._client.client_id,
                client_credential=self._client.client_secret,
                authority=authority,
                token_cache=cache,
                instance_discovery=False,  # the authority is the operator's word
                http_client=session,
                http_cache=self._discovered,
            )


def tenant_secret(tenant: str) -> str:
    """The secret of a mailbox in an organization (tenant id or domain) whose administrator let Halfpast in."""
    return json.dumps({_TENANT: tenant})


def tenant_of(secret: str) -> str | None:
    """The organization whose mailbox this is by an administrator's word; None for accounts that signed in."""
    try:
        kept = json.loads(secret)
    except ValueError:
        return None
    tenant = kept.get(_TENANT) if isinstance(kept, dict) else None
    return tenant if isinstance(tenant, str) else None


def _cache(secret: str) -> Any:
    """The token cache that was kept; an empty one for an empty text."""
    cache = msal.SerializableTokenCache()
    if secret:
        try:
            kept = json.loads(secret)
        except ValueError:
            kept = None
        if not isinstance(kept, dict) or not all(isinstance(each, dict) for each in kept.values()):
            raise ProviderFailure("auth", RECONNECT)
        cache.deserialize(secret)
    return cache


def wanted_scopes(request: SignInRequest) -> tuple[str, ...]:
    """What to ask the person for."""
    return (*SCOPES, CONTACTS) if request.with_contacts else SCOPES


def _check_state(request: SignInRequest, answer: Mapping[str, str]) -> None:
    if answer.get("state") != request.state:
        raise ProviderFailure("auth", "This sign-in was begun elsewhere. Start again from Halfpast.")


def _check(result: Mapping[str, Any] | None) -> None:
    """Who can mend a refusal of the identity service."""
    if result and "access_token" in result:
        return
    error = str((result or {}).get("error", ""))
    if error == "access_denied":
        raise ProviderFailure("auth", "Microsoft says that the permission was not given.")
    if error in _OURS_TO_MEND:
        raise ProviderFailure("refused", f"Microsoft does not accept this Halfpast as a client ({error}).")
    if error in _PASSING:
        raise ProviderFailure("busy", "Microsoft's sign-in asks to come back later.")
    raise ProviderFailure("auth", RECONNECT)


def _told(work: Callable[[], Result]) -> Result:
    """Trouble of the libraries becomes a `ProviderFailure`."""
    try:
        return work()
    except requests.RequestException as error:
        raise ProviderFailure("unreachable", "Microsoft's sign-in cannot be reached.") from error
    except MsalError as error:
        raise ProviderFailure("busy", "Microsoft's sign-in failed with an error of its own.") from error
    except (ValueError, RuntimeError) as error:  # msal's words for a wrong authority, and for answers that do not fit
        raise ProviderFailure("protocol", "Microsoft's sign-in answers, but not as it should.") from error


def _nonce(request: SignInRequest) -> str:
    return _url_safe(hashlib.sha256(b"nonce of " + request.verifier.encode()).digest())


def _url_safe(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
