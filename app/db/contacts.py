"""`Contacts` in SQL."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Select, func, insert, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.domain.contacts import Contact

NEWEST = 1000
"""Bookings looked at of those that somebody hosts."""
LINKS, NEWEST_OF_LINK = 40, 200
"""Links looked at, and bookings of each: as a rule their owner hosts them, so that these are few that are new."""

_BOOKINGS, _HOSTED, _LINKS, _ADDED = m.bookings.c, m.booking_hosts.c, m.links.c, m.added_contacts.c


class SqlContacts:
    """`Contacts` over one connection."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._db = connection

    async def past_recipients(self, org_id: str, user_id: str) -> list[Contact]:
        owned = select(_LINKS.id).where(_LINKS.org_id == org_id, _LINKS.owner_id == user_id)
        links = await self._db.scalars(owned.order_by(_LINKS.id.desc()).limit(LINKS))
        # Each part walks down one index and stops: bookings of years cost no more than those of a few months.
        parts = [_newest_hosted(org_id, user_id), *(_newest_of_link(org_id, link) for link in links)]
        newest = union_all(*(select(part.subquery()) for part in parts)).subquery().c
        latest = func.max(newest.start_at)
        query = select(newest.recipient_name, newest.recipient_email).group_by(
            newest.recipient_name, newest.recipient_email
        )
        return [Contact(*row) for row in await self._db.execute(query.order_by(latest.desc(), newest.recipient_email))]

    async def is_added(self, account_id: str, email: str) -> bool:
        query = select(_ADDED.email).where(_ADDED.account_id == account_id, _ADDED.email == email)
        return await self._db.scalar(query) is not None

    async def mark_added(self, account_id: str, org_id: str, email: str, key: str | None, now: int) -> None:
        if not await self.is_added(account_id, email):
            values = {"account_id": account_id, "email": email, "org_id": org_id, "key": key, "added_at": now}
            await self._db.execute(insert(m.added_contacts).values(**values))


_WHO = (_BOOKINGS.recipient_name, _BOOKINGS.recipient_email)


def _newest_hosted(org_id: str, user_id: str) -> Select[Any]:
    return (
        select(*_WHO, _HOSTED.start_at)
        .join_from(m.booking_hosts, m.bookings, _BOOKINGS.id == _HOSTED.booking_id)
        .where(_HOSTED.host_id == user_id, _BOOKINGS.org_id == org_id, _BOOKINGS.recipient_email != "")
        .order_by(_HOSTED.start_at.desc())
        .limit(NEWEST)
    )


def _newest_of_link(org_id: str, link_id: str) -> Select[Any]:
    return (
        select(*_WHO, _BOOKINGS.start_at)
        .where(_BOOKINGS.link_id == link_id, _BOOKINGS.org_id == org_id)
        .order_by(_BOOKINGS.start_at.desc())
        .limit(NEWEST_OF_LINK)
    )
