"""Clients, what they are known by, and the block list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, case, delete, exists, false, func, insert, or_, select, update
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.rows import page_by_id
from app.domain.bookings import Recipient
from app.domain.clients import Block, Client, Figures, Identity, blocks_against, email_key, identities_of, phone_key
from app.domain.cursors import encode_cursor
from app.domain.errors import AlreadyExists, StaleVersion
from app.ports.clients import ClientFilter, Unfiled
from app.ports.page import Page

_FIELDS = [name for name in Client.__dataclass_fields__ if name != "identities"]
_clients, _known, _bookings, _blocked = m.clients.c, m.client_identities.c, m.bookings.c, m.blocked_recipients.c


class SqlClientStore:
    """`ClientStore` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def lock(self, org_id: str) -> None:
        if self._db.dialect.name == "sqlite":
            return  # the transaction holds the write lock
        organizations = m.organizations.c
        # Not FOR UPDATE, which every row that refers to the organization would have to wait for.
        await self._db.execute(
            select(organizations.id).where(organizations.id == org_id).with_for_update(key_share=True)
        )

    async def get(self, org_id: str, client_id: str, *, lock: bool = False) -> Client | None:
        if lock:
            await self.lock(org_id)
        found = await self._read(_clients.org_id == org_id, _clients.id == client_id)
        return found[0] if found else None

    async def known_by(self, org_id: str, identities: Sequence[Identity]) -> list[Client]:
        query = select(_known.client_id).where(_known.org_id == org_id, _any_of(_known, identities))
        return await self._read(_clients.org_id == org_id, _clients.id.in_(query))

    async def _read(self, *where: ColumnElement[bool]) -> list[Client]:
        rows = (await self._db.execute(select(m.clients).where(*where).order_by(_clients.id))).mappings().all()
        return await self._whole(rows)

    async def _whole(self, rows: Sequence[Mapping[Any, Any]]) -> list[Client]:
        """With what they are known by; one SELECT however many there are."""
        known: dict[str, list[Identity]] = {}
        if rows:
            query = select(_known.client_id, _known.kind, _known.value)
            query = query.where(_known.client_id.in_([row["id"] for row in rows])).order_by(_known.kind, _known.value)
            for client_id, kind, value in await self._db.execute(query):
                known.setdefault(client_id, []).append((kind, value))
        return [
            Client(**{name: row[name] for name in _FIELDS}, identities=tuple(known.get(row["id"], ()))) for row in rows
        ]

    async def page(self, where: ClientFilter, limit: int, cursor: str | None) -> Page[Client]:
        rows = (await self._db.execute(listing(where, limit, cursor))).mappings().all()
        items = tuple(await self._whole(rows[:limit]))
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def sees(self, user_id: str, client_id: str) -> bool:
        query = select(exists().where(_bookings.client_id == client_id, _seen_by(user_id)))
        return bool(await self._db.scalar(query))

    async def figures(self, client_ids: Sequence[str], now: int, user_id: str | None = None) -> Mapping[str, Figures]:
        if not client_ids:
            return {}
        is_active = _bookings.status.in_(["pending", "confirmed", "in_progress"])
        was_there = _bookings.status.in_(["confirmed", "in_progress", "completed"])
        query = select(
            _bookings.client_id,
            func.count(),
            func.count(case((_bookings.status == "cancelled", 1))),
            func.count(case((_bookings.status == "no_show", 1))),
            func.max(case((and_(was_there, _bookings.start_at <= now), _bookings.start_at))),
            func.min(case((and_(is_active, _bookings.start_at > now), _bookings.start_at))),
        ).where(_bookings.client_id.in_(list(client_ids)))
        if user_id is not None:
            query = query.where(_seen_by(user_id))
        rows = await self._db.execute(query.group_by(_bookings.client_id))
        return {row[0]: Figures(*row[1:]) for row in rows}

    async def language_of(self, org_id: str, recipient: Recipient) -> str | None:
        identities = identities_of(recipient)
        if not identities:
            return None
        filed = select(_known.client_id).where(_known.org_id == org_id, _any_of(_known, identities))
        theirs: ColumnElement[bool] = _bookings.client_id.in_(filed)
        if recipient.email:  # what is not filed yet
            theirs = or_(theirs, _bookings.recipient_email == email_key(recipient.email))
        query = (
            select(_bookings.language)
            .where(_bookings.org_id == org_id, theirs, _bookings.language.is_not(None))
            .order_by(_bookings.created_at.desc(), _bookings.id.desc())
            .limit(1)
        )
        return await self._db.scalar(query)

    async def add(self, client: Client) -> None:
        await self._db.execute(insert(m.clients).values(**_values(client)))
        await self._add_identities(client)

    async def update(self, client: Client) -> None:
        await self._db.execute(update(m.clients).where(_clients.id == client.id).values(**_values(client)))
        await self._db.execute(delete(m.client_identities).where(_known.client_id == client.id))
        await self._add_identities(client)

    async def _add_identities(self, client: Client) -> None:
        rows = [
            {"org_id": client.org_id, "kind": kind, "value": value, "client_id": client.id}
            for kind, value in client.identities
        ]
        if not rows:
            return
        try:
            await self._db.execute(insert(m.client_identities), rows)
        except IntegrityError as error:
            raise AlreadyExists("Another client has this address or number; merge the two.") from error

    async def delete(self, client: Client) -> None:
        await self._db.execute(delete(m.client_identities).where(_known.client_id == client.id))
        await self._db.execute(delete(m.clients).where(_clients.id == client.id))

    async def file(self, booking_id: str, client_id: str) -> bool:
        known = update(m.bookings).where(_bookings.id == booking_id, _bookings.erased_at.is_(None))
        return (await self._db.execute(known.values(client_id=client_id))).rowcount == 1

    async def move_bookings(self, source_id: str, target_id: str) -> None:
        await self._lock_bookings(source_id)
        await self._db.execute(update(m.bookings).where(_bookings.client_id == source_id).values(client_id=target_id))

    async def _lock_bookings(self, client_id: str) -> None:
        """Without waiting: who changes a booking may be about to change another one of the same client."""
        if self._db.dialect.name == "sqlite":
            return
        query = select(_bookings.id).where(_bookings.client_id == client_id).order_by(_bookings.id)
        try:
            await self._db.execute(query.with_for_update(nowait=True, key_share=True))
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != "55P03":  # lock_not_available
                raise
            raise StaleVersion("A booking of this client is being changed right now. Please try again.") from error

    async def unfiled(self, org_id: str, limit: int) -> list[Unfiled]:
        query = (
            select(_bookings.id, _bookings.recipient_name, _bookings.recipient_email, _bookings.recipient_phone)
            .where(_bookings.org_id == org_id, _bookings.client_id.is_(None), _bookings.recipient_email != "")
            .order_by(_bookings.start_at, _bookings.id)
            .limit(limit)
        )
        return [Unfiled(row[0], Recipient(*row[1:])) for row in await self._db.execute(query)]

    # the block list

    async def is_blocked(self, org_id: str, recipient: Recipient) -> bool:
        against = blocks_against(recipient)
        query = select(exists().where(_blocked.org_id == org_id, _any_of(_blocked, against)))
        return bool(against) and bool(await self._db.scalar(query))

    async def add_block(self, block: Block) -> None:
        values = {name: getattr(block, name) for name in Block.__dataclass_fields__}
        try:
            await self._db.execute(insert(m.blocked_recipients).values(**values))
        except IntegrityError as error:
            raise AlreadyExists("This is on the block list already.") from error

    async def block(self, org_id: str, block_id: str) -> Block | None:
        found = await self._blocks(_blocked.org_id == org_id, _blocked.id == block_id)
        return found[0] if found else None

    async def blocks_of(self, org_id: str, identities: Sequence[Identity]) -> list[Block]:
        return await self._blocks(_blocked.org_id == org_id, _any_of(_blocked, identities))

    async def _blocks(self, *where: ColumnElement[bool]) -> list[Block]:
        rows = await self._db.execute(select(m.blocked_recipients).where(*where).order_by(_blocked.id))
        return [Block(**row) for row in rows.mappings()]

    async def blocks(self, org_id: str, limit: int, cursor: str | None) -> Page[Block]:
        query = select(m.blocked_recipients).where(_blocked.org_id == org_id)
        rows = (await self._db.execute(page_by_id(query, _blocked.id, limit, cursor))).mappings().all()
        items = tuple(Block(**row) for row in rows[:limit])
        return Page(items, encode_cursor(items[-1].id) if len(rows) > limit else None)

    async def delete_block(self, org_id: str, block_id: str) -> None:
        await self._db.execute(delete(m.blocked_recipients).where(_blocked.org_id == org_id, _blocked.id == block_id))


