"""Connect an account at its provider's own sign-in page (OAuth 2.0 authorization code with PKCE), for whoever is
signed in here: the state that comes back is bound to their session.

Calendars are all that is asked for. Contacts are asked for too when the person switches them on for an account, and
from then on whenever that account is connected anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, cast

from app.domain.calendars import CalendarAccount, ContactsUse
from app.domain.errors import Forbidden, Invalid, ProviderFailure
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.calendars import Credentials, Grant, SignIn
from app.ports.people import User
from app.use_cases.calendar_accounts import own_account, sync_now
from app.use_cases.calendar_trouble import trouble_is_over
from app.use_cases.connect_calendar import NewAccount, list_event_calendars, store_account
from app.use_cases.provider_trip import facts_of, new_state, request_of, require_offered
from app.use_cases.use_contacts import are_contacts_granted
from app.use_cases.watch_calendar import mirror_jobs

ERRAND = "calendar sign-in"


SwitchedOn = Literal["suggest", "add"]


@dataclass(frozen=True, slots=True)
class Connected:
    """What became of a sign-in. `contacts`: whether they are used from now on, where they were asked for; None where
    they were not."""

    account: CalendarAccount
    contacts: bool | None


async def begin_sign_in(
    ports: Ports,
    user: User,
    session: str | None,
    provider: str,
    login_hint: str = "",
    account_id: str = "",
    contacts: SwitchedOn | None = None,
) -> str:
    """The address to send the person to. `account_id` is the account to connect anew, `contacts` what its contacts are
    to be used for when they are granted.

    `NotFound` for a provider that the program is not registered at, or an account that is not the user's; `Invalid` for
    contacts of no account.
    """
    if session is None:
        raise Forbidden("Accounts are connected in a browser, where one is signed in.")
    sign_in = sign_in_of(ports, provider)
    if contacts and not account_id:
        raise Invalid.field("contacts", "Connect the account first.")
    in_use = await _contacts_in_use(ports, user, account_id)
    wanted = contacts or in_use
    facts = {"user": user.id, "account": account_id, "contacts": wanted}
    state = new_state(ports, ERRAND, session, provider, facts)
    return sign_in.authorization_url(request_of(ports, provider, state, login_hint, with_contacts=wanted != "off"))


async def _contacts_in_use(ports: Ports, user: User, account_id: str) -> ContactsUse:
    if not account_id:
        return "off"
    async with ports.read() as work:
        return (await own_account(work, user, account_id)).contacts


async def finish_sign_in(
    ports: Ports, user: User, session: str | None, provider: str, answer: Mapping[str, str]
) -> Connected:
    """Take what the provider sent the person back with. An account that is connected already is connected anew.

    `Invalid` when this browser did not begin it, or when another account came back than was asked for; the
    `ProviderFailure` of the provider, `auth` when the person refused or granted too little.
    """
    state = answer.get("state", "")
    asked = facts_of(ports, ERRAND, session, provider, state)
    if asked["user"] != user.id:
        raise Invalid.field("state", "This was begun by somebody else. Please try again.")
    wanted = cast("ContactsUse", asked["contacts"])
    request = request_of(ports, provider, state, with_contacts=wanted != "off")
    grant = await sign_in_of(ports, provider).redeem(request, answer)
    account = await keep_grant(ports, user, provider, grant, asked["account"], wanted)
    return Connected(account, None if wanted == "off" else account.contacts != "off")


async def keep_grant(
    ports: Ports, user: User, provider: str, grant: Grant, account_id: str = "", contacts: ContactsUse = "off"
) -> CalendarAccount:
    """Connect what somebody granted for this user, anew where it is connected already. `account_id` is the account that
    it must be of; `Invalid` (field `account`) when it is not. `contacts` is what its contacts are used for from now on,
    off: what they were used for; neither when they were not granted."""
    known = await _known_account(ports, user, provider, grant, account_id)
    if known is not None:
        return await _connect_anew(ports, known, grant, known.contacts if contacts == "off" else contacts)
    found = Credentials("", grant.username, grant.secret)
    remote = await list_event_calendars(ports.providers[provider], found)
    new = NewAccount(provider, "", grant.username, grant.secret)
    return await store_account(ports, user, new, found, remote, " ".join(grant.scopes))


def sign_in_of(ports: Ports, provider: str) -> SignIn:
    """The provider's sign-in; `NotFound` where there is none."""
    require_offered(ports, provider)
    return cast("SignIn", ports.providers[provider])


async def _known_account(
    ports: Ports, user: User, provider: str, grant: Grant, account_id: str
) -> CalendarAccount | None:
    """The account to connect anew, if it is one."""
    async with ports.read() as work:
        if account_id:
            account = await own_account(work, user, account_id)
            if account.username.lower() != grant.username.lower():
                raise Invalid.field(
                    "account", f"You signed in as {grant.username}, but this account is {account.username}."
                )
            return account
        accounts = await work.calendars.accounts_of(user.id)
    same = (account for account in accounts if account.provider == provider)
    return next((account for account in same if account.username.lower() == grant.username.lower()), None)


async def _connect_anew(ports: Ports, account: CalendarAccount, grant: Grant, wanted: ContactsUse) -> CalendarAccount:
    """New tokens for an account; its calendars, and what was chosen of them, stay."""
    now, scopes = ports.clock(), " ".join(grant.scopes)
    is_granted = are_contacts_granted(ports, replace(account, secret=grant.secret, scopes=scopes))
    contacts = wanted if is_granted else "off"
    async with ports.unit_of_work() as work:
        await work.calendars.update_account(
            account.id,
            secret=grant.secret,
            scopes=scopes,
            contacts=contacts,
            status="ok",
            error=None,
            last_ok_at=now,
            updated_at=now,
        )
        await trouble_is_over(work, account, now)
        calendars = [each for each in await work.calendars.calendars_in(account.id) if each.is_conflict]
        await work.outbox.enqueue(mirror_jobs(ports, calendars, now + 30), now)
        entry = AuditEntry(
            account.org_id, "user", account.user_id, "calendar.reconnected", "calendar_account", account.id,
            {"provider": account.provider, "contacts": contacts},
        )  # fmt: skip
        await work.audit.write(entry, now)
        await work.commit()
    await sync_now(ports, calendars)
    async with ports.read() as work:
        found = await work.calendars.account(account.id)
    if found is None:
        raise ProviderFailure("gone", "The account was disconnected meanwhile.")
    return found
