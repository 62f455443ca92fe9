"""Mails about an account: invitation and password reset, by the outbox."""

from __future__ import annotations

from app.ports import Ports
from app.ports.outbox import Job, NewJob
from app.ports.people import User


def account_mail_job(user: User, kind: str, now: int, seconds: int) -> NewJob:
    """`kind` is invitation or password_reset; the address it carries is made when it is sent."""
    return NewJob(
        user.org_id, f"user:{user.id}:{kind}", "account_mail", user.id, now, {"mail": kind, "seconds": seconds}
    )


def password_address(ports: Ports, user: User, seconds: int) -> str:
    """The address at which this user sets a password, valid for `seconds` and until a password is set."""
    state = password_states(ports, user)[0]
    signed = ports.vault.sign("password", {"user": user.id, "state": state, "for": str(seconds)})
    return f"{ports.base_url}/app/password/{signed}"


def password_states(ports: Ports, user: User) -> list[str]:
    """Changes whenever the password does, so that an address works once: as the first key tells it, and the others."""
    return [lookup[:32] for lookup in ports.vault.lookups(f"password {user.id} {user.password_hash}")]


async def send_account_mail(ports: Ports, job: Job) -> int | None:
    """Outbox handler."""
    async with ports.read() as work:
        user = await work.people.user(job.subject_id)
    if user is not None:
        address = password_address(ports, user, job.payload["seconds"])
        await mail_user(ports, job.payload["mail"], user.id, address)
    return None


async def mail_user(ports: Ports, kind: str, user_id: str, address: str, reason: str = "") -> str:
    """One mail to an active user, whose Message-ID is answered (empty: nobody to write to); `kind` as in
    `MailComposer.account`."""
    async with ports.read() as work:
        user = await work.people.user(user_id)
        organization = await work.people.organization(user.org_id) if user else None
    if user is None or organization is None or not user.is_active:
        return ""
    mail = ports.composer.account(kind, user.email, user.name, address, organization.name, ports.clock(), reason)
    await ports.mailer.send(mail)
    return mail.message_id
