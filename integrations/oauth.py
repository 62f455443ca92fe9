"""What providers with a sign-in page of their own share."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class OAuthClient:
    """The program as a provider knows it. `sign_in` is the address of the provider's identity service (Microsoft: the
    authority with its tenant), `tokens` that of its tokens where it is another, `api` that of its calendar service."""

    client_id: str
    client_secret: str
    sign_in: str
    api: str
    tokens: str = ""
