"""Connect calendars for a whole organization, by what its administrator granted at a provider.

The grant's secret is the secret of every account that rests on it: that is how they are known, how a new key reaches
them at once, and why nothing of it is left once they are gone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from app.domain.calendars import CalendarAccount
from app.domain.errors import AlreadyExists, Forbidden, Invalid, NotFound, ProviderFailure
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.calendars import Credentials
from app.ports.organization_grants import GrantGiven, OrganizationGrant, TakesConsent, TakesKey
from app.ports.people import User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.connect_calendar import CONNECT_SECONDS, NewAccount, list_event_calendars, store_account
from app.use_cases.disconnect_calendar import forget_account
from app.use_cases.provider_trip import (
    callback_address,
    facts_of,
    is_errand,
    new_state,
    request_of,
    require_offered,
)
from app.use_cases.watch_calendar import mirror_jobs

Way = Literal["key", "consent"]
WAYS: Mapping[str, Way] = {"google": "key", "microsoft": "consent"}
"""How an administrator lets the program in, by provider."""
TENANT, CONSENT = "tenant sign-in", "tenant consent"
MOST_AT_ONCE = 50
"""How many people are connected in one go, while the administrator waits."""
TOGETHER = 6
TAKEN_BACK = "What your organization granted was taken back or replaced meanwhile. Please look again."


@dataclass(frozen=True, slots=True)
class Colleague:
    """An active person; `account` is theirs at the provider under their e-mail address, and `rests` whether it is by
    the grant."""

    user: User
    account: CalendarAccount | None
    rests: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with one provider. Where a key lets in, `client` (empty before there is one) and `scopes` are what
    to enter there."""

    provider: str
    way: Way
    grant: OrganizationGrant | None
    client: str
    scopes: tuple[str, ...]
    people: tuple[Colleague, ...]

    @property
    def resting(self) -> int:
        """How many people's accounts rest on the grant."""
        return sum(each.rests for each in self.people)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of connecting for somebody; `trouble` is empty when it went well."""

    user: User
    trouble: str


async def standings(ports: Ports, admin: User) -> list[Standing]:
    """One for each provider that the program is registered at."""
    _need_admin(admin)
    async with ports.read() as work:
        users = [user for user in await work.people.users(admin.org_id) if user.is_active]
        return [await _standing(ports, work, admin.org_id, name, users) for name in WAYS if name in ports.sign_ins]


async def _standing(ports: Ports, work: UnitOfWork, org_id: str, provider: str, users: Sequence[User]) -> Standing:
    grant = await work.organization_grants.get(org_id, provider)
    client, scopes = "", tuple[str, ...]()
    if WAYS[provider] == "key":
        keys = cast("TakesKey", ports.providers[provider])
        given = keys.kept_key(grant.secret) if grant else None
        client, scopes = given.client if given else "", keys.scopes_granted
    accounts = await work.calendars.accounts_at(org_id, provider) if grant else []
    by_mailbox = {(each.user_id, each.username.lower()): each for each in accounts}
    people = []
    for user in users:
        account = by_mailbox.get((user.id, user.email.lower()))
        people.append(Colleague(user, account, _rests(account, grant)))
    return Standing(provider, WAYS[provider], grant, client, scopes, tuple(people))


async def rests_on_grant(work: UnitOfWork, account: CalendarAccount) -> bool:
    """Whether an account is connected by what an administrator granted, not by its owner."""
    return _rests(account, await work.organization_grants.get(account.org_id, account.provider))


def _rests(account: CalendarAccount | None, grant: OrganizationGrant | None) -> bool:
    return account is not None and grant is not None and account.secret == grant.secret


# letting in


async def keep_key(ports: Ports, admin: User, provider: str, text: str) -> None:
    """Keep a pasted key; accounts that rest on an earlier one go on with it. `Invalid` (field `key`)."""
    _need_way(ports, admin, provider, "key")
    given = cast("TakesKey", ports.providers[provider]).read_key(text)
    await _keep(ports, admin, provider, given)


def begin_consent(ports: Ports, admin: User, session: str | None, provider: str) -> str:
    """Where to send the administrator first: to show which organization they are of."""
    consents = _consents(ports, admin, provider)
    if session is None:
        raise Forbidden("This is done in a browser, where one is signed in.")
    state = new_state(ports, TENANT, session, provider, {"user": admin.id})
    return consents.tenant_sign_in_url(request_of(ports, provider, state))


def consent_step(ports: Ports, answer: Mapping[str, str]) -> Literal["tenant", "consent"] | None:
    """Which of the two trips somebody comes back from, if it is one of them."""
    state = answer.get("state", "")
    if is_errand(ports, TENANT, state):
        return "tenant"
    return "consent" if is_errand(ports, CONSENT, state) else None


async def continue_consent(
    ports: Ports, admin: User, session: str | None, provider: str, answer: Mapping[str, str]
) -> str:
    """They are of this organization: where to send them to agree for it. `Invalid` when this was begun elsewhere,
    `AlreadyExists` when the organization is another one's here."""
    consents = _consents(ports, admin, provider)
    state = answer.get("state", "")
    _own_trip(ports, TENANT, admin, session, provider, state)
    tenant = await consents.tenant_of_sign_in(request_of(ports, provider, state), answer)
    async with ports.read() as work:
        await _check_free(work, admin.org_id, provider, consents.consented(tenant).label)
    following = new_state(ports, CONSENT, session or "", provider, {"user": admin.id, "tenant": tenant})
    return consents.consent_url(tenant, callback_address(ports, provider), following)


