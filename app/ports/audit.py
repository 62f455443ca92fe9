"""Who changed what, from where."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any, Protocol

from app.ports.page import Page


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a change came from. `via`: api, page, caldav, calendar (one that is connected), mail, hook, command or
    system. `address` is the network alone, `agent` the family of the program (`Firefox on Linux`)."""

    via: str
    address: str | None = None
    agent: str | None = None


ORIGIN: ContextVar[Callable[[], Origin]] = ContextVar("origin", default=lambda: Origin("system"))
"""Set at the edge: by what takes requests, the worker for each job, the command line. It is asked for when an entry is
written, so that a request that changes nothing costs nothing."""


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """Who changed what. `changes` holds ids, states, times and the settings of what the organization offers; no
    personal data, which stays where it can be erased."""

    org_id: str
    actor_kind: str  # user | recipient | system | device | stranger
    actor_id: str | None
    action: str
    entity: str
    entity_id: str
    changes: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AuditFilter:
    """What to list of an organization's log; None is everything. `start` and `end` are instants, half-open."""

    org_id: str
    actor_id: str | None = None
    action: str | None = None
    entity: str | None = None
    entity_id: str | None = None
    start: int | None = None
    end: int | None = None


@dataclass(frozen=True, slots=True)
class AuditRow:
    """An entry of the log. `actor_name` is looked up as it is now: None for what is gone or erased."""

    id: str
    at: int
    actor_kind: str
    actor_id: str | None
    actor_name: str | None
    action: str
    entity: str
    entity_id: str
    changes: Mapping[str, Any]
    origin: Origin | None


class AuditLog(Protocol):
    """Append-only."""

    async def write(self, entry: AuditEntry, now: int) -> None:
        """With where it comes from (`ORIGIN`)."""
        ...

    async def of_entity(self, org_id: str, entity_id: str) -> list[Mapping[str, Any]]: ...
    async def page(self, where: AuditFilter, limit: int, cursor: str | None) -> Page[AuditRow]:
        """Newest first; three statements whatever its length."""
        ...

    async def purge(self, org_id: str, before: int, limit: int) -> int:
        """Forget entries older than that, at most `limit` of them; how many went. The database refuses those that the
        organization still keeps."""
        ...
