"""A migrated database with a workspace that several real processes serve."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.db import models as m
from app.db.migrate import migrate
from app.domain.links import Link
from app.domain.services import Need, ServiceHost
from app.ports.people import User
from app.use_cases.manage_resources import create_resource
from app.use_cases.manage_services import create_service
from app.use_cases.manage_tokens import create_api_token, create_app_password
from tests.faults.journal import DAY, keep_journal
from tests.faults.processes import Program, Server, make_programs
from tests.faults.storm import Offer
from tests.support.clock import Clock
from tests.support.workspace import Workspace, make_workspace, opened

PASSWORD = "storm-device-password-0123456789"
DAYS_AHEAD = 3


@dataclass
class Site:
    """The processes, and the same database from the test's own side. `day` is the Monday that the storm begins on."""

    workspace: Workspace
    programs: Sequence[Program]
    day: int

    @property
    def urls(self) -> list[str]:
        """The servers' addresses."""
        return [program.url for program in self.programs if isinstance(program, Server)]

    async def offer(self, slug: str, owner: User | None = None, **values: Any) -> Offer:
        """A new link of one host."""
        link = await self.workspace.link(slug, owner, **values)
        return self.offered(link, (owner or self.workspace.owner).id)

    async def shared_offer(self, mode: str, hosts: Sequence[User], slug: str, **values: Any) -> Offer:
        """A new link of several hosts."""
        return self.offered(await self.workspace.shared_link(mode, hosts, slug, **values))

    async def service_offers(self, people: Sequence[User], rooms: int, slugs: Sequence[str]) -> list[Offer]:
        """A link and a service for each slug, by any of the people in one of the same rooms."""
        ports, admin = self.workspace.ports, self.workspace.owner
        room = await create_resource(ports, admin, {"name": "Room", "quantity": rooms})
        qualified = [ServiceHost(person.id) for person in people]
        made = []
        for slug in slugs:
            values = {"name": slug, "durations": (30,)}
            service = await create_service(ports, admin, values, [Need(room.id)], qualified)
            made.append(self.offered(await self.workspace.link(slug, service_id=service.id)))
        return made

    def offered(self, link: Link, host: str = "", token: str | None = None) -> Offer:
        """A link as the storm needs it."""
        (minutes, *_) = link.durations
        step = link.step or minutes
        token = token or self.workspace.token(link)
        return Offer(token, minutes, step, link.buffer_before, link.buffer_after, host, link.id)

    def personal(self, user: User) -> str:
        """The path of the user's `personal` calendar."""
        return f"/dav/calendars/{user.handle}/personal/"

    async def device(self, user: User) -> tuple[str, str]:
        """Name and app password of a device of the user."""
        await create_app_password(self.workspace.ports, user, "Storm", PASSWORD + user.handle)
        return user.handle, PASSWORD + user.handle

    async def staff(self, user: User | None = None) -> dict[str, str]:
        """The headers with which a user's program asks; the first user's, who is an admin, unless another is named."""
        token = await create_api_token(self.workspace.ports, user or self.workspace.owner, "Storm")
        return {"Authorization": f"Bearer {token}"}


@asynccontextmanager
async def site(
    url: str, folder: Path, servers: int, workers: int = 0, more: Mapping[str, str] | None = None
) -> AsyncIterator[Site]:
    """Servers, and workers apart, over one database, with `more` in their environment."""
    now = int(time.time())
    programs = make_programs(servers, workers, url, folder, more or {})
    async with opened(url, folder, Clock(now), tables=False) as parts:
        await migrate(parts.database)
        await keep_journal(parts.database)
        workspace = await make_workspace(parts, Clock(now))
        try:
            for program in programs:
                program.start()
            for program in programs:
                await program.ready()
            yield Site(workspace, programs, monday_after(now + DAYS_AHEAD * DAY))
        finally:
            for program in programs:
                program.stop()
    for program in programs:
        program.check_log()


def monday_after(instant: int) -> int:
    """The next Monday 00:00 UTC."""
    day = -(-instant // DAY)
    return (day + (4 - day) % 7) * DAY  # 1970-01-01 was a Thursday


async def kill_at_random(place: Site, chance: random.Random, count: int) -> None:
    """Kill one process after another at moments nobody chose, and start each again."""
    for _ in range(count):
        await asyncio.sleep(chance.uniform(0.2, 2.0))
        program = chance.choice(list(place.programs))
        await asyncio.to_thread(program.kill)
        program.start()
        await program.ready()


async def free_leases(place: Site) -> None:
    """End the leases of the dead now instead of in two minutes."""
    outbox = m.outbox.c
    now = int(time.time())
    for pid in {pid for program in place.programs for pid in program.killed}:
        owned = outbox.lease_owner.contains(f":{pid}:")
        await place.workspace.set(m.outbox, owned & (outbox.lease_until > now), lease_until=now - 1)
