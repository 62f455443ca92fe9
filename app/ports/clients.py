"""Clients, and who is not to book. Everything here narrows to one organization."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.bookings import Recipient
from app.domain.clients import Block, Client, Figures, Identity
from app.ports.page import Page


@dataclass(frozen=True, slots=True)
class ClientFilter:
    """Which clients to list: `user_id` narrows to those with a booking that this user owns or hosts, `words` to those
    whose name, address or number has this text in it."""

    org_id: str
    user_id: str | None = None
    words: str = ""


@dataclass(frozen=True, slots=True)
class Unfiled:
    """A booking that belongs to no client yet."""

    booking_id: str
    recipient: Recipient


class ClientStore(Protocol):
    """Clients with what they are known by, and the block list."""

    async def lock(self, org_id: str) -> None:
        """Until the transaction ends nobody else files bookings of this organization or merges its clients."""
        ...

    async def get(self, org_id: str, client_id: str, *, lock: bool = False) -> Client | None: ...
    async def known_by(self, org_id: str, identities: Sequence[Identity]) -> list[Client]:
        """The clients with one of these identities, the oldest first."""
        ...

    async def page(self, where: ClientFilter, limit: int, cursor: str | None) -> Page[Client]:
        """The newest first."""
        ...

    async def sees(self, user_id: str, client_id: str) -> bool:
        """Whether the user owns or hosts a booking of this client."""
        ...

    async def figures(self, client_ids: Sequence[str], now: int, user_id: str | None = None) -> Mapping[str, Figures]:
        """The numbers of these clients, one SELECT; with `user_id` over the bookings this user owns or hosts alone."""
        ...

    async def language_of(self, org_id: str, recipient: Recipient) -> str | None:
        """What whoever is known by the recipient's address or number was told things in last; one SELECT."""
        ...

    async def add(self, client: Client) -> None: ...
    async def update(self, client: Client) -> None:
        """Write its own fields and its identities, which no other client may have."""
        ...

    async def delete(self, client: Client) -> None: ...
    async def file(self, booking_id: str, client_id: str) -> bool:
        """The booking belongs to this client; False when it was erased meanwhile."""
        ...

    async def move_bookings(self, source_id: str, target_id: str) -> None:
        """All bookings of one client belong to the other; `StaleVersion` while one of them is being changed."""
        ...

    async def unfiled(self, org_id: str, limit: int) -> list[Unfiled]:
        """Bookings with an address that belong to no client yet."""
        ...

    async def is_blocked(self, org_id: str, recipient: Recipient) -> bool:
        """Whether one of the blocks keeps this recipient out; one indexed SELECT."""
        ...

    async def add_block(self, block: Block) -> None:
        """`AlreadyExists` when it is there."""
        ...

    async def block(self, org_id: str, block_id: str) -> Block | None: ...
    async def blocks(self, org_id: str, limit: int, cursor: str | None) -> Page[Block]: ...
    async def blocks_of(self, org_id: str, identities: Sequence[Identity]) -> list[Block]:
        """The blocks of exactly these addresses and numbers."""
        ...

    async def delete_block(self, org_id: str, block_id: str) -> None: ...
