"""The floors: the least a Litestar handler over the same engine can do. Served as the program itself is.

`GET /select/{n}` does one indexed SELECT and sends `n` bytes; `GET /bytes/{n}` sends `n` stored bytes; `POST /insert`
writes one row into a table with two indexes, in a transaction of the program's durability.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar, Response, get, post
from sqlalchemy import BigInteger, Column, MetaData, String, Table, bindparam, insert, select

from app.db.engine import Database, connect

URL_VARIABLE = "BENCH_FLOOR_DATABASE_URL"
ROWS = 10_000

metadata = MetaData()
things = Table(
    "floor_things",
    metadata,
    Column("id", BigInteger, primary_key=True),
    Column("uid", String(64), unique=True),
    Column("start_at", BigInteger, index=True),
    Column("title", String(200)),
    Column("email", String(200)),
)
_by_uid = select(things.c.id, things.c.uid, things.c.start_at, things.c.title, things.c.email).where(
    things.c.uid == bindparam("uid")
)
_state: dict[str, Database] = {}
_numbers = itertools.count(10 * ROWS)
_bodies: dict[int, bytes] = {}


def _body(length: int) -> bytes:
    return _bodies.setdefault(length, b"x" * length)


@get("/select/{length:int}")
async def one_select(length: int) -> Response[bytes]:
    """One indexed SELECT, `length` bytes."""
    async with _state["db"].read.connect() as connection:
        row = (await connection.execute(_by_uid, {"uid": f"uid-{next(_numbers) % ROWS}"})).one()
    return Response(_body(length), media_type="application/json", headers={"X-Row": str(row.id)})


@get("/bytes/{length:int}")
async def stored_bytes(length: int) -> Response[bytes]:
    """`length` bytes from memory."""
    return Response(_body(length), media_type="application/json")


@post("/insert")
async def one_insert() -> Response[bytes]:
    """One row, one transaction."""
    number = next(_numbers)
    async with _state["db"].write.connect() as connection:
        await connection.execute(
            insert(things),
            {"id": number, "uid": f"new-{number}", "start_at": number, "title": "Meeting", "email": "g@example.org"},
        )
        await connection.commit()
    return Response(b"{}", media_type="application/json")


@asynccontextmanager
async def _lifespan(_: Litestar) -> AsyncIterator[None]:
    database = _state["db"] = connect(os.environ[URL_VARIABLE])
    async with database.write.connect() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
        rows = [
            {"id": n, "uid": f"uid-{n}", "start_at": n * 30, "title": f"Meeting {n}", "email": f"g{n}@example.org"}
            for n in range(ROWS)
        ]
        await connection.execute(insert(things), rows)
        await connection.commit()
    yield
    await database.dispose()


def application() -> Litestar:
    """The floor as an application."""
    return Litestar(
        [one_select, stored_bytes, one_insert], lifespan=[_lifespan], openapi_config=None, logging_config=None
    )
