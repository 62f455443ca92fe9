"""How connected accounts are, and the one thing that mends what is wrong: what the page, the API and the doctor say."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from app.domain.calendars import BUILTIN, Calendar, CalendarAccount
from app.ports import Ports
from app.ports.calendar_store import AccountTrouble
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.sync_calendar import sync_lane

Mend = Literal["sign_in", "password", "read"]
"""Sign in at the provider again, type the new password, or read now: the cause lies elsewhere, or passes by itself.
What an organization granted is an admin's to renew, and read now shows whether they did."""
LATE_SHARE = 4
"""A calendar is late after this part of the time that its copy counts for: early enough for its owner to act."""
MAX_TOLD = 3
"""How many accounts a banner looks for."""

STANDS_STILL = "It has not been read for hours, though nothing was refused: Halfpast's worker may stand still."
# The kind of a failure is not kept with its sentence; the providers' tests hold these words to what they really say.
_SIGN_IN_WORDS = ("Connect it again", "Connect the account again", "Microsoft does not let Halfpast read")
_PASSWORD_WORDS = ("does not accept the user name or password",)
_CALENDARS = frozenset({"calendar", "calendar.events", "calendars.readwrite"})
_CONTACTS = frozenset({"contacts", "contacts.readwrite", "contacts.readonly", "contacts.read"})


@dataclass(frozen=True, slots=True)
class AccountHealth:
    """Instants are epoch seconds. `counting` calendars block time or receive bookings; `pushed` of them tell of their
    changes at once, the first of these until `pushed_until`. `last_sync_at` is the newest reading, `oldest_sync_at`
    that of the oldest copy that counts, `next_sync_at` when the next is due (None: never). `error` is in words, and
    `mend` what mends it. `contacts`: whether they were granted too; None where that is not asked for."""

    account: CalendarAccount
    calendars: tuple[Calendar, ...]
    counting: int
    pushed: int
    pushed_until: int | None
    last_sync_at: int | None
    oldest_sync_at: int | None
    next_sync_at: int | None
    changes_calendars: bool
    contacts: bool | None
    error: str | None
    mend: Mend | None


async def health_of(
    ports: Ports, work: UnitOfWork, accounts: Sequence[CalendarAccount], calendars: Sequence[Calendar]
) -> list[AccountHealth]:
    """How these accounts are, in their order; `calendars` are theirs, others are passed over. Two statements."""
    now = ports.clock()
    due = await work.outbox.due([sync_lane(each.id) for each in calendars if _counts(each)])
    ends = await work.channels.ends([each.id for each in calendars if _counts(each)], now)
    return [
        _health(ports, account, tuple(each for each in calendars if each.account_id == account.id), due, ends, now)
        for account in accounts
    ]


async def in_trouble(ports: Ports, work: UnitOfWork, user: User) -> list[AccountTrouble]:
    """The user's accounts that need them, at most `MAX_TOLD`. One statement."""
    return await work.calendars.troubled_accounts(user.id, _late(ports, ports.clock()), MAX_TOLD)


def mend_of(provider: str, error: str, sign_ins: Collection[str]) -> Mend:
    """What mends an account of this provider that failed with these words; `sign_ins` are those of the ports."""
    if provider in sign_ins and any(words in error for words in _SIGN_IN_WORDS):
        return "sign_in"
    if provider == "caldav" and any(words in error for words in _PASSWORD_WORDS):
        return "password"
    return "read"


def changes_words(health: AccountHealth) -> str:
    """How the account's changes come to be known."""
    if not health.counting:
        return "No calendar of it is read."
    if not health.pushed:
        return "Looked for every few minutes."
    if health.pushed < health.counting:
        return f"Told at once for {health.pushed} of {health.counting} calendars, looked for every few minutes."
    return "Told at once, and looked for every few minutes."


def access_words(health: AccountHealth) -> str:
    """What was granted."""
    words = "May read and change your calendars." if health.changes_calendars else "May read your calendars."
    return words if health.contacts is None else f"{words} Contacts: {'yes' if health.contacts else 'no'}."


def _health(
    ports: Ports,
    account: CalendarAccount,
    calendars: tuple[Calendar, ...],
    due: Mapping[str, int],
    ends: Mapping[str, int],
    now: int,
) -> AccountHealth:
    counting = [each for each in calendars if _counts(each)]
    read = [each.synced_at for each in counting if each.synced_at is not None]
    blocking = [each.synced_at for each in counting if each.is_conflict and each.synced_at is not None]
    channels = [ends[each.id] for each in counting if each.id in ends]
    error = _error(account, counting, _late(ports, now))
    changes, contacts = _granted(account)
    return AccountHealth(
        account=account,
        calendars=calendars,
        counting=len(counting),
        pushed=len(channels),
        pushed_until=min(channels, default=None),
        last_sync_at=max(read, default=None),
        oldest_sync_at=min(blocking or read, default=None),
        next_sync_at=min((due[lane] for each in counting if (lane := sync_lane(each.id)) in due), default=None),
        changes_calendars=changes,
        contacts=contacts,
        error=error,
        mend=mend_of(account.provider, error, ports.sign_ins) if error else None,
    )


def _error(account: CalendarAccount, counting: Sequence[Calendar], late: int) -> str | None:
    if account.status != "ok":
        return account.error or "The account cannot be read."
    is_late = any(each.is_conflict and (each.synced_at or each.modified_at) <= late for each in counting)
    return STANDS_STILL if is_late else None


def _late(ports: Ports, now: int) -> int:
    return now - ports.calendar_age_limit // LATE_SHARE


def _counts(calendar: Calendar) -> bool:
    return calendar.provider != BUILTIN and (calendar.is_conflict or calendar.is_write)


def _granted(account: CalendarAccount) -> tuple[bool, bool | None]:
    """Whether calendars may be changed, and whether contacts were granted (None: never asked for)."""
    if account.scopes is None:
        return account.provider != "ics_url", None
    names = {scope.rsplit("/", 1)[-1].lower() for scope in account.scopes.split()}
    return bool(names & _CALENDARS), bool(names & _CONTACTS)