async def finish_consent(
    ports: Ports, admin: User, session: str | None, provider: str, answer: Mapping[str, str]
) -> None:
    """They came back from the consent. The organization is the one that was proved before; what the address says of
    it must only not contradict. `ProviderFailure` (auth) when they did not agree."""
    consents = _consents(ports, admin, provider)
    facts = _own_trip(ports, CONSENT, admin, session, provider, answer.get("state", ""))
    agreed = answer.get("admin_consent", "").lower() == "true" and "error" not in answer
    if not agreed:
        raise ProviderFailure("auth", "The permission for the whole organization was not given.")
    if answer.get("tenant", "").lower() != facts["tenant"].lower():
        raise Invalid.field("tenant", "You agreed for another organization than the one you signed in with.")
    await _keep(ports, admin, provider, consents.consented(facts["tenant"]))


def _consents(ports: Ports, admin: User, provider: str) -> TakesConsent:
    _need_way(ports, admin, provider, "consent")
    return cast("TakesConsent", ports.providers[provider])


def _own_trip(ports: Ports, errand: str, admin: User, session: str | None, provider: str, state: str) -> dict[str, str]:
    facts = facts_of(ports, errand, session, provider, state)
    if facts["user"] != admin.id:
        raise Invalid.field("state", "This was begun by somebody else. Please try again.")
    return facts


async def _check_free(work: UnitOfWork, org_id: str, provider: str, label: str) -> None:
    """A consent is for this program, not for one of its customers: the first who claims it has it."""
    if await work.organization_grants.holder(provider, label) not in (None, org_id):
        raise AlreadyExists("Another organization on this server is connected to yours already.")


async def _keep(ports: Ports, admin: User, provider: str, given: GrantGiven) -> None:
    now = ports.clock()
    async with ports.unit_of_work() as work:
        if WAYS[provider] == "consent":
            await _check_free(work, admin.org_id, provider, given.label)
        earlier = await work.organization_grants.get(admin.org_id, provider)
        await work.organization_grants.put(OrganizationGrant(admin.org_id, provider, given.label, given.secret, now))
        for account in await _resting(work, earlier):
            await work.calendars.update_account(account.id, secret=given.secret, updated_at=now)
            calendars = [each for each in await work.calendars.calendars_in(account.id) if each.is_conflict]
            await work.outbox.enqueue(mirror_jobs(ports, calendars, now), now)  # what a broken grant left unread
        await work.audit.write(_entry(admin, "calendar_grant.given", provider), now)
        await work.commit()


async def _resting(work: UnitOfWork, grant: OrganizationGrant | None) -> list[CalendarAccount]:
    if grant is None:
        return []
    accounts = await work.calendars.accounts_at(grant.org_id, grant.provider)
    return [account for account in accounts if _rests(account, grant)]


# connecting


