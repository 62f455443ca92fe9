"""Choose which of an account's calendars block time, and which one receives the bookings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.calendars import BUILTIN, SCHEDULE, Calendar, CalendarAccount
from app.domain.errors import Invalid, NotFound
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.calendars import RemoteCalendar
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_accounts import move_write_calendar, own_account, sync_now
from app.use_cases.calendar_trouble import trouble_lane
from app.use_cases.connect_calendar import blocks_from_the_start, new_calendar
from app.use_cases.expand_collection import reread_job
from app.use_cases.mirror import PARTLY
from app.use_cases.sync_calendar import credentials_of, sync_lane
from app.use_cases.watch_calendar import mirror_jobs, watch_jobs


@dataclass(frozen=True, slots=True)
class CalendarChoice:
    """One calendar of the PATCH; None leaves a choice as it is."""

    calendar_id: str
    is_conflict: bool | None = None
    is_write: bool | None = None
    tentative_busy: bool | None = None


async def choose_calendars(
    ports: Ports, user: User, account_id: str, choices: Sequence[CalendarChoice]
) -> list[Calendar]:
    """Apply the choices and answer with all calendars of the account. Calendars that newly block time are read before
    this returns, as far as a short time allows."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        account = await own_account(work, user, account_id)
        calendars = {each.id: each for each in await work.calendars.calendars_in(account_id)}
        _check(calendars, choices)
        added = await _set_conflicts(ports, work, account, calendars, choices, now)
        await _set_write(ports, work, user, calendars, choices, now)
        await _set_tentative(work, calendars, choices, now)
        await _settle(work, account)
        chosen = {each.calendar_id: [each.is_conflict, each.is_write, each.tentative_busy] for each in choices}
        entry = AuditEntry(
            user.org_id, "user", user.id, "calendars.chosen", "calendar_account", account_id, {"calendars": chosen}
        )
        await work.audit.write(entry, now)
        await work.commit()
    await sync_now(ports, added)
    async with ports.read() as work:
        return await work.calendars.calendars_in(account_id)


def _check(calendars: Mapping[str, Calendar], choices: Sequence[CalendarChoice]) -> None:
    if any(choice.calendar_id not in calendars for choice in choices):
        raise NotFound("There is no such calendar.")
    if sum(1 for choice in choices if choice.is_write) > 1:
        raise Invalid.field("is_write", "Only one calendar can receive the bookings.")
    for choice in choices:
        calendar = calendars[choice.calendar_id]
        is_schedule = calendar.provider == BUILTIN and calendar.name == SCHEDULE
        if choice.is_write and not is_schedule and (calendar.read_only or "VEVENT" not in calendar.components):
            raise Invalid.field("is_write", f"“{calendar.display_name}” cannot be written to.")
        if choice.is_write and calendar.provider == BUILTIN and not is_schedule:
            raise Invalid.field("is_write", "Of the built-in calendars, only “schedule” receives bookings.")
        if choice.is_conflict and is_schedule:
            raise Invalid.field("is_conflict", "Bookings block time by themselves.")


async def _set_conflicts(
    ports: Ports,
    work: UnitOfWork,
    account: CalendarAccount,
    calendars: Mapping[str, Calendar],
    choices: Sequence[CalendarChoice],
    now: int,
) -> list[Calendar]:
    """The calendars that block time from now on and have to be read."""
    added = []
    for choice in choices:
        calendar = calendars[choice.calendar_id]
        if choice.is_conflict is None or choice.is_conflict == calendar.is_conflict:
            continue
        await work.calendars.update_calendar(calendar.id, is_conflict=choice.is_conflict)
        if account.provider == BUILTIN:
            continue
        if choice.is_conflict:
            added.append(calendar)
            await work.outbox.enqueue(mirror_jobs(ports, [calendar], now + 30), now)
        else:
            if not calendar.is_write:
                await work.outbox.drop([sync_lane(calendar.id)])
            await work.outbox.enqueue(watch_jobs(ports, calendar, now), now)
    return added


