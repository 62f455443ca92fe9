"""Google's sign-in: authorization code with PKCE (RFC 7636), for lasting access.

See developers.google.com/identity/protocols/oauth2/web-server. Google leaves out what a person unticks, and says so in
the answer's scopes.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlencode

import httplib2
from google_auth_oauthlib.flow import Flow
from oauthlib.oauth2 import OAuth2Error

from app.domain.errors import ProviderFailure
from app.ports.calendars import SignInRequest
from integrations.google.addresses import Addresses
from integrations.google.threads import TIMEOUT_SECONDS, Threads
from integrations.google.tokens import Tokens
from integrations.oauth import OAuthClient

_AUTH = "https://www.googleapis.com/auth/"
CALENDAR_SCOPES = (f"{_AUTH}calendar.events", f"{_AUTH}calendar.calendarlist.readonly")
"""The events of all the person's calendars, and which calendars there are."""
CONTACT_SCOPES = (f"{_AUTH}contacts", f"{_AUTH}contacts.other.readonly")

_REFUSED = "Google was not allowed to connect the calendars."
_UNTICKED = "Google was allowed too little. Connect again, and leave every box ticked."


class GoogleSignIn:
    """The steps of a sign-in, without the account that comes of it."""

    def __init__(self, client: OAuthClient, addresses: Addresses, threads: Threads, clock: Callable[[], int]) -> None:
        self._client = client
        self._addresses = addresses
        self._threads = threads
        self._clock = clock
        if client.sign_in.startswith("http://"):  # a stand-in on this machine: oauthlib wants to be told
            os.environ.setdefault("OAUTHLIB_INSECURE_TRANSPORT", "1")

    def authorization_url(self, request: SignInRequest) -> str:
        """The consent page. Consent is always asked for: without it a second connection gets no refresh token."""
        scopes = CALENDAR_SCOPES + (CONTACT_SCOPES if request.with_contacts else ())
        hint = {"login_hint": request.login_hint} if request.login_hint else {}
        address, _ = self._flow(request, scopes).authorization_url(
            state=request.state, access_type="offline", prompt="consent", include_granted_scopes="true", **hint
        )
        return str(address)

    async def redeem(self, request: SignInRequest, answer: Mapping[str, str]) -> Tokens:
        """The tokens for the code that came back."""
        if not hmac.compare_digest(answer.get("state", "").encode(), request.state.encode()):
            raise ProviderFailure("auth", "This answer belongs to another sign-in. Start again.")
        if answer.get("error") or not answer.get("code"):
            raise ProviderFailure("auth", _REFUSED)
        token = await self._threads.run(lambda _: self._fetch(request, answer["code"]))
        scopes = (
            tuple(str(token.get("scope", "")).split()) if isinstance(token.get("scope"), str) else tuple(token["scope"])
        )
        if not set(CALENDAR_SCOPES) <= set(scopes):
            raise ProviderFailure("auth", _UNTICKED)
        if not token.get("refresh_token"):
            raise ProviderFailure("auth", "Google gave no lasting access. Connect again.")
        expires_at = self._clock() + int(token.get("expires_in") or 0)
        return Tokens(str(token["access_token"]), str(token["refresh_token"]), expires_at, scopes)

    async def revoke(self, tokens: Tokens) -> None:
        """Give the grant back; one that Google does not know any more is given back already."""

        def revoke(connection: httplib2.Http) -> int:
            body = urlencode({"token": tokens.refresh})
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            response, _ = connection.request(self._addresses.revoke, "POST", body=body, headers=headers)
            return int(response.status)

        status = await self._threads.run(revoke)
        if status >= 500 or status == 429:
            raise ProviderFailure("busy", f"Google failed to revoke the connection ({status}).")

    def _fetch(self, request: SignInRequest, code: str) -> Mapping[str, Any]:
        flow = self._flow(request, None)  # oauthlib would refuse scopes that are fewer than were asked for
        try:
            token: Mapping[str, Any] = flow.fetch_token(code=code, timeout=TIMEOUT_SECONDS, include_client_id=True)
        except OAuth2Error as error:
            raise ProviderFailure("auth", "Google does not take the answer of this sign-in. Start again.") from error
        finally:
            flow.oauth2session.close()
        return token

    def _flow(self, request: SignInRequest, scopes: tuple[str, ...] | None) -> Flow:
        web = {
            "client_id": self._client.client_id,
            "client_secret": self._client.client_secret,
            "auth_uri": self._addresses.authorize,
            "token_uri": self._addresses.token,
        }
        return Flow.from_client_config(
            {"web": web},
            scopes,
            redirect_uri=request.redirect_uri,
            code_verifier=request.verifier,
            autogenerate_code_verifier=False,
        )
