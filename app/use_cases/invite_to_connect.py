"""An admin asks somebody to connect a calendar, by a link that needs no password here.

The link names who is asked and who asks. It signs nobody in and tells nothing of theirs: all it is good for is to go to
a provider's sign-in page and have what is granted there connected for the one who was asked. What is connected so
blocks their time; bookings go into it only when they choose so themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.calendars import CalendarAccount
from app.domain.errors import Forbidden, NotFound
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.outbox import Job, NewJob
from app.ports.people import Organization, User
from app.use_cases.account_mail import mail_user
from app.use_cases.provider_trip import facts_of, is_errand, new_state, request_of
from app.use_cases.sign_in_calendar import keep_grant, sign_in_of

INVITATION = "calendar invitation"
ERRAND = "calendar sign-in by invitation"
INVITATION_SECONDS = 7 * 86400
MAIL = "calendar_invitation"


@dataclass(frozen=True, slots=True)
class Invitation:
    """A link that is good: who asks whom, and for which organization."""

    signed: str
    user: User
    asker: User
    organization: Organization


async def ask_to_connect(ports: Ports, admin: User, user_id: str) -> str:
    """Mail the link to an active person of the admin's organization; the address, to hand over in another way too."""
    _need_admin(admin)
    now = ports.clock()
    async with ports.unit_of_work() as work:
        user = await work.people.user(user_id)
        if user is None or user.org_id != admin.org_id or not user.is_active:
            raise NotFound("There is no such person.")
        lane = f"user:{user.id}:{MAIL}"
        await work.outbox.enqueue([NewJob(user.org_id, lane, MAIL, user.id, now, {"asker": admin.id})], now)
        await work.audit.write(
            AuditEntry(user.org_id, "user", admin.id, "calendar.asked_for", "user", user.id, {}), now
        )
        await work.commit()
    return _address(ports, user.id, admin.id)


async def mail_invitation(ports: Ports, job: Job) -> int | None:
    """Outbox handler. The address is made when it is sent."""
    async with ports.read() as work:
        asker = await work.people.user(job.payload["asker"])
    if asker is not None:
        await mail_user(ports, MAIL, job.subject_id, _address(ports, job.subject_id, asker.id), asker.name)
    return None


async def read_invitation(ports: Ports, signed: str) -> Invitation:
    """What a link stands for. `NotFound` when it is forged or too old, when the person was switched off, or when who
    asked may not ask any more."""
    gone = NotFound("This link has expired, or was taken back.")
    named = ports.vault.unsign(INVITATION, signed, INVITATION_SECONDS)
    if named is None:
        raise gone
    async with ports.read() as work:
        user, asker = await work.people.user(named["user"]), await work.people.user(named["asker"])
        organization = await work.people.organization(user.org_id) if user else None
    if user is None or asker is None or organization is None or not user.is_active:
        raise gone
    if not _may_ask(asker) or asker.org_id != user.org_id:
        raise gone
    return Invitation(signed, user, asker, organization)


async def begin_invited(ports: Ports, signed: str, browser: str, provider: str) -> str:
    """The address of the provider's sign-in page; `browser` is the secret of the browser that will come back."""
    sign_in = sign_in_of(ports, provider)
    invitation = await read_invitation(ports, signed)
    state = new_state(ports, ERRAND, browser, provider, {"invitation": invitation.signed})
    return sign_in.authorization_url(request_of(ports, provider, state))


def is_by_invitation(ports: Ports, answer: Mapping[str, str]) -> bool:
    """Whether somebody who comes back from a provider went there by an invitation."""
    return is_errand(ports, ERRAND, answer.get("state", ""))


async def finish_invited(
    ports: Ports, invitation: Invitation, browser: str | None, provider: str, answer: Mapping[str, str]
) -> CalendarAccount:
    """Connect what came back for the one who was asked, whoever is signed in here. As `finish_sign_in` otherwise."""
    state = answer.get("state", "")
    facts_of(ports, ERRAND, browser, provider, state)
    grant = await sign_in_of(ports, provider).redeem(request_of(ports, provider, state), answer)
    return await keep_grant(ports, invitation.user, provider, grant)


async def invitation_of_answer(ports: Ports, answer: Mapping[str, str]) -> Invitation:
    """The invitation that somebody comes back with; `NotFound` when it is not good any more."""
    facts = ports.vault.unsign(ERRAND, answer.get("state", ""), INVITATION_SECONDS)
    return await read_invitation(ports, facts["invitation"] if facts else "")


def _address(ports: Ports, user_id: str, asker_id: str) -> str:
    signed = ports.vault.sign(INVITATION, {"user": user_id, "asker": asker_id})
    return f"{ports.base_url}/app/connect/{signed}"


def _may_ask(user: User) -> bool:
    return user.is_active and "admin" in user.roles


def _need_admin(user: User) -> None:
    if not _may_ask(user):
        raise Forbidden("Only admins can ask others to connect a calendar.")
