"""What each address was told of a booking: mails follow the booking's state instead of replaying its changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

DeliveryKind = Literal["state", "followup", "conflict"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """The last accepted mail of one kind to one address (lower case) about one booking. `status` is pending,
    confirmed or cancelled as it was told; `sent_at` is epoch seconds, read before the booking was."""

    booking_id: str
    address: str
    kind: DeliveryKind
    org_id: str
    status: str
    sequence: int
    message_id: str
    sent_at: int


class MailLog(Protocol):
    """Rows of `mail_deliveries`. Inside a unit of work; nothing here commits."""

    async def of_booking(self, booking_id: str, kind: DeliveryKind) -> list[Delivery]:
        """By address."""
        ...

    async def to_address(self, address: str, booking_ids: Sequence[str], kind: DeliveryKind) -> dict[str, Delivery]:
        """Of these bookings, by their ids. One SELECT."""
        ...

    async def record(self, delivery: Delivery) -> None:
        """Insert, or replace what was told before; of an erased booking only what users were told."""
        ...
