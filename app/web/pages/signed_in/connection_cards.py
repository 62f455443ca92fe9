"""Connected accounts as `/app/connections` shows them: how each is, what mends it, and its calendars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from app.domain.calendars import Calendar, CalendarAccount
from app.domain.hours import local_date
from app.use_cases.calendar_health import AccountHealth, Mend, access_words, changes_words
from app.web.pages.signed_in.booking_views import Mark
from app.web.pages.signed_in.contact_choices import ContactChoice
from app.web.pages.wording import Wording

SIGN_INS: Mapping[str, str] = {"google": "Google", "microsoft": "Microsoft 365 or Outlook.com"}
ADVICE: Mapping[Mend, str] = {
    "sign_in": "Sign in there again; your choices below stay as they are.",
    "password": "If you changed it there, type the new one here.",
    "read": "It is tried again by itself. If a calendar was deleted there, take its tick away below.",
}
DAY = 86400


@dataclass(frozen=True, slots=True)
class Clock:
    """What instants are told with: the instant it is, and the reader's zone and wording."""

    now: int
    zone: str
    wording: Wording

    def at(self, instant: int) -> str:
        """`14:30`, on another day with it."""
        time, day = self.wording.time(instant, self.zone), local_date(self.zone, instant)
        return time if day == local_date(self.zone, self.now) else f"{self.wording.short_day(day)}, {time}"

    def ago(self, instant: int) -> str:
        """`2 minutes ago`."""
        return ago(self.now - instant)

    def ahead(self, instant: int) -> str:
        """`in 4 minutes`, or `now` for what is due."""
        left = instant - self.now
        return "now" if left <= 0 else f"in {_length(max(left, 60))}"


@dataclass(frozen=True, slots=True)
class CalendarRow:
    """One calendar of an account."""

    id: str
    name: str
    color: str
    is_conflict: bool
    is_write: bool
    can_write: bool
    state: str
    error: str


@dataclass(frozen=True, slots=True)
class AccountCard:
    """One connected account. `facts` are (what, how it is); `mend` names the one button, None when nothing is wrong."""

    id: str
    path: str
    provider: str
    label: str
    server: str
    username: str
    mark: Mark
    sign_in: str
    sign_in_address: str
    facts: tuple[tuple[str, str], ...]
    trouble: str
    advice: str
    mend: Mend | None
    takes_password: bool
    tentative_busy: bool
    edits: str
    gets_bookings: bool
    can_invite: bool
    provider_invites: bool
    contacts: tuple[ContactChoice, ...]
    calendars: tuple[CalendarRow, ...]


def account_card(
    health: AccountHealth, contacts: tuple[ContactChoice, ...], clock: Clock, age_limit: int
) -> AccountCard:
    """The card of an account; `age_limit` is how many seconds a copy counts."""
    account = health.account
    return AccountCard(
        id=account.id,
        path=f"/app/connections/{account.id}",
        provider=account.provider,
        label=account.label,
        server=account.url,
        username=account.username,
        mark=Mark("Works", "ok") if health.mend is None else Mark("Needs you", "bad"),
        sign_in=SIGN_INS.get(account.provider, ""),
        sign_in_address=_sign_in_address(account),
        facts=_facts(health, clock),
        trouble=_trouble(health, age_limit),
        advice=ADVICE[health.mend] if health.mend else "",
        mend=health.mend,
        takes_password=account.provider == "caldav",
        edits=account.edits,
        gets_bookings=any(calendar.is_write for calendar in health.calendars),
        can_invite=account.provider in SIGN_INS,
        provider_invites=account.provider_invites,
        contacts=contacts,
        tentative_busy=all(calendar.tentative_busy for calendar in health.calendars),
        calendars=tuple(_calendar_row(each, health.error or "", clock, age_limit) for each in health.calendars),
    )


def ago(seconds: int) -> str:
    """`2 minutes ago`."""
    return "just now" if seconds < 60 else f"{_length(seconds)} ago"


def _length(seconds: int) -> str:
    for size, word in ((DAY, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {word}{'' if count == 1 else 's'}"
    return "less than a minute"


def _sign_in_address(account: CalendarAccount) -> str:
    query = urlencode({"account": account.id, "login_hint": account.username})
    return f"/api/v1/calendar-accounts/{account.provider}/connect?{query}"


def _facts(health: AccountHealth, clock: Clock) -> tuple[tuple[str, str], ...]:
    last, oldest, due = health.last_sync_at, health.oldest_sync_at, health.next_sync_at
    read = "never" if last is None else f"{clock.at(last)} ({clock.ago(last)})"
    age = [("Age of data", _length(clock.now - oldest))] if oldest is not None else []
    coming = "not planned" if due is None else clock.ahead(due)
    changes = changes_words(health)
    if health.pushed_until is not None:
        changes += f" Until {clock.at(health.pushed_until)}, then agreed anew."
    return (("Last read", read), *age, ("Next", coming), ("Changes", changes), ("Access", access_words(health)))


def _trouble(health: AccountHealth, age_limit: int) -> str:
    if health.error is None:
        return ""
    return (
        f"{health.error} Its last copy counts for {age_limit // 3600} hours; after that no times are offered, so that "
        "nothing is booked over what cannot be seen."
    )


def _calendar_row(calendar: Calendar, told: str, clock: Clock, age_limit: int) -> CalendarRow:
    """`told` is what the account says already."""
    read = f"Read {clock.ago(calendar.synced_at)}" if calendar.synced_at else "Not read yet"
    is_old = calendar.is_conflict and (calendar.synced_at or 0) + age_limit <= clock.now
    return CalendarRow(
        id=calendar.id,
        name=calendar.display_name,
        color=calendar.color or "",
        is_conflict=calendar.is_conflict,
        is_write=calendar.is_write,
        can_write=not calendar.read_only and "VEVENT" in calendar.components,
        state=f"{read}: too long ago, so no times are offered" if is_old and calendar.synced_at else read,
        error="" if calendar.sync_error in (None, told) else str(calendar.sync_error),
    )
