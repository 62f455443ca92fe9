"""`/calendar-accounts`: connected calendars, which of them block time, and which one receives the bookings."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, Literal
from uuid import UUID

import msgspec
from litestar import Request, Router, delete, get, patch, post
from litestar.params import JSONBody
from msgspec import UNSET, Meta

from app.domain.calendars import Calendar, CalendarAccount, ContactsUse, EditPolicy
from app.domain.cursors import cut
from app.domain.errors import FieldError, Invalid, ProviderFailure
from app.domain.text_rules import LINE
from app.ports import Ports
from app.use_cases.calendar_accounts import change_account as change_settings
from app.use_cases.calendar_accounts import own_account, sync_now
from app.use_cases.calendar_health import AccountHealth, Mend, health_of
from app.use_cases.choose_calendars import CalendarChoice, choose_calendars
from app.use_cases.connect_calendar import NewAccount, change_secret, connect_calendar
from app.use_cases.disconnect_calendar import disconnect_calendar
from app.web.api.fields import (
    LISTING,
    MAKING,
    READING,
    Cursor,
    Id,
    In,
    Limit,
    Line,
    RequiredLine,
    SignedIn,
    Unset,
    given,
    ports_of,
    problems,
    uuid_text,
)
from app.web.times import optional_rfc3339

Secret = Annotated[str, Meta(min_length=1, max_length=1000, pattern=LINE)]
Address = Annotated[str, Meta(max_length=2000, pattern=LINE)]


class AccountIn(In):
    """An account to connect: a CalDAV one by user name, password and `url` (the server's address, or an e-mail address
    to find it by), or with the provider `ics_url` just the address of a published calendar."""

    username: Line = ""
    password: Annotated[str, Meta(max_length=1000, pattern=LINE)] = ""
    provider: Literal["caldav", "ics_url"] = "caldav"
    url: Address = ""
    label: Line = ""


class AccountPatch(In):
    """A new password, another name, or what becomes of bookings whose events are moved or deleted there (of the account
    `builtin` this alone): they follow as far as their link's rules allow, also outside its hours, or only when their
    host says so; whether the provider
    invites recipients and guests of new bookings, instead of our mail; or what the account's contacts are used for:
    nothing, suggestions, or also to add the recipients of confirmed bookings to them."""

    password: Secret | Unset = UNSET
    label: RequiredLine | Unset = UNSET
    edits: EditPolicy | Unset = UNSET
    provider_invites: bool | Unset = UNSET
    contacts: ContactsUse | Unset = UNSET


class AccountOut(msgspec.Struct):
    """A connected account; `error` says in words what is wrong."""

    id: str
    provider: str
    label: str
    url: str
    username: str
    edits: EditPolicy
    provider_invites: bool
    contacts: ContactsUse
    status: Literal["ok", "error"]
    error: str | None
    last_ok_at: str | None


class Accounts(msgspec.Struct):
    """The caller's accounts."""

    items: list[AccountOut]
    next_cursor: str | None


class CalendarOut(msgspec.Struct):
    """A calendar; `age` is how many seconds ago it was last read, `tentative_busy` whether events that are only
    tentative block time too."""

    id: str
    account_id: str
    name: str
    color: str | None
    timezone: str
    is_conflict: bool
    is_write: bool
    tentative_busy: bool
    read_only: bool
    synced_at: str | None
    age: int | None
    error: str | None


class Calendars(msgspec.Struct):
    """The calendars of an account."""

    items: list[CalendarOut]
    next_cursor: str | None


class ChoiceIn(In):
    """A choice for one calendar; what is missing stays as it is."""

    id: UUID
    is_conflict: bool | None = None
    is_write: bool | None = None
    tentative_busy: bool | None = None


class ChoicesIn(In):
    """Choices for some of an account's calendars."""

    calendars: Annotated[list[ChoiceIn], Meta(min_length=1, max_length=200)]


