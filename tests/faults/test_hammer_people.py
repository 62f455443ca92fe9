"""Several processes that die and come again file, join and forget people while these book: each is known once, and who
is forgotten is so everywhere."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, String, Text, cast, false, func, or_, select

from app.db import models as m
from app.domain.clients import email_key, phone_key
from app.use_cases.choose_notifications import choose_notifications
from app.use_cases.unsubscribe import members_way_out, recipients_way_out
from tests.faults.invariants import check_all, untold
from tests.faults.site import Site, free_leases, kill_at_random, site
from tests.faults.storm import Offer, Storm, check_refusal
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(900)]

SEED = 20270305
SERVERS = 3
CATCH_UP_SECONDS = 90
FILED, FORGOTTEN, CLIENTS = 70, 90, 12
ADDRESSES = [f"{name}@example.org" for name in ("ada", "bo", "cy", "di", "ed", "flo", "gus", "hal", "ida", "jo")]
NUMBERS = [f"+49 30 55501{number:02}" for number in range(8)]
"""Two each for three of the addresses, which these join."""


async def test_each_client_is_one(database_url: str, tmp_path: Path, soak: bool) -> None:
    """Bookings under few addresses and numbers, whose clients become one by and by: in the end they are what the
    addresses and numbers join, and each has the bookings of all. Then with staff who correct and join them besides."""
    seed, times = (int(time.time()), 6) if soak else (SEED, 1)
    print(f"seed {seed}")
    async with site(database_url, tmp_path, SERVERS) as place:
        offers, staff = await _offers(place), await place.staff()
        async with Storm(place.urls, place.day, seed, patient=True) as storm:
            killer = asyncio.create_task(kill_at_random(place, random.Random(seed), 2 * times))
            await asyncio.gather(*(_book_as(storm, offers, some_number=True) for _ in range(FILED * times)))
            await killer
            await _until_all_is_done(place)
            await check_all(place.workspace.parts.database)
            await _clients_are_what_is_joined(place)
            await _manage(storm, place, offers, staff, 40 * times)
            await _until_all_is_done(place)
            await check_all(place.workspace.parts.database)
            await _is_unsubscribed_once(storm, place)
            print(dict(sorted(storm.answers.items())), f"asked again {storm.asked_again} times")


async def test_who_is_forgotten_is_so_everywhere(database_url: str, tmp_path: Path, soak: bool) -> None:
    """People book, are guests, move and cancel while admins have them erased: of what was erased nothing is left, and
    what was booked afterwards is whole. In the end all of them are erased while the workers still tell them things."""
    seed, times = (int(time.time()), 6) if soak else (SEED, 1)
    print(f"seed {seed}")
    async with site(database_url, tmp_path, SERVERS) as place:
        offers, staff = await _offers(place), await place.staff()
        async with Storm(place.urls, place.day, seed, patient=True) as storm:
            killer = asyncio.create_task(kill_at_random(place, random.Random(seed), 2 * times))
            await _book_and_forget(storm, offers, staff, FORGOTTEN * times)
            await killer
            await check_all(place.workspace.parts.database)
            await _until_all_is_done(place)
            await check_all(place.workspace.parts.database)
            await _nothing_is_left_of_erased_bookings(place)
            await asyncio.gather(*(_book_as(storm, offers, some_number=True) for _ in range(20)))
            await asyncio.gather(*(_erase(storm, staff, address) for address in ADDRESSES for _ in range(2)))
            await _until_all_is_done(place)
            print(dict(sorted(storm.answers.items())), f"asked again {storm.asked_again} times")
        await check_all(place.workspace.parts.database)
        assert not await _traces(place, "example.org")
        assert await place.workspace.rows(m.clients) == []
        stored = await place.workspace.rows(m.bookings)
        assert {str(row["id"]) for row in stored} == set(storm.bookings), "erasing keeps the bookings"
        assert {row["status"] for row in stored} == {"cancelled"}


async def _offers(place: Site) -> list[Offer]:
    people = [place.workspace.owner, *[await place.workspace.user(name) for name in ("ana", "ben")]]
    alone = [await place.offer(f"only-{user.handle}", user) for user in people]
    return [*alone, await place.shared_offer("pool", people, "pool")]


async def _book_as(storm: Storm, offers: Sequence[Offer], *, some_number: bool = False, guests: int = 0) -> None:
    """Book as one of the people; addresses and numbers are written in several ways."""
    offer, person, number = storm.chance.choice(offers), storm.chance.randrange(len(ADDRESSES)), None
    address = ADDRESSES[person].title() if storm.chance.random() < 0.3 else ADDRESSES[person]
    if some_number and storm.chance.random() < 0.5:
        number = NUMBERS[person // 3 * 2 + storm.chance.randrange(2)]
    if number and storm.chance.random() < 0.5:
        number = "00" + number[1:].replace(" ", "")
    more: dict[str, Any] = {"guests": storm.chance.sample(ADDRESSES, guests)} if guests else {}
    await storm.book(offer, storm.start_for(offer, storm.chance.randrange(14)), email=address, phone=number, **more)


async def _until_all_is_done(place: Site) -> None:
    async def all_done() -> bool:
        await free_leases(place)
        return not await untold(place.workspace.parts.database, int(time.time()))

    await eventually(all_done, "the workers catch up", CATCH_UP_SECONDS, 0.3)


# clients


async def _clients_are_what_is_joined(place: Site) -> None:
    """One for each group of bookings that addresses and numbers hold together, known by all of these."""
    rows = await place.workspace.rows(m.bookings)
    group: dict[str, str] = {}

    def root(key: str) -> str:
        while group.setdefault(key, key) != key:
            key = group[key]
        return key

    for row in rows:
        group[root(email_key(row["recipient_email"]))] = root(str(row["id"]))
        if row["recipient_phone"]:
            group[root(phone_key(row["recipient_phone"]) or "")] = root(str(row["id"]))
    expected: dict[str, set[str]] = {}
    for key in list(group):
        expected.setdefault(root(key), set()).add(key)
    found: dict[str, set[str]] = {str(row["id"]): set() for row in await place.workspace.rows(m.clients)}
    for row in rows:
        found[str(row["client_id"])].add(str(row["id"]))
    for row in await place.workspace.rows(m.client_identities):
        found[str(row["client_id"])].add(row["value"])
    assert sorted(map(sorted, found.values())) == sorted(map(sorted, expected.values()))
    assert 1 < len(found) < len(ADDRESSES), "the numbers were to join some, and not all"


async def _manage(storm: Storm, place: Site, offers: Sequence[Offer], staff: dict[str, str], turns: int) -> None:
    """Staff correct numbers and notes and join clients, while people go on booking."""
    todo = iter(range(turns))

    async def client() -> None:
        for number in todo:
            choice = storm.chance.random()
            ids = [str(row["id"]) for row in await place.workspace.rows(select(m.clients.c.id))]
            one, other = storm.chance.choice(ids), storm.chance.choice(ids)
            if choice < 0.5:
                await _book_as(storm, offers, some_number=True)
            elif choice < 0.8:
                changes = {"phone": storm.chance.choice([*NUMBERS, None]), "notes": f"Note {number}"}
                answer = await storm.send("correct", "PATCH", f"/api/v1/clients/{one}", json=changes, headers=staff)
                assert answer.status_code in {200, 404, 409}, answer.text
            else:
                path = f"/api/v1/clients/{one}/merge"
                answer = await storm.send("join", "POST", path, json={"client": other}, headers=staff)
                # The same client twice, one that is gone by now, or a booking of theirs that is being changed.
                assert answer.status_code in {200, 400, 404, 412}, answer.text

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    assert storm.answers["correct", 200] and storm.answers["join", 200]


async def _is_unsubscribed_once(storm: Storm, place: Site) -> None:
    """Mail programs ask more than once, and all at once."""
    ports, owner = place.workspace.ports, place.workspace.owner
    await choose_notifications(ports, owner, {"digest": "daily"})
    booking = await place.workspace.stored(next(iter(storm.bookings)))
    ways = [recipients_way_out(ports, booking), members_way_out(ports, owner.id)]
    paths = [way.removeprefix(ports.base_url) for way in ways] * 8
    answers = await asyncio.gather(*(storm.send("unsubscribe", "POST", path) for path in paths))
    assert {answer.status_code for answer in answers} == {200}
    assert len(await place.workspace.rows(m.unsubscribed)) == 1
    (chosen,) = await place.workspace.rows(m.notification_settings)
    assert (chosen["digest"], chosen["version"]) == ("off", 2)


# erasing


async def _book_and_forget(storm: Storm, offers: Sequence[Offer], staff: dict[str, str], turns: int) -> None:
    todo = iter(range(turns))

    async def client() -> None:
        for _ in todo:
            choice, there = storm.chance.random(), storm.open_bookings
            if choice < 0.55 or not there:
                await _book_as(storm, offers, some_number=True, guests=storm.chance.choice((0, 0, 1, 2)))
            elif choice < 0.65:
                held = storm.chance.choice(there)
                await storm.move(held, storm.start_for(held.offer, storm.chance.randrange(14)))
            elif choice < 0.72:
                await storm.cancel(storm.chance.choice(there))
            else:
                await _erase(storm, staff, storm.chance.choice(ADDRESSES))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    assert storm.answers["erase", 200] and storm.answers["move", 200]


async def _erase(storm: Storm, staff: dict[str, str], address: str) -> None:
    """Asked again as long as bookings are being changed by others."""
    while True:
        answer = await storm.send("erase", "POST", "/api/v1/erase", json={"email": address}, headers=staff)
        if answer.status_code == 200:
            return
        check_refusal(answer, {412})


async def _nothing_is_left_of_erased_bookings(place: Site) -> None:
    """Neither in the bookings nor in what is stored about them; the others are there, whole."""
    rows = await place.workspace.rows(select(m.bookings.c.id, m.bookings.c.erased_at))
    counts = Counter(row["erased_at"] is None for row in rows)
    assert counts[True] and counts[False], counts
    erased = [row["id"] for row in rows if row["erased_at"] is not None]
    about = {"bookings": "id", "outbox": "subject_id"}
    for table in m.metadata.sorted_tables:
        column = table.c.get(about.get(table.name, "booking_id"))
        if column is not None:
            found = await place.workspace.rows(select(table).where(column.in_(erased), _holds(table, "example.org")))
            assert not found, f"{table.name} still knows whom it was about: {found[:3]}"


async def _traces(place: Site, part: str) -> dict[str, list[Any]]:
    """Rows that still hold it, by table; the kept answers, which are sealed, are opened."""
    found: dict[str, list[Any]] = {
        table.name: await place.workspace.rows(select(table).where(_holds(table, part)))
        for table in m.metadata.sorted_tables
    }
    async with place.workspace.ports.read() as work:
        found["kept answers"] = list(await work.idempotency.holding([part, *ADDRESSES]))
    return {name: rows[:3] for name, rows in found.items() if rows}


def _holds(table: Any, part: str) -> Any:
    texts = [column for column in table.columns if isinstance(column.type, String | Text | JSON)]
    return or_(false(), *(func.lower(cast(column, Text)).contains(part) for column in texts))
