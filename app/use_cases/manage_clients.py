"""Look at clients, correct what is known of them, and join two that are one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.clients import Client, Identity, email_key, phone_key
from app.domain.errors import Forbidden, Invalid, NotFound, StaleVersion
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.file_clients import join_clients
from app.use_cases.idempotency import Replay, remember


def scope_of(user: User) -> str | None:
    """Whose bookings decide which clients the user sees; None: an admin sees all."""
    if "admin" in user.roles:
        return None
    if "owner" not in user.roles:
        raise Forbidden("Only owners and admins see clients.")
    return user.id


async def found_client(work: UnitOfWork, user: User, client_id: str, *, lock: bool = False) -> Client:
    """A client with a booking the user owns or hosts; for admins any of the organization. `NotFound` for the rest."""
    scope = scope_of(user)
    client = await work.clients.get(user.org_id, client_id, lock=lock)
    if client is None or (scope is not None and not await work.clients.sees(scope, client.id)):
        raise NotFound("There is no such client.")
    return client


async def client_known_as(work: UnitOfWork, user: User, text: str) -> Client:
    """The client with this e-mail address or phone number; `NotFound` when there is none."""
    number = phone_key(text)
    wanted: list[Identity] = [("email", email_key(text))]
    if number is not None:
        wanted.append(("phone", number))
    found = await work.clients.known_by(user.org_id, wanted)
    if not found:
        raise NotFound("No client is known by this address or number.")
    return found[0]


async def change_client(
    ports: Ports, user: User, client_id: str, values: Mapping[str, Any], version: int | None = None
) -> Client:
    """Any subset of name, phone and notes. `AlreadyExists` when another client has the number."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        client = await _locked(work, user, client_id, version)
        changed = replace(client, **values, version=client.version + 1, updated_at=now)
        if "phone" in values:
            changed = _with_phone(changed, client.phone)
        await work.clients.update(changed)
        await _audit(work, user, "client.changed", client, {"fields": sorted(values)}, now)
        await work.commit()
    return changed


def _with_phone(client: Client, former: str | None) -> Client:
    """Known by the new number instead of the one that was shown."""
    old, new = phone_key(former or ""), phone_key(client.phone or "")
    if client.phone and new is None:
        raise Invalid.field("phone", "This number is too short.")
    kept = [identity for identity in client.identities if identity != ("phone", old)]
    if new is not None:
        kept.append(("phone", new))
    return replace(client, identities=tuple(dict.fromkeys(kept)))


async def merge_clients(
    ports: Ports,
    user: User,
    client_id: str,
    other_id: str,
    version: int | None = None,
    replay: Replay[Client] | None = None,
) -> Client:
    """The other one's bookings, addresses, numbers and notes become this one's, and the other one is gone. For
    admins."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        client = await _locked(work, user, client_id, version)
        if other_id == client.id:
            raise Invalid.field("client", "This is the same client.")
        other = await work.clients.get(user.org_id, other_id)
        if other is None:
            raise Invalid.field("client", "There is no such client.")
        joined = await join_clients(work, client, other, now)
        await _audit(work, user, "client.merged", client, {"client": other.id}, now)
        await remember(work, replay, joined, now)
        await work.commit()
    return joined


async def _locked(work: UnitOfWork, user: User, client_id: str, version: int | None) -> Client:
    client = await found_client(work, user, client_id, lock=True)
    if version is not None and version != client.version:
        raise StaleVersion(f"The client is at version {client.version} by now.")
    return client


async def _audit(
    work: UnitOfWork, user: User, action: str, client: Client, changes: Mapping[str, Any], now: int
) -> None:
    await work.audit.write(AuditEntry(user.org_id, "user", user.id, action, "client", client.id, changes), now)
