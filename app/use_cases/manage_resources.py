"""Make, change and withdraw resources: rooms, chairs, equipment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from app.domain.errors import AlreadyExists, Invalid, NotFound, StaleVersion
from app.domain.services import Resource
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.audit_changes import difference
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id

MAX_QUANTITY = 200
DEFAULTS: Mapping[str, Any] = {"kind": "room", "description": "", "color": None, "quantity": 1}


async def create_resource(
    ports: Ports, user: User, values: Mapping[str, Any], replay: Replay[Resource] | None = None
) -> Resource:
    """A resource of the organization; `values` are `Resource` fields."""
    now = ports.clock()
    made = {"id": new_id(), "org_id": user.org_id, "version": 1, "created_at": now, "updated_at": now}
    resource = Resource(**{**DEFAULTS, **values, **made})
    _check(resource)
    async with ports.unit_of_work() as work:
        await work.services.add_resource(resource)
        await _audit(work, user, "resource.created", resource, difference(None, resource), now)
        await remember(work, replay, resource, now)
        await work.commit()
    return resource


async def change_resource(
    ports: Ports, user: User, resource_id: str, values: Mapping[str, Any], version: int | None = None
) -> Resource:
    """Any subset of the writable fields. There cannot be fewer than a service needs; bookings of units that go keep
    them."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        resource = await _locked(work, user, resource_id, version)
        changed = replace(resource, **values, version=resource.version + 1, updated_at=now)
        _check(changed)
        services = await work.services.services_needing(resource.id)
        for service in services:
            need = next(each for each in await work.services.needs(service.id) if each.resource_id == resource.id)
            if need.units > changed.quantity:
                raise Invalid.field("quantity", f"“{service.name}” needs {need.units}.")
        await work.services.update_resource(changed)
        await work.services.bump([service.id for service in services], now)
        await _audit(work, user, "resource.changed", resource, difference(resource, changed), now)
        await work.commit()
    return changed


async def delete_resource(ports: Ports, user: User, resource_id: str, version: int | None = None) -> None:
    """The resource is gone for everybody; bookings keep it. `AlreadyExists` while a service needs it."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        resource = await _locked(work, user, resource_id, version)
        if services := await work.services.services_needing(resource.id):
            raise AlreadyExists(f"“{services[0].name}” needs this; take it from the service first.")
        await work.services.delete_resource(resource, now)
        await _audit(work, user, "resource.deleted", resource, {}, now)
        await work.commit()


async def found_resource(work: UnitOfWork, user: User, resource_id: str, *, lock: bool = False) -> Resource:
    """A resource of the user's organization."""
    resource = await work.services.resource(user.org_id, resource_id, lock=lock)
    if resource is None:
        raise NotFound("There is no such resource.")
    return resource


async def _locked(work: UnitOfWork, user: User, resource_id: str, version: int | None) -> Resource:
    resource = await found_resource(work, user, resource_id, lock=True)
    if version is not None and version != resource.version:
        raise StaleVersion(f"The resource is at version {resource.version} by now.")
    return resource


def _check(resource: Resource) -> None:
    if not resource.name.strip():
        raise Invalid.field("name", "A resource needs a name.")
    if not 1 <= resource.quantity <= MAX_QUANTITY:
        raise Invalid.field("quantity", f"There are 1 to {MAX_QUANTITY} of it.")


async def _audit(
    work: UnitOfWork, user: User, action: str, resource: Resource, changes: Mapping[str, Any], now: int
) -> None:
    await work.audit.write(AuditEntry(user.org_id, "user", user.id, action, "resource", resource.id, changes), now)
