"""Whom a person lets into their calendars."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from app.domain.errors import Invalid
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.published import DavPerson
from app.use_cases.calendar_objects import StoragePorts

ProxyAccess = Literal["read", "write"]


async def choose_assistants(ports: StoragePorts, owner: DavPerson, access: ProxyAccess, handles: Sequence[str]) -> None:
    """Let just these people read, or write, the owner's calendars; `NotFound` for anybody who is not of the same
    organization. Somebody who gets one right loses the other."""
    async with ports.unit_of_work() as work:
        await work.hosts.lock([owner.id])  # two devices that choose at once
        await work.calendars.delegate(owner, access, list(dict.fromkeys(handles)))
        await work.audit.write(_entry(owner, {access: [None, sorted(handles)]}), ports.clock())
        await work.commit()


async def let_in(ports: StoragePorts, user: User, email: str, access: ProxyAccess | None) -> None:
    """Let one colleague in, or out again (None). `Invalid` for an address that is no colleague's."""
    owner = DavPerson(user.id, user.org_id, user.handle, user.email, user.name, user.timezone)
    async with ports.unit_of_work() as work:
        colleague = await work.people.user_by_email(email)
        if colleague is None or colleague.org_id != user.org_id or colleague.id == user.id or not colleague.is_active:
            raise Invalid.field("email", "Nobody else of your organization has this address.")
        await work.hosts.lock([owner.id])
        await work.calendars.let_in(owner, colleague.id, access)
        await work.audit.write(_entry(owner, {access or "none": [colleague.handle]}), ports.clock())
        await work.commit()


def _entry(owner: DavPerson, changes: dict[str, list[Any]]) -> AuditEntry:
    return AuditEntry(owner.org_id, "user", owner.id, "calendars.delegated", "user", owner.id, changes)
