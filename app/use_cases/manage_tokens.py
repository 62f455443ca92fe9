"""Feeds, app passwords and API tokens of a user."""

from __future__ import annotations

import secrets

from app.domain.errors import Invalid, NotFound
from app.ports import Ports
from app.ports.storage import AppPassword, AuditEntry, Feed, User
from app.use_cases.idempotency import Replay, remember
from app.use_cases.ids import new_id

FEED_KINDS = ("schedule", "busy")
MIN_GIVEN_PASSWORD = 16
MAX_TOKENS = 100
_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"


async def create_feed(
    ports: Ports, user: User, kind: str = "schedule", label: str = "", replay: Replay[Feed] | None = None
) -> Feed:
    """A secret ICS address of the user's schedule, full or busy-only."""
    if kind not in FEED_KINDS:
        raise Invalid.field("kind", f"Kinds are {' and '.join(FEED_KINDS)}.")
    now = ports.clock()
    feed = Feed(new_id(), user.org_id, user.id, kind, label or kind.capitalize(), ports.vault.new_token(), now)
    async with ports.unit_of_work() as work:
        if len(await work.tokens.feeds(user.id)) >= MAX_TOKENS:
            raise Invalid(f"At most {MAX_TOKENS} feeds.")
        await work.tokens.add_feed(feed)
        await work.audit.write(AuditEntry(user.org_id, "user", user.id, "feed.created", "feed", feed.id, {}), now)
        await remember(work, replay, feed, now)
        await work.commit()
    return feed


def feed_address(ports: Ports, feed: Feed) -> str:
    """Where the feed is subscribed to."""
    return f"{ports.base_url}/feeds/{feed.token}.ics"


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
    value = secret if secret is not None else _readable_secret()
    password = AppPassword(new_id(), user.org_id, user.id, label.strip() or "Device", now, None)
    async with ports.unit_of_work() as work:
        if len(await work.tokens.app_passwords(user.id)) >= MAX_TOKENS:
            raise Invalid(f"At most {MAX_TOKENS} app passwords.")
        await work.tokens.add_app_password(password, value)
        await work.audit.write(
            AuditEntry(user.org_id, "user", user.id, "app_password.created", "app_password", password.id, {}), now
        )
        await remember(work, replay, (password, value), now)
        await work.commit()
    return password, value


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
