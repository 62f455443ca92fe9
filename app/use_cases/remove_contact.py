"""Take those who were erased out of the address books they were added to, as long as it takes; where it cannot be done,
whoever erased them is told whose book it is."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from app.ports import Ports
from app.ports.contacts import AddedContact
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.account_mail import mail_user
from app.use_cases.sync_calendar import credentials_of


def removal_jobs(added: Sequence[AddedContact], by: str | None, now: int) -> list[NewJob]:
    """One for each contact that we made; they name nobody. `by` is the id of the user to tell if it cannot be done."""
    jobs = []
    for each in added:
        if each.key is not None:
            account, mark = each.account, hashlib.sha256(each.key.encode()).hexdigest()[:16]
            payload = {"key": each.key, "owner": account.user_id, "by": by}
            lane = f"account:{account.id}:no_contact:{mark}"
            jobs.append(NewJob(account.org_id, lane, "remove_contact", account.id, now, payload))
    return jobs


async def take_out(
    work: UnitOfWork, forgotten: Sequence[tuple[str, str | None]], by: str | None, now: int
) -> list[AddedContact]:
    """Ask for contacts, by account and key, to be taken out; answers with those that were not made by us."""
    ids = sorted({account_id for account_id, _ in forgotten})
    accounts = {each: await work.calendars.account(each) for each in ids}
    added = [AddedContact(account, key) for each, key in forgotten if (account := accounts[each]) is not None]
    await work.outbox.enqueue(removal_jobs(added, by, now), now)
    return [each for each in added if each.key is None]


async def remove_contact_job(ports: Ports, job: Job) -> int | None:
    """Outbox handler. An account that was disconnected meanwhile cannot be reached any more, which is told at once."""
    async with ports.read() as work:
        account = await work.calendars.account(job.subject_id)
    if account is None or account.provider not in ports.contact_books:
        return await tell_contact_left(ports, job)
    await ports.contact_books[account.provider].remove(credentials_of(account), job.payload["key"])
    return None


async def tell_contact_left(ports: Ports, job: Job) -> int | None:
    """Outbox handler: it was given up."""
    if job.payload["by"] is None:
        return None
    async with ports.read() as work:
        owner = await work.people.user(job.payload["owner"])
    name = owner.name if owner else "somebody who has left"
    await mail_user(ports, "contact_left", job.payload["by"], f"{ports.base_url}/app/settings/data", name)
    return None
