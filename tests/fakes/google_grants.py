"""The fake Google's sign-in: consent page, tokens, revocation."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import urlencode

from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth import jwt

from tests.fakes.contract_additions import JWT_BEARER

CLIENT_ID, CLIENT_SECRET = "halfpast-tests.apps.googleusercontent.com", "client secret"
ACCESS_SECONDS = 3599
GOOGLE_TOKENS = "https://oauth2.googleapis.com/token"


@dataclass
class FakeGrant:
    """What a person gave to the program."""

    email: str
    scopes: tuple[str, ...]
    refresh: str = field(default_factory=lambda: f"1//{secrets.token_urlsafe(24)}")
    access: set[str] = field(default_factory=set)
    is_revoked: bool = False


@dataclass
class ServiceAccount:
    """One with the scopes in which an organization's admin lets it act for everybody."""

    email: str
    scopes: tuple[str, ...]
    keys: dict[str, bytes] = field(default_factory=dict)
    """Its public keys, by id."""

    def new_key(self) -> str:
        """A new key as it is downloaded."""
        private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        key_id = secrets.token_hex(20)
        self.keys[key_id] = private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )
        pem = private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return json.dumps(
            {
                "type": "service_account",
                "project_id": "tests",
                "private_key_id": key_id,
                "private_key": pem.decode(),
                "client_email": self.email,
                "client_id": "104242424242424242424",
                "auth_uri": "https://accounts.google.com/o/oauth2/auth",
                "token_uri": GOOGLE_TOKENS,
                "universe_domain": "googleapis.com",
            },
            indent=2,
        )


