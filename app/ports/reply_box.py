"""The mailbox that answers to invitations go to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail with a calendar part: `id` is the mailbox's own, `sender` the address it says to come from (lower case),
    `calendar` the part's text."""

    id: str
    sender: str
    calendar: str


class ReplyBox(Protocol):
    """Every method may raise `ProviderFailure`. What is in the mailbox stays there, and unread to people."""

    async def unseen(self) -> list[Letter]:
        """What came within two weeks and was not marked yet; some of it, when that is much."""
        ...

    async def mark(self, ids: Sequence[str]) -> None:
        """These are dealt with. Where a mailbox keeps no marks they come again, which does no harm."""
        ...

    async def check(self) -> None:
        """Log in and open the mailbox."""
        ...
