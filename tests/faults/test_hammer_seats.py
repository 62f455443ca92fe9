"""Several processes book the seats of a class at once: none too many, none counted twice, nobody in two places."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from pathlib import Path

import pytest

from app.db import models as m
from app.domain.services import ServiceHost
from app.ports.people import User
from app.use_cases.manage_services import create_service
from tests.faults.invariants import check_all, untold
from tests.faults.journal import DAY
from tests.faults.site import Site, free_leases, site
from tests.faults.storm import Offer, Storm
from tests.support.waiting import eventually

pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(900)]

SEED = 20270303
SERVERS = 3
SEATS = 5
HALF_HOUR = 1800
TURNS = 150


async def test_seats_are_never_overbooked(database_url: str, tmp_path: Path, soak: bool) -> None:
    """A class of one teacher, one of two, and an ordinary link of one of them: first a rush for known numbers of seats,
    then bookings of one to three seats, moves and cancellations at random."""
    seed = int(time.time()) if soak else SEED
    print(f"seed {seed}")
    async with site(database_url, tmp_path, SERVERS) as place:
        database = place.workspace.parts.database
        ana, ben = [await place.workspace.user(name) for name in ("ana", "ben")]
        one, two = await _class(place, "one", [ana]), await _class(place, "two", [ana, ben])
        single = await place.offer("single", ben)
        async with Storm(place.urls, place.day, seed) as storm:
            await _rush(storm, one, two)
            await check_all(database)
            await _anything(storm, [one, two, single], TURNS * (10 if soak else 1))
            await check_all(database)
            print(dict(sorted(storm.answers.items())))
            stored = await place.workspace.rows(m.bookings)
            attended = {str(row["id"]) for row in stored if row["capacity"] is None}
            assert attended == set(storm.bookings), "answers and bookings differ"
            assert storm.answers["book", 409] and storm.answers["move", 200] and storm.answers["cancel", 200]

        async def all_told() -> bool:
            return not await untold(database, int(time.time()))

        await eventually(all_told, "everybody is told", 480, 0.5)  # three servers share the machine
        await check_all(database)


async def test_seats_survive_kills(database_url: str, tmp_path: Path, soak: bool) -> None:
    """Servers die in the midst of it, and clients ask again: what was answered is there, once."""
    async with site(database_url, tmp_path, SERVERS) as place:
        database = place.workspace.parts.database
        offer = await _class(place, "one", [await place.workspace.user("ana")])
        async with Storm(place.urls, place.day, SEED, patient=True) as storm:
            starts = [storm.day + number * HALF_HOUR for number in range(8 * (5 if soak else 1))]
            clients = [storm.book(offer, start) for start in starts for _ in range(SEATS + 2)]
            storm.chance.shuffle(clients)
            answers, _ = await asyncio.gather(asyncio.gather(*clients), _killing(place))
            assert Counter(answer.status_code for answer in answers) == {
                201: SEATS * len(starts),
                409: 2 * len(starts),
            }
            rows = await place.workspace.rows(m.bookings)
            assert {str(row["id"]) for row in rows if row["capacity"] is None} == set(storm.bookings)
            assert sum(row["capacity"] is not None for row in rows) == len(starts), "one session each"
            await check_all(database)
        await free_leases(place)


async def _killing(place: Site) -> None:
    for program in place.programs[:2]:
        await asyncio.sleep(0.3)
        program.kill()
        program.start()
        await program.ready()


async def _class(place: Site, slug: str, people: list[User]) -> Offer:
    """A class that any of these people gives."""
    values = {"name": slug.title(), "durations": (30,), "capacity": SEATS}
    hosts = [ServiceHost(person.id) for person in people]
    service = await create_service(place.workspace.ports, place.workspace.owner, values, [], hosts)
    return place.offered(await place.workspace.link(slug, service_id=service.id))


async def _rush(storm: Storm, one: Offer, two: Offer) -> None:
    """Three times, ten contenders each, for five seats; and eight pairs for the two pairs that find room in each of two
    sessions."""
    starts = [storm.day + number * HALF_HOUR for number in range(3)]
    answers = await asyncio.gather(*(storm.book(one, start) for start in starts * 10))
    assert Counter(answer.status_code for answer in answers) == {201: 15, 409: 15}
    start = storm.day + DAY
    answers = await asyncio.gather(*(storm.book(two, start, seats=2) for _ in range(8)))
    assert Counter(answer.status_code for answer in answers) == {201: 4, 409: 4}


async def _anything(storm: Storm, offers: list[Offer], turns: int) -> None:
    async def client(number: int) -> None:
        offer, held = storm.chance.choice(offers), None
        start = storm.day + 2 * DAY + storm.chance.randrange(6) * HALF_HOUR
        if storm.open_bookings:
            held = storm.chance.choice(storm.open_bookings)
        if held is None or number % 3 == 0:
            seats = 1 if offer.host else storm.chance.randint(1, 3)
            await storm.book(offer, start, seats=seats)
        elif number % 3 == 1:
            await storm.move(held, start)
        else:
            await storm.cancel(held)

    for first in range(0, turns, 30):
        await asyncio.gather(*(client(number) for number in range(first, first + 30)))
