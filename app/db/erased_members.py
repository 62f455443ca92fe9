"""Somebody who signed in is forgotten: what is left is a host with a neutral name, whom past bookings were with."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Column, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.people import SqlPeopleStore
from app.domain.text_rules import ERASED_HOST

NAME = "Former member"
_STAYS = frozenset({"hosts", "links", "schedules"})
"""What bookings and offers rest on: it stays without what tells of the person."""


def _theirs() -> Iterator[Column[Any]]:
    """Every column that says whose a row is, of the tables whose rows go with a user: a new table is not forgotten."""
    for table in m.metadata.sorted_tables:
        if table.name not in _STAYS:
            for key in table.foreign_keys:
                if key.column is m.users.c.id and key.ondelete == "CASCADE":
                    yield key.parent


THEIRS = tuple(_theirs())


async def forget_member(connection: AsyncConnection, user_id: str, now: int) -> None:
    """All that lets them in, all that is theirs, and what they are called and reached by."""
    for column in THEIRS:
        await connection.execute(delete(column.table).where(column == user_id))
    outbox, schedules, away = m.outbox.c, m.schedules.c, m.time_off.c
    await connection.execute(delete(m.outbox).where(outbox.subject_id == user_id))
    await connection.execute(update(m.time_off).where(away.host_id == user_id).values(reason=""))
    rows = await connection.execute(select(schedules.id, schedules.exclusions).where(schedules.user_id == user_id))
    for schedule_id, exclusions in rows.all():
        values = {"name": "Hours", "exclusions": [{**each, "reason": ""} for each in exclusions]}
        await connection.execute(update(m.schedules).where(schedules.id == schedule_id).values(**values))
    nobody: dict[str, Any] = {
        "name": NAME, "email": f"{user_id}{ERASED_HOST}", "handle": f"erased-{user_id}",
        "password_hash": None, "is_active": False, "roles": ["employee"],
    }  # fmt: skip
    await SqlPeopleStore(connection).update_user(user_id, now, **nobody)
