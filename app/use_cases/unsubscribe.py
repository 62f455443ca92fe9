"""No more follow-ups for a recipient, no more digests for a user: by a signed address in the mail, without an account.

The address says whose mails by keyed hash or id, so that it tells nobody's e-mail; mails about a booking itself are
never stopped by it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Literal

from app.domain.bookings import Booking
from app.domain.errors import NotFound, StaleVersion
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork

PURPOSE = "unsubscribe"
TRIES = 5
"""Somebody may be choosing otherwise in the same moment."""
MAX_AGE_SECONDS = 10 * 365 * 86_400
Kind = Literal["followups", "digests"]


def recipients_way_out(ports: Ports, booking: Booking) -> str:
    """For mails that a recipient may do without."""
    return _address(ports, {"org": booking.org_id, "address": ports.vault.lookup(booking.recipient.email.lower())})


def members_way_out(ports: Ports, user_id: str) -> str:
    """For a user's digests."""
    return _address(ports, {"user": user_id})


def _address(ports: Ports, payload: dict[str, str]) -> str:
    token = ports.vault.sign(PURPOSE, payload).replace(".", "~")  # tokens in addresses have no dot
    return f"{ports.base_url}/unsubscribe/{token}"


def kind_of_token(ports: Ports, token: str) -> Kind:
    """What it would stop; `NotFound` when it is forged or too old."""
    return "digests" if "user" in _payload(ports, token) else "followups"


def _payload(ports: Ports, token: str) -> dict[str, str]:
    payload = ports.vault.unsign(PURPOSE, token.replace("~", "."), MAX_AGE_SECONDS)
    if payload is None:
        raise NotFound("This address is not valid any more.")
    return payload


async def unsubscribe(ports: Ports, token: str) -> Kind:
    """Stop them. Once more is no error."""
    payload = _payload(ports, token)
    for _ in range(TRIES - 1):
        with suppress(StaleVersion):
            return await _unsubscribe(ports, payload)
    return await _unsubscribe(ports, payload)


async def _unsubscribe(ports: Ports, payload: dict[str, str]) -> Kind:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        if "user" in payload:
            await _end_digests(work, payload["user"], now)
        elif await work.people.organization(payload["org"]) is not None:
            await work.telling.unsubscribe(payload["org"], payload["address"], now)
        await work.commit()
    return "digests" if "user" in payload else "followups"


async def _end_digests(work: UnitOfWork, user_id: str, now: int) -> None:
    user = await work.people.user(user_id)
    if user is None:
        return
    before = await work.telling.settings(user.id, user.org_id)
    if before.digest == "off":  # asked before, or at the same time: mail programs do
        return
    after = replace(before, digest="off", version=before.version + 1)
    if not await work.telling.put_settings(after, before.version, now):
        raise StaleVersion("These choices were changed right now.")


async def is_unsubscribed(ports: Ports, work: UnitOfWork, org_id: str, email: str) -> bool:
    """Whether a recipient of this organization wants no more of them."""
    lookups = ports.vault.lookups(email.lower())
    if not await work.telling.is_unsubscribed(org_id, lookups):
        return False
    if not await work.telling.is_unsubscribed(org_id, lookups[:1]):
        # An older key will be retired one day, and what it stored would be found no more.
        async with ports.unit_of_work() as writing:
            await writing.telling.move_unsubscribed(org_id, lookups, ports.clock())
            await writing.commit()
    return True
