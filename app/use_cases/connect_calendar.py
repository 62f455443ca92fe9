"""Connect a calendar account: find it, prove the credentials, list its calendars, read them for the first time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from app.domain.answers import has_control_characters
from app.domain.calendars import BUILTIN, Calendar, CalendarAccount
from app.domain.errors import AlreadyExists, Invalid, NotFound, ProviderFailure
from app.domain.ical_zones import known_zone
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.calendars import CalendarProvider, Credentials, RemoteCalendar
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.calendar_accounts import own_account, sync_now
from app.use_cases.calendar_trouble import trouble_is_over
from app.use_cases.ids import new_id
from app.use_cases.sync_calendar import credentials_of
from app.use_cases.watch_calendar import mirror_jobs

MAX_CALENDARS = 200
CONNECT_SECONDS = 40.0


@dataclass(frozen=True, slots=True)
class NewAccount:
    """What the person typed. `address` is a web address, a host name or an e-mail address to find the server by."""

    provider: str
    address: str
    username: str
    secret: str
    label: str = ""


async def connect_calendar(ports: Ports, user: User, new: NewAccount) -> CalendarAccount:
    """Connect an account. Every calendar that holds events blocks time from the start (so that nothing is free by
    oversight); the write calendar stays as it is until one is chosen.

    Raises `Invalid` for what was typed, `AlreadyExists`, and the `ProviderFailure` of the server.
    """
    credentials = _typed(ports, new)
    provider = ports.providers[new.provider]
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            found = await provider.discover(credentials)
            remote = await list_event_calendars(provider, found)
    except TimeoutError as error:
        raise ProviderFailure("unreachable", "The calendar server did not answer in time.") from error
    return await store_account(ports, user, new, found, remote)


async def store_account(
    ports: Ports,
    user: User,
    new: NewAccount,
    found: Credentials,
    remote: Sequence[RemoteCalendar],
    scopes: str | None = None,
) -> CalendarAccount:
    """Keep an account whose credentials are proved, with its calendars, and read them."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        account = await _add_account(work, user, new, found, scopes, now)
        listed = [
            new_calendar(
                account, user, each, position, now, is_conflict=blocks_from_the_start(ports, new.provider, each)
            )
            for position, each in enumerate(remote)
        ]
        for calendar in listed:
            await work.calendars.add_calendar(calendar)
        calendars = [calendar for calendar in listed if calendar.is_conflict]
        await work.outbox.enqueue(mirror_jobs(ports, calendars, now + 30), now)
        entry = AuditEntry(
            user.org_id,
            "user",
            user.id,
            "calendar.connected",
            "calendar_account",
            account.id,
            {"provider": new.provider},
        )
        await work.audit.write(entry, now)
        await work.commit()
    await sync_now(ports, calendars)
    return account


async def list_event_calendars(provider: CalendarProvider, credentials: Credentials) -> Sequence[RemoteCalendar]:
    """The account's calendars of events; `ProviderFailure` when there are none."""
    listed = await provider.list_calendars(credentials)
    remote = [each for each in listed if "VEVENT" in each.components][:MAX_CALENDARS]
    if not remote:
        raise ProviderFailure("gone", "This account has no calendar that holds events.")
    return remote


def _typed(ports: Ports, new: NewAccount) -> Credentials:
    provider = ports.providers.get(new.provider)
    if provider is None or not provider.capabilities.needs_connection or provider.capabilities.signs_in:
        raise Invalid.field("provider", "Calendars of this kind cannot be connected.")
    address, username = new.address.strip(), new.username.strip()
    if provider.capabilities.is_address:
        if not address or len(address) > 2000 or has_control_characters(address):
            raise Invalid.field("address", "Type the address of the calendar.")
        return Credentials(address, "", "")
    if not address and "@" not in username:
        raise Invalid.field("address", "Type the server's address, or your e-mail address.")
    if not username and "@" not in address:
        raise Invalid.field("username", "Type your user name, or your e-mail address.")
    if not new.secret:
        raise Invalid.field("secret", "Type the password.")
    for field, text, longest in (("address", address, 2000), ("username", username, 254), ("secret", new.secret, 1000)):
        if len(text) > longest or has_control_characters(text):
            raise Invalid.field(field, f"Type at most {longest} characters, and no control characters.")
    return Credentials(address or username, username, new.secret)


