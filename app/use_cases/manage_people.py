"""Organizations and users: making them, inviting, passwords."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.domain.calendars import BUILTIN, INBOX, PERSONAL, SCHEDULE, Calendar, CalendarAccount
from app.domain.errors import AlreadyExists, Invalid, NotFound, Unauthenticated
from app.domain.text_rules import RESERVED_SLUGS, SLUG, handle_of, is_email, slug_of
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.hosts import ScheduleRecord
from app.ports.people import Organization, User
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.account_mail import account_mail_job, password_states
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id
from app.use_cases.keep_data import EVERY_SECONDS, retention_job_of
from app.use_cases.zone_names import canonical_zone

ROLES = ("owner", "admin", "employee")
INVITATION_SECONDS = 7 * 86400
RESET_SECONDS = 3600
MIN_PASSWORD = 10
DEMO_PASSWORD = "halfpast-demo"  # noqa: S105  # printed at start, refused beyond loopback
OFFICE_HOURS = [("09:00", "17:00")]
_BUILTIN = (
    (SCHEDULE, "Schedule", "Confirmed bookings", "#2563eb", ("VEVENT",)),
    (PERSONAL, "Personal", "Blocks your availability", "#16a34a", ("VEVENT", "VTODO")),
    (INBOX, "Inbox", "", None, ("VEVENT", "VTODO", "VFREEBUSY")),
)
"""Name, title, description, colour and kinds of component of the collections everybody has."""


@dataclass(frozen=True, slots=True)
class NewUser:
    """A user to make; `password` None leaves them to set one by the address they are mailed."""

    org_id: str
    email: str
    name: str
    roles: tuple[str, ...]
    timezone: str = "UTC"
    password: str | None = None


async def create_organization(ports: Ports, name: str, slug: str | None = None) -> Organization:
    """A new organization; the slug is made from the name when it is not given."""
    chosen = slug or slug_of(name, "organization")
    if not re.search(SLUG, chosen) or chosen in RESERVED_SLUGS:
        raise Invalid.field("slug", "A slug has lower-case letters, digits and dashes, and is not a reserved word.")
    organization = Organization(new_id(), chosen, name.strip(), complete_after_minutes=60, hold_minutes=1440)
    if not organization.name:
        raise Invalid.field("name", "An organization needs a name.")
    async with ports.unit_of_work() as work:
        now = ports.clock()
        await work.people.add_organization(organization, now)
        await work.outbox.enqueue([retention_job_of(organization.id, now + EVERY_SECONDS)], now)
        await work.commit()
    return organization


@dataclass(frozen=True, slots=True)
class Invited:
    """By whom a user is made, who is then mailed the address to set a password."""

    by: User | None = None
    replay: Replay[User] | None = None


async def create_user(ports: Ports, new: NewUser, invited: Invited | None = None) -> User:
    """A user with the host, the default schedule and the built-in calendars everybody has."""
    _check(new)
    now = ports.clock()
    password_hash = await ports.passwords.hash(new.password) if new.password is not None else None
    async with ports.unit_of_work() as work:
        user = User(
            id=new_id(),
            org_id=new.org_id,
            email=new.email.strip().lower(),
            handle=await _free_handle(work, handle_of(new.email)),
            name=new.name.strip(),
            roles=new.roles,
            password_hash=password_hash,
            timezone=canonical_zone(new.timezone),
            is_active=True,
            created_at=now,
        )
        await work.people.add_user(user, now)
        await work.hosts.add_schedule(_default_schedule(user, now))
        await _add_builtin_calendars(work, user, now)
        if invited is not None:
            await _invite(work, user, invited, now)
        if invited is None or invited.by is None:
            made = AuditEntry(
                user.org_id, "system", None, "user.created", "user", user.id, {"roles": [None, list(user.roles)]}
            )
            await work.audit.write(made, now)
        await work.commit()
    return user


async def _invite(work: UnitOfWork, user: User, invited: Invited, now: int) -> None:
    await work.outbox.enqueue([account_mail_job(user, "invitation", now, INVITATION_SECONDS)], now)
    if invited.by is not None:
        changes = {"roles": [None, list(user.roles)]}
        entry = AuditEntry(user.org_id, "user", invited.by.id, "employee.invited", "host", user.id, changes)
        await work.audit.write(entry, now)
    await remember(work, invited.replay, user, now)


def _check(new: NewUser) -> None:
    if not is_email(new.email.strip()):
        raise Invalid.field("email", "This is not an e-mail address.")
    if not new.name.strip():
        raise Invalid.field("name", "A user needs a name.")
    if not new.roles or set(new.roles) - set(ROLES):
        raise Invalid.field("roles", f"Roles are among {', '.join(ROLES)}.")
    canonical_zone(new.timezone)
    if new.password is not None:
        check_password(new.password)


def check_password(password: str) -> None:
    """Long enough to be worth hashing (NIST SP 800-63B asks for length, not for kinds of characters)."""
    if not MIN_PASSWORD <= len(password) <= 1000:
        raise Invalid.field("password", f"A password has at least {MIN_PASSWORD} characters.")


async def _free_handle(work: UnitOfWork, wanted: str) -> str:
    taken = await work.people.handles_like(wanted)
    if wanted not in taken:
        return wanted
    return next(f"{wanted}{number}" for number in range(2, len(taken) + 3) if f"{wanted}{number}" not in taken)


def _default_schedule(user: User, now: int) -> ScheduleRecord:
    return ScheduleRecord(
        id=new_id(),
        org_id=user.org_id,
        user_id=user.id,
        name="Working hours",
        timezone=user.timezone,
        is_default=True,
        weekly=dict.fromkeys(("mon", "tue", "wed", "thu", "fri"), OFFICE_HOURS),
        overrides=(),
        exclusions=(),
        holiday_country=None,
        version=1,
        created_at=now,
        updated_at=now,
    )


async def _add_builtin_calendars(work: UnitOfWork, user: User, now: int) -> None:
    account = CalendarAccount(
        id=new_id(),
        org_id=user.org_id,
        user_id=user.id,
        provider=BUILTIN,
        label="Halfpast",
        url="",
        username=user.handle,
        secret="",
        status="ok",
        error=None,
        last_ok_at=now,
        created_at=now,
        updated_at=now,
    )
    await work.calendars.add_account(account)
    organization = await work.people.organization(user.org_id)
    for position, (name, title, description, color, components) in enumerate(_BUILTIN):
        calendar = Calendar(
            id=new_id(),
            org_id=user.org_id,
            account_id=account.id,
            user_id=user.id,
            provider=BUILTIN,
            name=name,
            display_name=f"{title} of {user.name}" if name == SCHEDULE else title,
            color=color,
            position=position,
            description=description,
            timezone=user.timezone,
            components=components,
            is_conflict=name == PERSONAL,
            is_write=name == SCHEDULE,
            read_only=False,
            revision=0,
            modified_at=now,
            sync_cursor=None,
            synced_at=now,
            sync_error=None,
            takes_new=name != SCHEDULE or (organization is not None and organization.walk_ins),
        )
        await work.calendars.add_calendar(calendar)


async def invite_user(ports: Ports, new: NewUser, by: User | None = None, replay: Replay[User] | None = None) -> User:
    """Make a user without a password and mail them the address to set one."""
    return await create_user(ports, new, Invited(by, replay))


async def ask_password_reset(ports: Ports, email: str) -> None:
    """Mail the address to set a new password; nothing tells whether the e-mail address is known."""
    async with ports.read() as work:
        user = await work.people.user_by_email(email)
    if user is not None and user.is_active:
        await _mail_password_address(ports, user, "password_reset", RESET_SECONDS)


async def _mail_password_address(ports: Ports, user: User, kind: str, seconds: int) -> None:
    """By the outbox; the signed address holds the user's present password state, so that it works once."""
    async with ports.unit_of_work() as work:
        await work.outbox.enqueue([account_mail_job(user, kind, ports.clock(), seconds)], ports.clock())
        await work.commit()


