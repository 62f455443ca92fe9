"""Secrets: sealing what must be shown again, hashing what must only be found, passwords, signed addresses."""

from __future__ import annotations

from typing import Protocol

MARK_LENGTH = 8
"""Every sealed text and every keyed hash begins with the mark of its key: which key something rests on is told without
the keys, and counted by the database."""


class Vault(Protocol):
    """Keys with rotation: the first key seals and hashes, all of them open and find."""

    @property
    def marks(self) -> tuple[str, ...]:
        """The marks of the keys, the first key's first. They tell nothing of the keys."""
        ...

    def new_token(self) -> str:
        """A random URL-safe token without a dot."""
        ...

    def seal(self, text: str) -> str: ...

    def open(self, sealed: str) -> str:
        """`SecretUnreadable` when its key is not known."""
        ...

    def lookup(self, token: str) -> str:
        """The keyed hash to store beside or instead of a token."""
        ...

    def lookups(self, token: str) -> tuple[str, ...]:
        """The hashes under every key, to find what an older key stored. With several keys the first comes once more
        at the end: what is looked for may be moved to it between two looks."""
        ...

    def sign(self, purpose: str, payload: dict[str, str]) -> str:
        """A time-stamped signed text for an address."""
        ...

    def unsign(self, purpose: str, signed: str, max_age: int) -> dict[str, str] | None:
        """Its payload, or None when forged, of another purpose or older than `max_age` seconds."""
        ...


class PasswordHasher(Protocol):
    """argon2id, off the event loop."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, password_hash: str | None, password: str) -> bool:
        """False for None too, after the same work, so that strangers learn nothing from the time it takes."""
        ...
