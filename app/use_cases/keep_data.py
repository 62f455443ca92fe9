"""How long an organization knows its recipients, and keeps its log: settings, and what brings them about."""

from __future__ import annotations

from app.domain.errors import FieldError, Forbidden, Invalid, StaleVersion
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.outbox import Job, NewJob
from app.ports.people import User
from app.ports.personal_data import Keeping
from app.use_cases.booking_changes import SYSTEM
from app.use_cases.erase_person import answers_holding, erase_booking, erase_messages
from app.use_cases.idempotency import KEEP_SECONDS
from app.use_cases.remove_contact import take_out

LEAST_DAYS, MOST_DAYS = 1, 36_500
LEAST_AUDIT_DAYS = 90
EVERY_SECONDS = 86400
BATCH = 50
"""Bookings erased in one go; the rest follow at once, in the next."""
ENTRIES = 5000
SEEN_DAYS, DONE_DAYS = 400, 90
"""So long views and unread notifications are kept, and read ones, work that was given up, to whom invitations were sent
and reminders of bookings that are over."""


async def keep_data(ports: Ports, admin: User, keeping: Keeping) -> None:
    """Change the settings, and look at once whether anything is too old by them."""
    if "admin" not in admin.roles:
        raise Forbidden("Only admins of your organization can change this.")
    errors = []
    if keeping.recipients is not None and not LEAST_DAYS <= keeping.recipients <= MOST_DAYS:
        errors.append(FieldError("retention_days", "Between a day and a hundred years."))
    if keeping.audit is not None and not LEAST_AUDIT_DAYS <= keeping.audit <= MOST_DAYS:
        errors.append(FieldError("audit_days", f"At least {LEAST_AUDIT_DAYS} days."))
    if errors:
        raise Invalid("The settings cannot be kept as sent.", errors)
    now, org_id = ports.clock(), admin.org_id
    async with ports.unit_of_work() as work:
        before = await work.personal_data.keeping(org_id)
        if before == keeping:
            return
        await work.personal_data.keep(org_id, keeping)
        changes = {
            "retention_days": [before.recipients, keeping.recipients],
            "audit_days": [before.audit, keeping.audit],
        }
        changes = {name: pair for name, pair in changes.items() if pair[0] != pair[1]}
        entry = AuditEntry(org_id, "user", admin.id, "organization.changed", "organization", org_id, changes)
        await work.audit.write(entry, now)
        await work.outbox.enqueue([retention_job_of(org_id, now)], now)
        await work.commit()


def retention_job_of(org_id: str, run_at: int) -> NewJob:
    """What an organization has from its beginning."""
    return NewJob(org_id, f"org:{org_id}:retention", "retention", org_id, run_at)


async def retention_job(ports: Ports, job: Job) -> int:
    """Outbox handler: erase what is too old, by the settings and for everybody, and look again in a day."""
    now, org_id = ports.clock(), job.org_id
    async with ports.read() as work:
        keeping = await work.personal_data.keeping(org_id)
    is_done = await _forget_traces(ports, org_id, now)
    if keeping.recipients is not None:
        is_done = await _erase_old(ports, org_id, now - keeping.recipients * 86400) and is_done
    if keeping.audit is not None:
        async with ports.unit_of_work() as work:
            gone = await work.audit.purge(org_id, now - max(keeping.audit, LEAST_AUDIT_DAYS) * 86400, ENTRIES)
            await work.commit()
        is_done = is_done and gone < ENTRIES
    return now + EVERY_SECONDS if is_done else now


async def _forget_traces(ports: Ports, org_id: str, now: int) -> bool:
    """Views, notifications and what was reminded of, which nobody looks at any more. Whether nothing is left of it."""
    seen, done = now - SEEN_DAYS * 86400, now - DONE_DAYS * 86400
    async with ports.unit_of_work() as work:
        gone = (
            await work.analytics.forget_views(org_id, seen, ENTRIES),
            await work.telling.forget_notifications(org_id, done, seen, ENTRIES),
            await work.telling.forget_reminders(org_id, done, ENTRIES),
            await work.personal_data.forget_work(org_id, done, ENTRIES),
        )
        await work.idempotency.purge(now - KEEP_SECONDS, ENTRIES)
        await work.commit()
    return max(gone) < ENTRIES


async def _erase_old(ports: Ports, org_id: str, before: int) -> bool:
    """Whether nothing is left to erase. A booking that is being changed right now waits for the next time."""
    async with ports.read() as work:
        ids = await work.personal_data.ended_before(org_id, before, BATCH)
    now = ports.clock()
    erased: list[str] = []
    changed: list[str] = []
    clients: set[str] = set()
    addresses: set[str] = set()
    for booking_id in ids:
        try:
            forgotten = await erase_booking(ports, booking_id, SYSTEM)
        except StaleVersion:
            continue
        erased.append(booking_id)
        if forgotten.changed_at > now - KEEP_SECONDS:
            changed.append(booking_id)  # what was answered before is not kept any more
        addresses.update(address.lower() for address in forgotten.addresses)
        if forgotten.client_id is not None:
            clients.add(forgotten.client_id)
    answers = await answers_holding(ports, changed) if changed else []
    async with ports.unit_of_work() as work:
        await work.personal_data.forget_clients(sorted(clients))
        left = await work.personal_data.forget_unknown_contacts(org_id, sorted(addresses))
        await take_out(work, left, None, now)
        links = await work.personal_data.forget_one_time_links(org_id, before, ENTRIES)
        await work.idempotency.forget(answers)
        await work.commit()
    if erased:
        await erase_messages(ports, erased)
    return len(ids) < BATCH and links < ENTRIES
