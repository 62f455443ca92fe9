"""Several processes, one database, and hundreds of requests for the same times: exactly the allowed ones win."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from app.db import models as m
from tests.faults.invariants import check_all, untold
from tests.faults.journal import DAY, History, read_history
from tests.faults.site import Site, site
from tests.faults.storm import Held, Offer, Storm
from tests.support.waiting import eventually

# One storm at a time: each opens many connections to the one PostgreSQL server.
pytestmark = [pytest.mark.anyio, pytest.mark.xdist_group("storm"), pytest.mark.timeout(900)]

SEED = 20270301
SERVERS = 3
CONTENDED, MIXED = 150, 200
CLIENTS = 24
HALF_HOUR = 1800


@asynccontextmanager
async def storm_over(url: str, folder: Path, soak: bool) -> AsyncIterator[tuple[Site, Storm]]:
    """Three processes and a storm; whatever it does, afterwards the rules were kept at every moment and in the end,
    no time was refused in vain, and everybody is told."""
    seed = int(time.time()) if soak else SEED
    print(f"seed {seed}")
    async with site(url, folder, SERVERS) as place:
        database = place.workspace.parts.database
        async with Storm(place.urls, place.day, seed) as storm:
            yield place, storm
        print(dict(sorted(storm.answers.items())))
        storm.check_refusals(await read_history(database))
        await check_all(database)
        stored = {str(row["id"]) for row in await place.workspace.rows(m.bookings)}
        assert stored == set(storm.bookings), "answers and bookings differ"

        async def all_told() -> bool:
            return not await untold(database, int(time.time()))

        await eventually(all_told, "everybody is told", 180, 0.5)
        await check_all(database)


async def test_exactly_the_allowed_ones_win(database_url: str, tmp_path: Path, soak: bool) -> None:
    """More than 400 competing requests whose outcome is known: so many win, all others hear why not."""
    async with storm_over(database_url, tmp_path, soak) as (place, storm):
        await contention_on_one_host(storm, place)
        await every_slot_has_one_winner(storm, place)
        await limits_hold(storm, place)
        await a_token_is_used_once(storm, place)
        await twins_are_one_booking(storm, place)
        await a_pool_has_as_many_winners_as_hosts(storm, place)
        await services_have_as_many_winners_as_rooms(storm, place)
        await one_of_many_moves_wins(storm, place)
        await a_booking_is_cancelled_once(storm)
        assert storm.answers.total() >= 400


async def test_anything_goes(database_url: str, tmp_path: Path, soak: bool) -> None:
    """Bookings on links of one and of several hosts, moves, cancellations, twins, and events put and deleted by
    CalDAV, all at random: what was let in is judged by the order in which the database took it."""
    async with storm_over(database_url, tmp_path, soak) as (place, storm):
        await mixed(storm, place, MIXED * (10 if soak else 1))
        verbs = {kind for kind, status in storm.answers if status in (200, 201, 204)}
        assert verbs == {"book", "move", "cancel", "put", "delete"}
        history = await read_history(place.workspace.parts.database)
        assert {note.what for note in history.occupied} == {"claim", "busy"}


async def test_holds_that_run_out_at_once(database_url: str, tmp_path: Path, soak: bool) -> None:
    """Requests for approval whose hold has run out when they are made, on teams and on their members: each booking
    releases others' holds, of hosts that its own link does not know. All win, and nobody waits in a circle."""
    async with storm_over(database_url, tmp_path, soak) as (place, storm):
        team = [place.workspace.owner, *[await place.workspace.user(name) for name in ("ana", "ben")]]
        await place.workspace.set(m.organizations, m.organizations.c.slug == "acme", hold_minutes=-1)
        offers = [await place.offer(f"only-{user.handle}", user, requires_approval=True) for user in team]
        for number, hosts in enumerate((team, team[:2], team[1:], [team[2], team[0]])):
            offers.append(await place.shared_offer("collective", hosts, f"team-{number}", requires_approval=True))
        asked = [(offer, storm.day + turn % 2 * HALF_HOUR) for turn in range(20) for offer in offers]
        storm.chance.shuffle(asked)
        answers = await asyncio.gather(*(storm.book(offer, start) for offer, start in asked))
        assert {answer.status_code for answer in answers} == {201}  # whatever was in the way had run out


