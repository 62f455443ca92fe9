"""Answers kept for requests that may be sent again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What an idempotent request was answered; `answer` is plain here and sealed at rest."""

    body_hash: str
    answer: str


class IdempotencyStore(Protocol):
    """Answers kept for 24 h by a keyed hash of caller, route and key."""

    async def get(self, scope: str, not_before: int) -> StoredAnswer | None: ...
    async def put(self, scope: str, body_hash: str, answer: str, now: int, not_before: int) -> bool:
        """False when another request stored one at or after `not_before`; an older one is replaced."""
        ...

    async def holding(self, words: Sequence[str]) -> list[str]:
        """The scopes of answers that hold any of these texts, addresses as a whole. Each is opened: there is one day of
        them, but too many for a transaction that others wait for."""
        ...

    async def forget(self, scopes: Sequence[str]) -> None: ...

    async def purge(self, before: int, limit: int) -> None:
        """Forget answers stored before an instant, at most `limit` of them, without waiting for anybody."""
        ...
