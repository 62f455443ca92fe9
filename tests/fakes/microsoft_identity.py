"""The sign-in of the fake Microsoft: a page to consent on, and tokens."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import web

from tests.fakes.microsoft_faults import Refusal
from tests.fakes.microsoft_mailbox import Json, Mailbox
from tests.fakes.watched import Watch

CONSENT = "/consent"
ADMIN_CONSENT = "/admin-consent"


@dataclass(frozen=True)
class Pending:
    """What an authorization code stands for."""

    email: str
    redirect_uri: str
    challenge: str
    nonce: str
    scopes: tuple[str, ...]


@dataclass
class Given:
    """What a token stands for; `email` is empty for the program's own."""

    email: str
    scopes: tuple[str, ...]
    until: float = 0.0


class Denied(Exception):
    """An OAuth error."""

    def __init__(self, error: str, description: str = "AADSTS: no.", suberror: str | None = None) -> None:
        super().__init__(error)
        self.body = {"error": error, "error_description": description, "error_codes": [50000]}
        if suberror:
            self.body["suberror"] = suberror


@dataclass
class IdentityService:
    """The service, for one client program. `keeps_old` lets refresh tokens work on after they were used."""

    mailboxes: Mapping[str, Mailbox]
    watch: Watch
    client_id: str = "11111111-2222-4333-8444-555555555555"
    client_secret: str = "client secret"
    base: str = ""
    tenant: str = field(default_factory=lambda: str(uuid4()))
    token_seconds: int = 3600
    keeps_old: bool = False
    is_let_in: bool = False
    """An administrator let the program into the whole organization."""
    withheld: frozenset[str] = frozenset()
    """Scopes that are not granted, whatever is asked for."""
    failing: list[Json | int] = field(default_factory=list)
    """Answers of the next token requests: a state, or an error's body."""
    codes: dict[str, Pending] = field(default_factory=dict)
    refresh: dict[str, Given] = field(default_factory=dict)
    access: dict[str, Given] = field(default_factory=dict)
    grants: list[str] = field(default_factory=list)
    """The kinds of the token requests so far."""

    def application(self) -> web.Application:
        """The routes."""
        application = web.Application(middlewares=[self.watch.middleware])
        router = application.router
        router.add_get("/{tenant}/oauth2/v2.0/authorize", self._authorize)
        router.add_get(CONSENT, self._page)
        router.add_post(CONSENT, self._consent)
        router.add_get("/{tenant}/v2.0/adminconsent", self._admin_authorize)
        router.add_get(ADMIN_CONSENT, self._admin_page)
        router.add_post(ADMIN_CONSENT, self._admin_consent)
        router.add_post("/{tenant}/oauth2/v2.0/token", self._token)
        router.add_get("/{tenant}/v2.0/.well-known/openid-configuration", self._configuration)
        router.add_get("/{tenant}/discovery/v2.0/keys", self._keys)
        router.add_get("/{tenant}/discovery/instance", self._instance)
        return application

    # what tests do

    def issue(self, email: str, *scopes: str) -> Json:
        """Tokens for an account, as if the person had just agreed."""
        return self._tokens(Given(email, scopes or ("Calendars.ReadWrite", "User.Read", "MailboxSettings.Read")))

    def code_for(self, url_query: Mapping[str, str], email: str) -> str:
        """A code, as if the person had agreed on the page with this query."""
        code = uuid4().hex
        scopes = tuple(scope for scope in url_query["scope"].split() if scope not in self.withheld)
        self.codes[code] = Pending(
            email, url_query["redirect_uri"], url_query.get("code_challenge", ""), url_query.get("nonce", ""), scopes
        )
        return code

    def revoke(self, email: str) -> None:
        """The person took the grant back."""
        for kept in (self.refresh, self.access):
            for token in [token for token, given in kept.items() if given.email == email]:
                del kept[token]

    def expire_access(self) -> None:
        """Access tokens stop working before their time."""
        self.access.clear()

    async def has_renewed(self) -> bool:
        """Whether any token was renewed."""
        return "refresh_token" in self.grants

    def owner(self, token: str, user: str | None) -> Mailbox | None:
        """Whose mailbox an access token opens: its own, or with the program's own token that of any `user`."""
        given = self.access.get(token)
        if given is None or given.until <= time.time():
            return None
        if not given.email and user is not None and user not in self.mailboxes:
            raise Refusal(404, "ErrorInvalidUser", f"The requested user '{user}' is invalid.")
        return self.mailboxes.get(given.email or user or "")

    def lets_at_contacts(self, token: str) -> bool:
        """Whether contacts were granted with an access token; the program's own are good for all."""
        given = self.access.get(token)
        return given is not None and (not given.email or "Contacts.ReadWrite" in given.scopes)

    # pages

    async def _authorize(self, request: web.Request) -> web.Response:
        if request.query["client_id"] != self.client_id:
            return web.Response(status=400)
        return web.Response(status=302, headers={"Location": f"{CONSENT}?{request.query_string}"})

    async def _page(self, request: web.Request) -> web.Response:
        query = request.query
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in query.items()
        )
        choices = "".join(
            f'<label><input type="radio" name="account" value="{email}"'
            f"{' checked' if email == query.get('login_hint', next(iter(self.mailboxes))) else ''}>{email}</label><br>"
            for email in self.mailboxes
        )
        page = (
            '<!doctype html><html lang="en"><link rel="icon" href="data:,"><title>Permissions requested</title>'
            "<h1>Permissions requested</h1>"
            f'<form method="post" action="{CONSENT}">{hidden}{choices}<p>{html.escape(query["scope"])}</p>'
            '<button name="decision" value="accept">Accept</button>'
            '<button name="decision" value="cancel">Cancel</button></form></html>'
        )
        return web.Response(text=page, content_type="text/html")

    async def _consent(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        answer = {"state": form.get("state", "")}
        if form["decision"] == "accept":
            answer["code"] = self.code_for(form, form["account"])
        else:
            answer |= {"error": "access_denied", "error_description": "AADSTS65004: User declined to consent."}
        location = f"{form['redirect_uri']}?{urlencode(answer)}"
        return web.Response(status=302, headers={"Location": location})

    async def _admin_authorize(self, request: web.Request) -> web.Response:
        if request.query["client_id"] != self.client_id:
            return web.Response(status=400)
        query = urlencode({**request.query, "tenant": request.match_info["tenant"]})
        return web.Response(status=302, headers={"Location": f"{ADMIN_CONSENT}?{query}"})

    async def _admin_page(self, request: web.Request) -> web.Response:
        hidden = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in request.query.items()
        )
        page = (
            '<!doctype html><html lang="en"><title>Permissions requested</title><h1>Review for your organization</h1>'
            f'<form method="post" action="{ADMIN_CONSENT}">{hidden}'
            '<button name="decision" value="accept">Accept</button>'
            '<button name="decision" value="cancel">Cancel</button></form></html>'
        )
        return web.Response(text=page, content_type="text/html")

    async def _admin_consent(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        answer = {"state": form["state"], "admin_consent": "True", "tenant": form["tenant"]}
        if form["decision"] == "accept":
            self.is_let_in = True
            answer["scope"] = form["scope"]
        else:
            answer |= {"error": "access_denied", "error_description": "AADSTS65004: declined to consent."}
        return web.Response(status=302, headers={"Location": f"{form['redirect_uri']}?{urlencode(answer)}"})

    async def _configuration(self, request: web.Request) -> web.Response:
        authority = f"{self.base}/{request.match_info['tenant']}"
        return web.json_response(
            {
                "issuer": f"{self.base}/{self.tenant}/v2.0",
                "authorization_endpoint": f"{authority}/oauth2/v2.0/authorize",
                "token_endpoint": f"{authority}/oauth2/v2.0/token",
                "jwks_uri": f"{authority}/discovery/v2.0/keys",
            }
        )

    async def _keys(self, _: web.Request) -> web.Response:
        return web.json_response({"keys": []})

    async def _instance(self, request: web.Request) -> web.Response:
        address = f"{self.base}/{request.match_info['tenant']}/v2.0/.well-known/openid-configuration"
        return web.json_response({"tenant_discovery_endpoint": address, "metadata": []})

    # tokens

    async def _token(self, request: web.Request) -> web.Response:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.grants.append(form["grant_type"])
        if self.failing:
            failure = self.failing.pop(0)
            if isinstance(failure, int):
                return web.Response(status=failure, text="")
            return web.json_response(failure, status=400)
        try:
            return web.json_response(self._granted(form))
        except Denied as denied:
            return web.json_response(denied.body, status=401 if denied.body["error"] == "invalid_client" else 400)

    def _granted(self, form: Mapping[str, str]) -> Json:
        if (form.get("client_id"), form.get("client_secret")) != (self.client_id, self.client_secret):
            raise Denied("invalid_client", "AADSTS7000215: Invalid client secret provided.")
        match form["grant_type"]:
            case "authorization_code":
                return self._redeemed(form)
            case "refresh_token":
                given = self.refresh.get(form["refresh_token"])
                if given is None:
                    raise Denied(
                        "invalid_grant", "AADSTS50173: The provided grant has expired due to it being revoked."
                    )
                if not self.keeps_old:
                    del self.refresh[form["refresh_token"]]
                return self._tokens(given)
            case _:
                if not self.is_let_in:
                    raise Denied("unauthorized_client", "AADSTS700016: the application is not in the directory.")
                token = self._access(Given("", (form["scope"],)))
                return {"token_type": "Bearer", "scope": form["scope"], "expires_in": 3600, "access_token": token}

    def _redeemed(self, form: Mapping[str, str]) -> Json:
        pending = self.codes.pop(form["code"], None)
        if pending is None or pending.redirect_uri != form.get("redirect_uri"):
            raise Denied("invalid_grant", "AADSTS70008: The provided authorization code has expired.")
        proof = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if base64.urlsafe_b64encode(proof).rstrip(b"=").decode() != pending.challenge:
            raise Denied("invalid_grant", "AADSTS50148: The code_verifier does not match the code_challenge.")
        return self._tokens(Given(pending.email, pending.scopes), nonce=pending.nonce)

    def _tokens(self, given: Given, nonce: str = "") -> Json:
        mailbox = self.mailboxes[given.email]
        refresh = f"M.R3_{uuid4().hex}"
        self.refresh[refresh] = given
        claims: dict[str, Any] = {
            "iss": f"{self.base}/{self.tenant}/v2.0", "aud": self.client_id, "sub": mailbox.user_id,
            "oid": mailbox.user_id, "tid": self.tenant, "preferred_username": given.email, "ver": "2.0",
            "iat": int(time.time()), "exp": int(time.time()) + 3600,
        }  # fmt: skip
        if nonce:
            claims["nonce"] = nonce
        hidden = {"openid", "profile", "offline_access"}
        return {
            "token_type": "Bearer",
            "scope": " ".join(scope for scope in given.scopes if scope not in hidden),
            "expires_in": self.token_seconds,
            "access_token": self._access(given),
            "refresh_token": refresh,
            "id_token": f"{_part({'alg': 'none'})}.{_part(claims)}.",
            "client_info": _part({"uid": mailbox.user_id, "utid": self.tenant}),
        }

    def _access(self, given: Given) -> str:
        token = f"eyJ.{uuid4().hex}"
        self.access[token] = Given(given.email, given.scopes, time.time() + self.token_seconds)
        return token


def _part(value: Json) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
