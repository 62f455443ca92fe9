"""Sessions, API tokens, app passwords and feeds."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.people import user_record
from app.domain.feeds import FeedOptions
from app.ports.people import User
from app.ports.security import Vault
from app.ports.tokens import AppPassword, Feed, TokenUser


class SqlTokenStore:
    """`TokenStore` over one connection."""

    def __init__(self, connection: AsyncConnection, vault: Vault) -> None:
        self._db = connection
        self._vault = vault

    async def add_session(self, token: str, user: User, now: int, expires_at: int) -> None:
        await self._db.execute(delete(m.sessions).where(m.sessions.c.expires_at <= now))
        await self._db.execute(
            insert(m.sessions).values(
                lookup=self._vault.lookup(token),
                org_id=user.org_id,
                user_id=user.id,
                created_at=now,
                expires_at=expires_at,
            )
        )

    async def session_user(self, token: str, now: int) -> TokenUser | None:
        return await self._user(m.sessions, token, m.sessions.c.expires_at > now)

    async def end_session(self, token: str) -> None:
        await self._db.execute(delete(m.sessions).where(m.sessions.c.lookup.in_(self._vault.lookups(token))))

    async def end_sessions(self, user_id: str) -> None:
        await self._db.execute(delete(m.sessions).where(m.sessions.c.user_id == user_id))

    async def add_api_token(self, token_id: str, token: str, user: User, label: str, now: int) -> None:
        await self._db.execute(
            insert(m.api_tokens).values(
                id=token_id,
                org_id=user.org_id,
                user_id=user.id,
                label=label,
                lookup=self._vault.lookup(token),
                created_at=now,
            )
        )

    async def api_token_user(self, token: str) -> TokenUser | None:
        return await self._user(m.api_tokens, token)

    async def _user(self, table: Any, token: str, *where: Any) -> TokenUser | None:
        query = (
            select(m.users, table.c.lookup)
            .join(table, table.c.user_id == m.users.c.id)
            .where(table.c.lookup.in_(self._vault.lookups(token)), m.users.c.is_active, *where)
        )
        row = (await self._db.execute(query)).mappings().one_or_none()
        return TokenUser(user_record(row), row["lookup"] != self._vault.lookup(token)) if row else None

    async def move_to_first_key(self, token: str) -> None:
        for table in (m.sessions, m.api_tokens):
            known = table.c.lookup.in_(self._vault.lookups(token))
            await self._db.execute(update(table).where(known).values(lookup=self._vault.lookup(token)))

    async def add_app_password(self, password: AppPassword, secret: str) -> None:
        await self._db.execute(
            insert(m.app_passwords).values(
                id=password.id,
                org_id=password.org_id,
                user_id=password.user_id,
                label=password.label,
                lookup=self._vault.lookup(secret),
                created_at=password.created_at,
            )
        )

    async def app_passwords(self, user_id: str) -> list[AppPassword]:
        passwords = m.app_passwords.c
        wanted = [passwords[name] for name in AppPassword.__dataclass_fields__]
        rows = await self._db.execute(select(*wanted).where(passwords.user_id == user_id).order_by(passwords.id))
        return [AppPassword(*row) for row in rows]

    async def delete_app_password(self, user_id: str, password_id: str) -> bool:
        passwords = m.app_passwords.c
        result = await self._db.execute(
            delete(m.app_passwords).where(passwords.id == password_id, passwords.user_id == user_id)
        )
        return result.rowcount > 0

    async def add_feed(self, feed: Feed) -> None:
        await self._db.execute(
            insert(m.feeds).values(
                id=feed.id,
                org_id=feed.org_id,
                user_id=feed.user_id,
                kind=feed.kind,
                label=feed.label,
                token_lookup=self._vault.lookup(feed.token),
                token_sealed=self._vault.seal(feed.token),
                created_at=feed.created_at,
                subject_id=feed.subject_id,
                options=feed.options.to_store(),
            )
        )

    async def feeds(self, user_id: str) -> list[Feed]:
        feeds = m.feeds.c
        rows = await self._db.execute(select(m.feeds).where(feeds.user_id == user_id).order_by(feeds.id))
        return [self._feed(row) for row in rows]

    def _feed(self, row: Any) -> Feed:
        return Feed(
            id=row.id,
            org_id=row.org_id,
            user_id=row.user_id,
            kind=row.kind,
            label=row.label,
            token=self._vault.open(row.token_sealed),
            created_at=row.created_at,
            subject_id=row.subject_id,
            options=FeedOptions.stored(row.options),
        )

    async def lock_feed(self, user_id: str, feed_id: str) -> Feed | None:
        feeds = m.feeds.c
        query = select(m.feeds).where(feeds.id == feed_id, feeds.user_id == user_id).with_for_update()
        row = (await self._db.execute(query)).one_or_none()
        return self._feed(row) if row else None

    async def change_feed(self, feed: Feed, now: int) -> None:
        values = {"label": feed.label, "options": feed.options.to_store(), "changed_at": now}
        await self._db.execute(update(m.feeds).where(m.feeds.c.id == feed.id).values(**values))

    async def delete_feed(self, user_id: str, feed_id: str) -> bool:
        feeds = m.feeds.c
        result = await self._db.execute(delete(m.feeds).where(feeds.id == feed_id, feeds.user_id == user_id))
        return result.rowcount > 0
