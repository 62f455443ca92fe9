"""What is stored under which key, and sealing it anew under the first.

Sealed texts and keyed hashes begin with the mark of their key, so the database counts them without any key.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Column, func, select, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from app.db import models as m
from app.db.engine import Database, connected
from app.domain.errors import SecretUnreadable
from app.ports.security import MARK_LENGTH, Vault

CHUNK = 100
PAUSE_SECONDS = 0.02
"""Between two chunks: SQLite's write lock knows no queue, and others wait for it too."""


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed texts, and the hash beside it by which the text is found."""

    sealed: Column[str]
    lookup: Column[str] | None

    @property
    def words(self) -> str:
        """What the rows are."""
        return _words(self.sealed)

    @property
    def key(self) -> tuple[Column[str], ...]:
        """The primary key, of one column or of several."""
        return tuple(self.sealed.table.primary_key.columns)


def _columns() -> Iterator[Column[str]]:
    return (column for table in m.metadata.sorted_tables for column in table.columns)


def _words(column: Column[str]) -> str:
    return column.table.name.replace("_", " ")


SEALED = tuple(
    SealedColumn(column, column.table.columns.get(column.name.replace("_sealed", "_lookup")))
    for column in _columns()
    if column.name.endswith("_sealed")
)
"""By the names that `models` gives them, so that a new table is not forgotten."""

HASHED = tuple(column for column in _columns() if column.name in {"lookup", "address_lookup"})
"""Hashes whose token, or address, is stored nowhere: each moves to the first key when that is used. (The scopes of kept
answers are such too, and are forgotten after a day.)"""


UNSUBSCRIBED = _words(m.unsubscribed.c.address_lookup)
"""Of hashed things, those that let nobody in: they keep mail away."""


@dataclass(frozen=True, slots=True)
class Stock:
    """So many things rest on the key of this mark."""

    words: str
    mark: str
    count: int

    def __str__(self) -> str:
        return f"{self.count} {self.words}"


async def sealed_stock(database: Database) -> list[Stock]:
    """All sealed texts, by kind and key."""
    return await _stock(database, [each.sealed for each in SEALED])


async def hashed_stock(database: Database) -> list[Stock]:
    """All hashes of what is stored nowhere, by kind and key: tokens, and addresses that want no more mail."""
    return await _stock(database, HASHED)


async def require_keys(database: Database, vault: Vault) -> None:
    """`SecretUnreadable` when something was sealed with a key that is not known. Looks at the hashes beside the sealed
    texts where there are any: they are made together, and an index answers for them."""
    columns = [each.sealed if each.lookup is None else each.lookup for each in SEALED]
    lost = [stock for stock in await _stock(database, columns) if stock.mark not in vault.marks]
    if lost:
        raise SecretUnreadable(lost_words(lost))


def lost_words(lost: Sequence[Stock]) -> str:
    """What no known key opens, and the mend."""
    marks = sorted({stock.mark for stock in lost})
    which = f"the key {marks[0]}, which is" if len(marks) == 1 else f"the keys {', '.join(marks)}, which are"
    return f"{listed(lost)} were sealed with {which} not known. {SecretUnreadable.mend}"


def listed(stock: Iterable[Stock]) -> str:
    """`3 bookings, 1 feeds`."""
    return ", ".join(map(str, stock))


async def damaged(database: Database, vault: Vault) -> list[str]:
    """Opens one text of each kind and known key; why those that fail do."""
    problems = []
    async with connected(database.read) as connection:
        for each in SEALED:
            for mark in vault.marks:
                sealed = await connection.scalar(select(each.sealed).where(_mark(each.sealed) == mark).limit(1))
                try:
                    vault.open(sealed or vault.seal(""))
                except SecretUnreadable as problem:
                    problems.append(f"{each.words}: {problem.detail}")
    return problems


async def reseal(database: Database, vault: Vault) -> int:
    """Seal everything of an older key anew under the first, its hash with it; how much it was. Others may go on
    writing meanwhile, and it may be broken off and run again. `SecretUnreadable` when something cannot be opened."""
    await require_keys(database, vault)
    count = 0
    for each in SEALED:
        after: tuple[str, ...] = ()
        while rows := await _older(database, each, vault.marks[1:], after):
            count += await _renew(database, vault, each, rows)
            after = tuple(rows[-1][:-1])
            await asyncio.sleep(PAUSE_SECONDS)
    return count


async def _stock(database: Database, columns: Iterable[Column[str]]) -> list[Stock]:
    async with connected(database.read) as connection:
        return [
            Stock(_words(column), mark, count) for column in columns for mark, count in await _marks(connection, column)
        ]


async def _marks(connection: AsyncConnection, column: Column[str]) -> list[tuple[str, int]]:
    marks = select(_mark(column).label("mark")).subquery()
    rows = await connection.execute(select(marks.c.mark, func.count()).group_by(marks.c.mark).order_by(marks.c.mark))
    return [(mark, count) for mark, count in rows]


def _mark(column: Column[str]) -> Any:
    return func.substr(column, 1, MARK_LENGTH)


async def _older(
    database: Database, each: SealedColumn, marks: Sequence[str], after: tuple[str, ...]
) -> Sequence[Sequence[Any]]:
    """Rows of key and sealed text, from behind the key `after` on."""
    query = select(*each.key, each.sealed).where(_mark(each.sealed).in_(marks)).order_by(*each.key).limit(CHUNK)
    async with connected(database.read) as connection:
        return (await connection.execute(query.where(tuple_(*each.key) > after) if after else query)).all()


async def _renew(database: Database, vault: Vault, each: SealedColumn, rows: Sequence[Sequence[Any]]) -> int:
    """Only what is still as it was read: what somebody wrote meanwhile is theirs."""
    renewed = [(row, _renewed(vault, each, row[-1])) for row in rows]
    count = 0
    async with connected(database.write) as connection, connection.begin():
        for row, values in renewed:
            still_so = [column == was for column, was in zip((*each.key, each.sealed), row, strict=True)]
            count += (await connection.execute(update(each.sealed.table).where(*still_so).values(values))).rowcount
    return count


def _renewed(vault: Vault, each: SealedColumn, sealed: str) -> dict[Column[str], str]:
    text = vault.open(sealed)
    lookup = {} if each.lookup is None else {each.lookup: vault.lookup(text)}
    return {each.sealed: vault.seal(text), **lookup}
