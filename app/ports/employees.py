"""The people of an organization as hosts: what they may be booked for, and how often."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from app.ports.page import Page


@dataclass(frozen=True, slots=True)
class Employee:
    """Somebody who can be booked. The limits (None: no limit) count the bookings of all links and services together, a
    local date and an ISO week of their usual schedule; `service_ids` are what they are qualified for."""

    id: str
    name: str
    email: str
    handle: str
    roles: tuple[str, ...]
    timezone: str
    is_active: bool
    max_per_day: int | None
    max_per_week: int | None
    service_ids: tuple[str, ...] = ()


class EmployeeStore(Protocol):
    """Everything here narrows to one organization."""

    async def page(self, org_id: str, limit: int, cursor: str | None) -> Page[Employee]:
        """By id, in two SELECTs."""
        ...

    async def get(self, org_id: str, employee_id: str) -> Employee | None: ...
    async def limit(self, employee_id: str, max_per_day: int | None, max_per_week: int | None) -> None: ...