async def contention_on_one_host(storm: Storm, place: Site) -> None:
    """Three links of one host with different lengths, steps and buffers, at random times of ten hours. Nothing is
    ever given back, so whatever was refused must be taken at the end."""
    offers = [
        await place.offer("short"),
        await place.offer("long", durations=(60,), step=15, buffer_before=10, buffer_after=15),
        await place.offer("odd", durations=(45,), step=15, buffer_before=5),
    ]
    wanted = [(offer, storm.start_for(offer, 0, 10)) for offer in offers for _ in range(CONTENDED // len(offers))]
    storm.chance.shuffle(wanted)
    began = time.monotonic()
    answers = await asyncio.gather(*(storm.book(offer, start) for offer, start in wanted))
    took = time.monotonic() - began
    won = Counter(answer.status_code for answer in answers)[201]
    print(f"{len(wanted)} competing bookings in {took:.1f} s: {len(wanted) / took:.0f} a second, {won} won")
    history: History = await read_history(place.workspace.parts.database)
    for (offer, start), answer in zip(wanted, answers, strict=True):
        assert answer.status_code in (201, 409)
        assert history.stands(offer.host, *offer.claim(start))


async def every_slot_has_one_winner(storm: Storm, place: Site) -> None:
    """Disjoint times with several contenders each, all at once."""
    offer = await place.offer("slots")
    starts = [storm.day + DAY + number * HALF_HOUR for number in range(12)]
    wanted = starts * 6
    storm.chance.shuffle(wanted)
    answers = await asyncio.gather(*(storm.book(offer, start) for start in wanted))
    assert sorted(start for start, answer in zip(wanted, answers, strict=True) if answer.status_code == 201) == starts


async def limits_hold(storm: Storm, place: Site) -> None:
    """Five days of one week, six free times each, three allowed a day and seven a week."""
    capped = await place.offer("capped", durations=(15,), max_per_day=3, max_per_week=7)
    wanted = [storm.day + (7 + day) * DAY + hour * 3600 for day in range(5) for hour in range(6)]
    storm.chance.shuffle(wanted)
    answers = await asyncio.gather(*(storm.book(capped, start) for start in wanted))
    won = [start for start, answer in zip(wanted, answers, strict=True) if answer.status_code == 201]
    assert len(won) == 7
    assert max(Counter(start // DAY for start in won).values()) <= 3


async def a_token_is_used_once(storm: Storm, place: Site) -> None:
    """Six one-time links, each tried by six at once, some for the same time and some for others."""
    link = await place.workspace.link("once")
    for number in range(6):
        one_time = await place.workspace.one_time(link)
        offer = place.offered(link, place.workspace.owner.id, one_time.token)
        first = storm.day + 2 * DAY + number * 3 * 3600
        answers = await asyncio.gather(*(storm.book(offer, first + turn % 4 * HALF_HOUR) for turn in range(6)))
        assert Counter(answer.status_code for answer in answers) == {201: 1, 410: 5}


async def twins_are_one_booking(storm: Storm, place: Site) -> None:
    """The same request six times at once is one booking and one answer; another body under its key is refused."""
    twin = await place.offer("twin")
    keys = [f"key-{number}" for number in range(5)]
    sent = [(key, storm.day + 3 * DAY + number * HALF_HOUR) for number, key in enumerate(keys)] * 6
    storm.chance.shuffle(sent)
    answers = await asyncio.gather(*(storm.book(twin, start, key=key) for key, start in sent))
    assert {answer.status_code for answer in answers} == {201}
    for key in keys:
        assert len({answer.text for (other, _), answer in zip(sent, answers, strict=True) if other == key}) == 1
    start = storm.day + 3 * DAY + 12 * 3600
    answers = await asyncio.gather(
        *(storm.book(twin, start + number * HALF_HOUR, key="two-bodies", name=f"Guest {number}") for number in range(4))
    )
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: 3}


async def a_pool_has_as_many_winners_as_hosts(storm: Storm, place: Site) -> None:
    """Four times, eight contenders each, three hosts."""
    team = [place.workspace.owner, *[await place.workspace.user(name) for name in ("ana", "ben")]]
    pool = await place.shared_offer("pool", team, "pool")
    starts = [storm.day + 4 * DAY + number * HALF_HOUR for number in range(4)]
    answers = await asyncio.gather(*(storm.book(pool, start) for start in starts * 8))
    won = [answer.json() for answer in answers if answer.status_code == 201]
    assert len(won) == len(starts) * len(team)
    places = {(made["start"], made["hosts"][0]["id"]) for made in won}
    assert len(places) == len(won)


async def services_have_as_many_winners_as_rooms(storm: Storm, place: Site) -> None:
    """Two services of three people each, who all are there, and two rooms for both of them: four times, ten contenders
    each."""
    people = [await place.workspace.user(name) for name in ("cem", "dee", "eli")]
    offers = await place.service_offers(people, rooms=2, slugs=("cut", "colour"))
    starts = [storm.day + 5 * DAY + number * HALF_HOUR for number in range(4)]
    wanted = [(offer, start) for start in starts for offer in offers] * 5
    storm.chance.shuffle(wanted)
    answers = await asyncio.gather(*(storm.book(offer, start) for offer, start in wanted))
    won = [answer.json() for answer in answers if answer.status_code == 201]
    assert Counter(answer.status_code for answer in answers) == {201: 8, 409: 32}
    taken = Counter((made["start"], host["id"]) for made in won for host in made["hosts"])
    assert set(taken.values()) == {1}
    assert {len(made["hosts"]) for made in won} == {2}


async def one_of_many_moves_wins(storm: Storm, place: Site) -> None:
    """Eight bookings that all want to move to the same time, and one that five want to move elsewhere at once."""
    movable = await place.offer("movable")
    for number in range(8):
        await storm.book(movable, storm.day + 14 * DAY + number * HALF_HOUR)
    bookings = [held for held in storm.open_bookings if held.offer == movable]
    goal = storm.day + 15 * DAY
    answers = await asyncio.gather(*(storm.move(held, goal) for held in bookings))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 7}
    one = bookings[0]
    version, goals = one.version, [goal + (number + 1) * HALF_HOUR for number in range(5)]
    answers = await asyncio.gather(*(storm.move(one, start, version) for start in goals))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 412: 4}


async def a_booking_is_cancelled_once(storm: Storm) -> None:
    """Eight bookings, each cancelled by four at once."""
    for held in [held for held in storm.open_bookings if held.offer.token.endswith(".movable")]:
        answers = await asyncio.gather(*(storm.cancel(held) for _ in range(4)))
        assert Counter(answer.status_code for answer in answers) == {200: 1, 422: 3}


async def mixed(storm: Storm, place: Site, count: int) -> None:
    """Many clients, each doing one random thing after another within two days."""
    owner = place.workspace.owner
    team = [owner, *[await place.workspace.user(name) for name in ("ana", "ben")]]
    auth = await place.device(owner)
    offers = [
        await place.offer("short"),
        await place.offer("long", durations=(60,), step=30, buffer_before=10, buffer_after=15),
        await place.offer("capped", durations=(30,), max_per_day=4, max_per_week=6),
        await place.offer("ana-only", team[1]),
        await place.shared_offer("pool", team, "pool"),
        await place.shared_offer("collective", team[:2], "both"),
        await place.shared_offer("collective", team[::-1], "all"),
    ]
    todo = iter(range(count))
    await asyncio.gather(*(client(storm, place, offers, auth, todo) for _ in range(CLIENTS)))


async def client(storm: Storm, place: Site, offers: list[Offer], auth: tuple[str, str], todo: Iterator[int]) -> None:
    collection = place.personal(place.workspace.owner)
    for number in todo:
        choice, offer = storm.chance.random(), storm.chance.choice(offers)
        start, held = storm.start_for(offer, storm.chance.randrange(2)), _any(storm)
        if choice < 0.45 or held is None:
            await storm.book(offer, start)
        elif choice < 0.5:
            await asyncio.gather(*(storm.book(offer, start, key=f"twin-{number}") for _ in range(3)))
        elif choice < 0.7:
            await storm.move(held, storm.start_for(held.offer, storm.chance.randrange(2)))
        elif choice < 0.85:
            await storm.cancel(held)
        elif choice < 0.95 or not storm.events:
            await storm.put_event(collection, auth, start + storm.chance.randrange(0, 1800, 300), 20)
        else:
            await storm.delete_event(storm.chance.choice(sorted(storm.events)), auth)


def _any(storm: Storm) -> Held | None:
    there = storm.open_bookings
    return storm.chance.choice(there) if there else None
