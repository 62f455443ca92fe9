"""Add new recipients to the address books of those who switched it on: each address once an account.

A confirmed booking asks for it; each account then has a job, and a lane, of its own: one that fails holds nobody else
up, and no address is looked for twice at a time, which would add it twice.
"""

from __future__ import annotations

import hashlib

from app.domain.bookings import Booking
from app.domain.calendars import CalendarAccount
from app.domain.contacts import Contact
from app.domain.errors import ProviderFailure
from app.ports import Ports
from app.ports.contacts import AddedContact
from app.ports.outbox import Job, NewJob
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.remove_contact import removal_jobs
from app.use_cases.sync_calendar import credentials_of, sync_job


async def add_contact_job(ports: Ports, job: Job) -> None:
    """Outbox handler: ask for the recipient of a booking to be added to each account that wants new ones."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        booking = await work.bookings.get(job.subject_id, lock=True)  # whoever erases it waits, and withdraws this
        if booking is None or not booking.recipient.email:
            return
        accounts = await _adding_accounts(ports, work, booking)
        await work.outbox.enqueue([_put_job(account, booking, now) for account in accounts], now)
        await work.commit()


async def put_contact_job(ports: Ports, job: Job) -> None:
    """Outbox handler: one address, into one account. Where the access is not accepted any more, nothing is added; the
    account's calendars are read, which tells its owner as ever."""
    contact = Contact(job.payload["name"], job.payload["email"])
    async with ports.read() as work:
        account = await work.calendars.account(job.subject_id)
        is_done = account is None or await work.contacts.is_added(account.id, contact.email)
    if account is None or is_done or not _adds(ports, account):
        return
    try:
        key = await ports.contact_books[account.provider].add(credentials_of(account), contact)
    except ProviderFailure as failure:
        if failure.kind != "auth":
            raise
        await _look_into(ports, account)
        return
    async with ports.unit_of_work() as work:
        if await work.outbox.is_wanted(job):
            await work.contacts.mark_added(account.id, account.org_id, contact.email, key, ports.clock())
        elif key is not None:  # they were erased meanwhile
            await work.outbox.enqueue(removal_jobs([AddedContact(account, key)], None, ports.clock()), ports.clock())
        await work.commit()


async def _adding_accounts(ports: Ports, work: UnitOfWork, booking: Booking) -> list[CalendarAccount]:
    """Those of the hosts, and of whose link it is."""
    link = await work.links.get(booking.org_id, booking.link_id) if booking.link_id else None
    people = {host.id for host in booking.hosts} | ({link.owner_id} if link else set())
    accounts = [account for person in sorted(people) for account in await work.calendars.accounts_of(person)]
    return [account for account in accounts if _adds(ports, account)]


def _adds(ports: Ports, account: CalendarAccount) -> bool:
    return account.contacts == "add" and account.provider in ports.contact_books


def _put_job(account: CalendarAccount, booking: Booking, now: int) -> NewJob:
    email = booking.recipient.email.lower()
    lane = f"account:{account.id}:contact:{hashlib.sha256(email.encode()).hexdigest()[:16]}"
    payload = {"email": email, "name": booking.recipient.name}
    return NewJob(account.org_id, lane, "put_contact", account.id, now, payload)


async def _look_into(ports: Ports, account: CalendarAccount) -> None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        calendars = [each for each in await work.calendars.calendars_in(account.id) if each.is_conflict]
        await work.outbox.enqueue([sync_job(calendar, now) for calendar in calendars], now)
        await work.commit()
