"""All that is known of a person, for who asks for it."""

from __future__ import annotations

from typing import Any

from app.domain.errors import Invalid, NotFound
from app.domain.text_rules import is_email
from app.ports import Ports


async def export_person(ports: Ports, org_id: str, email: str) -> dict[str, Any]:
    """What one organization knows: as recipient, guest, client and user. Instants are epoch seconds. An address that is
    not known has empty lists."""
    address = email.strip().lower()
    if not is_email(address):
        raise Invalid.field("email", "This is not an e-mail address.")
    async with ports.read() as work:
        organization = await work.people.organization(org_id)
        found = await work.personal_data.export(org_id, address)
    name = organization.name if organization else ""
    return {"email": address, "organization": {"id": org_id, "name": name}, **found}


async def export_everywhere(ports: Ports, email: str) -> list[dict[str, Any]]:
    """Of all organizations on this server that know the address; `NotFound` when none does."""
    async with ports.read() as work:
        organizations = await work.personal_data.organizations()
    found = [await export_person(ports, org_id, email) for org_id in organizations]
    known = [each for each in found if any(each[name] for name in each.keys() - {"email", "organization"})]
    if not known:
        raise NotFound(f"Nothing is known of {email.strip().lower()}.")
    return known
