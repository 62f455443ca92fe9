"""Domain-wide delegation: a service account which an organization's Google admin lets act for everybody's calendars.

See developers.google.com/identity/protocols/oauth2/service-account. The secret of an account that rests on it is the
service account's key; the tokens that Google gives for it last an hour and are kept in memory alone. They are fetched
from the address that the program is configured with, never from one that stands in a key.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import google_auth_httplib2
import httplib2
from google.auth.exceptions import RefreshError
from google.oauth2 import service_account

from app.domain.errors import Invalid, ProviderFailure
from app.ports.organization_grants import GrantGiven
from integrations.google.sign_in import CALENDAR_SCOPES

LONGEST_KEY = 10_000
"""Characters; Google's have some 2400."""
GOOGLE_TOKENS = ("https://oauth2.googleapis.com/token", "https://accounts.google.com/o/oauth2/token")
_NO_KEY = "This is not the JSON key of a Google service account. Paste the whole file, from { to }."
_CLOSED = (
    "Google does not let Halfpast's service account act for your organization (any more): an admin must renew the grant"
    " under People, “Connect for everybody”."
)
_NOBODY = "Google knows no such account in your organization."


@dataclass(frozen=True, slots=True)
class Delegation:
    """What is kept of a key."""

    client_email: str
    client_id: str
    private_key_id: str
    private_key: str

    def to_text(self) -> str:
        """The `Credentials.secret` of the accounts that rest on it."""
        return json.dumps({"service_account": asdict(self)}, separators=(",", ":"))

    @classmethod
    def of_secret(cls, text: str) -> Delegation | None:
        """None for the secret of an account that signed in."""
        try:
            return cls(**json.loads(text)["service_account"])
        except (ValueError, KeyError, TypeError):
            return None

    @property
    def grant(self) -> GrantGiven:
        """What the key grants."""
        return GrantGiven(self.client_email, self.to_text(), self.client_id)

    def mark_for(self, person: str) -> str:
        """Names this key acting for a person, without telling anything of the key."""
        return hashlib.sha256(f"{self.private_key} {person}".encode()).hexdigest()

    def token_for(self, person: str, address: str, connection: httplib2.Http) -> Any:
        """The library's credentials with a new access token to act for a person (in a thread)."""
        credentials = self.credentials(address).with_subject(person)
        try:
            credentials.refresh(google_auth_httplib2.Request(connection))
        except RefreshError as error:
            raise _failure(error) from error
        return credentials

    def credentials(self, address: str) -> Any:
        """The library's, with tokens from `address`. ValueError for a key that is none."""
        info = {"client_email": self.client_email, "private_key": self.private_key, "token_uri": address}
        info |= {"private_key_id": self.private_key_id, "client_id": self.client_id}
        return service_account.Credentials.from_service_account_info(info, scopes=CALENDAR_SCOPES)


def read_key(text: str, address: str) -> GrantGiven:
    """What a pasted key grants; `address` is where tokens are fetched. `Invalid` when it is none that works there."""
    if len(text) > LONGEST_KEY:
        raise Invalid.field("key", f"A key has at most {LONGEST_KEY} characters. {_NO_KEY}")
    try:
        found: Any = json.loads(text)
    except ValueError as error:
        raise Invalid.field("key", _NO_KEY) from error
    if not isinstance(found, dict) or found.get("type") != "service_account":
        raise Invalid.field("key", _NO_KEY)
    fields = {name: str(found.get(name) or "") for name in Delegation.__dataclass_fields__}
    if not all(fields.values()):
        raise Invalid.field("key", "Something is missing in this key. Make a new one, and paste the whole file.")
    if found.get("token_uri") not in (address, *GOOGLE_TOKENS):
        raise Invalid.field("key", "This key is for another service than Google: its token_uri is not Google's.")
    delegation = Delegation(**fields)
    if len(delegation.client_email) > 255 or "@" not in delegation.client_email or not delegation.client_id.isdigit():
        raise Invalid.field("key", _NO_KEY)
    try:
        delegation.credentials(address)
    except ValueError as error:
        raise Invalid.field("key", "The private key in this file cannot be read. Make a new one.") from error
    return delegation.grant


def _failure(error: RefreshError) -> ProviderFailure:
    """By what Google's guide names: who is not there, a key that was deleted, scopes that were not entered."""
    words = str(error.args[0]) if error.args else ""
    if error.retryable:
        return ProviderFailure("busy", "Google gives no access just now.", 60)
    if "Invalid email" in words or "invalid_subject" in words:
        return ProviderFailure("gone", _NOBODY)
    return ProviderFailure("auth", _CLOSED)
