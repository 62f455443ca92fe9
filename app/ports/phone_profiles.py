"""Links by which a phone sets itself up."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class PhoneProfile:
    """A link somebody made to set up a device that is going to be called `label`; good until `expires_at`, epoch
    seconds. `password` is empty until the link is taken."""

    id: str
    org_id: str
    user_id: str
    label: str
    password: str
    expires_at: int
    created_at: int


class PhoneProfiles(Protocol):
    """The links, by a secret token; passwords are sealed at rest."""

    async def add(self, profile: PhoneProfile, token: str) -> None:
        """Keep a new one; those that are over are forgotten."""
        ...

    async def find(self, token: str, now: int, *, lock: bool = False) -> PhoneProfile | None:
        """The one of this token, unless it is over or its person may not sign in any more."""
        ...

    async def forget(self, now: int) -> None:
        """Delete those that are over."""
        ...

    async def take(self, profile: PhoneProfile, token: str) -> None:
        """Keep what the profile has become, to be found by another token from now on."""
        ...