def _values(client: Client) -> dict[str, Any]:
    return {name: getattr(client, name) for name in _FIELDS}


def _any_of(columns: Any, pairs: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    """One of these (kind, value)."""
    return or_(false(), *(and_(columns.kind == kind, columns.value == value) for kind, value in pairs))


def listing(where: ClientFilter, limit: int, cursor: str | None) -> Select[Any]:
    """Clients by age. Words are looked for among the organization's clients, and of those alone who have them the
    bookings are looked at, each client's by an index; never all bookings, nor all that a user ever hosted."""
    query = select(m.clients).where(_clients.org_id == where.org_id)
    if where.words:
        query = query.where(_with_words(where.org_id, where.words))
    if where.user_id is not None:
        # One row is enough. EXISTS would say the same, but is turned into a join with all bookings by PostgreSQL.
        seen = select(_bookings.id).where(_bookings.client_id == _clients.id, _seen_by(where.user_id)).limit(1)
        query = query.where(seen.correlate(m.clients).scalar_subquery().is_not(None))
    return page_by_id(query, _clients.id, limit, cursor, newest_first=True)


def _seen_by(user_id: str) -> ColumnElement[bool]:
    """Bookings this user hosts, or whose link they own. Asked of each booking of a client, which are few: as a list of
    ids it would be read whole beforehand, all that the user ever hosted."""
    hosted, links = m.booking_hosts.c, m.links.c
    hosts_it = exists().where(hosted.booking_id == _bookings.id, hosted.host_id == user_id)
    owns_it = exists().where(links.id == _bookings.link_id, links.owner_id == user_id)
    return or_(hosts_it, owns_it)


def _with_words(org_id: str, words: str) -> ColumnElement[bool]:
    """A name, address or number with this text in it; a number may be written in any way."""
    texts = {email_key(words), phone_key(words) or email_key(words)}
    known = or_(*(_known.value.contains(text, autoescape=True) for text in sorted(texts)))
    return or_(
        func.lower(_clients.name).contains(words.strip().lower(), autoescape=True),
        _clients.id.in_(select(_known.client_id).where(_known.org_id == org_id, known)),
    )
