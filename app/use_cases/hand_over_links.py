"""Links change hands: address, one-time links and bookings stay, the hours are those of the new owner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.domain.errors import Invalid, NotFound, StaleVersion
from app.domain.links import Link
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.outbox import Job, NewJob
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.account_mail import mail_user
from app.use_cases.idempotency import Replay, remember
from app.use_cases.manage_links import owned_link

MAIL = "links_mail"
NAMED = 10
"""So many titles are named in a mail."""


async def hand_over_link(
    ports: Ports,
    user: User,
    link_id: str,
    owner_id: str,
    schedule_id: str | None = None,
    *,
    version: int | None = None,
    replay: Replay[Link] | None = None,
) -> Link:
    """For its owner and for admins. Without `schedule_id`, one of the new owner's, their usual hours count."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        seen = await owned_link(work, user, link_id)
        await work.hosts.lock(sorted({seen.owner_id, owner_id}))
        link = await owned_link(work, user, link_id, lock=True)
        if version is not None and version != link.version:
            raise StaleVersion(f"The link is at version {link.version} by now.")
        await _check_owner(work, user, owner_id)
        await _check_hours(work, user, owner_id, schedule_id)
        former, link = link.owner_id, await _hand_over(work, user, link, owner_id, schedule_id, now)
        if former != owner_id:
            await _tell(work, user, [link], former, now)
        await remember(work, replay, link, now)
        await work.commit()
    return link


async def hand_over_links(ports: Ports, user: User, former_id: str, owner_id: str) -> Sequence[Link]:
    """All links of somebody at once, with the usual hours of the new owner; for admins and for their owner."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        if former_id != user.id and "admin" not in user.roles:
            raise NotFound("There is no such person.")
        if former_id == owner_id:
            raise Invalid.field("owner_id", "Please choose somebody else.")
        await work.hosts.lock(sorted({former_id, owner_id}))
        await _check_owner(work, user, owner_id)
        links = [
            await _hand_over(work, user, link, owner_id, None, now)
            for link in await work.links.of_owner(user.org_id, former_id)
        ]
        if links:
            await _tell(work, user, links, former_id, now)
        await work.commit()
    return links


async def _hand_over(
    work: UnitOfWork, user: User, link: Link, owner_id: str, schedule_id: str | None, now: int
) -> Link:
    after = replace(link, owner_id=owner_id, schedule_id=schedule_id, version=link.version + 1, updated_at=now)
    await work.links.update(after)
    await work.links.hand_over(after, link.owner_id)
    changes = {"owner": [link.owner_id, owner_id]}
    await work.audit.write(AuditEntry(user.org_id, "user", user.id, "link.handed_over", "link", link.id, changes), now)
    return after


async def _check_owner(work: UnitOfWork, user: User, owner_id: str) -> None:
    owner = await work.people.user(owner_id)
    if owner is None or owner.org_id != user.org_id or not owner.is_active:
        raise Invalid.field("owner_id", "There is no such person, or they are switched off.")
    if not {"owner", "admin"} & set(owner.roles):
        raise Invalid.field("owner_id", "This person may not have links: give them the role of an owner first.")


async def _check_hours(work: UnitOfWork, user: User, owner_id: str, schedule_id: str | None) -> None:
    if schedule_id is None:
        return
    schedule = await work.hosts.schedule(user.org_id, schedule_id)
    if schedule is None or schedule.user_id != owner_id:
        raise Invalid.field("schedule_id", "There is no such schedule of this person.")


async def _tell(work: UnitOfWork, user: User, links: Sequence[Link], former_id: str, now: int) -> None:
    """Both, by mail; whoever did it themselves knows."""
    owner_id, of = links[0].owner_id, links[0].id if len(links) == 1 else former_id
    titles = [link.title for link in links]
    path = f"/app/links/{links[0].id}" if len(links) == 1 else "/app/links"
    jobs = []
    for kind, person_id, other_id, where in (
        ("links_received", owner_id, former_id, path),
        ("links_given", former_id, owner_id, "/app/links"),
    ):
        if person_id == user.id:
            continue
        payload = {"mail": kind, "other": other_id, "titles": titles[:NAMED], "count": len(titles), "path": where}
        jobs.append(NewJob(user.org_id, f"user:{person_id}:{kind}:{of}", MAIL, person_id, now, payload))
    await work.outbox.enqueue(jobs, now)


async def send_links_mail(ports: Ports, job: Job) -> int | None:
    """Outbox handler."""
    async with ports.read() as work:
        other = await work.people.user(job.payload["other"])
    titles, further = job.payload["titles"], job.payload["count"] - len(job.payload["titles"])
    named = ", ".join(f"“{title}”" for title in titles) + (f" and {further} more" if further else "")
    who = other.name if other else "a colleague"
    reason = f"{named} (now with {who})" if job.payload["mail"] == "links_given" else f"{named} (from {who})"
    await mail_user(ports, job.payload["mail"], job.subject_id, f"{ports.base_url}{job.payload['path']}", reason)
    return None