class StatusOut(msgspec.Struct):
    """How an account is doing, over its calendars that block time or receive bookings. `age` is how many seconds old
    the oldest copy that counts is, `next_sync_at` when the next reading is due; `push_until` is there while changes are
    told at once, of `pushed_calendars` calendars. `scopes` are what was granted at the provider (null where there is a
    password or an address), `changes_calendars` and `contacts` what they mean. `mend` is the one thing that mends
    `error`: to sign in at the provider again, a new password, or to read now (`POST .../sync`)."""

    status: Literal["ok", "error"]
    error: str | None
    mend: Mend | None
    last_ok_at: str | None
    last_sync_at: str | None
    next_sync_at: str | None
    age: int | None
    pushed_calendars: int
    push_until: str | None
    scopes: list[str] | None
    changes_calendars: bool
    contacts: bool | None
    calendars: list[CalendarOut]


def _account_out(account: CalendarAccount) -> AccountOut:
    return AccountOut(
        id=account.id,
        provider=account.provider,
        label=account.label,
        url=account.url,
        username=account.username,
        edits=account.edits,
        provider_invites=account.provider_invites,
        contacts=account.contacts,
        status=account.status,
        error=account.error,
        last_ok_at=optional_rfc3339(account.last_ok_at),
    )


def _calendar_out(calendar: Calendar, now: int) -> CalendarOut:
    return CalendarOut(
        id=calendar.id,
        account_id=calendar.account_id,
        name=calendar.display_name,
        color=calendar.color,
        timezone=calendar.timezone,
        is_conflict=calendar.is_conflict,
        is_write=calendar.is_write,
        tentative_busy=calendar.tentative_busy,
        read_only=calendar.read_only,
        synced_at=optional_rfc3339(calendar.synced_at),
        age=None if calendar.synced_at is None else max(0, now - calendar.synced_at),
        error=calendar.sync_error,
    )


async def _status(ports: Ports, caller: SignedIn, account_id: str) -> StatusOut:
    async with ports.read() as work:
        account = await own_account(work, caller.user, account_id)
        calendars = await work.calendars.calendars_in(account.id)
        (health,) = await health_of(ports, work, [account], calendars)
    return _status_out(health, ports.clock())


def _status_out(health: AccountHealth, now: int) -> StatusOut:
    account = health.account
    return StatusOut(
        status="ok" if health.error is None else "error",
        error=health.error,
        mend=health.mend,
        last_ok_at=optional_rfc3339(account.last_ok_at),
        last_sync_at=optional_rfc3339(health.last_sync_at),
        next_sync_at=optional_rfc3339(health.next_sync_at),
        age=None if health.oldest_sync_at is None else max(0, now - health.oldest_sync_at),
        pushed_calendars=health.pushed,
        push_until=optional_rfc3339(health.pushed_until),
        scopes=None if account.scopes is None else account.scopes.split(),
        changes_calendars=health.changes_calendars,
        contacts=health.contacts,
        calendars=[_calendar_out(calendar, now) for calendar in health.calendars],
    )


_FIELDS = {"address": "url", "secret": "password"}
_TYPED_WRONG = {"auth": "password", "refused": "url"}


@contextmanager
def _told_by_field() -> Iterator[None]:
    """Name what is wrong as the API calls it; what only the person can mend is their input, not a failure."""
    try:
        yield
    except Invalid as wrong:
        named = [FieldError(_FIELDS.get(error.field, error.field), error.message) for error in wrong.errors]
        raise Invalid(wrong.detail, named) from wrong
    except ProviderFailure as failure:
        field = _TYPED_WRONG.get(failure.kind)
        if field is None:
            raise
        raise Invalid.field(field, failure.detail) from failure


@get("/calendar-accounts", responses=problems(*LISTING), summary="List calendar accounts")
async def list_accounts(
    request: Request[Any, Any, Any], caller: SignedIn, limit: Limit = 50, cursor: Cursor = None
) -> Accounts:
    async with ports_of(request).read() as work:
        accounts = await work.calendars.accounts_of(caller.user.id)
    page, next_cursor = cut(accounts, lambda account: account.id, limit, cursor)
    return Accounts([_account_out(account) for account in page], next_cursor)


