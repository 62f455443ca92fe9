"""All that is known of a person, for who asks for it: JSON that is made page by page, however much it is."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Any

from app.domain.errors import Invalid, NotFound
from app.domain.text_rules import is_email
from app.ports import Ports
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.unsubscribe import is_unsubscribed

SCHEMA_VERSION = 2
"""Rises whenever a program that reads exports could stumble over a change."""
PAGE = 500
ONE = frozenset({"user"})
"""Sections of one row at most, told as an object or null."""


async def export_person(ports: Ports, org_id: str, email: str) -> dict[str, Any]:
    """What one organization knows: as recipient, guest, client and user. Instants are epoch seconds. An address that is
    not known has empty lists."""
    pieces = [piece async for piece in export_text(ports, org_id, email)]
    found: dict[str, Any] = json.loads("".join(pieces))
    return found


def checked_address(email: str) -> str:
    """As it is looked for; `Invalid` for what is none."""
    address = email.strip().lower()
    if not is_email(address):
        raise Invalid.field("email", "This is not an e-mail address.")
    return address


async def export_text(ports: Ports, org_id: str, email: str) -> AsyncIterator[str]:
    """The same as JSON, in pieces of a bounded length; no connection is held while one is taken away."""
    address = checked_address(email)
    async with ports.read() as work:
        organization = await work.people.organization(org_id)
        addresses = await _addresses(work, org_id, address)
        sections = work.personal_data.sections
        unsubscribed = [await is_unsubscribed(ports, work, org_id, each) for each in addresses]
    head = {
        "schema_version": SCHEMA_VERSION,
        "email": address,
        "addresses": addresses,
        "organization": {"id": org_id, "name": organization.name if organization else ""},
        "unsubscribed": any(unsubscribed),
    }
    yield json.dumps(head)[:-1]
    for section in sections:
        yield f', "{section}": '
        async for piece in _section(ports, org_id, addresses, section):
            yield piece
    yield "}"


async def _section(ports: Ports, org_id: str, addresses: list[str], section: str) -> AsyncIterator[str]:
    after: tuple[Any, ...] = ()
    separator = ""
    yield "" if section in ONE else "["
    while True:
        async with ports.read() as work:
            rows, after = await work.personal_data.export(org_id, addresses, section, after, PAGE)
        if section in ONE:
            yield json.dumps(rows[0] if rows else None)
            return
        if rows:
            yield separator + ", ".join(json.dumps(row) for row in rows)
            separator = ", "
        if not after:
            yield "]"
            return


async def knows(ports: Ports, org_id: str, email: str) -> bool:
    """Whether an export would tell anything."""
    address = checked_address(email)
    async with ports.read() as work:
        addresses = await _addresses(work, org_id, address)
        for section in work.personal_data.sections:
            rows, _ = await work.personal_data.export(org_id, addresses, section, (), 1)
            if rows:
                return True
    return False


async def _addresses(work: UnitOfWork, org_id: str, address: str) -> list[str]:
    """The one that was asked for, then the others of the same client."""
    return [address, *(each for each in await work.personal_data.addresses_of(org_id, address) if each != address)]


async def export_everywhere(ports: Ports, email: str) -> list[dict[str, Any]]:
    """Of all organizations on this server that know the address; `NotFound` when none does."""
    async with ports.read() as work:
        organizations = await work.personal_data.organizations()
    known = [await export_person(ports, each, email) for each in organizations if await knows(ports, each, email)]
    if not known:
        raise NotFound(f"Nothing is known of {email.strip().lower()}.")
    return known