async def _add_account(
    work: UnitOfWork, user: User, new: NewAccount, found: Credentials, scopes: str | None, now: int
) -> CalendarAccount:
    for other in await work.calendars.accounts_of(user.id):
        if _is_same(other, new, found):
            raise AlreadyExists("This account is connected already.")
    account = CalendarAccount(
        id=new_id(),
        org_id=user.org_id,
        user_id=user.id,
        provider=new.provider,
        label=(new.label.strip() or found.username)[:200],
        url=found.url,
        username=found.username,
        secret=found.secret,
        status="ok",
        error=None,
        last_ok_at=now,
        created_at=now,
        updated_at=now,
        scopes=scopes,
    )
    await work.calendars.add_account(account)
    return account


def _is_same(account: CalendarAccount, new: NewAccount, found: Credentials) -> bool:
    if (account.provider, account.url) != (new.provider, found.url):
        return False
    if not new.secret:  # an address is all there is, and its host may publish many
        return account.secret == found.secret
    return account.username == found.username


def blocks_from_the_start(ports: Ports, provider: str, remote: RemoteCalendar) -> bool:
    """Nothing is free by oversight; but at Google and Microsoft what one can only read is a colleague's calendar, or
    public holidays."""
    return not (remote.read_only and ports.providers[provider].capabilities.signs_in)


def new_calendar(
    account: CalendarAccount, user: User, remote: RemoteCalendar, position: int, now: int, *, is_conflict: bool
) -> Calendar:
    """A mirror of a remote calendar, not read yet."""
    zone = known_zone(remote.timezone) if remote.timezone else None
    return Calendar(
        id=new_id(),
        org_id=account.org_id,
        account_id=account.id,
        user_id=user.id,
        provider=account.provider,
        name=remote.name,
        display_name=remote.display_name[:255] or "Calendar",
        color=remote.color,
        position=position,
        description="",
        timezone=zone.key if zone else user.timezone,
        components=remote.components,
        is_conflict=is_conflict,
        is_write=False,
        read_only=remote.read_only,
        revision=0,
        modified_at=now,
        sync_cursor=None,
        synced_at=None,
        sync_error=None,
    )


async def change_secret(ports: Ports, user: User, account_id: str, secret: str) -> CalendarAccount:
    """A new password for an account, proved before it is kept; its calendars are read at once."""
    if not secret:
        raise Invalid.field("secret", "Type the password.")
    async with ports.read() as work:
        account = await own_account(work, user, account_id)
    if account.provider == BUILTIN:
        raise NotFound("There is no such calendar account.")
    if ports.providers[account.provider].capabilities.signs_in:
        # What such providers keep as the secret is theirs to make: nobody hands it in.
        raise Invalid.field("secret", "This account is connected anew by signing in at its provider.")
    credentials = credentials_of(account)
    await ports.providers[account.provider].list_calendars(Credentials(credentials.url, credentials.username, secret))
    now = ports.clock()
    async with ports.unit_of_work() as work:
        account = await own_account(work, user, account_id)
        await trouble_is_over(work, account, now)
        await work.calendars.update_account(
            account_id, secret=secret, status="ok", error=None, last_ok_at=now, updated_at=now
        )
        calendars = [each for each in await work.calendars.calendars_in(account_id) if each.is_conflict]
        await work.outbox.enqueue(mirror_jobs(ports, calendars, now + 30), now)
        await work.commit()
    await sync_now(ports, calendars)
    async with ports.read() as work:
        return await own_account(work, user, account_id)
