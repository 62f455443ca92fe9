"""Setting up a phone by a link: no password is typed, and whoever has the link has one device's access and no more.

A link lives a quarter of an hour and is good once. The app password is made only when somebody takes it; what comes of
it is then found under another address for a minute, which nobody but the taker was told: a phone may ask for a profile
twice, and a program that follows links on its own (a mail scanner, a preview) only ever asks for the first address,
which changes nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from app.domain.errors import NotFound
from app.ports import Ports
from app.ports.outbox import Job, NewJob
from app.ports.people import User
from app.ports.phone_profiles import PhoneProfile
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.ids import new_id
from app.use_cases.manage_tokens import add_app_password, device_name

OFFER_SECONDS = 15 * 60
TAKEN_SECONDS = 60
GONE = "This link was used already, or is older than a quarter of an hour."


@dataclass(frozen=True, slots=True)
class SetUp:
    """What a device needs. `token` names it in an address; `password` is empty while it is only offered."""

    user: User
    label: str
    password: str
    token: str
    profile_id: str


async def offer_set_up(ports: Ports, user: User, label: str) -> SetUp:
    """A link for one more device of the user."""
    now, token = ports.clock(), ports.vault.new_token()
    profile = PhoneProfile(new_id(), user.org_id, user.id, device_name(label), "", now + OFFER_SECONDS, now)
    async with ports.unit_of_work() as work:
        await work.phone_profiles.add(profile, token)
        await work.commit()
    return SetUp(user, profile.label, "", token, profile.id)


async def offered_set_up(ports: Ports, token: str) -> SetUp:
    """What a link offers, which changes nothing. `NotFound` when it is over."""
    async with ports.read() as work:
        profile, user = await _found(ports, work, token)
    return _offer(profile, user, token)


async def take_set_up(ports: Ports, token: str) -> SetUp:
    """Use up the link: the device's app password is made. `NotFound` for whoever comes second."""
    now, fresh = ports.clock(), ports.vault.new_token()
    async with ports.unit_of_work() as work:
        profile, user = await _found(ports, work, token, lock=True)
        _offer(profile, user, token)
        _, password = await add_app_password(work, user, profile.label, now)
        taken = replace(profile, password=password, expires_at=now + TAKEN_SECONDS)
        await work.phone_profiles.take(taken, fresh)
        forget = NewJob(user.org_id, f"phone:{profile.id}", "forget_set_up", profile.id, taken.expires_at)
        await work.outbox.enqueue([forget], now)
        await work.commit()
    return SetUp(user, profile.label, password, fresh, profile.id)


async def taken_set_up(ports: Ports, token: str) -> SetUp:
    """What somebody has just taken; `NotFound` after a minute."""
    async with ports.read() as work:
        profile, user = await _found(ports, work, token)
    if not profile.password:
        raise NotFound(GONE)
    return SetUp(user, profile.label, profile.password, token, profile.id)


async def forget_set_up(ports: Ports, _: Job) -> None:
    """Outbox handler: nothing is kept of links that are over, least of all a password."""
    async with ports.unit_of_work() as work:
        await work.phone_profiles.forget(ports.clock())
        await work.commit()


def _offer(profile: PhoneProfile, user: User, token: str) -> SetUp:
    if profile.password:
        raise NotFound(GONE)
    return SetUp(user, profile.label, "", token, profile.id)


async def _found(ports: Ports, work: UnitOfWork, token: str, *, lock: bool = False) -> tuple[PhoneProfile, User]:
    profile = await work.phone_profiles.find(token, ports.clock(), lock=lock)
    user = await work.people.user(profile.user_id) if profile else None
    if profile is None or user is None:
        raise NotFound(GONE)
    return profile, user
