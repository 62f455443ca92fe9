"""The tokens of a Google account, as they are kept under it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from app.domain.errors import ProviderFailure


@dataclass(frozen=True, slots=True)
class Tokens:
    """What Google granted; `expires_at` (epoch seconds) is of the access token."""

    access: str
    refresh: str
    expires_at: int
    scopes: tuple[str, ...] = ()

    def to_text(self) -> str:
        """The `Credentials.secret` of this account."""
        return json.dumps(asdict(self), separators=(",", ":"))

    @classmethod
    def from_text(cls, text: str) -> Tokens:
        """From a `Credentials.secret`; `ProviderFailure` (auth) for any other text."""
        try:
            found = json.loads(text)
            return cls(
                str(found["access"]), str(found["refresh"]), int(found["expires_at"]), tuple(map(str, found["scopes"]))
            )
        except (ValueError, KeyError, TypeError) as error:
            raise ProviderFailure("auth", "This account is not connected. Connect it again.") from error
