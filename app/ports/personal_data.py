"""What is known of a person who books, for those who want it all, or want it gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Keeping:
    """How long an organization keeps what it knows, in days; None is for good. `recipients` counts from the end of a
    booking, `audit` is the log's."""

    recipients: int | None = None
    audit: int | None = None


class PersonalData(Protocol):
    """Everything here narrows to one organization. Addresses are lower-case."""

    async def keeping(self, org_id: str) -> Keeping: ...
    async def keep(self, org_id: str, keeping: Keeping) -> None: ...
    async def organizations(self) -> list[str]:
        """The ids of all on this server."""
        ...

    async def addresses_of(self, org_id: str, email: str) -> list[str]:
        """The address, with the others by which the client who has it is known."""
        ...

    async def bookings_of(self, org_id: str, email: str, limit: int) -> list[str]:
        """Ids of bookings not erased yet that the person made, or that are filed under the same client."""
        ...

    async def is_erased(self, booking_id: str) -> bool: ...
    async def bookings_with_guest(self, org_id: str, email: str, limit: int) -> list[str]: ...
    async def ended_before(self, org_id: str, instant: int, limit: int) -> list[str]:
        """Ids of bookings that ended before and are not erased yet."""
        ...

    async def forget_booking(self, booking_id: str, addresses: Sequence[str], now: int) -> None:
        """What stands beside a booking: mails told to these addresses, notes on its events, deleted events, work to be
        done; and that it is erased."""
        ...

    async def forget_guest(self, booking_id: str, email: str) -> None:
        """The mails to a guest, told and still to be sent, and deleted events, which name them."""
        ...

    async def forget_address(self, org_id: str, email: str) -> int:
        """What is known of the address besides bookings: client, block list, one-time links, work to be done, edits
        kept, invitations told; how many rows went."""
        ...

    async def forget_member(self, user_id: str, now: int) -> None:
        """An account with all that lets in and belongs to it. The host stays, with a neutral name."""
        ...

    async def forget_contacts(self, org_id: str, email: str) -> Sequence[tuple[str, str | None]]:
        """The accounts, by id, to whose address books the address was added, each with the contact's key; after
        `forget_address`, which withdraws what would add more. They are to be taken out there."""
        ...

    async def forget_unknown_contacts(self, org_id: str, emails: Sequence[str]) -> Sequence[tuple[str, str | None]]:
        """As `forget_contacts`, for those of the addresses with which no booking is that is not erased."""
        ...

    async def forget_one_time_links(self, org_id: str, before: int, limit: int) -> int:
        """To whom links were sent that were made earlier and cannot be booked any more; of how many."""
        ...

    async def forget_work(self, org_id: str, before: int, limit: int) -> int:
        """Work that was given up earlier, and to whom invitations went; how many rows, at most `limit` of each kind."""
        ...

    async def forget_clients(self, client_ids: Sequence[str]) -> None:
        """Those of them who have no bookings any more."""
        ...

    @property
    def sections(self) -> Sequence[str]:
        """What an export tells, in this order: `user`, `bookings`, `guest_of`, `clients`, `mails` ..."""
        ...

    async def export(
        self, org_id: str, addresses: Sequence[str], section: str, after: Sequence[Any], limit: int
    ) -> tuple[Sequence[Mapping[str, Any]], tuple[Any, ...]]:
        """`addresses` are all of the person's, that of their account first. At most `limit` rows of a section from
        behind the key `after` on (empty: from the beginning), and the key to go on from; an empty one says that there
        are no more."""
        ...
