"""Texts to phones: SMS and WhatsApp."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

TextChannel = Literal["sms", "whatsapp"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text to one number in E.164 (`+4930123456`). `key` is the same for the same message, so that a service which
    knows keys takes a repeated delivery once."""

    channel: TextChannel
    to: str
    body: str
    key: str


class Texter(Protocol):
    """Hands a text to a service; raises `ProviderFailure` like `Mailer`: `rejected` for what never will work."""

    async def send(self, text: Text) -> str:
        """Accepted by the service when it returns; the id the service knows it by, which later reports name."""
        ...

    async def erase(self, words: Sequence[str]) -> int:
        """Delete what is kept here of texts to any of these numbers, or about any of these bookings' ids; how many."""
        ...
