"""Pools under load, over several processes that die and come again: each booking goes to whoever the rule names."""

from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import select

from app.db import models as m
from app.ports.people import User
from tests.faults.fairness import Ledger, Pool
from tests.faults.invariants import check_all, untold
from tests.faults.journal import DAY, read_notes
from tests.faults.site import Site, free_leases, kill_at_random, site
from tests.faults.storm import Offer, Storm
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(900)]

SEED = 20270304
SERVERS = 3
HALF_HOUR, WEEK = 1800, 7 * DAY
EVEN, CLIENTS, TURNS = 42, 16, 120


async def test_a_pool_stays_fair_whatever_happens(database_url: str, tmp_path: Path, soak: bool) -> None:
    """Four hosts. First as many bookings as there are times, then more for few times by rank, then anything, among
    bookings of single hosts; and after each round what the rule says of every single choice."""
    seed, times = (int(time.time()), 6) if soak else (SEED, 1)
    print(f"seed {seed}")
    async with site(database_url, tmp_path, SERVERS) as place:
        team = [place.workspace.owner, *[await place.workspace.user(name) for name in ("ana", "ben", "cem")]]
        even = await place.shared_offer("pool", team, "even")
        ranked = await place.shared_offer("pool", team, "ranked", priorities=(1, 2, 2, 0))
        alone = await place.offer("alone", team[1])
        pools = [_pool(even, team, (0, 0, 0, 0)), _pool(ranked, team, (1, 2, 2, 0))]
        chance = random.Random(seed)
        async with Storm(place.urls, place.day, seed, patient=True) as storm:
            killer = asyncio.create_task(kill_at_random(place, chance, 3 * times))
            await _evenly(storm, place, even)
            await _check(place, pools)
            await _by_rank(storm, ranked, team)
            await _check(place, pools)
            await _anything(storm, [even, ranked, alone], TURNS * times)
            await killer
            print(dict(sorted(storm.answers.items())), f"asked again {storm.asked_again} times")
            chosen = await _check(place, pools)
            assert chosen > EVEN + 24 + TURNS // 4
            assert storm.answers["move", 200] and storm.answers["cancel", 200] and storm.answers["book", 409]
            assert {str(row["id"]) for row in await place.workspace.rows(m.bookings)} == set(storm.bookings)

        async def all_told() -> bool:
            await free_leases(place)
            return not await untold(place.workspace.parts.database, int(time.time()))

        await eventually(all_told, "everybody is told", 240, 0.5)
        await check_all(place.workspace.parts.database)


def _pool(offer: Offer, team: Sequence[User], priorities: Sequence[int]) -> Pool:
    return Pool(offer.link, {user.id: priority for user, priority in zip(team, priorities, strict=True)})


async def _check(place: Site, pools: Sequence[Pool]) -> int:
    """The rules of all bookings, and of each choice; how many there were."""
    database = place.workspace.parts.database
    await check_all(database)
    notes = await read_notes(database)
    rows = await place.workspace.rows(m.bookings)
    made = {str(row["id"]): (row["link_id"] and str(row["link_id"]), int(row["created_at"])) for row in rows}
    ledger = Ledger({pool.link: pool for pool in pools}, made)
    ledger.play(notes)
    return ledger.chosen


async def _evenly(storm: Storm, place: Site, even: Offer) -> None:
    """In one week, at times of their own: all are free each time, and nobody has two more than another."""
    starts = [storm.day + number * HALF_HOUR for number in range(EVEN)]
    storm.chance.shuffle(starts)
    answers = await asyncio.gather(*(storm.book(even, start) for start in starts))
    assert {answer.status_code for answer in answers} == {201}
    hosted = await place.workspace.rows(select(m.booking_hosts.c.host_id))
    counts = Counter(str(row["host_id"]) for row in hosted)
    assert sum(counts.values()) == EVEN
    assert len(counts) == 4
    assert max(counts.values()) - min(counts.values()) <= 1, counts


async def _by_rank(storm: Storm, ranked: Offer, team: Sequence[User]) -> None:
    """In the next week, at each of six times three contenders and then the others: the two with the highest priority
    are always among the first three, and whoever has the lowest is not."""
    starts = [storm.day + WEEK + number * HALF_HOUR for number in range(6)]
    first = await asyncio.gather(*(storm.book(ranked, start) for start in starts * 3))
    counts = Counter(answer.json()["hosts"][0]["id"] for answer in first)
    owner, ana, ben, cem = (user.id for user in team)
    assert counts == {ana: 6, ben: 6, owner: 6}
    last = await asyncio.gather(*(storm.book(ranked, start) for start in starts * 2))
    assert Counter(answer.status_code for answer in last) == {201: 6, 409: 6}
    assert {answer.json()["hosts"][0]["id"] for answer in last if answer.status_code == 201} == {cem}


async def _anything(storm: Storm, offers: Sequence[Offer], turns: int) -> None:
    """Bookings, moves and cancellations on few times of two weeks."""
    todo = iter(range(turns))

    async def client() -> None:
        for _ in todo:
            choice, offer = storm.chance.random(), storm.chance.choice(offers)
            start = storm.day + storm.chance.choice((2, 3)) * WEEK + storm.chance.randrange(12) * HALF_HOUR
            there = storm.open_bookings
            if choice < 0.6 or not there:
                await storm.book(offer, start)
            elif choice < 0.8:
                await storm.move(storm.chance.choice(there), start)
            else:
                await storm.cancel(storm.chance.choice(there))

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
