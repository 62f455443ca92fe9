"""Each test's database is as it was made, whatever the one before did to it."""

import asyncio

from sqlalchemy import delete, insert, update

from app.db import models as m
from app.db.engine import connect
from tests.http.conftest import Filled
from tests.support.prepared import snapshot


async def look(url: str) -> dict[str, tuple[int, str]]:
    database = connect(url)
    try:
        return await snapshot(database)
    finally:
        await database.dispose()


async def make_havoc(url: str) -> None:
    database = connect(url)
    try:
        async with database.write.begin() as connection:
            await connection.execute(delete(m.organizations).where(m.organizations.c.slug == "acme"))
            await connection.execute(insert(m.organizations).values(id="0" * 32, slug="new", name="New", created_at=0))
            await connection.execute(update(m.users).values(name="Nobody"))
    finally:
        await database.dispose()


def test_what_a_test_does_is_gone_afterwards(filled: Filled) -> None:
    prepared, _ = filled
    before = asyncio.run(look(prepared.url))
    for _ in range(2):
        with prepared.copy() as url:
            assert asyncio.run(look(url)) == before
            asyncio.run(make_havoc(url))
            assert asyncio.run(look(url)) != before
