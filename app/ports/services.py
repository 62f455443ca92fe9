"""Services, who is qualified for them, and the resources they need."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from app.domain.services import Need, Resource, Service, ServiceHost
from app.ports.page import Page


@dataclass(frozen=True, slots=True)
class ServiceSearch:
    """What to look for among the active services: `text` is part of name, category or description, in any case (empty:
    everything), `category` the whole of it."""

    org_id: str
    text: str = ""
    category: str = ""
    sort: Literal["name", "price", "newest"] = "name"


class ServiceStore(Protocol):
    """Everything here narrows to one organization; what was deleted is not there."""

    async def add(self, service: Service) -> None: ...
    async def get(self, org_id: str, service_id: str, *, lock: bool = False) -> Service | None: ...
    async def some(self, org_id: str, service_ids: Collection[str]) -> Mapping[str, Service]:
        """Those of these services that are there, by id; one SELECT, none for none."""
        ...

    async def page(self, org_id: str, limit: int, cursor: str | None) -> Page[Service]: ...
    async def search(self, where: ServiceSearch, limit: int, cursor: str | None) -> Page[Service]:
        """One SELECT; those without a price come first where they are sorted by it."""
        ...

    async def update(self, service: Service) -> None: ...
    async def delete(self, service: Service, now: int) -> None: ...
    async def in_use(self, service_id: str) -> bool:
        """Whether a link offers it."""
        ...

    async def hosts(self, service_id: str) -> list[ServiceHost]:
        """The qualified people, by id."""
        ...

    async def put_hosts(self, service: Service, hosts: Sequence[ServiceHost]) -> None:
        """These people and no others, each in the role that the service's mode gives them."""
        ...

    async def people_of(self, service_ids: Sequence[str]) -> Mapping[str, int]:
        """How many people are qualified for each of these services; one SELECT."""
        ...

    async def needs(self, service_id: str) -> list[Need]:
        """The resources a booking takes, by id."""
        ...

    async def needs_of(self, service_ids: Sequence[str]) -> Mapping[str, list[Need]]:
        """The same of several services; one SELECT."""
        ...

    async def put_needs(self, service_id: str, needs: Sequence[Need]) -> None:
        """These resources and no others: all their units can be taken."""
        ...

    async def add_resource(self, resource: Resource) -> None:
        """The resource and a host for each unit."""
        ...

    async def resource(self, org_id: str, resource_id: str, *, lock: bool = False) -> Resource | None: ...
    async def resources(self, org_id: str, limit: int, cursor: str | None) -> Page[Resource]: ...
    async def update_resource(self, resource: Resource) -> None:
        """Names and number of the units follow: what needs the resource can take the new ones, and no more those that
        are gone. Bookings keep the unit they have."""
        ...

    async def delete_resource(self, resource: Resource, now: int) -> None: ...
    async def services_needing(self, resource_id: str) -> list[Service]:
        """The services that take units of a resource, by id."""
        ...

    async def bump(self, service_ids: Sequence[str], now: int) -> None:
        """The next version of services whose hosts changed: free times rest on it."""
        ...