async def connect_for(ports: Ports, admin: User, provider: str, user_ids: Sequence[str]) -> list[Outcome]:
    """Connect the calendars of active people of the organization, each under their e-mail address. Whoever it fails for
    keeps nobody else from it. `Invalid` (field `people`) for none or too many, and when the grant goes meanwhile."""
    _need_way(ports, admin, provider)
    async with ports.read() as work:
        grant = await work.organization_grants.get(admin.org_id, provider)
        everybody = await work.people.users(admin.org_id)
    if grant is None:
        raise NotFound("Nothing was granted for the whole organization.")
    chosen = [user for user in everybody if user.is_active and user.id in set(user_ids)]
    if not 1 <= len(chosen) <= MOST_AT_ONCE:
        raise Invalid.field("people", f"Please choose somebody, at most {MOST_AT_ONCE} people at once.")
    gate = asyncio.Semaphore(TOGETHER)
    outcomes = await asyncio.gather(*(_connect_one(ports, admin, grant, user, gate) for user in chosen))
    if any(each.trouble == TAKEN_BACK for each in outcomes):
        raise Invalid.field("people", TAKEN_BACK)
    return outcomes


async def _connect_one(
    ports: Ports, admin: User, grant: OrganizationGrant, user: User, gate: asyncio.Semaphore
) -> Outcome:
    found = Credentials("", user.email, grant.secret)
    new = NewAccount(grant.provider, "", user.email, grant.secret)
    try:
        async with gate:
            async with asyncio.timeout(CONNECT_SECONDS):
                remote = await list_event_calendars(ports.providers[grant.provider], found)
            account = await store_account(ports, user, new, found, remote, _scopes(ports, grant))
    except AlreadyExists:
        return Outcome(user, "This person's calendar is connected already.")
    except TimeoutError:
        return Outcome(user, "The provider did not answer in time. Please try again later.")
    except ProviderFailure as failure:
        missing = f"There is no calendar of {user.email} in your organization there."
        return Outcome(user, missing if failure.kind == "gone" else failure.detail)
    return await _unless_taken_back(ports, admin, grant, user, account)


def _scopes(ports: Ports, grant: OrganizationGrant) -> str:
    provider = ports.providers[grant.provider]
    return " ".join(cast("TakesKey | TakesConsent", provider).scopes_granted)


async def _unless_taken_back(
    ports: Ports, admin: User, grant: OrganizationGrant, user: User, account: CalendarAccount
) -> Outcome:
    """What was connected while the grant was removed, or replaced, must not outlive it."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        kept = await work.organization_grants.get(grant.org_id, grant.provider)
        if kept is not None and kept.secret == grant.secret:
            return Outcome(user, "")
        await forget_account(ports, work, account, user, admin, now)
        await work.commit()
    return Outcome(user, TAKEN_BACK)


# taking back


async def remove_grant(ports: Ports, admin: User, provider: str) -> int:
    """Forget a grant, and disconnect every account that rests on it; how many they were."""
    _need_way(ports, admin, provider)
    now = ports.clock()
    async with ports.unit_of_work() as work:
        grant = await work.organization_grants.get(admin.org_id, provider)
        if grant is None:
            raise NotFound("Nothing was granted for the whole organization.")
        accounts = await _resting(work, grant)
        await work.organization_grants.remove(admin.org_id, provider)
        await work.hosts.lock([account.user_id for account in accounts])
        for account in accounts:
            owner = await work.people.user(account.user_id)
            if owner is not None:
                await forget_account(ports, work, account, owner, admin, now)
        await work.audit.write(_entry(admin, "calendar_grant.removed", provider), now)
        await work.commit()
    return len(accounts)


def _entry(admin: User, action: str, provider: str) -> AuditEntry:
    return AuditEntry(admin.org_id, "user", admin.id, action, "organization", admin.org_id, {"provider": provider})


def _need_way(ports: Ports, admin: User, provider: str, way: Way | None = None) -> None:
    _need_admin(admin)
    require_offered(ports, provider)
    if provider not in WAYS or way not in (None, WAYS[provider]):
        raise NotFound("Accounts of this kind cannot be connected for a whole organization.")


def _need_admin(user: User) -> None:
    if "admin" not in user.roles:
        raise Forbidden("Only admins of your organization can do this.")