async def user_of_password_address(ports: Ports, signed: str) -> User:
    """Whose password the signed text sets; `NotFound` when it is forged, used or too old."""
    payload = ports.vault.unsign("password", signed, INVITATION_SECONDS)
    gone = NotFound("This address has expired or was used already. Ask for a new one.")
    if payload is None or (
        payload["for"] == str(RESET_SECONDS) and ports.vault.unsign("password", signed, RESET_SECONDS) is None
    ):
        raise gone
    async with ports.read() as work:
        user = await work.people.user(payload["user"])
    if user is None or not user.is_active or payload["state"] not in password_states(ports, user):
        raise gone
    return user


async def set_password(ports: Ports, signed: str, password: str) -> User:
    """Set the password and end all sessions of the user."""
    user = await user_of_password_address(ports, signed)
    check_password(password)
    password_hash = await ports.passwords.hash(password)
    async with ports.unit_of_work() as work:
        await work.people.update_user(user.id, ports.clock(), password_hash=password_hash)
        await work.tokens.end_sessions(user.id)
        entry = AuditEntry(user.org_id, "user", user.id, "user.password_set", "user", user.id, {})
        await work.audit.write(entry, ports.clock())
        await work.commit()
    return user


async def sign_in(ports: Ports, email: str, password: str) -> User:
    """The user, or `Unauthenticated` without a hint which of the two was wrong. Both are noted, where there is such a
    user."""
    async with ports.read() as work:
        user = await work.people.user_by_email(email)
    matches = await ports.passwords.verify(user.password_hash if user else None, password)
    known_to_all = password == DEMO_PASSWORD and not ports.is_loopback
    is_let_in = user is not None and matches and user.is_active and not known_to_all
    if user is not None:
        await _note_sign_in(ports, user, is_let_in=is_let_in)
    if user is None or not is_let_in:
        raise Unauthenticated("The e-mail address or the password is wrong.")
    return user


async def _note_sign_in(ports: Ports, user: User, *, is_let_in: bool) -> None:
    kind, actor_id, action = ("user", user.id, "user.signed_in") if is_let_in else ("stranger", None, "user.refused")
    async with ports.unit_of_work() as work:
        await work.audit.write(AuditEntry(user.org_id, kind, actor_id, action, "user", user.id, {}), ports.clock())
        await work.commit()


async def first_user(ports: Ports, organization: str, new_email: str, name: str, password: str, timezone: str) -> User:
    """First-run set-up: the organization and its owner, only while there is none."""
    async with ports.read() as work:
        if await work.people.any_organization():
            raise AlreadyExists("This server is set up already. Please sign in.")
    new = NewUser("", new_email, name, ("owner", "admin"), timezone, password)
    _check(new)  # before there is an organization, which nobody could sign in to
    made = await create_organization(ports, organization)
    return await create_user(ports, replace(new, org_id=made.id))


async def find_user(ports: Ports, email: str) -> User:
    """By e-mail address, or `NotFound`."""
    async with ports.read() as work:
        user = await work.people.user_by_email(email)
    if user is None:
        raise NotFound(f"There is no user with the e-mail address {email}.")
    return user


def parse_roles(text: str) -> Sequence[str]:
    """The roles of a comma list."""
    return tuple(part.strip() for part in text.split(",") if part.strip())
