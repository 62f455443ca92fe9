"""Where Google's services are."""

from __future__ import annotations

from dataclasses import dataclass

from integrations.oauth import OAuthClient

_API, _PEOPLE_API = "https://www.googleapis.com", "https://people.googleapis.com"


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of the pages and services that a connection needs."""

    authorize: str
    token: str
    revoke: str
    calendar: str
    people: str

    @classmethod
    def of(cls, client: OAuthClient) -> Addresses:
        """The addresses below a client's endpoints. Google has contacts on a host of their own; a server that stands in
        for Google has everything."""
        tokens = client.tokens or client.sign_in
        return cls(
            authorize=f"{client.sign_in}/o/oauth2/v2/auth",
            token=f"{tokens}/token",
            revoke=f"{tokens}/revoke",
            calendar=f"{client.api}/calendar/v3",
            people=_PEOPLE_API if client.api == _API else client.api,
        )
