"""Forget a connected account: its calendars stop blocking time and receiving bookings. The events that were written
into them stay where they are: they are the person's."""

from __future__ import annotations

from app.domain.calendars import BUILTIN, CalendarAccount
from app.domain.errors import Forbidden
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_accounts import move_write_calendar, own_account
from app.use_cases.calendar_trouble import trouble_lane
from app.use_cases.release_account import release_job
from app.use_cases.sync_calendar import sync_lane
from app.use_cases.watch_calendar import watch_lane


async def disconnect_calendar(ports: Ports, user: User, account_id: str) -> None:
    """Disconnect. `NotFound` for an unknown account, `Forbidden` for the built-in one."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        account = await own_account(work, user, account_id)
        if account.provider == BUILTIN:
            raise Forbidden("The built-in calendars cannot be disconnected.")
        await forget_account(ports, work, account, user, user, now)
        await work.commit()


async def forget_account(
    ports: Ports, work: UnitOfWork, account: CalendarAccount, owner: User, actor: User, now: int
) -> None:
    """Everything of it, in a transaction that others may share: the channels are closed and the grant given back after
    it. `actor` is who wants it so."""
    calendars = await work.calendars.calendars_in(account.id)
    channels = [each for calendar in calendars for each in await work.channels.of_calendar(calendar.id)]
    await work.hosts.lock([owner.id])
    await work.calendars.delete_account(account.id)
    if any(calendar.is_write for calendar in calendars):
        await move_write_calendar(work, owner, None, now)
    lanes = [lane(calendar.id) for calendar in calendars for lane in (sync_lane, watch_lane)]
    await work.outbox.drop([*lanes, trouble_lane(account.id)])
    await work.outbox.enqueue(release_job(ports, account, channels, now), now)
    entry = AuditEntry(
        account.org_id, "user", actor.id, "calendar.disconnected", "calendar_account", account.id,
        {"provider": account.provider},
    )  # fmt: skip
    await work.audit.write(entry, now)
