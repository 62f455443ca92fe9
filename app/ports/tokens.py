"""What lets people, programs and devices in: sessions, API tokens, app passwords, feeds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Protocol

from app.domain.feeds import FeedOptions
from app.ports.people import User


@dataclass(frozen=True, slots=True)
class Feed:
    """A secret ICS address; `kind` is one of `FEED_KINDS`, `subject_id` the link, service or resource it is of."""

    id: str
    org_id: str
    user_id: str
    kind: str
    label: str
    token: str
    created_at: int
    subject_id: str | None = None
    options: FeedOptions = field(default_factory=FeedOptions)


@dataclass(frozen=True, slots=True)
class AppPassword:
    """A device's CalDAV password, without the password."""

    id: str
    org_id: str
    user_id: str
    label: str
    created_at: int
    last_used_at: int | None


@dataclass(frozen=True, slots=True)
class TokenUser:
    """Whose a session or API token is, and whether it was found by an older key's hash."""

    user: User
    under_older_key: bool


class TokenStore(Protocol):
    """Sessions, API tokens, app passwords and feeds; secrets are stored as keyed hashes."""

    async def add_session(self, token: str, user: User, now: int, expires_at: int) -> None: ...
    async def session_user(self, token: str, now: int) -> TokenUser | None: ...
    async def end_session(self, token: str) -> None: ...
    async def end_sessions(self, user_id: str) -> None: ...
    async def add_api_token(self, token_id: str, token: str, user: User, label: str, now: int) -> None: ...
    async def api_token_user(self, token: str) -> TokenUser | None: ...
    async def move_to_first_key(self, token: str) -> None:
        """Keep a session or API token that an older key's hash found under the first key's."""
        ...

    async def add_app_password(self, password: AppPassword, secret: str) -> None: ...
    async def app_passwords(self, user_id: str) -> list[AppPassword]: ...
    async def delete_app_password(self, user_id: str, password_id: str) -> bool: ...
    async def add_feed(self, feed: Feed) -> None: ...
    async def feeds(self, user_id: str) -> list[Feed]: ...
    async def lock_feed(self, user_id: str, feed_id: str) -> Feed | None:
        """One of this user's feeds, which nobody else changes before the transaction ends."""
        ...

    async def change_feed(self, feed: Feed, now: int) -> None:
        """Its label and options, from `now` on."""
        ...

    async def delete_feed(self, user_id: str, feed_id: str) -> bool: ...