async def _set_tentative(
    work: UnitOfWork, calendars: Mapping[str, Calendar], choices: Sequence[CalendarChoice], now: int
) -> None:
    """What a calendar's tentative events mean from now on."""
    changed = [
        choice
        for choice in choices
        if choice.tentative_busy not in (None, calendars[choice.calendar_id].tentative_busy)
    ]
    for choice in changed:
        await work.calendars.update_calendar(choice.calendar_id, tentative_busy=choice.tentative_busy)
    await work.outbox.enqueue([reread_job(calendars[choice.calendar_id], now) for choice in changed], now)


async def _set_write(
    ports: Ports,
    work: UnitOfWork,
    user: User,
    calendars: Mapping[str, Calendar],
    choices: Sequence[CalendarChoice],
    now: int,
) -> None:
    chosen = next((choice for choice in choices if choice.is_write), None)
    if chosen is not None:
        calendar = calendars[chosen.calendar_id]
        await move_write_calendar(work, user, calendar, now)
        if calendar.provider != BUILTIN:  # what is done there to the bookings' events is followed
            await work.outbox.enqueue(mirror_jobs(ports, [calendar], now), now)
    elif any(choice.is_write is False and calendars[choice.calendar_id].is_write for choice in choices):
        await move_write_calendar(work, user, None, now)


async def _settle(work: UnitOfWork, account: CalendarAccount) -> None:
    """An account whose failing calendars count no more is well again: no reading would ever say so."""
    if account.status == "ok":
        return
    calendars = await work.calendars.calendars_in(account.id)
    errors = [each.sync_error or "" for each in calendars if each.is_conflict or each.is_write]
    if not any(error and not error.startswith(PARTLY) for error in errors):
        await work.calendars.update_account(account.id, status="ok", error=None)
        await work.outbox.drop([trouble_lane(account.id)])


async def relist_calendars(ports: Ports, user: User, account_id: str) -> list[Calendar]:
    """Ask the provider which calendars there are by now: new ones are added and block time like all at the
    beginning; known ones take over name, colour and whether they can be written to. None is dropped: one that
    vanished is a fault to be told, not free time."""
    async with ports.read() as work:
        account = await own_account(work, user, account_id)
    if account.provider == BUILTIN:
        async with ports.read() as work:
            return await work.calendars.calendars_in(account_id)
    remote = await ports.providers[account.provider].list_calendars(credentials_of(account))
    now = ports.clock()
    async with ports.unit_of_work() as work:
        account = await own_account(work, user, account_id)
        added = await _merge(ports, work, account, user, remote, now)
        await work.commit()
    await sync_now(ports, added)
    async with ports.read() as work:
        return await work.calendars.calendars_in(account_id)


async def _merge(
    ports: Ports, work: UnitOfWork, account: CalendarAccount, user: User, remote: Sequence[RemoteCalendar], now: int
) -> list[Calendar]:
    known = {each.name: each for each in await work.calendars.calendars_in(account.id)}
    added: list[Calendar] = []
    for each in remote:
        calendar = known.get(each.name)
        if calendar is not None:
            shown = {
                "display_name": each.display_name[:255] or "Calendar",
                "color": each.color,
                "read_only": each.read_only,
            }
            if any(getattr(calendar, key) != value for key, value in shown.items()):
                await work.calendars.update_calendar(calendar.id, **shown)
        elif "VEVENT" in each.components:
            blocks = blocks_from_the_start(ports, account.provider, each)
            added.append(new_calendar(account, user, each, len(known) + len(added), now, is_conflict=blocks))
    for calendar in added:
        await work.calendars.add_calendar(calendar)
    blocking = [calendar for calendar in added if calendar.is_conflict]
    await work.outbox.enqueue(mirror_jobs(ports, blocking, now + 30), now)
    return blocking
