"""Services, who is qualified for them, and the resources they need.

`offer_hosts` holds both: the people in the role the service's mode gives them, and as `unit` every unit of the
resources. So one join tells all hosts of an offer, and there is one place that says who they are.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from sqlalchemy import Select, and_, delete, exists, func, insert, null, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.rows import page_by_id
from app.domain.cursors import decode_cursor, encode_cursor
from app.domain.locations import Location
from app.domain.reminders import reminders_of, stored_reminders
from app.domain.services import Need, Resource, Service, ServiceHost, role_of, unit_names
from app.ports.page import Page
from app.ports.services import ServiceSearch
from app.use_cases.ids import new_id

_MADE = {"durations", "location", "reminders"}
_SERVICE_FIELDS = [name for name in Service.__dataclass_fields__ if name not in _MADE]
_services, _resources, _offered, _hosts = m.services.c, m.resources.c, m.offer_hosts.c, m.hosts.c


class SqlServiceStore:
    """`ServiceStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def add(self, service: Service) -> None:
        await self._db.execute(insert(m.services).values(**_service_values(service)))

    async def get(self, org_id: str, service_id: str, *, lock: bool = False) -> Service | None:
        query = select(m.services).where(
            _services.id == service_id, _services.org_id == org_id, _services.deleted_at.is_(None)
        )
        row = (await self._db.execute(self._locked(query) if lock else query)).one_or_none()
        return service_record(row._mapping) if row else None

    async def some(self, org_id: str, service_ids: Collection[str]) -> Mapping[str, Service]:
        if not service_ids:
            return {}
        query = select(m.services).where(
            _services.org_id == org_id, _services.id.in_(list(service_ids)), _services.deleted_at.is_(None)
        )
        return {row.id: service_record(row._mapping) for row in await self._db.execute(query)}

    async def page(self, org_id: str, limit: int, cursor: str | None) -> Page[Service]:
        query = select(m.services).where(_services.org_id == org_id, _services.deleted_at.is_(None))
        rows = (await self._db.execute(page_by_id(query, _services.id, limit, cursor))).all()
        items = tuple(service_record(row._mapping) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def search(self, where: ServiceSearch, limit: int, cursor: str | None) -> Page[Service]:
        key, found = _sort_key(where.sort, _services), m.services.alias("last")
        query = select(m.services).where(
            _services.org_id == where.org_id, _services.deleted_at.is_(None), _services.is_active
        )
        if where.text:
            fields = (_services.name, _services.category, _services.description)
            query = query.where(
                or_(*(func.lower(each).contains(where.text.lower(), autoescape=True) for each in fields))
            )
        if where.category:
            query = query.where(func.lower(_services.category) == where.category.lower())
        newest_first = where.sort == "newest"
        if cursor is not None:
            last_id = decode_cursor(cursor, "id")[0]
            last = select(_sort_key(where.sort, found.c)).where(found.c.id == last_id).scalar_subquery()
            behind = (
                _services.id < last_id if newest_first else or_(key > last, and_(key == last, _services.id > last_id))
            )
            query = query.where(behind)
        query = query.order_by(_services.id.desc()) if newest_first else query.order_by(key, _services.id)
        rows = (await self._db.execute(query.limit(limit + 1))).all()
        items = tuple(service_record(row._mapping) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def update(self, service: Service) -> None:
        await self._db.execute(update(m.services).where(_services.id == service.id).values(**_service_values(service)))

    async def delete(self, service: Service, now: int) -> None:
        await self._db.execute(
            update(m.services)
            .where(_services.id == service.id)
            .values(deleted_at=now, is_active=False, updated_at=now, version=service.version + 1)
        )

    async def in_use(self, service_id: str) -> bool:
        links = m.links.c
        return bool(
            await self._db.scalar(select(exists().where(links.service_id == service_id, links.deleted_at.is_(None))))
        )

    async def hosts(self, service_id: str) -> list[ServiceHost]:
        query = (
            select(_offered.host_id, _offered.role, _offered.priority, _offered.schedule_id, _offered.durations)
            .where(_offered.offer_id == service_id, _offered.role != "unit")
            .order_by(_offered.host_id)
        )
        return [
            ServiceHost(host_id, role == "fixed", priority, schedule_id, durations and tuple(durations))
            for host_id, role, priority, schedule_id, durations in await self._db.execute(query)
        ]

    async def put_hosts(self, service: Service, hosts: Sequence[ServiceHost]) -> None:
        await self._db.execute(delete(m.offer_hosts).where(_offered.offer_id == service.id, _offered.role != "unit"))
        rows = [
            {
                "offer_id": service.id,
                "host_id": host.host_id,
                "role": role_of(service.mode, host),
                "priority": host.priority,
                "schedule_id": host.schedule_id,
                "durations": host.durations and list(host.durations),
            }
            for host in hosts
        ]
        if rows:
            await self._db.execute(insert(m.offer_hosts), rows)

    async def people_of(self, service_ids: Sequence[str]) -> Mapping[str, int]:
        query = (
            select(_offered.offer_id, func.count())
            .where(_offered.offer_id.in_(list(service_ids)), _offered.role != "unit")
            .group_by(_offered.offer_id)
        )
        return {row[0]: row[1] for row in await self._db.execute(query)}

    async def needs(self, service_id: str) -> list[Need]:
        return (await self.needs_of([service_id])).get(service_id, [])

    async def needs_of(self, service_ids: Sequence[str]) -> Mapping[str, list[Need]]:
        query = (
            select(_offered.offer_id, _hosts.resource_id, func.max(_offered.needed))
            .join_from(m.offer_hosts, m.hosts, _hosts.id == _offered.host_id)
            .where(_offered.offer_id.in_(list(service_ids)), _offered.role == "unit")
            .group_by(_offered.offer_id, _hosts.resource_id)
            .order_by(_offered.offer_id, _hosts.resource_id)
        )
        found: dict[str, list[Need]] = {}
        for service_id, resource_id, units in await self._db.execute(query):
            found.setdefault(service_id, []).append(Need(resource_id, units))
        return found

    async def put_needs(self, service_id: str, needs: Sequence[Need]) -> None:
        await self._db.execute(delete(m.offer_hosts).where(_offered.offer_id == service_id, _offered.role == "unit"))
        for need in needs:
            await self._db.execute(
                insert(m.offer_hosts),
                [_unit(service_id, unit_id, need.units) for unit_id in await self._units(need.resource_id)],
            )

    async def add_resource(self, resource: Resource) -> None:
        await self._db.execute(insert(m.resources).values(**_resource_values(resource)))
        await self._add_units(resource, 1)

    async def resource(self, org_id: str, resource_id: str, *, lock: bool = False) -> Resource | None:
        query = select(m.resources).where(
            _resources.id == resource_id, _resources.org_id == org_id, _resources.deleted_at.is_(None)
        )
        row = (await self._db.execute(self._locked(query) if lock else query)).one_or_none()
        return _resource(row._mapping) if row else None

    async def resources(self, org_id: str, limit: int, cursor: str | None) -> Page[Resource]:
        query = select(m.resources).where(_resources.org_id == org_id, _resources.deleted_at.is_(None))
        rows = (await self._db.execute(page_by_id(query, _resources.id, limit, cursor))).all()
        items = tuple(_resource(row._mapping) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def update_resource(self, resource: Resource) -> None:
        await self._db.execute(
            update(m.resources).where(_resources.id == resource.id).values(**_resource_values(resource))
        )
        of_it = _hosts.resource_id == resource.id
        gone = select(_hosts.id).where(of_it, _hosts.unit > resource.quantity)
        await self._db.execute(delete(m.offer_hosts).where(_offered.host_id.in_(gone)))
        present = set(await self._db.scalars(select(_hosts.unit).where(of_it)))
        await self._add_units(resource, len(present) + 1)
        for number, name in enumerate(unit_names(resource.name, resource.quantity), 1):
            await self._db.execute(
                update(m.hosts)
                .where(of_it, _hosts.unit == number)
                .values(name=name, bookings_revision=_hosts.bookings_revision + 1)
            )
        await self._offer_units(resource)

    async def _add_units(self, resource: Resource, first: int) -> None:
        rows = [
            {
                "id": new_id(),
                "org_id": resource.org_id,
                "kind": "resource",
                "name": name,
                "resource_id": resource.id,
                "unit": number,
            }
            for number, name in enumerate(unit_names(resource.name, resource.quantity), 1)
            if number >= first
        ]
        if rows:
            await self._db.execute(insert(m.hosts), rows)

    async def _offer_units(self, resource: Resource) -> None:
        """Every service that takes units of the resource can take all of them."""
        units = await self._units(resource.id)
        offered = (
            select(_offered.offer_id, func.max(_offered.needed))
            .where(_offered.host_id.in_(units))
            .group_by(_offered.offer_id)
        )
        for offer_id, needed in (await self._db.execute(offered)).all():
            known = set(
                await self._db.scalars(
                    select(_offered.host_id).where(_offered.offer_id == offer_id, _offered.host_id.in_(units))
                )
            )
            rows = [_unit(offer_id, unit_id, needed) for unit_id in units if unit_id not in known]
            if rows:
                await self._db.execute(insert(m.offer_hosts), rows)

    async def delete_resource(self, resource: Resource, now: int) -> None:
        await self._db.execute(
            update(m.resources)
            .where(_resources.id == resource.id)
            .values(deleted_at=now, updated_at=now, version=resource.version + 1)
        )

    async def services_needing(self, resource_id: str) -> list[Service]:
        needed = (
            select(_offered.offer_id)
            .join(m.hosts, _hosts.id == _offered.host_id)
            .where(_hosts.resource_id == resource_id, _offered.role == "unit")
        )
        query = select(m.services).where(_services.id.in_(needed), _services.deleted_at.is_(None))
        rows = await self._db.execute(query.order_by(_services.id))
        return [service_record(row._mapping) for row in rows]

    async def bump(self, service_ids: Sequence[str], now: int) -> None:
        await self._db.execute(
            update(m.services)
            .where(_services.id.in_(list(service_ids)))
            .values(version=_services.version + 1, updated_at=now)
        )

    async def _units(self, resource_id: str) -> list[str]:
        """The hosts that are the resource's units, without those that are left over from a larger number."""
        query = (
            select(_hosts.id)
            .join(m.resources, and_(_resources.id == _hosts.resource_id, _hosts.unit <= _resources.quantity))
            .where(_hosts.resource_id == resource_id)
            .order_by(_hosts.unit)
        )
        return list(await self._db.scalars(query))

    def _locked(self, query: Select[Any]) -> Select[Any]:
        """On SQLite the transaction holds the write lock already. `key_share` lets others refer to the row."""
        return query if self._db.dialect.name == "sqlite" else query.with_for_update(key_share=True)


def _sort_key(sort: str, services: Any) -> Any:
    """By name in any case, or by price; what is newest has the highest id."""
    return func.coalesce(services.price, 0) if sort == "price" else func.lower(services.name)


def _unit(offer_id: str, host_id: str, needed: int) -> dict[str, Any]:
    return {"offer_id": offer_id, "host_id": host_id, "role": "unit", "needed": needed}


def service_record(row: Mapping[Any, Any], prefix: str = "") -> Service:
    """A service from a row, or from the part of a joined row whose labels begin with `prefix`."""
    return Service(
        **{name: row[prefix + name] for name in _SERVICE_FIELDS},
        durations=tuple(row[prefix + "durations"]),
        location=Location(**row[prefix + "location"]),
        reminders=reminders_of(row[prefix + "reminders"]),
    )


def _service_values(service: Service) -> dict[str, Any]:
    return {
        **{name: getattr(service, name) for name in _SERVICE_FIELDS},
        "durations": list(service.durations),
        "location": {"kind": service.location.kind, "value": service.location.value},
        "reminders": null() if service.reminders is None else stored_reminders(service.reminders),
    }


def _resource(row: Mapping[Any, Any]) -> Resource:
    return Resource(**{name: row[name] for name in Resource.__dataclass_fields__})


def _resource_values(resource: Resource) -> dict[str, Any]:
    return {name: getattr(resource, name) for name in Resource.__dataclass_fields__}
