"""What an administrator of an organization granted at a provider, for everybody in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from app.ports.calendars import SignInRequest


@dataclass(frozen=True, slots=True)
class OrganizationGrant:
    """One grant. `label` says what it is for (the service account, the tenant); `secret`, held encrypted at rest, is
    that of every calendar account which rests on it; `created_at` is epoch seconds."""

    org_id: str
    provider: str
    label: str
    secret: str
    created_at: int


class OrganizationGrants(Protocol):
    """Rows of `organization_grants`, at most one for a provider. Inside a unit of work; nothing here commits."""

    async def put(self, grant: OrganizationGrant) -> None:
        """Keep it, instead of an earlier one."""
        ...

    async def get(self, org_id: str, provider: str) -> OrganizationGrant | None: ...

    async def holder(self, provider: str, label: str) -> str | None:
        """The organization that holds a grant of this label."""
        ...

    async def remove(self, org_id: str, provider: str) -> None: ...


@dataclass(frozen=True, slots=True)
class GrantGiven:
    """A grant as the provider understands it; `client` is what the key's holder is called there."""

    label: str
    secret: str
    client: str = ""


class TakesKey(Protocol):
    """A provider that an organization lets in by a key which its administrator hands over. `scopes_granted` are what
    they have to allow there beside."""

    scopes_granted: tuple[str, ...]

    def read_key(self, text: str) -> GrantGiven:
        """What a pasted key grants. `Invalid` (field `key`) when it is no such key, or one of another service."""
        ...

    def kept_key(self, secret: str) -> GrantGiven | None:
        """The same for the secret of a grant; None when there is no key in it."""
        ...


class TakesConsent(Protocol):
    """A provider whose own page asks an administrator for the whole organization. `ProviderFailure` as everywhere."""

    scopes_granted: tuple[str, ...]

    def tenant_sign_in_url(self, request: SignInRequest) -> str:
        """Where to send the administrator to show which organization they are of."""
        ...

    async def tenant_of_sign_in(self, request: SignInRequest, answer: Mapping[str, str]) -> str:
        """The organization that the person who came back is of, proved by the provider."""
        ...

    def consent_url(self, tenant: str, redirect_uri: str, state: str) -> str:
        """Where to send the administrator to agree for everybody in the organization."""
        ...

    def consented(self, tenant: str) -> GrantGiven:
        """What that consent grants."""
        ...
