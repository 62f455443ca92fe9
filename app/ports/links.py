"""Links, what decides about the times they offer, one-time links and templates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from app.domain.links import Link, OneTimeLink
from app.domain.money import Price
from app.domain.rules import Along
from app.domain.services import HostRole
from app.domain.templates import Template
from app.ports.hosts import ScheduleRecord
from app.ports.page import Page
from app.ports.people import Organization


@dataclass(frozen=True, slots=True)
class LinkHost:
    """A host of a link with what decides about it: `judged_until` is the instant until which its calendars count
    as read (None: it has none to read); past it the host is not offered. `role`: all `fixed` hosts take a booking, one
    of the `pool`, and of the units of each resource as many as are `needed`. `durations` (minutes) are those the host
    takes, None all; `read_at` is when the calendar that was not read for longest was (0: never)."""

    host_id: str
    name: str
    kind: str
    email: str
    revision: int
    priority: int
    schedule: ScheduleRecord | None
    max_per_day: int | None
    max_per_week: int | None
    judged_until: int | None
    role: HostRole = "fixed"
    needed: int = 1
    durations: tuple[int, ...] | None = None
    resource_id: str | None = None
    read_at: int | None = None


@dataclass(frozen=True, slots=True)
class LinkContext:
    """All that one SELECT says about a link: itself (with what its service sets for it), its organization, template,
    hosts and their revisions. `service` is (id, version) of the service it offers."""

    link: Link
    organization: Organization
    hosts: tuple[LinkHost, ...]
    template: Template | None
    one_time: OneTimeLink | None
    service: tuple[str, int] | None = None
    price: Price | None = None
    blocks: bool = False
    """Whether the organization keeps a list of those who may not book at all."""
    capacity: int = 1
    """The seats of a session of the service it offers; 1: every booking has a time of its own."""
    is_scheduled: bool = False
    """Nothing but the sessions that staff made is offered."""
    through: str | None = None
    """A session that goes with the only booking in it, which is being moved: it is in nobody's way."""
    along: tuple[Along, ...] | None = None
    """Of a session that is being moved: the bookings that come along, by link, which limits count where it goes."""

    @property
    def has_sessions(self) -> bool:
        """Whether seats are taken in sessions."""
        return self.capacity > 1 or self.is_scheduled

    def stamp(self, now: int) -> tuple[object, ...]:
        """Equal stamps mean equal free times, but for the passing of time itself."""
        return (
            self.link.id,
            self.link.version,
            self.link.is_active,
            self.service and self.service[1],
            self.one_time and (self.one_time.id, self.one_time.status),
            tuple(
                (
                    host.host_id,
                    host.revision,
                    host.schedule and (host.schedule.id, host.schedule.version),
                    host.max_per_day,
                    host.max_per_week,
                    host.judged_until is not None and host.judged_until <= now,
                )
                for host in self.hosts
            ),
        )


class LinkStore(Protocol):
    """Links, one-time links and templates."""

    async def add(self, link: Link, hosts: Sequence[tuple[str, int]]) -> None:
        """Store with its hosts as (host id, priority); a taken slug is `AlreadyExists`."""
        ...

    async def get(self, org_id: str, link_id: str, *, lock: bool = False) -> Link | None: ...
    async def page(self, org_id: str, owner_id: str | None, limit: int, cursor: str | None) -> Page[Link]: ...
    async def update(self, link: Link) -> None: ...
    async def of_owner(self, org_id: str, owner_id: str) -> list[Link]:
        """All links of somebody, by id."""
        ...

    async def hand_over(self, link: Link, former_id: str) -> None:
        """Its owner takes the place that the former one has among its hosts, if they have one."""
        ...

    async def renew(self, owner_id: str, now: int) -> None:
        """The next version of somebody's links: free times rest on it."""
        ...

    async def delete(self, org_id: str, link_id: str, now: int) -> None: ...

    async def context(self, token: str, *, lock: bool = False) -> LinkContext | None:
        """By public token (`org.slug` or a one-time token), in one SELECT. With `lock` the one-time row and the
        hosts' rows, in id order, stay locked until the end of the transaction.

        People who are switched off are none of its hosts; when its owner is, or nobody is left of a group that is
        needed, the link is as if it were switched off."""
        ...

    async def stamp(self, token: str, now: int) -> tuple[object, ...] | None:
        """`LinkContext.stamp` by the narrowest SELECT there is; the hot path of an unchanged answer."""
        ...

    async def context_of(self, link_id: str) -> LinkContext | None:
        """None when the link is gone, or nobody is left who takes it."""
        ...

    async def context_of_service(self, org_id: str, service_id: str, *, lock: bool = False) -> LinkContext | None:
        """The context of a service itself, for those who book it without a link; its link is not stored."""
        ...

    async def context_over(self, link: Link, host_ids: Sequence[str]) -> LinkContext | None:
        """The context of a link that is not stored, over these hosts of its organization with their default schedules;
        None when they are not there."""
        ...

    async def add_one_time(self, one_time: OneTimeLink) -> None: ...
    async def one_time(self, org_id: str, one_time_id: str) -> OneTimeLink | None: ...
    async def one_times(
        self, link_id: str, limit: int, cursor: str | None, *, newest_first: bool = False
    ) -> Page[OneTimeLink]: ...
    async def consume_one_time(self, one_time_id: str, booking_id: str, now: int) -> bool:
        """The conditional update that only one booking wins."""
        ...

    async def revive_one_time(self, one_time_id: str, booking_id: str) -> None: ...
    async def revoke_one_time(self, one_time_id: str) -> bool: ...

    async def add_template(self, template: Template) -> None: ...
    async def template(self, org_id: str, template_id: str, *, lock: bool = False) -> Template | None: ...
    async def templates(self, org_id: str, limit: int, cursor: str | None) -> Page[Template]: ...
    async def update_template(self, template: Template) -> None: ...
    async def delete_template(self, org_id: str, template_id: str) -> None: ...
