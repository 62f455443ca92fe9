"""What connecting, choosing and disconnecting calendars share."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from app.domain.calendars import BUILTIN, SCHEDULE, Calendar, CalendarAccount, ContactsUse, EditPolicy
from app.domain.errors import HalfpastError, Invalid, NotFound
from app.domain.stays import LONGEST_CLAIM
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.bookings import BookingFilter
from app.ports.outbox import NewJob
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.booking_jobs import event_job
from app.use_cases.sync_calendar import sync_calendar
from app.use_cases.use_contacts import check_use

FIRST_SYNC_SECONDS = 15.0


async def own_account(work: UnitOfWork, user: User, account_id: str) -> CalendarAccount:
    """The user's account; `NotFound` for anyone else's."""
    account = await work.calendars.account(account_id)
    if account is None or account.user_id != user.id or account.org_id != user.org_id:
        raise NotFound("There is no such calendar account.")
    return account


async def change_account(
    ports: Ports,
    user: User,
    account_id: str,
    *,
    label: str | None = None,
    edits: EditPolicy | None = None,
    provider_invites: bool | None = None,
    contacts: ContactsUse | None = None,
) -> CalendarAccount:
    """Another name for a connected account, what becomes of bookings whose events are changed there, who invites, or
    what its contacts are used for."""
    if label is not None and not label.strip():
        raise Invalid.field("label", "An account needs a name.")
    now = ports.clock()
    async with ports.unit_of_work() as work:
        account = await own_account(work, user, account_id)
        if account.provider == BUILTIN and (label is not None or contacts is not None):
            raise Invalid("The calendars of this server have neither another name nor contacts.")
        invites = account.provider != BUILTIN and ports.providers[account.provider].capabilities.invites
        if provider_invites and not invites:
            raise Invalid.field("provider_invites", "Calendars of this kind send no invitations.")
        if contacts is not None:
            check_use(ports, account, contacts)
        changed = replace(
            account,
            label=label.strip() if label else account.label,
            edits=edits or account.edits,
            provider_invites=account.provider_invites if provider_invites is None else provider_invites,
            contacts=contacts or account.contacts,
        )
        if changed != account:
            settings = {
                "edits": changed.edits, "provider_invites": changed.provider_invites, "contacts": changed.contacts,
            }  # fmt: skip
            await work.calendars.update_account(account_id, label=changed.label, updated_at=now, **settings)
            entry = AuditEntry(
                user.org_id, "user", user.id, "calendar.changed", "calendar_account", account_id, settings
            )  # fmt: skip
            await work.audit.write(entry, now)
            await work.commit()
    return changed


async def sync_now(ports: Ports, calendars: Sequence[Calendar], seconds: float = FIRST_SYNC_SECONDS) -> None:
    """Read calendars while the person waits, within a bound; what fails or takes longer is told by the calendars'
    own state, and polling goes on."""
    tasks = [asyncio.create_task(sync_calendar(ports, calendar.id)) for calendar in calendars]
    if not tasks:
        return
    _, late = await asyncio.wait(tasks, timeout=seconds)
    for task in late:
        task.cancel()
    for result in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(result, Exception) and not isinstance(result, HalfpastError):
            raise result


async def move_write_calendar(work: UnitOfWork, user: User, calendar: Calendar | None, now: int) -> None:
    """Make `calendar` (None: the built-in `schedule`) the one that receives the user's bookings, and have the events
    of those to come moved there."""
    target = calendar or await work.calendars.builtin_calendar(user.id, SCHEDULE)
    current = [each for each in await work.calendars.calendars_of(user.id) if each.is_write]
    if target is None or [each.id for each in current] == [target.id]:
        return
    for each in current:
        await work.calendars.update_calendar(each.id, is_write=False)
    await work.calendars.update_calendar(target.id, is_write=True)
    if target.provider != BUILTIN or any(each.provider != BUILTIN for each in current):
        await work.outbox.enqueue(await rewrite_jobs(work, user, now), now)


async def rewrite_jobs(work: UnitOfWork, user: User, now: int) -> list[NewJob]:
    where = BookingFilter(
        user.org_id,
        host_id=user.id,
        status=("confirmed", "in_progress"),
        start=now - LONGEST_CLAIM * 60,
        ends_after=now,
        view="schedule",
    )
    jobs: list[NewJob] = []
    cursor: str | None = None
    while True:
        page = await work.bookings.page(where, 200, cursor)
        jobs += [event_job(user.org_id, booking.id, user.id, now) for booking in page.items]
        cursor = page.cursor
        if cursor is None:
            return jobs
