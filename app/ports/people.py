"""Organizations and the people in them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Protocol

from app.ports.page import Page


@dataclass(frozen=True, slots=True)
class Organization:
    """One customer of the program. `walk_ins`: an event that somebody makes in their schedule is a booking."""

    id: str
    slug: str
    name: str
    complete_after_minutes: int
    hold_minutes: int
    walk_ins: bool = False


@dataclass(frozen=True, slots=True)
class User:
    """A person who signs in."""

    id: str
    org_id: str
    email: str
    handle: str
    name: str
    roles: tuple[str, ...]
    password_hash: str | None
    timezone: str
    is_active: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people of an organization; `words` are part of a name or an e-mail address, `roles` any of which they
    have (none: whatever they have)."""

    org_id: str
    words: str = ""
    roles: tuple[str, ...] = ()
    only_active: bool = False


class PeopleStore(Protocol):
    """Organizations and users."""

    async def add_organization(self, organization: Organization, now: int) -> None: ...
    async def organization(self, org_id: str) -> Organization | None: ...
    async def organization_by_slug(self, slug: str) -> Organization | None: ...
    async def any_organization(self) -> bool: ...
    async def only_organization(self) -> Organization | None:
        """The organization of a server that has just one; None otherwise."""
        ...

    async def update_organization(self, org_id: str, **values: Any) -> None: ...

    async def add_user(self, user: User, now: int) -> None:
        """The user and the host of the same id; a taken e-mail is `AlreadyExists`."""
        ...

    async def user(self, user_id: str) -> User | None: ...
    async def user_by_email(self, email: str) -> User | None: ...
    async def users(self, org_id: str) -> list[User]: ...
    async def page(self, where: PeopleFilter, limit: int, cursor: str | None) -> Page[User]:
        """By age of their accounts."""
        ...

    async def named(self, org_id: str, user_ids: Collection[str]) -> list[User]:
        """Those of the organization among these ids."""
        ...

    async def admins(self, org_id: str) -> list[str]:
        """The ids of the active admins."""
        ...

    async def handles_like(self, handle: str) -> set[str]: ...
    async def update_user(self, user_id: str, now: int, **values: Any) -> None: ...
