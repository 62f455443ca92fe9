"""What a user changes about their own account: name and zone, password, the browsers that are signed in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.domain.errors import Invalid
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.audit_changes import WITHHELD
from app.use_cases.manage_people import check_password
from app.use_cases.zone_names import canonical_zone


async def change_profile(ports: Ports, user: User, name: str, timezone: str) -> None:
    """The name others see, and the zone in which this user is told times; schedules keep their own zones."""
    if not name.strip():
        raise Invalid.field("name", "A user needs a name.")
    zone = canonical_zone(timezone)
    async with ports.unit_of_work() as work:
        await work.people.update_user(user.id, ports.clock(), name=name.strip(), timezone=zone)
        changes = {"timezone": [user.timezone, zone]} if zone != user.timezone else {}
        changes |= {"name": [WITHHELD, WITHHELD]} if name.strip() != user.name else {}
        await _audit(ports, work, user, "user.changed", changes)
        await work.commit()


async def change_password(ports: Ports, user: User, old: str, new: str) -> None:
    """A new password, for who knows the old one. All sessions end."""
    if not await ports.passwords.verify(user.password_hash, old):
        raise Invalid.field("old_password", "This is not your present password.")
    check_password(new)
    password_hash = await ports.passwords.hash(new)
    async with ports.unit_of_work() as work:
        await work.people.update_user(user.id, ports.clock(), password_hash=password_hash)
        await work.tokens.end_sessions(user.id)
        await _audit(ports, work, user, "user.password_changed")
        await work.commit()


async def sign_out_everywhere(ports: Ports, user: User) -> None:
    """All sessions end; app passwords, feeds and API tokens stay."""
    async with ports.unit_of_work() as work:
        await work.tokens.end_sessions(user.id)
        await _audit(ports, work, user, "user.signed_out_everywhere")
        await work.commit()


async def _audit(
    ports: Ports, work: UnitOfWork, user: User, action: str, changes: Mapping[str, Any] | None = None
) -> None:
    entry = AuditEntry(user.org_id, "user", user.id, action, "user", user.id, changes or {})
    await work.audit.write(entry, ports.clock())