@dataclass
class Grants:
    """All grants, and the codes on their way."""

    people: list[str] = field(default_factory=list)
    grants: list[FakeGrant] = field(default_factory=list)
    codes: dict[str, tuple[FakeGrant, dict[str, str]]] = field(default_factory=dict)
    service_accounts: dict[str, ServiceAccount] = field(default_factory=dict)
    acting: list[FakeGrant] = field(default_factory=list)
    """What service accounts were given, to act for a person."""
    renewals: int = 0
    gives_refresh: bool = True

    def routes(self) -> list[web.AbstractRouteDef]:
        return [
            web.get("/o/oauth2/v2/auth", self.authorize),
            web.get("/consent", self.page),
            web.post("/consent", self.consent),
            web.post("/token", self.token),
            web.post("/revoke", self.revoke),
        ]

    def grant(self, email: str, *scopes: str) -> FakeGrant:
        """A grant as a finished sign-in leaves it."""
        self.grants.append(FakeGrant(email, scopes))
        return self.grants[-1]

    def issue(self, grant: FakeGrant) -> str:
        """A new access token."""
        token = f"ya29.{secrets.token_urlsafe(16)}"
        grant.access.add(token)
        return token

    def of_request(self, request: web.Request) -> FakeGrant | None:
        """Whose token a request carries."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return next((each for each in self.grants if token in each.access and not each.is_revoked), None)

    async def authorize(self, request: web.Request) -> web.Response:
        """On to the consent page, as Google does after finding out who is there."""
        if request.query["client_id"] != CLIENT_ID:
            return web.Response(status=400, text="invalid_client")
        return web.Response(status=302, headers={"Location": f"/consent?{request.query_string}"})

    async def page(self, request: web.Request) -> web.Response:
        """The consent page, a form."""
        asked = request.query
        hidden = "".join(
            f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in asked.items()
        )
        people = "".join(
            f"<option{' selected' if each == asked.get('login_hint') else ''}>{escape(each)}</option>"
            for each in self.people
        )
        scopes = "".join(
            f'<p><label><input type="checkbox" name="granted" value="{escape(each)}" checked>{escape(each)}</label></p>'
            for each in asked["scope"].split()
        )
        page = (
            f'<!doctype html><html lang="en"><title>Sign in with Fake Google</title><h1>Halfpast wants access</h1>'
            f'<form method="post" action="/consent">{hidden}'
            f'<label>Account <select name="email">{people}</select></label>'
            f'{scopes}<button name="answer" value="allow">Continue</button>'
            f'<button name="answer" value="refuse">Cancel</button></form></html>'
        )
        return web.Response(text=page, content_type="text/html")

    async def consent(self, request: web.Request) -> web.Response:
        """What the person chose."""
        form = await request.post()
        fields = {name: str(value) for name, value in form.items()}
        given = tuple(str(each) for each in form.getall("granted", []))
        return web.Response(status=302, headers={"Location": self.answer(fields, fields["email"], given)})

    def answer(self, asked: dict[str, str], email: str, granted: tuple[str, ...]) -> str:
        """Where the browser is sent after a consent; without scopes it was refused."""
        back = {"state": asked.get("state", "")}
        if asked.get("answer") == "refuse" or not granted:
            return f"{asked['redirect_uri']}?{urlencode({'error': 'access_denied', **back})}"
        code = f"4/{secrets.token_urlsafe(16)}"
        self.codes[code] = (FakeGrant(email, granted), asked)
        return f"{asked['redirect_uri']}?{urlencode({**back, 'code': code, 'scope': ' '.join(granted)})}"

    async def token(self, request: web.Request) -> web.Response:
        """Codes and refresh tokens for access tokens."""
        form = {name: str(value) for name, value in (await request.post()).items()}
        if form["grant_type"] == JWT_BEARER:
            return self._acting(form["assertion"])
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        by_form = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        if not by_form and request.headers.get("Authorization") != f"Basic {basic}":
            return _refused("invalid_client", 401)
        if form["grant_type"] == "refresh_token":
            return self._renewed(form["refresh_token"])
        grant, asked = self.codes.pop(form["code"], (None, {}))
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if grant is None or asked["redirect_uri"] != form["redirect_uri"] or asked.get("code_challenge") != challenge:
            return _refused("invalid_grant")
        self.grants.append(grant)
        is_lasting = self.gives_refresh and asked.get("access_type") == "offline" and "consent" in asked["prompt"]
        return web.json_response(self._told(grant, **({"refresh_token": grant.refresh} if is_lasting else {})))

    def _acting(self, assertion: str) -> web.Response:
        """A service account that wants to act for somebody."""
        key_id, claimed = jwt.decode_header(assertion).get("kid"), jwt.decode(assertion, verify=False)
        account = self.service_accounts.get(claimed["iss"])
        if account is None:
            return _refused("invalid_grant", description="Invalid grant: account not found")
        try:
            claims = jwt.decode(assertion, certs=account.keys.get(key_id, b""), audience=GOOGLE_TOKENS)
        except ValueError:
            return _refused("invalid_grant", description="Invalid JWT Signature.")
        scopes = tuple(claims["scope"].split())
        if not scopes or not set(scopes) <= set(account.scopes):
            return _refused("unauthorized_client", 401, "Client is unauthorized to retrieve access tokens.")
        if claims.get("sub") not in self.people:
            return _refused("invalid_grant", description="Invalid email or User ID")
        grant = self.grant(claims["sub"], *scopes)
        self.acting.append(grant)
        return web.json_response(self._told(grant))

    def _renewed(self, refresh: str) -> web.Response:
        grant = next((each for each in self.grants if each.refresh == refresh and not each.is_revoked), None)
        if grant is None:
            return _refused("invalid_grant")
        self.renewals += 1
        return web.json_response(self._told(grant))

    def _told(self, grant: FakeGrant, **more: Any) -> dict[str, Any]:
        return {
            "access_token": self.issue(grant),
            "expires_in": ACCESS_SECONDS,
            "scope": " ".join(grant.scopes),
            "token_type": "Bearer",
            **more,
        }

    async def revoke(self, request: web.Request) -> web.Response:
        """By refresh or access token; the whole grant ends."""
        token = request.query.get("token") or str((await request.post()).get("token", ""))
        for grant in self.grants:
            if (token == grant.refresh or token in grant.access) and not grant.is_revoked:
                grant.is_revoked = True
                return web.json_response({})
        return _refused("invalid_token")


def _refused(error: str, status: int = 400, description: str = "") -> web.Response:
    body = {"error": error, "error_description": description or error.replace("_", " ")}
    return web.json_response(body, status=status)
