"""What somebody is to their organization: their name, their roles, and whether they are switched on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.domain.calendars import BUILTIN
from app.domain.errors import AlreadyExists, Forbidden, Invalid, NotFound
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.employees import Employee
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_accounts import rewrite_jobs
from app.use_cases.manage_people import ROLES
from app.use_cases.send_digest import digest_job

LIMITS = frozenset({"max_per_day", "max_per_week"})
LAST_ADMIN = "There must be somebody who runs the organization: make somebody else an admin first."


@dataclass(frozen=True, slots=True)
class _Change:
    """One person before and after."""

    before: Employee
    name: str
    roles: tuple[str, ...]
    is_active: bool

    @property
    def stays_admin(self) -> bool:
        return self.is_active and "admin" in self.roles

    @property
    def is_switched(self) -> bool:
        return self.is_active != self.before.is_active


async def change_person(ports: Ports, user: User, person_id: str, values: Mapping[str, Any]) -> Employee:
    """`values` are any of `name`, `roles`, `is_active`, for admins, and of `max_per_day` and `max_per_week` (None: no
    limit), for oneself too.

    Somebody who is switched off is signed out and cannot come back in by session, token, app password or feed; nothing
    of theirs is offered any more, and bookings they have stay until they are handed over. To switch them on again gives
    all of it back but their sessions. `AlreadyExists` for whoever is the last admin.
    """
    if "admin" not in user.roles and set(values) - LIMITS:
        raise Forbidden("Only admins change names and roles, and switch people on and off.")
    now = ports.clock()
    async with ports.unit_of_work() as work:
        admins = await _locked_admins(work, user, person_id)
        seen = await _person(work, user, person_id)
        change = _change(seen, values)
        if person_id in admins and not change.stays_admin and admins == {person_id}:
            raise AlreadyExists(LAST_ADMIN)
        await _write(work, user, change, values, now)
        changed = await _person(work, user, person_id)
        await work.commit()
    return changed


async def _person(work: UnitOfWork, user: User, person_id: str) -> Employee:
    found = await work.employees.get(user.org_id, person_id)
    if found is None:
        raise NotFound("There is no such person.")
    return found


async def _locked_admins(work: UnitOfWork, user: User, person_id: str) -> set[str]:
    """The active admins, whose rows and the person's are locked: of two admins who switch each other off one stays."""
    admins = await work.people.admins(user.org_id)
    if "admin" not in user.roles and person_id != user.id:
        raise NotFound("There is no such person.")
    await work.hosts.lock(sorted({*admins, person_id}))
    return set(await work.people.admins(user.org_id))


def _change(seen: Employee, values: Mapping[str, Any]) -> _Change:
    name = str(values.get("name", seen.name)).strip()
    roles = tuple(dict.fromkeys(values.get("roles", seen.roles)))
    if not name:
        raise Invalid.field("name", "A person needs a name.")
    if not roles or set(roles) - set(ROLES):
        raise Invalid.field("roles", f"Roles are among {', '.join(ROLES)}.")
    return _Change(seen, name, roles, bool(values.get("is_active", seen.is_active)))


async def _write(work: UnitOfWork, user: User, change: _Change, values: Mapping[str, Any], now: int) -> None:
    before = change.before
    renamed = {"name": change.name} if change.name != before.name else {}
    if renamed or change.roles != before.roles or change.is_switched:
        told = {"roles": list(change.roles), "is_active": change.is_active}
        await work.people.update_user(before.id, now, **told, **renamed)
    if change.is_switched:
        await work.hosts.bump([before.id])
        await work.links.renew(before.id, now)
        if change.is_active:
            await _resume(work, before.id, now)
        else:
            await work.tokens.end_sessions(before.id)
    limits = {name: values[name] for name in LIMITS & set(values)}
    if limits:
        most = [limits.get(name, getattr(before, name)) for name in ("max_per_day", "max_per_week")]
        await work.employees.limit(before.id, *most)
    for action, changes in _entries(change, limits):
        await work.audit.write(AuditEntry(user.org_id, "user", user.id, action, "host", before.id, changes), now)


async def _resume(work: UnitOfWork, person_id: str, now: int) -> None:
    """What ended, or was left undone, while they were switched off: their digests, and the events of their bookings in
    a connected calendar."""
    person = await work.people.user(person_id)
    if person is None:
        raise LookupError(f"person {person_id} is gone")
    calendars = await work.calendars.calendars_of(person_id)
    if any(each.is_write and each.provider != BUILTIN for each in calendars):
        await work.outbox.enqueue(await rewrite_jobs(work, person, now), now)
    settings = await work.telling.settings(person_id, person.org_id)
    due = settings.next_digest(person.timezone, now)
    if due is not None:
        await work.outbox.enqueue([digest_job(person.org_id, person_id, due)], now)


def _entries(change: _Change, limits: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """What the audit log says. A name is personal: that it changed is enough."""
    found: list[tuple[str, dict[str, Any]]] = []
    if limits:
        found.append(("employee.limited", dict(limits)))
    if change.roles != change.before.roles:
        found.append(("employee.roles_changed", {"roles": [list(change.before.roles), list(change.roles)]}))
    if change.name != change.before.name:
        found.append(("employee.renamed", {}))
    if change.is_switched:
        found.append(("employee.activated" if change.is_active else "employee.deactivated", {}))
    return found