@post("/calendar-accounts", responses=problems(*MAKING, 409, 502), summary="Connect a calendar account")
async def connect_account(request: Request[Any, Any, Any], caller: SignedIn, data: JSONBody[AccountIn]) -> AccountOut:
    new = NewAccount(data.provider, data.url, data.username, data.password, data.label)
    with _told_by_field():
        return _account_out(await connect_calendar(ports_of(request), caller.user, new))


@get("/calendar-accounts/{account_id:uuid}", responses=problems(*READING), summary="Show a calendar account")
async def show_account(request: Request[Any, Any, Any], caller: SignedIn, account_id: Id) -> AccountOut:
    async with ports_of(request).read() as work:
        return _account_out(await own_account(work, caller.user, uuid_text(account_id)))


@patch(
    "/calendar-accounts/{account_id:uuid}", responses=problems(*MAKING, 404, 502), summary="Change a calendar account"
)
async def change_account(
    request: Request[Any, Any, Any], caller: SignedIn, account_id: Id, data: JSONBody[AccountPatch]
) -> AccountOut:
    ports, wanted = ports_of(request), uuid_text(account_id)
    if data.password is not UNSET:
        with _told_by_field():
            await change_secret(ports, caller.user, wanted, data.password)
    settings = {name: value for name, value in given(data).items() if name != "password"}
    return _account_out(await change_settings(ports, caller.user, wanted, **settings))


@delete("/calendar-accounts/{account_id:uuid}", responses=problems(401, 403, 404), summary="Disconnect")
async def disconnect_account(request: Request[Any, Any, Any], caller: SignedIn, account_id: Id) -> None:
    await disconnect_calendar(ports_of(request), caller.user, uuid_text(account_id))


@get("/calendar-accounts/{account_id:uuid}/calendars", responses=problems(*READING), summary="List calendars")
async def list_calendars(
    request: Request[Any, Any, Any], caller: SignedIn, account_id: Id, limit: Limit = 50, cursor: Cursor = None
) -> Calendars:
    status = await _status(ports_of(request), caller, uuid_text(account_id))
    return Calendars(*cut(status.calendars, lambda calendar: calendar.id, limit, cursor))


@patch(
    "/calendar-accounts/{account_id:uuid}/calendars",
    responses=problems(*MAKING, 404),
    summary="Choose conflict calendars and the write calendar",
)
async def change_calendars(
    request: Request[Any, Any, Any], caller: SignedIn, account_id: Id, data: JSONBody[ChoicesIn]
) -> Calendars:
    ports = ports_of(request)
    choices = [
        CalendarChoice(uuid_text(each.id), each.is_conflict, each.is_write, each.tentative_busy)
        for each in data.calendars
    ]
    calendars = await choose_calendars(ports, caller.user, uuid_text(account_id), choices)
    return Calendars([_calendar_out(calendar, ports.clock()) for calendar in calendars], None)


@post(
    "/calendar-accounts/{account_id:uuid}/sync",
    status_code=200,
    responses=problems(401, 403, 404),
    summary="Read the calendars now",
)
async def sync_account(request: Request[Any, Any, Any], caller: SignedIn, account_id: Id) -> StatusOut:
    ports = ports_of(request)
    async with ports.read() as work:
        account = await own_account(work, caller.user, uuid_text(account_id))
        calendars = await work.calendars.calendars_in(account.id)
    if ports.providers[account.provider].capabilities.needs_connection:
        await sync_now(ports, [calendar for calendar in calendars if calendar.is_conflict])
    return await _status(ports, caller, account.id)


@get("/calendar-accounts/{account_id:uuid}/status", responses=problems(*READING), summary="How an account is doing")
async def account_status(request: Request[Any, Any, Any], caller: SignedIn, account_id: Id) -> StatusOut:
    return await _status(ports_of(request), caller, uuid_text(account_id))


router = Router(
    "/",
    route_handlers=[
        list_accounts,
        connect_account,
        show_account,
        change_account,
        disconnect_account,
        list_calendars,
        change_calendars,
        sync_account,
        account_status,
    ],
    tags=["calendars"],
)
