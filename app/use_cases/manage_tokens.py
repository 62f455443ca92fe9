"""Feeds, app passwords and API tokens of a user."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import replace

from app.domain.errors import Forbidden, Invalid, NotFound
from app.domain.feeds import FEED_KINDS, OWN_KINDS, SUBJECT_KINDS, FeedOptions
from app.ports import Ports
from app.ports.audit import AuditEntry
from app.ports.people import User
from app.ports.tokens import AppPassword, Feed
from app.ports.unit_of_work import UnitOfWork
from app.use_cases.audit_changes import difference
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id

MIN_GIVEN_PASSWORD = 16
MAX_TOKENS = 100
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


async def create_feed(
    ports: Ports,
    user: User,
    kind: str = "schedule",
    label: str = "",
    replay: Replay[Feed] | None = None,
    *,
    subject_id: str | None = None,
    options: FeedOptions | None = None,
) -> Feed:
    """A secret ICS address: of the user's own schedule, full or busy-only, or of all bookings of a link, a service, a
    resource (`subject_id`) or the organization. `Invalid`, or `Forbidden` for who may not see all of them."""
    if kind not in FEED_KINDS:
        raise Invalid.field("kind", f"Kinds are {', '.join(FEED_KINDS)}.")
    if (subject_id is not None) != (kind in SUBJECT_KINDS):
        raise Invalid.field("subject_id", f"A feed of the kind {kind} {_NEEDS[kind in SUBJECT_KINDS]}.")
    now = ports.clock()
    async with ports.unit_of_work() as work:
        name, token = await _subject_name(work, user, kind, subject_id), ports.vault.new_token()
        chosen = options or FeedOptions()
        feed = Feed(new_id(), user.org_id, user.id, kind, label or name, token, now, subject_id, chosen)
        if len(await work.tokens.feeds(user.id)) >= MAX_TOKENS:
            raise Invalid(f"At most {MAX_TOKENS} feeds.")
        await work.tokens.add_feed(feed)
        made = {"kind": kind, "subject_id": subject_id}
        await work.audit.write(AuditEntry(user.org_id, "user", user.id, "feed.created", "feed", feed.id, made), now)
        await remember(work, replay, feed, now)
        await work.commit()
    return feed


_NEEDS = {True: "names what it is of", False: "is of nothing else"}


async def _subject_name(work: UnitOfWork, user: User, kind: str, subject_id: str | None) -> str:
    if kind in OWN_KINDS:
        return kind.capitalize()
    is_admin = "admin" in user.roles
    if kind == "organization" and not is_admin:
        raise Forbidden("Only admins have a feed of the whole organization.")
    name = await work.feeds.subject_name(user.org_id, user.id, kind, subject_id, for_admin=is_admin)
    if name is None:
        raise Invalid.field("subject_id", f"There is no such {kind}, or its bookings are not for you to see.")
    return name


def feed_address(ports: Ports, feed: Feed) -> str:
    """Where the feed is subscribed to."""
    return f"{ports.base_url}/feeds/{feed.token}.ics"


async def change_feed(
    ports: Ports, user: User, feed_id: str, change: Callable[[FeedOptions], FeedOptions], label: str | None = None
) -> Feed:
    """Other options, or another label (empty: the one it had from the start), at the same address. `change` makes the
    new options of those that hold. `NotFound` for what is not the user's; `Invalid`."""
    now = ports.clock()
    async with ports.unit_of_work() as work:
        feed = await work.tokens.lock_feed(user.id, feed_id)
        if feed is None:
            raise NotFound("There is no such feed.")
        named = feed.label if label is None else label or await _subject_name(work, user, feed.kind, feed.subject_id)
        changed = replace(feed, label=named, options=change(feed.options))
        if changed != feed:
            await work.tokens.change_feed(changed, now)
            changes = difference(feed, changed, withheld={"label", "token"})
            entry = AuditEntry(user.org_id, "user", user.id, "feed.changed", "feed", feed_id, changes)
            await work.audit.write(entry, now)
            await work.commit()
    return changed


async def delete_feed(ports: Ports, user: User, feed_id: str) -> None:
    """The address stops working at once."""
    async with ports.unit_of_work() as work:
        if not await work.tokens.delete_feed(user.id, feed_id):
            raise NotFound("There is no such feed.")
        await work.audit.write(
            AuditEntry(user.org_id, "user", user.id, "feed.deleted", "feed", feed_id, {}), ports.clock()
        )
        await work.commit()


async def create_app_password(
    ports: Ports,
    user: User,
    label: str,
    secret: str | None = None,
    replay: Replay[tuple[AppPassword, str]] | None = None,
) -> tuple[AppPassword, str]:
    """A device's CalDAV password and the password itself, which is shown this once. `secret` keeps a given one."""
    if secret is not None and len(secret) < MIN_GIVEN_PASSWORD:
        # Only a keyed hash is stored: what is short enough to guess must not come in.
        raise Invalid.field("value", f"A given app password has at least {MIN_GIVEN_PASSWORD} characters.")
    now = ports.clock()
    async with ports.unit_of_work() as work:
        made = await add_app_password(work, user, label, now, secret)
        await remember(work, replay, made, now)
        await work.commit()
    return made


async def add_app_password(
    work: UnitOfWork, user: User, label: str, now: int, secret: str | None = None
) -> tuple[AppPassword, str]:
    """The same as part of a larger transaction."""
    value = secret if secret is not None else _readable_secret()
    password = AppPassword(new_id(), user.org_id, user.id, device_name(label), now, None)
    if len(await work.tokens.app_passwords(user.id)) >= MAX_TOKENS:
        raise Invalid(f"At most {MAX_TOKENS} app passwords.")
    await work.tokens.add_app_password(password, value)
    await work.audit.write(
        AuditEntry(user.org_id, "user", user.id, "app_password.created", "app_password", password.id, {}), now
    )
    return password, value


def device_name(label: str) -> str:
    """What a device is called whose owner gave it no name."""
    return label.strip() or "Device"


def _readable_secret() -> str:
    """Five groups of five letters and digits that are not mistaken for each other: 124 bits, typed on a phone."""
    return "-".join("".join(secrets.choice(_ALPHABET) for _ in range(5)) for _ in range(5))


async def delete_app_password(ports: Ports, user: User, password_id: str) -> None:
    """The device is locked out at once."""
    async with ports.unit_of_work() as work:
        if not await work.tokens.delete_app_password(user.id, password_id):
            raise NotFound("There is no such app password.")
        await work.audit.write(
            AuditEntry(user.org_id, "user", user.id, "app_password.deleted", "app_password", password_id, {}),
            ports.clock(),
        )
        await work.commit()


async def create_api_token(ports: Ports, user: User, label: str) -> str:
    """A bearer token for the API, shown this once."""
    now, token, token_id = ports.clock(), ports.vault.new_token(), new_id()
    async with ports.unit_of_work() as work:
        await work.tokens.add_api_token(token_id, token, user, label, now)
        await work.audit.write(
            AuditEntry(user.org_id, "user", user.id, "api_token.created", "api_token", token_id, {}), now
        )
        await work.commit()
    return token
