"""Forget somebody who signs in. They are switched off first, and what is still to come is handed over: a decision of
people, which no erasing takes for them. After it nobody signs in as them, and past bookings name no one."""

from __future__ import annotations

from app.domain.bookings import BookingStatus
from app.domain.calendars import BUILTIN
from app.domain.errors import StillMember
from app.ports import Ports
from app.ports.bookings import BookingFilter
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_trouble import trouble_lane
from app.use_cases.release_account import release_job
from app.use_cases.sync_calendar import sync_lane
from app.use_cases.watch_calendar import watch_lane

OPEN: tuple[BookingStatus, ...] = ("pending", "confirmed", "in_progress")
LAST_ADMIN = "Nobody else runs the organization: make somebody else an admin first."
SWITCHED_ON = "This person signs in here. Switch them off under People and hand over their links and bookings first."
HAS_LINKS = "This person still has links. Hand them over under People first."
HAS_BOOKINGS = "This person still has bookings to come. Hand them over, or cancel them, under People first."


async def member_to_erase(work: UnitOfWork, org_id: str, email: str, now: int, *, lock: bool = False) -> User | None:
    """Who signs in with the address in this organization; `StillMember` says what is to be done first. `lock`: nothing
    comes to them until the end of the transaction."""
    user = await work.people.user_by_email(email)
    if user is None or user.org_id != org_id:
        return None
    if lock:
        await work.hosts.lock([user.id])
        user = await work.people.user(user.id) or user
    if user.is_active:
        is_last = await work.people.admins(org_id) == [user.id]
        raise StillMember(LAST_ADMIN if is_last else SWITCHED_ON)
    if await work.links.of_owner(org_id, user.id):
        raise StillMember(HAS_LINKS)
    open_ones = BookingFilter(org_id, status=OPEN, host_id=user.id, ends_after=now, view="schedule")
    if (await work.bookings.page(open_ones, 1, None)).items:
        raise StillMember(HAS_BOOKINGS)
    return user


async def forget_member(ports: Ports, work: UnitOfWork, user: User, now: int) -> set[str]:
    """All of the account, in a transaction that others share; grants are given back at the providers after it. Answers
    with what else they are known by, to be looked for in what lies outside of tables."""
    lanes = []
    for account in await work.calendars.accounts_of(user.id):
        calendars = await work.calendars.calendars_in(account.id)
        if account.provider != BUILTIN:
            channels = [each for calendar in calendars for each in await work.channels.of_calendar(calendar.id)]
            await work.outbox.enqueue(release_job(ports, account, channels, now), now)
        lanes += [lane(calendar.id) for calendar in calendars for lane in (sync_lane, watch_lane)]
        lanes.append(trouble_lane(account.id))
    await work.outbox.drop(lanes)
    settings = await work.telling.settings(user.id, user.org_id)
    await work.personal_data.forget_member(user.id, now)
    return {user.id, *([settings.phone] if settings.phone else [])}
